"""How the command line answers: ids that can be copied, names there are, and what goes on."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from doors.terminals import shown
from doors.wrong import Folder
from programs import Program
from rotulus import App, TaskRegistry
from rotulus.cli.tables import Column, print_rows
from rotulus.errors import OptionError
from rotulus.testing import drain
from statement_counter import StatementCounter

pytestmark = pytest.mark.anywhere

FLOW = """
import asyncio
import rotulus.workflow as wf
from rotulus import App, Job, TaskRegistry, task, scheduled
registry = TaskRegistry()
app = App("sqlite:///flow.db", registry=registry)

@task(queue="mail", key="{text}", registry=registry)
def a_task_with_rather_a_long_name(text: str) -> None:
    raise ValueError(text)

@task(registry=registry)
def nap() -> None: ...

@task(registry=registry)
async def climb(job: Job) -> int:
    job.progress(3, 7, "up [/there]")
    await asyncio.sleep(4)
    return 7

@scheduled("30 9 * * 1-5", timezone="Europe/London", registry=registry)
def tidy() -> None: ...

with wf.WorkflowBuilder("etl", registry=registry) as builder:
    @wf.task()
    def fetch(context): ...
    @wf.task(dependencies=["fetch"])
    def load(context): ...
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with an app with tasks, a schedule and a workflow."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("ROTULUS_APP", "flow:app")
    made = Folder(tmp_path)
    made.write("flow.py", FLOW)
    yield made
    made.close()


@pytest.fixture
def app(folder):
    """That app."""
    from rotulus.cli.target import load_app

    return load_app("flow:app")


def fail(app, text):
    """A job that has failed with a text."""
    job = app.enqueue("a_task_with_rather_a_long_name", text)
    drain(app)
    return job


@pytest.mark.parametrize(
    "width", [40, *(pytest.param(width, marks=pytest.mark.long) for width in (60, 80, 100))]
)
def test_no_id_is_cut_on_any_terminal(app, width):
    """Whatever else is folded, or told below its row; and no line is longer than the terminal."""
    jobs = [fail(app, f"a reason with a [/x] in it, of many words, number {n}") for n in range(2)]
    run = app.enqueue("etl")
    drain(app)
    app.using(delay=600).enqueue("nap")  # something waits, so there is a queue to show
    for what, ids in {"jobs": [*jobs, run], "workflows": [run], "queues": [], "tasks": [],
                      "schedules": [], "workers": []}.items():  # fmt: skip
        lines, code = shown(width, "ls", what)
        assert 0 == code, lines
        if what != "workers":  # there is none, which is said in a sentence
            assert [] == [line for line in lines if len(line) > width], what
        for job in ids:
            assert any(job.id in line for line in lines), (what, lines)


def test_at_eighty_columns_a_job_is_one_row(app):
    """And what does not fit is told below it."""
    fail(app, "no")
    lines, _ = shown(80, "ls", "jobs")

    assert ["job", "task", "state", "tries", "when"] == lines[0].split()
    assert "failed" in lines[1]
    assert any(line.startswith("    queue mail  ValueError: no") for line in lines)


@pytest.mark.parametrize("text", ["[/x]", "[bold", "]", "[red]r[/]"])
def test_brackets_are_letters_like_others(folder, app, text):
    """In a note, an error, a key and an argument, on a terminal and in a pipe."""
    job = fail(app, f"{text} b")

    for words in (["ls", "jobs"], ["show", job.id]):
        answer = folder.rotulus(*words)
        assert 0 == answer.code
        assert f"ValueError: {text} b" in answer.text
        lines, code = shown(200, *words)
        assert 0 == code, lines


def test_a_table_folds_a_word_where_it_may_be(capsys):
    """Behind a dot or a hyphen, before it is cut anywhere."""
    from rich.console import Console

    columns = [Column("a"), Column("task", fold=10)]
    print_rows(
        Console(width=14, force_terminal=True, no_color=True), columns, [("x", "emails.send_it")]
    )
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]

    assert ["x  emails.", "   send_it"] == [line for line in lines if "task" not in line]


def test_the_beginning_of_an_id_and_the_last_job(folder, app):
    """For every command that takes an id; a run counts, and not its steps."""
    run = app.enqueue("etl")
    assert run.id in folder.rotulus("show", "-").text
    assert run.id in folder.rotulus("pause", "--run", "-").text
    assert run.id in folder.rotulus("resume", "--run", run.id.upper()).text
    assert folder.rotulus("graph", "etl", "--run", "-").code == 0
    job = app.enqueue("nap")
    assert "nap" in folder.rotulus("show", "-").text
    shared = next(job.id[:n] for n in range(36, 0, -1) if run.id.startswith(job.id[:n]))
    answer = folder.rotulus("show", shared)
    assert 5 == answer.code
    assert "More than one job begins with" in answer.text
    assert f"{job.id} (nap, queued)" in answer.text
    assert f"{job.id} is cancelled" == folder.rotulus("cancel", job.id[: len(shared) + 1]).text


