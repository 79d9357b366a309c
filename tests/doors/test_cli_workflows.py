"""The command line and workflows: drawings, runs step by step, and what an operator does to them."""

import itertools
import json
import re
import signal
import subprocess
import sys
from xml.etree import ElementTree as ET

import pytest

from doors.shops import BOTH, Shop, both, opened
from programs import Program
from rotulus.store import ClaimFilter
from rotulus.testing import drain
from statement_counter import StatementCounter

pytestmark = pytest.mark.anywhere

SHOP = """
import rotulus.workflow as wf
from rotulus import App, Retry, TaskRegistry, task

registry = TaskRegistry()
app = App("sqlite:///shop.db", registry=registry)

class Post: ...

app.provide(Post, Post)

@task("mail.send", registry=registry)
def send(post: Post, report: str = "none") -> None: ...

with wf.WorkflowBuilder("clean", registry=registry) as builder:
    @wf.task()
    def dedupe(context): ...

    @wf.task(dependencies=[dedupe])
    def check(context): ...

with wf.WorkflowBuilder("etl", registry=registry) as builder:
    builder.description("What the shop <sold> yesterday")

    @wf.task()
    def fetch(context):
        context.set("files", ["a", "b", "c"])

    @wf.task(dependencies=[fetch], for_each="files")
    def parse(context):
        if context["item"] == context.get("bad"):
            raise ValueError("no date")
        return context["item"]

    builder.add_task("clean", dependencies=["parse"])
    builder.add_task("mail.send", id="report", dependencies=["clean"])

    @wf.task(dependencies=["parse", "clean"], trigger=wf.any_failed)
    def undo(context): ...

with wf.WorkflowBuilder("patient", registry=registry) as builder:
    @wf.task(id="knock-knock", retry_attempts=5, retry_delay_ms=3600_000)
    def knock(context):
        raise ConnectionError("busy")

    @wf.task(dependencies=[knock])
    def enter(context): ...

with wf.WorkflowBuilder("long", registry=registry) as builder:
    last = []
    for number in range(45):
        def step(context): ...
        wf.task(id=f"step-{number}", dependencies=last)(step)
        last = [f"step-{number}"]
"""

PLAIN = """
from rotulus import App, TaskRegistry, task

registry = TaskRegistry()
app = App("sqlite:///shop.db", registry=registry)

@task("mail.send", registry=registry)
def send() -> None: ...
"""

LINES = """
from rotulus import App, TaskRegistry, task

registry = TaskRegistry()
app = App("sqlite:///shop.db", registry=registry)

@task("lines.parse", registry=registry)
def parse(line: str) -> int:
    return int(line)

@task("lines.report", registry=registry)
def report(outcomes: list) -> int:
    return len(outcomes)
"""


class Flows(Shop):
    """A shop with workflows, which are run in its tests."""

    def data(self, *words):
        """What it prints as one JSON object."""
        return json.loads(self(*words, "--json"))

    def begin(self, workflow="etl", **context):
        """The id of a new run."""
        return self.app.enqueue(workflow, **context).id

    def ended(self, workflow="etl", **context):
        """The id of a run that has ended."""
        run = self.begin(workflow, **context)
        while not self.app.get(run).state.ended:
            drain(self.app)
        return run

    def claim(self, *names):
        """Have somebody run what is due, and never end it."""
        return self.app.store.claim(ClaimFilter("somebody", names=names or None), 10, 60)


@pytest.fixture
def shop(request, tmp_path):
    """A shop with workflows."""
    with opened(tmp_path, SHOP, getattr(request, "param", "store"), Flows) as made:
        yield made
        if made.name in sys.modules:
            made.app.close()


@pytest.fixture
def plain(tmp_path):
    """A shop without workflows."""
    with opened(tmp_path, PLAIN, kind=Flows) as made:
        yield made
        made.app.close()


def rows(text):
    """The lines of the tree of steps, by the name of the step."""
    is_before = re.compile(r"(?!step +state +tries)").match
    lines = itertools.dropwhile(is_before, text.splitlines())
    found = {}
    for line in itertools.takewhile(str.strip, itertools.islice(lines, 1, None)):
        words = re.sub(r"^[│├└─ ]+", "", line).split()
        found.setdefault(words[0], " ".join(words[1:]))
    return found