def test_the_last_job_is_one_that_somebody_has_enqueued(folder, app):
    """And not one that a schedule was fired as, unless there is no other."""
    mine = app.enqueue("nap")
    stored = app.enqueue("nap")
    with closing(sqlite3.connect("flow.db")) as connection, connection:
        connection.execute("UPDATE rotulus_jobs SET schedule = 'nap' WHERE id = ?", [stored.id])

    assert mine.id in folder.rotulus("show", "-").text


def test_there_is_no_last_job_where_there_is_none(folder):
    """It is said where that is."""
    folder.rotulus("migrate")
    answer = folder.rotulus("show", "-")

    assert 5 == answer.code
    assert "There is no last job: sqlite:///" in answer.text


def test_names_that_there_are_not(folder, app):
    """Are answered with those there are."""
    fail(app, "no")
    paused = folder.rotulus("pause", "mial")
    assert 0 == paused.code
    assert "No job has ever been in queue 'mial'" in paused.text
    assert "did you mean 'mail'?" in paused.text
    assert "Queues here: default, mail" in paused.text
    assert "No job has ever" not in folder.rotulus("pause", "default").text
    resumed = folder.rotulus("resume", "other")
    assert "Queue 'other' was not paused. Paused queues: default, mial." in resumed.text
    assert "Resumed mial." in folder.rotulus("resume", "mial").text
    for words in (
        ["ls", "jobs", "--task", "napp"],
        ["cancel", "--task", "napp"],
        ["retry", "--task", "napp"],
    ):
        answer = folder.rotulus(*words)
        assert "There is no task 'napp' here" in answer.text
        assert "did you mean 'nap'?" in answer.text
    assert (
        "No job has ever been in queue 'male'"
        in folder.rotulus("ls", "jobs", "--queue", "male").text
    )
    assert "Schedules here: tidy" in folder.rotulus("ls", "jobs", "--schedule", "tidyy").text
    assert "Workflows here: etl" in folder.rotulus("graph", "nope").text
    assert "did you mean 'fetch'?" in folder.rotulus("show", app.enqueue("etl").id, "fetsch").text
    assert 5 == folder.rotulus("show", "nonsense").code


@pytest.mark.parametrize("words", [["--queue", "male"], ["--task", "napp"]])
def test_names_are_known_without_a_count_of_all_jobs(monkeypatch, folder, app, words):
    """From what has been counted when jobs were added."""
    counter = StatementCounter(monkeypatch)
    fail(app, "no")
    counter.said.clear()
    told = folder.rotulus("ls", "jobs", *words).text

    assert "did you mean" in told
    assert any("rotulus_stats" in said for said in counter.said)
    assert not any("AS counted GROUP BY" in said for said in counter.said)


def test_a_worker_warns_of_a_queue_that_nobody_has_used(folder, app):
    """As it may be misspelt; it serves it all the same."""
    fail(app, "no")
    command = [sys.executable, "-m", "rotulus", "worker", "--burst", "--queues", "mial,mail"]
    told = subprocess.run(command, capture_output=True, text=True)

    assert 0 == told.returncode
    assert 1 == told.stderr.count("No job has ever been in queue")
    assert "did you mean 'mail'?" in told.stderr


def test_nothing_chosen_and_nobody_to_ask(folder, app):
    """Are both said."""
    folder.rotulus("migrate")
    answer = folder.rotulus("cancel", "--task", "nap")
    assert (0, "No job of task 'nap' waits or runs: nothing was done.") == answer
    app.enqueue("nap")
    answer = folder.rotulus("cancel", "--task", "nap")
    assert 2 == answer.code
    assert "cancel 1 job?" in answer.text
    assert "--yes does not ask" in answer.text
    answer = folder.rotulus("cancel", "--task", "nap", stdin="n\n")
    assert 1 == answer.code
    assert answer.text.endswith("Nothing was done.")


def test_large_values_are_shown_by_their_beginnings(folder, app):
    """With their sizes, and the command that shows all of them."""
    large = {"rows": ["x" * 50] * 5000, "day": "monday", **{f"key{n}": n for n in range(60)}}
    short, run = fail(app, "short"), app.enqueue("etl", **large)
    long = app.using(key="k").enqueue("a_task_with_rather_a_long_name", "y" * 9000)
    drain(app)
    for job, text in ((run, "day = 'monday'"), (long, "text = 'yyy")):
        shown = folder.rotulus("show", job.id).text
        assert text in shown
        assert f"All of it: rotulus show {job.id} --json" in shown
        assert len(shown) < 12_000
    shown = folder.rotulus("show", run.id).text
    assert re.search(r"rows = .{100}… \(270,000 characters\)", shown)
    assert "… and 32 more" in shown
    assert "All of it" not in folder.rotulus("show", short.id).text
    assert "y" * 9000 in folder.rotulus("show", "-", "--json").text


def test_ctrl_c_at_a_question_is_an_interruption(folder, app):
    """It says that nothing was done, and ends with 130."""
    job = app.enqueue("nap")
    lines, code = shown(80, "cancel", "--task", "nap", question="[y/N]", answer="\x03")

    assert 130 == code
    assert "Interrupted: nothing was done." == lines[-1]
    assert "queued" == job.refresh().state


def test_a_retry_whose_key_is_held_says_who_holds_it(folder, app):
    """And what to do."""
    failed = fail(app, "k")
    holder = app.enqueue("a_task_with_rather_a_long_name", "k")
    answer = folder.rotulus("retry", failed.id)

    assert "0 jobs sent back" in answer.text
    assert f"Its key 'k' is held by job {holder.id} (queued)" in answer.text


@pytest.mark.parametrize(
    "words",
    ["ls jobs", "ls queues", "ls workers", "show -", "why x", "retry x", "cancel x", "pause mail",
     "resume mail", "graph etl --run x"],
)  # fmt: skip
def test_no_command_that_reads_makes_a_database(folder, tmp_path, words):
    """It says where there is none, and how one comes to be."""
    answer = folder.rotulus(*words.split())

    assert 4 == answer.code
    assert f"There is no database {tmp_path}/flow.db" in answer.text
    assert "rotulus enqueue" in answer.text
    assert not (tmp_path / "flow.db").exists()


@pytest.mark.parametrize(
    "words", ["check", "config", "ls tasks", "ls workflows", "ls schedules", "graph etl"]
)
def test_what_needs_no_database_makes_none(folder, tmp_path, words):
    """And works."""
    answer = folder.rotulus(*words.split())

    assert 0 == answer.code, answer.text
    assert not (tmp_path / "flow.db").exists()


def test_config_knows_the_store_of_the_app_and_no_password(folder, tmp_path):
    """Where it comes from is the app."""
    assert f"sqlite:///{tmp_path}/flow.db flow:app" in folder.rotulus("config").text
    for code, account in ((0, "me:s3c%40r%3Ae%2Ft"), (2, "me:s3c@r:e/t")):
        url = f"postgresql://{account}@db/x?sslpassword=s3cret"
        for answer, ends in (
            (folder.rotulus("config", "--url", url), code),
            (folder.rotulus("config", ROTULUS_APP="", ROTULUS_URL=url), code and 3),
        ):
            assert ends == answer.code
            assert "postgresql://me@db/x?sslpassword=***" in answer.text
            assert "s3c" not in answer.text
    assert "s3c" not in repr(App(url.replace("s3c@r:e/t", "s3cret"), registry=TaskRegistry()))
    with pytest.raises(OptionError, match="write %25 for %") as refused:
        App(url, registry=TaskRegistry())
    assert "s3c" not in str(refused.value)


def test_times_of_a_schedule_are_in_its_zone(folder, app):
    """Both of them, and the zone is named."""
    [line] = [line for line in shown(120, "ls", "schedules")[0] if "tidy" in line]

    assert "Europe/London" in line
    assert " 09:30 (in " in line


def test_the_traceback_is_shown_to_those_who_ask(folder):
    """Of an import that fails, down to the line."""
    folder.write("broken.py", "import os\nos.environ['NOT_SET']\n")

    told = subprocess.run(
        [sys.executable, "-m", "rotulus", "worker", "broken:app", "--traceback"],
        capture_output=True,
        text=True,
    )
    assert 3 == told.returncode
    assert "Traceback (most recent call last)" in told.stderr
    assert "os.environ['NOT_SET']" in told.stderr