def test_a_workflow_is_printed_as_mermaid(shop):
    """Steps with what they run, what repeats, what is conditional, and what is nested."""
    assert """flowchart TD
    s_fetch["fetch"]
    s_parse{{"parse<br/>for each of files"}}
    s_clean[["clean"]]
    s_report["report<br/>mail.send"]
    s_undo["undo<br/>if any_failed"]
    s_fetch --> s_parse
    s_parse --> s_clean
    s_clean --> s_report
    s_parse -.-> s_undo
    s_clean -.-> s_undo
""" == shop("graph", "etl")


def test_a_workflow_is_drawn_into_one_file(shop, tmp_path):
    """Which loads nothing from elsewhere, and is the same as the one that is printed."""
    assert "" == shop("graph", "etl", "--svg", "etl.svg")
    assert "Wrote etl.svg" in shop.err
    text = (tmp_path / "etl.svg").read_text()
    drawn = ET.fromstring(text)

    assert text == shop("graph", "etl", "--svg", "-")
    said = [element.text for element in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert {"etl", "What the shop <sold> yesterday", "parse", "for each of files"} <= set(said)
    assert {"if any_failed", "report", "mail.send"} <= set(said)
    assert not re.search(r"script|href|url\(|@import", text)
    assert "prefers-color-scheme:dark" in text
    shop("graph", "etl", "--svg", "nowhere/etl.svg", code=1)
    assert "nowhere/etl.svg" in shop.err


def test_a_drawing_shows_how_a_run_stands(shop):
    """Each step in the colour of its state, and with its name."""
    run = shop.ended(bad="b")
    text = shop("graph", "etl", "--run", run)
    other = shop.begin("clean")

    assert 's_parse{{"parse<br/>for each of files<br/>failed"}}:::failed' in text
    assert 's_undo["undo<br/>if any_failed<br/>succeeded"]:::succeeded' in text
    assert "classDef skipped fill:#" in text
    assert ">failed</text>" in shop("graph", "etl", "--run", run, "--svg", "-")
    shop("graph", "etl", "--run", other, code=2)
    assert "is one of 'clean', not of 'etl'" in shop.err
    shop("graph", "etl", "--run", "nonsense", code=5)


def test_a_workflow_is_data(shop):
    """Its steps with their needs and rules, in levels, and the layout of its drawing."""
    data = shop.data("graph", "etl")
    run = shop.data("graph", "etl", "--run", shop.ended(bad="b"))

    assert [["fetch"], ["parse"], ["clean"], ["report", "undo"]] == data["levels"]
    assert {
        "id": "undo",
        "task": "etl.undo",
        "needs": ["parse", "clean"],
        "trigger": "any_failed",
        "for_each": None,
        "state": None,
    } == data["steps"][-1]
    assert [step["id"] for step in data["steps"]] == list(data["layout"]["boxes"])
    assert {(need, step["id"]) for step in data["steps"] for need in step["needs"]} == {
        (route["source"], route["target"]) for route in data["layout"]["routes"]
    }
    heights = [found["layout"]["boxes"]["undo"]["height"] for found in (data, run)]
    assert heights[0] < heights[1]


def test_a_run_is_drawn_as_it_was_begun(shop, plain):
    """As Mermaid, SVG and data, also by an app that does not declare its workflow."""
    run = shop.ended(bad="b")
    data = shop.data("graph", "--run", run)

    assert ["fetch", "parse", "clean", "report", "undo"] == [box["id"] for box in data["boxes"]]
    assert {"succeeded": 2, "failed": 1} == data["boxes"][1]["counts"]
    assert (run, "etl", "failed") == (data["run"], data["task"], data["state"])
    for text in (shop("graph", "--run", run), plain("graph", "--run", run)):
        assert "s_parse --> s_clean" in text
        assert "3 of 3 ended, 1 failed" in text
    drawing = ET.fromstring(shop("graph", "--run", run, "--svg", "-"))
    assert "3 of 3 ended, 1 failed" in " ".join(drawing.itertext())


def test_what_is_drawn_has_to_be_said(shop):
    """A workflow, or a run; a job that is no run has no drawing."""
    shop("graph", code=2)
    assert "Give a WORKFLOW, or --run RUN for a run" in shop.err
    shop("graph", "--run", shop.app.enqueue("mail.send").id, code=5)
    assert "is not a run of a workflow" in shop.err


@both
def test_runs_are_listed_page_by_page(shop):
    """With their status; a page says how to get the next one."""
    failed, under_way = shop.ended(bad="b"), shop.begin()
    shop.app.enqueue("mail.send")
    text = shop("ls", "runs")

    assert re.search(rf"^{under_way} +etl +(Running|Pending) ", text, re.MULTILINE)
    assert re.search(rf"^{failed} +etl +Failed ", text, re.MULTILINE)
    assert 3 == len(text.splitlines())
    [first] = map(json.loads, shop("ls", "runs", "--json", "--limit", "1").splitlines())
    cursor = re.search(r"--after (\S+)", shop.err)[1]
    [second] = map(json.loads, shop("ls", "runs", "--json", "--after", cursor).splitlines())
    assert [under_way, failed] == [first["id"], second["id"]]
    assert "Failed" == second["status"]


@both
def test_runs_are_listed_by_filters(shop):
    """Where there are none, the reason is said."""
    failed, under_way = shop.ended(bad="b"), shop.begin()

    def found(*words):
        return [
            json.loads(line)["id"] for line in shop("ls", "runs", "--json", *words).splitlines()
        ]

    assert [failed] == found("--state", "failed")
    assert [under_way] == found("--state", "running")
    assert [under_way, failed] == found("--task", "etl")
    assert [] == found("--task", "patient")
    assert "" == shop("ls", "runs", "--group", "import")
    assert f"No such runs in {shop.place}" in shop.err
    shop("ls", "runs", "--task", "elt")
    assert "elt" in shop.err
    shop("ls", "runs", "--after", "nonsense", code=2)
    assert "no cursor of" in shop.err


def test_a_wrong_workflow_is_not_found(shop, plain):
    """With the nearest one, and all there are; a task is none."""
    shop("graph", "elt", code=5)
    assert "did you mean 'etl'? Workflows here: clean, etl, patient, long" in shop.err
    shop("graph", "mail.send", code=5)
    assert "'mail.send' is a task and no workflow" in shop.err
    plain("graph", "etl", code=5)
    assert "Workflows here: none" in plain.err


def test_workflows_are_listed_with_their_last_run(shop, plain):
    """That of a workflow as a step of another one is none."""
    text = shop("ls", "workflows")
    assert re.search(r"^etl +5 +[0-9a-f]{16} .* What the shop <sold> yesterday", text, re.MULTILINE)
    run = shop.ended()
    found = {w["name"]: w for w in map(json.loads, shop("ls", "workflows", "--json").splitlines())}

    assert re.search(rf"^etl .* Completed .* {run}", shop("ls", "workflows"), re.MULTILINE)
    assert (run, "Completed") == tuple(found["etl"]["last_run"][name] for name in ("id", "status"))
    assert found["clean"]["last_run"] is None
    assert ["fetch", "parse", "clean", "report", "undo"] == found["etl"]["steps"]
    assert "" == plain("ls", "workflows")
    assert "No workflows are registered: declare one with" in plain.err


def test_the_last_runs_are_found_with_one_look(shop, monkeypatch):
    """However many workflows there are: and not by a search for each."""
    counter = StatementCounter(monkeypatch)
    run = shop.begin()
    counter.said.clear()
    found = {w["name"]: w for w in map(json.loads, shop("ls", "workflows", "--json").splitlines())}

    assert run == found["etl"]["last_run"]["id"]
    assert len(found) > 1
    assert 1 == sum("rotulus_jobs" in statement for statement in counter.said)


@both
def test_a_pause_is_of_all_that_is_named_or_of_nothing(shop):
    """A run is not paused if the name of a queue cannot be one."""
    run = shop.begin()
    shop("pause", "not a queue", "--run", run, code=2)
    assert not shop.app.get(run).paused
    shop("pause", "mail", "--run", run)
    assert shop.app.get(run).paused
    assert "mail" in shop("ls", "queues")
    shop("resume", "mail", "--run", run)
    assert not shop.app.get(run).paused


@both
def test_the_jobs_of_a_run_are_listed(shop):
    """Each with its step; where no job is a step there is no such column."""
    run = shop.ended()
    text = shop("ls", "jobs", "--run", run)
    shop.app.enqueue("mail.send")

    assert "step" in text.splitlines()[0]
    assert re.search(r"parse/1 +etl\.parse", text)
    assert 1 + 1 + 5 + 3 + 2 == len(text.splitlines())  # heading, run, steps, branches, theirs
    assert "step" not in shop("ls", "jobs", "--limit", "1").splitlines()[0]
    shop("ls", "jobs", "--run", "nonsense", code=5)
    shop("ls", "jobs", "--run", shop.app.jobs(run=run, step="fetch")[0].id, code=5)
    assert f"is step 'fetch' of a run: give that, {run}" in shop.err
    shop("ls", "jobs", "--run", shop.app.enqueue("mail.send").id, code=5)
    assert "is not a run of a workflow" in shop.err


@both
def test_a_run_is_shown_step_by_step(shop):
    """As a tree with the steps of workflows within, branches together, and bars over time."""
    run = shop.ended()
    text = shop("show", run)
    steps = rows(text)

    assert re.search(r"^status +Completed", text, re.MULTILINE)
    assert ["fetch", "parse", "clean", "dedupe", "check", "report", "undo"] == list(steps)
    assert re.fullmatch(r"succeeded 1 [\d.]+ m?s [\d.]+ m?s", steps["fetch"])
    assert steps["parse"].endswith("3 of 3: 3 succeeded")
    assert "skipped trigger" == steps["undo"]
    assert "│  ├─ dedupe" in text
    assert re.search(r"^ +├─+ [\d.]+ m?s ─+┤$", text, re.MULTILINE)
    assert re.search(r"^  clean/check +░*█+$", text, re.MULTILINE)
    assert "'files': ['a', 'b', 'c']" in text


@both
def test_a_run_that_failed_says_where_and_why(shop):
    """The branch that failed in one line, and what did not run because of it."""
    text = shop("show", shop.ended(bad="b"))
    steps = rows(text)

    assert re.search(r"^status +Failed", text, re.MULTILINE)
    assert steps["parse"].endswith("3 of 3: 2 succeeded, 1 failed")
    assert "ValueError: no date" == steps["parse/1:"]
    assert "skipped need_failed" == steps["clean"]
    assert re.search(r"^  parse +[ ░]*█*✗", text, re.MULTILINE)
    assert "bad = 'b'" in text


@both
def test_a_run_is_data(shop):
    """With its steps, theirs, and all times."""
    run = shop.ended(bad="b")
    data = shop.data("show", run)
    steps = {step["step"]: step for step in data["steps"]}

    assert ("Failed", run) == (data["status"], data["run"])
    assert {"succeeded": 2, "failed": 1} == steps["parse"]["branches"]
    assert ["parse/1"] == [job["step"] for job in steps["parse"]["wrong"]]
    assert 1 == steps["parse"]["attempts"] == len(steps["parse"]["spans"])
    assert steps["parse"]["due_at"] == steps["fetch"]["ended_at"]
    assert 0 <= steps["fetch"]["waited"] and 0 < steps["fetch"]["ran"]
    assert steps["clean"]["ran"] is None
    assert "clean/dedupe" in [
        step["step"] for step in shop.data("show", shop.ended(), "--json")["steps"][2]["steps"]
    ]


@both
def test_a_run_under_way_says_what_each_step_waits_for(shop):
    """Running, due, blocked, and opened ones."""
    run = shop.begin()
    assert {"fetch": "queued", "parse": "blocked waits for fetch"} == {
        name: re.sub(r" [\d.]+ m?s", "", text)
        for name, text in list(rows(shop("show", run)).items())[:2]
    }
    shop.claim()
    text = shop("show", run)

    assert re.search(r"^status +Running", text, re.MULTILINE)
    assert re.match(r"running 1 ", rows(text)["fetch"])
    assert "blocked waits for parse, clean" == rows(text)["undo"]
    assert re.search(r"^  fetch .*▶$", text, re.MULTILINE)
    assert ["parse", "clean"] == shop.data("show", run)["steps"][-1]["waits_for"]


@both
def test_a_step_that_tries_again_shows_its_error(shop):
    """And how often it has been tried."""
    run = shop.begin("patient")
    drain(shop.app)
    steps = rows(shop("show", run))

    assert re.fullmatch(r"delayed 1 .* ConnectionError: busy", steps["knock-knock"])
    assert "blocked waits for knock-knock" == steps["enter"]


@both
def test_a_long_run_shows_what_took_longest(shop):
    """Forty bars, and how many are left out."""
    text = shop("show", shop.ended("long"))
    bars = text[text.index("over time") :].splitlines()

    assert 45 == len(rows(text))
    assert 40 == sum(line.startswith("  step-") for line in bars)
    assert "5 more ran no longer, or not at all" in text
    assert all(len(line) <= 100 for line in bars)


@both
def test_a_step_is_shown_by_its_path(shop):
    """It says of which run it is; a wrong one brings the nearest."""
    run = shop.ended(bad="b")
    text = shop("show", run, "parse/1")

    assert re.search(rf"^run +{run}", text, re.MULTILINE)
    assert re.search(r"^step +parse/1 *$", text, re.MULTILINE)
    assert "ValueError: no date" in text
    whole = shop("show", run, "parse")
    assert "branches\n  3 of 3: 2 succeeded, 1 failed\n  parse/1: ValueError: no date" in whole
    shop("show", run, "prase", code=5)
    assert "has no step 'prase'; did you mean 'parse'?" in shop.err
    shop("show", run, "xyz", code=5)
    assert "it has clean, fetch, parse, report, undo" in shop.err
    shop("show", shop.app.enqueue("mail.send").id, "x", code=5)
    inner = shop.ended()
    assert ["check", "dedupe"] == sorted(rows(shop("show", inner, "clean")))
    assert {"clean/dedupe", "clean/check"} == {
        step["step"] for step in shop.data("show", inner, "clean")["steps"]
    }


@both
def test_why_names_what_a_step_waits_for(shop):
    """The needs that have not ended, or the parts."""
    run = shop.begin()
    assert "waits for 'fetch' (queued): 1 of the 1 steps" in shop("why", run, "parse")
    shop.claim()
    told = shop("why", run)
    assert "It waits for 'fetch' (job " in told
    assert told.rstrip().endswith("\n0 of 5 steps have ended (4 blocked, 1 running).")
    assert "running for" in shop("why", run, "fetch")


@both
def test_why_names_what_kept_a_step_from_running(shop):
    """Its rule and how its needs ended; or the step that failed, however far up."""
    well, badly = shop.ended(), shop.ended(bad="b")

    assert "trigger rule did not hold: 'parse' succeeded, 'clean' succeeded" in shop(
        "why", well, "undo"
    )
    assert (
        "It was skipped, because 'clean' was, because 'parse' ended failed (BranchesFailed:"
        in shop("why", badly, "report")
    )
    assert "rotulus retry" in shop("why", badly)
    assert f'"job": "{badly}"' in shop("why", badly, "--json")


@both
def test_a_run_is_paused_and_resumed(shop):
    """Nothing of it begins meanwhile; one that has ended cannot be."""
    run = shop.begin()
    assert f"Paused run {run}. Running steps finish" in shop("pause", "--run", run)
    drain(shop.app)
    text = shop("show", run)

    assert re.search(r"^status +Paused", text, re.MULTILINE)
    assert "blocked its run is paused" in re.sub(r" [\d.]+ m?s", "", rows(text)["fetch"])
    assert f"rotulus resume --run {run}" in shop("why", run, "fetch")
    assert f"Resumed run {run}" in shop("resume", "--run", run)
    while not shop.app.get(run).state.ended:
        drain(shop.app)
    shop("pause", "--run", run, code=1)
    assert "has ended (Completed): there is nothing to pause" in shop.err
    shop("resume", "--run", "nonsense", code=5)
    shop("pause", code=2)
    assert "rotulus pause --run RUN" in shop.err


@both
def test_a_run_goes_on_without_a_step(shop):
    """One that went wrong is skipped at once, and a dry run says what would run again."""
    run = shop.ended(bad="b")
    told = shop("skip", run, "parse", "--dry-run")
    assert f"Would skip step 'parse' of run {run}." in told
    assert "The run would go on, and 3 steps of it again: clean, report, undo." in told
    assert "Failed" in shop("show", run)

    told = shop.data("skip", run, "parse")
    assert ("skip", False, 5) == (told["verb"], told["dry_run"], told["total"])
    assert ("parse", "skipped") == (told["jobs"][0]["step"], told["jobs"][0]["state"])
    while not shop.app.get(run).state.ended:
        drain(shop.app)
    assert "Completed" in shop("show", run)
    assert "skipped by an operator or a program" in shop("why", run, "parse")
    assert "runs.skip" in shop("audit")


@both
def test_a_step_that_waits_is_skipped_in_its_turn(shop):
    """Which the command says; what cannot be skipped is said with what to do."""
    run = shop.begin()
    assert f"Step 'parse' of run {run} is skipped when what it waits for has ended." in shop(
        "skip", run, "parse"
    )
    drain(shop.app)
    assert "skipped operator" == rows(shop("show", run))["parse"]
    shop("skip", run, "fetch", code=3)
    assert "Step 'fetch' succeeded: only one that waits or went wrong is skipped" in shop.err
    shop("skip", run, "fetsh", code=5)
    assert "did you mean 'fetch'" in shop.err


@both
def test_a_run_is_cancelled_as_a_whole(shop):
    """And it says how many parts that were."""
    run = shop.begin()
    shop.claim()
    text = shop("cancel", run)

    assert f"{run} is cancelled, with 5 parts; 1 of them run, and are asked to stop\n" == text
    assert "running" in rows(shop("show", run))["fetch"]
    assert "is asked to stop" in rows(shop("show", run))["fetch"]
    other = shop.begin()
    [told] = json.loads(shop("cancel", other, "--dry-run", "--json"))["jobs"]
    assert (other, "blocked", None) == tuple(told[name] for name in ("id", "state", "parts"))
    [told] = json.loads(shop("cancel", other, "--json"))["jobs"]
    assert (other, "cancelled", False, 5) == tuple(
        told[name] for name in ("id", "state", "cancelling", "parts")
    )
    assert re.search(r"^status +Cancelled", shop("show", other), re.MULTILINE)


@both
def test_a_run_is_retried_as_a_whole(shop):
    """What failed, and what came after it; what succeeded stays."""
    run = shop.ended(bad="b")
    text = shop("retry", run)

    assert f"1 job sent back to its queue.\n{run} goes on: 5 parts of it to run.\n" == text
    assert rows(shop("show", run))["fetch"].startswith("succeeded")
    shop("retry", shop.ended())
    assert " succeeded: it stays as it is" in shop.err


@both
def test_a_run_is_awaited(shop):
    """With its final context at the end; one that fails says how to look."""
    worker = [sys.executable, "-m", "rotulus", "worker", shop.target]
    with Program(worker, stderr=subprocess.DEVNULL) as serving:
        try:
            context = json.loads(shop("enqueue", "etl", "day=mon", "--wait", "--timeout", "60"))
            shop("enqueue", "etl", "bad=b", "--wait", "--timeout", "60", code=1)
        finally:
            serving.terminate()

    assert ("mon", ["a", "b", "c"]) == (context["day"], context["parse"])
    assert "1 task(s) failed, 2 completed, 2 skipped" in shop.err
    assert "step 'parse' (job " in shop.err
    run = re.search(r"rotulus show ([0-9a-f-]{36})", shop.err)[1]
    *_, summary, step = shop("show", run).splitlines()
    assert summary == "WorkflowFailed: 1 task(s) failed, 2 completed, 2 skipped"
    assert step.startswith("step 'parse' (job ")


@both
def test_how_far_a_run_has_got_is_told(shop):
    """In steps, those that run by name; it has not ended when the time is over."""
    run = shop.begin()
    shop.claim()
    command = ["enqueue", "patient", "--wait", "--timeout", "2.6"]
    shop(*command, code=6)

    assert "patient" in shop.err
    assert re.search(r": 0 of 2$", shop.err, re.MULTILINE)
    assert run


@both
def test_the_words_of_a_run_are_its_context(shop):
    """By name only."""
    run = shop("enqueue", "etl", "day=mon", "rows=3").strip()

    assert {"**": {"day": "mon", "rows": 3}} == shop.data("show", run)["arguments"]
    shop("enqueue", "etl", "mon", code=2)


def test_letters_are_plain_where_a_terminal_knows_no_others(shop):
    """The tree and the bars, in ASCII."""
    run = shop.ended()
    told = subprocess.run(
        [sys.executable, "-m", "rotulus", "show", run, "--app", shop.target],
        env={"PYTHONIOENCODING": "ascii", "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )

    assert "|- fetch" in told.stdout
    assert "# ran  . waited  = was skipped" in told.stdout


def test_a_workflow_is_run_here_and_now(shop):
    """To its end, with what the app provides, and without anything being stored."""
    context = json.loads(shop("run", "etl", "day=mon"))

    assert ("mon", ["a", "b", "c"]) == (context["day"], context["parse"])
    assert [] == shop.app.jobs()
    shop("run", "etl", "mon", code=2)


def test_a_workflow_that_fails_here_shows_its_steps(shop):
    """And the traceback of what failed, apart from what it prints."""
    assert "" == shop("run", "etl", "bad=b", code=1)

    assert "parse/1: Traceback (most recent call last)" in shop.err
    assert "ValueError: no date" in shop.err
    assert "skipped need_failed" == rows(shop.err)["clean"]
    assert "1 task(s) failed, 2 completed, 2 skipped" in shop.err


def test_a_workflow_here_can_be_interrupted(shop):
    """While it waits for its next attempt."""
    command = [sys.executable, "-m", "rotulus", "run", "patient", "--app", shop.target]
    with Program(command, stderr=subprocess.PIPE, text=True) as running:
        for line in running.stderr:
            if "retried" in line or "0 of 2" in line:
                break
        running.send_signal(signal.SIGINT)
        rest = running.stderr.read()

    assert 130 == running.returncode
    assert "Stopped patient: it has not ended" in rest
    assert "KeyboardInterrupt" not in rest


@pytest.fixture(params=BOTH)
def lines(request, tmp_path):
    """A shop with tasks for a group."""
    with opened(tmp_path, LINES, request.param, Flows) as made:
        yield made
        made.app.close()


def test_a_group_is_shown_by_how_its_jobs_stand(lines):
    """Not job by job; as long as it is open, that is said."""
    parse, report = map(lines.app.registry.get, ("lines.parse", "lines.report"))
    group = lines.app.group("import-7", then=report).open()
    parse.using(group=group).enqueue_many(["1", "x"])
    drain(lines.app)
    text, data = lines("show", group.id), lines.data("show", group.id)

    assert re.search(r"^group +import-7, open *$", text, re.MULTILINE)
    assert re.search(r"^status +Running *$", text, re.MULTILINE)
    assert "jobs\n  2 of 2: 1 succeeded, 1 failed\n  000000002: ValueError: " in text
    assert ("import-7", True, "Running") == (data["group"], data["open"], data["status"])
    assert ({"succeeded": 1, "failed": 1}, []) == (data["branches"], data["steps"])
    assert "'x'" in lines("show", group.id, "000000002")
    assert "It is open: " in lines("why", group.id)
    lines("close", "import-7")
    drain(lines.app)
    assert re.search(r"^group +import-7 *$", lines("show", group.id), re.MULTILINE)
    data = lines.data("show", group.id)
    assert (False, "Completed", 2) == (data["open"], data["status"], data["result"])