def test_a_wait_says_that_no_worker_is_there(app):
    """After two seconds; and Ctrl-C, that the job goes on."""
    command = [sys.executable, "-m", "rotulus", "enqueue", "nap", "--wait"]
    with Program(command, stderr=subprocess.PIPE, text=True) as waiting:
        said = next(line for line in waiting.stderr if "nap" in line)
        waiting.send_signal(signal.SIGINT)
        rest = waiting.stderr.read()
    [job] = app.jobs(task="nap")

    assert f"nap {job.id} is queued. No worker is running: start one with 'rotulus worker'" in said
    assert f"The job goes on: rotulus show {job.id}" in rest
    assert "Traceback" not in rest
    assert 130 == waiting.returncode
    assert "queued" == job.state


def test_a_task_that_is_run_here_shows_how_far_it_has_got(app):
    """And when it is stopped, that it has not failed."""
    lines, code = shown(80, "run", "climb")
    assert 0 == code
    assert any("climb: up [/there]" in line and "3/7" in line for line in lines), lines
    command = [sys.executable, "-m", "rotulus", "run", "climb"]
    with Program(command, stderr=subprocess.PIPE, text=True) as running:
        said = next(iter(running.stderr))
        running.send_signal(signal.SIGINT)
        rest = running.stderr.read()

    assert "climb: up [/there]: 3 of 7\n" == said
    assert 130 == running.returncode
    assert "Stopped climb: it has not ended, and nothing of it is stored." in rest
    assert "Traceback" not in rest
    assert "failed" not in rest


def test_the_time_of_a_delayed_job_is_said_with_its_zone(folder):
    """So that nobody has to guess how --at was read."""
    answer = folder.rotulus("enqueue", "nap", "--at", "2036-01-01T09:00")

    assert "at 2036-01-01 09:00:00Z" in answer.text


def test_a_reader_who_has_read_enough_is_no_failure(app):
    """Nor is anything said of it."""
    told = subprocess.run(
        f"'{sys.executable}' -m rotulus enqueue nap | true; echo ${{PIPESTATUS[0]}}",
        shell=True, executable="/bin/bash", capture_output=True, text=True,
    )  # fmt: skip

    assert ("0\n", "") == (told.stdout, told.stderr)


def test_a_reader_of_the_first_row_is_no_failure(app):
    """A table of more than a pipe holds ends with 0, too."""
    app.registry.get("nap").enqueue_many([()] * 2000)
    told = subprocess.run(
        f"'{sys.executable}' -m rotulus ls jobs --limit 2000 | head -1; echo ${{PIPESTATUS[0]}}",
        shell=True, executable="/bin/bash", capture_output=True, text=True,
    )  # fmt: skip

    assert "0" == told.stdout.splitlines()[-1]
    assert "" == told.stderr


def test_a_wait_that_is_over_says_how_long_it_was(folder, app):
    """All of it, and not what was left for the last look."""
    answer = folder.rotulus("enqueue", "nap", "--wait", "--timeout", "1")

    assert 6 == answer.code
    assert "is still queued after 1 second. No worker is running" in answer.text


def test_an_interruption_while_all_is_loaded_ends_the_program(folder):
    """Without a word, as nothing has begun."""
    code = (
        "import os, signal, sys\n"
        "class Slow:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'click': os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Slow())\n"
        "import runpy; runpy.run_module('rotulus', run_name='__main__')\n"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert -signal.SIGINT == told.returncode
    assert "" == told.stderr


def test_output_in_another_encoding_is_no_traceback(folder, app):
    """A letter that it does not have is written as its number."""
    job = fail(app, "Zoë 中 …")
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252"}
    for words in (["show", job.id], ["ls", "jobs"]):
        told = subprocess.run(
            [sys.executable, "-m", "rotulus", *words], env=environment, capture_output=True
        )
        assert 0 == told.returncode
        assert b"\\u4e2d" in told.stdout


def test_a_worker_without_standard_streams_works(folder, app):
    """As a daemon may start it."""
    job = app.enqueue("nap")
    told = subprocess.run(f"'{sys.executable}' -m rotulus worker --burst >&- 2>&- <&-", shell=True)

    assert 0 == told.returncode
    assert "succeeded" == job.refresh().state


def test_a_queue_is_paused_though_the_hint_about_it_fails(folder, app, monkeypatch):
    """In an emergency the pause comes first, and nothing is counted before it."""
    from rotulus.errors import StoreBusyError
    from rotulus.stores.sqlite import SqliteStore

    def busy(*_args, **_given):
        raise StoreBusyError("locked")

    assert {} == app.store.fleet().paused
    monkeypatch.setattr(SqliteStore, "count", busy)
    answer = folder.rotulus("pause", "nosuch")

    assert (0, True) == (answer.code, "nosuch" in app.store.fleet().paused)
