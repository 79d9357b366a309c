"""The command line: what each command prints, and what it ends with, also when it is held wrong."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from doors.shops import both, opened
from rotulus import ConfigurationError
from rotulus.cli.main import COMMANDS, EXIT_CODES
from rotulus.cli.output import ago, span
from rotulus.store import ClaimFilter
from rotulus.testing import drain

pytestmark = pytest.mark.anywhere

SHOP = '''
import asyncio
from rotulus import App, Job, Retry, TaskRegistry, scheduled, task

registry = TaskRegistry()
app = App("sqlite:///shop.db", registry=registry)

@task(name="emails.send", tags=["email", "out"], registry=registry)
def send(user_id: int, locale: str = "en") -> dict:
    """Send a mail."""
    return {"to": user_id, "locale": locale}

@task(registry=registry)
def shout(text: str) -> str:
    return text.upper()

@task(registry=registry)
def fail(message: str = "no") -> None:
    raise ValueError(message)

@task(retry=Retry(attempts=3, delay=3600), registry=registry)
async def flaky(job: Job) -> None:
    job.progress(1, 4, "a start")
    raise ConnectionError("busy")

@scheduled("30 9 * * 1-5", "tidy", timezone="Europe/London", registry=registry)
async def tidy() -> None: ...
'''


@pytest.fixture
def shop(request, tmp_path):
    """A shop with a few tasks."""
    with opened(tmp_path, SHOP, getattr(request, "param", "store")) as made:
        yield made
        if made.name in sys.modules:
            made.app.close()


def test_help_lists_every_command(shop):
    """Each with what it does, and all exit codes."""
    text = shop("--help")

    for name, (_, what) in COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(what[:30])}", text, re.MULTILINE), name
    assert "7 migrations needed" in " ".join(text.split())
    assert {code for _, code in EXIT_CODES} == {1, 2, 3, 4, 5, 6, 7}


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_explains_itself(shop, name):
    """With a sentence at the top."""
    text = shop(name, "--help")

    assert "Usage:" in text
    assert len(text.splitlines()) > 4


def test_a_wrong_command_or_option_is_wrong_usage(shop):
    """Exit code 2."""
    shop("lst", code=2)
    assert "No such command 'lst'" in shop.err
    shop("ls", "jobs", "--colour", code=2)


def test_the_version(shop):
    """Of the package."""
    assert shop("--version").startswith("rotulus 0.")


@both
def test_tasks_are_listed(shop):
    """With signature, tags and place."""
    text = shop("ls", "tasks")
    assert "(user_id: int, locale: str = 'en') -> dict" in text
    assert f"{shop.name}.py:" in text

    assert ["emails.send"] == [
        json.loads(line)["name"] for line in lines(shop("ls", "tasks", "--tag", "email", "--json"))
    ]
    shop("ls", "tasks", "--tag", "nothing")
    assert "No task has these tags" in shop.err


def lines(text):
    return text.strip().splitlines()


def test_a_task_is_run_here_and_now(shop):
    """Words become arguments: text for a str, JSON for the rest."""
    assert '{"to": 7, "locale": "de"}\n' == shop("run", "emails.send", "user_id=7", "locale=de")
    assert '{"to": 7, "locale": "5"}\n' == shop("run", "emails.send", "7", "5")
    assert '"12"\n' == shop("run", "shout", "12")
    assert '{"to": 8, "locale": "en"}\n' == shop(
        "run", "emails.send", "--json-args", '{"user_id": 8}'
    )


def test_a_task_that_fails_prints_its_traceback(shop):
    """Exit code 1."""
    shop("run", "fail", "message=oh dear", code=1)

    assert "Traceback (most recent call last)" in shop.err
    assert "ValueError: oh dear" in shop.err


@both
@pytest.mark.parametrize("verb", ["run", "enqueue"])
def test_wrong_arguments_are_wrong_usage(shop, verb):
    """With the same message as in Python."""
    shop(verb, "emails.send", "user=7", code=2)

    assert "did you mean 'user_id'" in shop.err
    shop(verb, "emails.send", "--json-args", "{", code=2)


@both
@pytest.mark.parametrize("verb", ["run", "enqueue"])
def test_a_wrong_name_is_not_found(shop, verb):
    """With the nearest one; exit code 5."""
    shop(verb, "emails.sent", "7", code=5)

    assert "did you mean 'emails.send'" in shop.err


@both
def test_a_job_is_enqueued_with_labels(shop):
    """Each a name and a text; a word that is none is refused."""
    labels = ["--label", "customer=7", "--label", "eq=a=b"]
    job = shop("enqueue", "emails.send", "7", *labels).strip()
    assert "customer=7 eq=a=b" in shop("show", job)
    shown = json.loads(shop("show", job, "--json"))
    assert ({"customer": "7", "eq": "a=b"}, {}) == (shown["labels"], shown["headers"])

    shop("enqueue", "emails.send", "7", "--label", "customer", code=2)
    assert "such as customer=7" in shop.err


@both
def test_a_job_is_enqueued_listed_and_shown(shop):
    """From its id to its result."""
    job = shop(
        "enqueue", "emails.send", "7", "--queue", "mail", "--priority", "3", "--key", "k"
    ).strip()
    assert job == shop("enqueue", "emails.send", "8", "--key", "k").strip()
    assert job in shop("ls", "jobs")
    assert "" == shop("ls", "jobs", "--state", "running")
    assert "rotulus enqueue TASK" in shop.err
    text = shop("show", job)
    for piece in ("emails.send", "mail", "queued", "user_id = 7", "key"):
        assert piece in text
    drain(shop.app)

    shown = json.loads(shop("show", job, "--json"))
    assert ("succeeded", {"to": 7, "locale": "en"}) == (shown["state"], shown["result"])
    assert "'to': 7" in shop("show", job)


@both
def test_a_job_can_be_for_later(shop):
    """After so many seconds, or at a time."""
    soon, later = (
        shop("enqueue", "shout", "a", "--in", "60"),
        shop("enqueue", "shout", "b", "--at", "2036-01-01T09:00"),
    )
    states = {job.id: str(job.state) for job in shop.app.jobs()}

    assert {soon.strip(): "delayed", later.strip(): "delayed"} == states
    shop("enqueue", "shout", "b", "--at", "tomorrow", code=2)


def test_a_job_of_a_task_elsewhere(shop):
    """Only when one says so."""
    shop("enqueue", "elsewhere.task", "x=1", code=5)
    assert "--unchecked" in shop.err
    job = shop("enqueue", "elsewhere.task", "x=1", "--unchecked", "--json")

    assert {"x": 1} == json.loads(job)["arguments"]


@both
def test_a_result_is_waited_for(shop):
    """Printed as JSON; a failure is exit code 1, a late one 6."""
    shop("enqueue", "shout", "a", "--wait", "--timeout", "0.05", code=6)
    assert "No worker is running" in shop.err

    worker = subprocess.Popen(
        [sys.executable, "-m", "rotulus", "worker", shop.target], stderr=subprocess.DEVNULL
    )
    assert '"A"\n' == shop("enqueue", "shout", "a", "--wait", "--timeout", "30")
    shop("enqueue", "fail", "--wait", "--timeout", "30", code=1)
    assert "ValueError: no" in shop.err
    worker.terminate()
    worker.wait(20)


@both
def test_a_failure_is_found_explained_and_sent_back(shop):
    """The dead-letter list."""
    job = shop("enqueue", "fail").strip()
    shop("worker", "--burst")
    assert "ValueError: no" in shop("ls", "jobs", "--state", "failed")
    assert "It failed (error)" in shop("why", job)
    assert "Traceback" in shop("show", job)
    assert [job] == [
        json.loads(line)["id"] for line in lines(shop("ls", "jobs", "--json", "--state", "failed"))
    ]

    assert "1 job sent back" in shop("retry", job)
    assert "queued" == shop.app.get(job).state
    assert "0 jobs sent back" in shop("retry", job)
    assert "it stays as it is" in shop.err
    assert "error" in shop("show", job)


@both
def test_many_failures_are_sent_back_at_once(shop):
    """After a question, or without."""
    shop.app.enqueue("shout", "a")
    jobs = [shop.app.enqueue("fail") for _ in range(5)]
    shop("worker", "--burst")
    shop("retry", "--state", "failed", stdin="n\n", code=1)
    assert "retry 5 jobs?" in shop.err
    assert {"failed"} == {str(job.refresh().state) for job in jobs}

    told = json.loads(shop("retry", "--task", "fail", "--yes", "--json"))
    assert {job.id for job in jobs} == {job["id"] for job in told["jobs"]}
    shop("retry", code=2)
    assert "Which jobs?" in shop.err


@both
def test_jobs_are_cancelled(shop):
    """Those that wait; one by one or all of a task."""
    one, *others = [shop.app.enqueue("shout", "a") for _ in range(4)]
    assert f"{one.id} is cancelled\n" == shop("cancel", one.id)
    assert 3 == json.loads(shop("cancel", "--task", "shout", "--yes", "--json"))["total"]

    assert {"cancelled"} == {str(job.refresh().state) for job in others}
    shop("cancel", code=2)


def test_a_page_of_jobs_begins_in_one_place(shop):
    """After a job or after a page: both at once are refused."""
    one, two = [shop.app.enqueue("shout", "a").id for _ in range(2)]
    first = shop("ls", "jobs", "--limit", "1", "--json")
    cursor = shop.err.split("--after ")[1].strip()

    assert two == json.loads(first)["id"]
    for words in (["--after", cursor], ["--before", two]):
        assert one == json.loads(shop("ls", "jobs", *words, "--json"))["id"]
    shop("ls", "jobs", "--before", two, "--after", cursor, code=2)
    assert "not both" in shop.err


@pytest.mark.parametrize("by", ["ids", "filters"])
def test_a_verb_that_fails_halfway_says_how_many_it_has_changed(shop, by):
    """The first batch of jobs is changed; of the second one the store refuses a job."""
    jobs = shop.app.registry.get("shout").enqueue_many(["a"] * 501)
    refused = jobs[0 if by == "filters" else -1].id
    with closing(sqlite3.connect("shop.db", isolation_level=None)) as other:
        other.execute(
            f"CREATE TRIGGER refuse BEFORE UPDATE ON rotulus_jobs WHEN old.id = '{refused}' "
            f"BEGIN SELECT RAISE(ABORT, 'refused'); END"
        )
        words = [job.id for job in jobs] if by == "ids" else ["--task", "shout", "--yes"]
        shop("cancel", *words, code=4)

        assert "cancel: done for 500 jobs, before it failed" in shop.err
        assert "queued" == shop.app.get(refused).state
        other.execute("DROP TRIGGER refuse")


@both
def test_all_verbs_for_many_jobs_answer_in_one_shape(shop):
    """Done or only tried: how many, whether these are all, and the jobs as they stand."""
    shop.app.enqueue("fail")
    shop("worker", "--burst")
    for _ in range(2):
        shop.app.enqueue("shout", "a")
    verbs = {
        "reprioritise": (["--task", "shout", "--priority", "1"], "queued", "queued"),
        "cancel": (["--task", "shout"], "queued", "cancelled"),
        "retry": (["--state", "cancelled"], "cancelled", "queued"),
        "delete": (["--task", "fail"], "failed", "failed"),
    }
    for verb, (words, before, after) in verbs.items():
        total = 1 if verb == "delete" else 2
        for how, state in (["--dry-run"], before), (["--yes"], after):
            told = json.loads(shop(verb, *words, *how, "--json"))
            one = told["jobs"][0]
            assert ["verb", "dry_run", "total", "exact", "jobs"] == list(told)
            assert (verb, total, True) == (told["verb"], told["total"], told["exact"])
            assert (how == ["--dry-run"]) == told["dry_run"]
            assert ["id", "task", "state", "cancelling", "parts"] == list(one)
            assert (state, False, 0) == (one["state"], one["cancelling"], one["parts"])


@both
@pytest.mark.parametrize("words", [["show"], ["why"], ["retry"], ["cancel"]])
def test_an_unknown_job_is_not_found(shop, words):
    """Exit code 5, and nothing was done."""
    shop("migrate")
    shop(*words, "nobody", code=5)

    assert f"No job nobody in {shop.place}" in shop.err


@both
def test_queues_are_paused_listed_and_resumed(shop):
    """Also one that has no job yet."""
    shop.app.enqueue("shout", "a")
    shop("ls", "queues")
    assert "Paused default, later" in shop("pause", "default", "later")
    assert re.search(r"default +1 +[\d.]+ m?s +paused", shop("ls", "queues"))
    assert {"default": True, "later": True} == {
        row["queue"]: row["paused"]
        for row in map(json.loads, lines(shop("ls", "queues", "--json")))
    }
    assert "Resumed" in shop("resume", "default", "later")
    assert "paused" not in shop("ls", "queues")


@both
def test_empty_lists_teach(shop):
    """What one could do next."""
    shop("migrate")
    shop("ls", "workers")
    assert "rotulus worker MODULE:APP" in shop.err
    shop("ls", "queues")
    assert "No job waits or runs" in shop.err


@both
def test_schedules_are_listed(shop):
    """With the next instant, in their zone."""
    text = shop("ls", "schedules")
    [row] = map(json.loads, lines(shop("ls", "schedules", "--json")))

    assert "30 9 * * 1-5" in text
    assert "09:30" in text
    assert ("tidy", "Europe/London", "latest") == (row["task"], row["timezone"], row["missed"])


@both
def test_live_workers_are_listed(shop):
    """While they live."""
    worker = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "rotulus",
            "worker",
            shop.target,
            "--queues",
            "mail,default",
            "--name",
            "w1",
        ],
        stderr=subprocess.DEVNULL,
    )
    end = time.monotonic() + 20
    while not shop.app.store.fleet().workers and time.monotonic() < end:
        shop.app.store.wait(ClaimFilter(queues=["nobody serves this"]), 0.05)
    assert "mail, default" in shop("ls", "workers")
    assert ["w1"] == [json.loads(line)["name"] for line in lines(shop("ls", "workers", "--json"))]
    worker.send_signal(signal.SIGTERM)
    assert 0 == worker.wait(20)


def test_cron_preview(shop):
    """The next instants, in the zone and in UTC, and where the clocks change."""
    text = shop(
        "cron",
        "preview",
        "30 1 * * *",
        "--tz",
        "Europe/London",
        "--after",
        "2026-10-24",
        "--count",
        "3",
    )

    assert "At 01:30 every day (Europe/London)" in text
    assert re.search(r"Sun 2026-10-25 01:30 BST +2026-10-25 00:30Z +clocks go back 60 min", text)
    hours = ("--tz", "Europe/Berlin", "--after", "2026-10-25T00:00", "--count", "4")
    rows = lines(shop("cron", "preview", "30 * * * *", *hours))[2:]
    assert [False, False, True, True] == ["clocks go back" in row for row in rows]
    assert 3 == len(lines(shop("cron", "preview", "* * * * *", "--count", "3", "--json")))
    shop("cron", "preview", "* * * * *", "--after", "soon", code=2)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["61 * * * *"], "the minute field cannot be '61'"),
        (["0 0 31 2 *"], "no month in '2' has a day '31'"),
        (["* * * *"], "has 4 fields"),
        (["* * * * *", "--tz", "Mars/Base"], "Time zone 'Mars/Base' is not known"),
    ],
)
def test_cron_preview_of_nonsense(shop, words, message):
    """Wrong usage, as the expression is an argument: exit code 2."""
    shop("cron", "preview", *words, code=2)

    assert message in shop.err


def test_migrate_says_what_it_did(shop):
    """And the second time that there was nothing to do; or prints the SQL."""
    assert "applied 0001 jobs, 0002 outbox, 0003 operations, 0004 access, 0005 steering" in shop(
        "migrate"
    )
    assert "is up to date" in shop("migrate")
    assert "CREATE TABLE rotulus_jobs" in shop("migrate", "--sql")


def test_a_store_from_later_needs_an_upgrade(shop, tmp_path):
    """Exit code 7."""
    shop("migrate")
    shop.app.close()
    with sqlite3.connect(tmp_path / "shop.db") as con:
        con.execute("INSERT INTO rotulus_migrations VALUES (99, '0099 later', 'x', 0)")
    con.close()
    shop("ls", "jobs", "--url", "sqlite:///shop.db", code=7)

    assert "upgrade Rotulus" in shop.err


def test_a_store_that_cannot_be_opened(shop):
    """Exit code 4, one line, no traceback."""
    shop("ls", "jobs", "--url", "sqlite:///nowhere/jobs.db", code=4)

    assert "does not exist" in shop.err
    assert 1 == len(lines(shop.err))


def test_a_store_url_that_is_none(shop):
    """Exit code 2, as of every word that is not allowed; 3 where a variable says it."""
    for url in (
        "mysql://x/y",
        "postgresql://x/y?schema=A-1",
        "sqlite://file.db",
        "jobs.db",
        "sqlite:///x?mode=1",
    ):
        shop("ls", "jobs", "--url", url, code=2)
        assert "url = " in shop.err


def test_check_finds_what_a_deploy_would_break(shop):
    """Waiting jobs whose task is gone, or whose arguments no longer fit."""
    assert "5 tasks, 1 schedule" in shop("check")
    shop.app.using(delay=60, unchecked=True).enqueue("gone", x=1)
    shop("check", code=3)

    assert "1 of 'gone': the task is not registered" in shop.err
    problems = json.loads(shop("check", "--json", code=3))["problems"]
    assert 1 == len(problems)


def test_config_shows_where_each_setting_comes_from(shop, tmp_path, monkeypatch):
    """Default, file or environment."""
    (tmp_path / "pyproject.toml").write_text('[tool.rotulus]\nslots = 3\nqueues = ["a", "b"]\n')
    monkeypatch.setenv("ROTULUS_LEASE", "12.5")
    settings = json.loads(shop("config", "--json"))

    assert [3, f"{tmp_path / 'pyproject.toml'} [tool.rotulus]"] == list(settings["slots"].values())
    assert {"value": 12.5, "origin": "ROTULUS_LEASE"} == settings["lease"]
    assert {"value": "info", "origin": "default"} == settings["log"]
    assert "ROTULUS_LEASE" in shop("config")


def test_store_shows_how_large_it_is(shop):
    """With the rows of each table, and the last migration."""
    shop("enqueue", "shout", "hello")
    told = json.loads(shop("store", "--json"))

    assert {"rotulus_jobs": 1, "rotulus_webhooks": 0}.items() <= {
        table["name"]: table["rows"] for table in told["tables"]
    }.items()
    assert told["size"] > 0
    assert ([], True) == (told["missing"], told["url"].startswith("sqlite:///"))
    text = shop("store")
    assert told["migrations"][-1] in text
    assert "kB" in text
    assert "rotulus_jobs" in text


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("nowhere:app", "No module 'nowhere'"),
        ("nowhere.py", "There is no file nowhere.py"),
        ("{name}:nothing", "has no App named 'nothing'; its apps: app"),
        ("{name}:send", "has a Task, not an App, named 'send'"),
        ("broken:app", "Importing broken failed: ZeroDivisionError"),
        (
            "wrong:app",
            "Importing wrong failed: ModuleNotFoundError: No module named 'missing_thing'",
        ),
        ("duplicate:app", "already registered"),
        ("empty:app", "has no tasks"),
        ("noapp", "has no App: make one"),
        ("two", "has several apps"),
    ],
)
def test_an_app_that_cannot_be_loaded(shop, tmp_path, target, message):
    """One line that says what and what to do; exit code 3."""
    (tmp_path / "broken.py").write_text("x = 1\n1 / 0\n")
    (tmp_path / "wrong.py").write_text("import missing_thing\n")
    (tmp_path / "noapp.py").write_text("x = 1\n")
    app = "from rotulus import *\napp = App('sqlite://', registry=TaskRegistry())\n"
    (tmp_path / "empty.py").write_text(app)
    (tmp_path / "two.py").write_text(app + "other = App('sqlite://', registry=TaskRegistry())\n")
    (tmp_path / "duplicate.py").write_text(
        app
        + "task('a', registry=app.registry)(lambda: 1)\ntask('a', registry=app.registry)(lambda: 2)\n"
    )
    shop("worker", target.format(name=shop.name), code=3, app=False)

    assert message in shop.err
    for name in ("broken", "wrong", "noapp", "empty", "two", "duplicate"):
        sys.modules.pop(name, None)


def test_without_an_app_one_is_told_how_to_give_it(shop):
    """Every way there is."""
    shop("worker", code=3, app=False)

    for way in ("module:app", "ROTULUS_APP", "[tool.rotulus]"):
        assert way in shop.err


def test_jobs_can_be_looked_at_without_an_app(shop):
    """By the store alone."""
    job = shop.app.enqueue("shout", "a")

    assert job.id in shop("ls", "jobs", "--url", "sqlite:///shop.db", app=False)


def test_a_variable_that_is_no_setting_stops_nothing(shop, monkeypatch, caplog):
    """It is left out, and logged once with the nearest name; those of Kubernetes are not."""
    monkeypatch.setenv("ROTULUS_SLOTZ", "3")
    for name in ("SERVICE_HOST", "SERVICE_PORT_HTTP", "PORT", "PORT_80_TCP", "PORT_80_TCP_ADDR"):
        monkeypatch.setenv(f"ROTULUS_{name}", "10.0.0.7")
    shop("config")
    shop("config")
    said = [r.getMessage() for r in caplog.records if "no setting" in r.getMessage()]

    assert 1 == len(said)
    assert "no setting ROTULUS_SLOTZ, so it is left out; did you mean 'ROTULUS_SLOTS'?" in said[0]


def test_a_wrong_setting_stops_everything(shop, monkeypatch):
    """With where it stands."""
    monkeypatch.setenv("ROTULUS_SLOTS", "many")
    shop("worker", code=3)

    assert "slots = 'many' is not allowed" in shop.err
    assert "(ROTULUS_SLOTS)" in shop.err


@pytest.mark.parametrize("option", ["processes", "recycle-jobs", "recycle-memory"])
def test_nothing_is_no_number_of_processes_or_jobs(shop, monkeypatch, option):
    """As an option, and as a setting."""
    shop("worker", f"--{option}", "0", code=2)
    assert f"'--{option}': 0 is not in the range x>=1" in shop.err.replace("1<=x<=10000", "x>=1")

    name = option.replace("-", "_")
    monkeypatch.setenv(f"ROTULUS_{name.upper()}", "0")
    shop("worker", code=3)
    assert f"{name} = '0' is not allowed: give a whole number" in shop.err
    assert f"(ROTULUS_{name.upper()})" in shop.err


def test_processes_need_a_store_that_they_share(shop, monkeypatch):
    """Jobs in the memory of one are seen by no other one."""
    monkeypatch.setenv("ROTULUS_URL", "sqlite://")
    lonely = "from rotulus import *\nr = TaskRegistry()\napp = App(registry=r)\n"
    Path("lonely.py").write_text(lonely + "task('a', registry=r)(lambda: 1)\n")
    shop("worker", "lonely", "--processes", "2", code=3, app=False)
    sys.modules.pop("lonely", None)

    assert "The jobs of sqlite:// live in the memory of one process" in shop.err


def test_recycling_by_memory_needs_a_system_that_tells_it(shop, monkeypatch):
    """It is not ignored in silence."""
    monkeypatch.setattr("rotulus._engine.memory._PROC", Path("/nowhere"))
    with pytest.raises(ConfigurationError, match=r"it has no /proc.* recycle_jobs works every"):
        shop.app.run_worker(burst=True, recycle_memory=500)


def test_a_worker_says_that_it_migrates(shop, tmp_path):
    """Nobody has to do it for SQLite."""
    shop.app.close()
    told = subprocess.run(
        [
            sys.executable,
            "-m",
            "rotulus",
            "worker",
            shop.target,
            "--burst",
            "--log-format",
            "lines",
        ],
        capture_output=True,
        text=True,
        check=True,
    )

    assert re.search(
        r"migrated sqlite:////.*/shop\.db: 0001 jobs, 0002 outbox, 0003 operations, 0004 access, 0005 steering",
        told.stderr,
    )
    assert (tmp_path / "shop.db").exists()


def test_logs_are_json_where_nobody_looks_on(shop):
    """One object to a line; and lines where one asks for them."""
    shop.app.enqueue("fail")
    command = [sys.executable, "-m", "rotulus", "worker", shop.target, "--burst", "--verbose"]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    records = [json.loads(line) for line in lines(told.stderr)]
    [failure] = [record for record in records if record.get("outcome") == "failed"]

    assert {"ts", "level", "logger", "message", "job", "task", "attempt", "duration_ms"} <= set(
        failure
    )
    assert ("error", "fail", "ValueError: no") == (
        failure["level"],
        failure["task"],
        failure["error"],
    )


def test_a_log_line_cannot_pretend_to_be_two(shop):
    """Nor to be coloured."""
    shop.app.enqueue("fail", "a\nb\x1b[31m")
    command = [
        sys.executable,
        "-m",
        "rotulus",
        "worker",
        shop.target,
        "--burst",
        "--log-format",
        "lines",
    ]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    first, *more = [line for line in lines(told.stderr) if "ValueError" in line]

    assert r"a\nb\x1b[31m" in first
    assert "\x1b" not in told.stderr
    assert [] == [line for line in more if not line.startswith("  ")]  # of the traceback


def test_dev_starts_again_when_a_file_changes(shop, tmp_path):
    """And waits where it could only fail again."""
    place = tmp_path / f"{shop.name}.py"
    dev = subprocess.Popen(
        [sys.executable, "-m", "rotulus", "dev", shop.target],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )

    def until(words):
        for line in dev.stderr:
            if words in line:
                return line
        raise AssertionError(words)

    until("serves all queues")
    place.write_text(SHOP + "\n1 / 0\n")
    os.utime(place, (1, 1))
    until("has changed: starting again")
    until("ZeroDivisionError")
    until("Waiting for a change")
    place.write_text(SHOP)
    os.utime(place, (2, 2))
    until("has changed: starting again")
    until("serves all queues")
    dev.send_signal(signal.SIGINT)
    assert 0 == dev.wait(20)
    dev.stderr.close()


def test_python_dash_m_is_the_same_program(shop):
    """For where no script is installed."""
    told = subprocess.run(
        [sys.executable, "-m", "rotulus", "--version"], capture_output=True, text=True, check=True
    )

    assert shop("--version") == told.stdout


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (42, "42 s"), (121, "2 min"), (7300, "2 h"), (200_000, "2 d")],
)
def test_lengths_of_time_read_well(seconds, text):
    """In their largest fitting unit."""
    assert text == span(seconds)
    assert ago(None) is None


@both
def test_a_job_that_waits_is_edited(shop):
    """One argument of several, all of them, its priority, or when it is due."""
    job = shop("enqueue", "emails.send", "user_id=7", "--in", "3600").strip()
    said = shop("edit", job, "locale=de", "--priority", "5")
    assert f"{job} of emails.send is edited, and is delayed." in said
    assert "It is due in 60 min" in shop.err
    stored = shop.app.get(job)
    assert ({"user_id": 7, "locale": "de"}, 5) == (stored.arguments, stored.priority)
    data = json.loads(shop("edit", "-", "--args", '{"user_id": 8}', "--in", "0", "--json"))
    assert ({"user_id": 8}, "queued") == (data["arguments"], data["state"])
    assert data["version"] == json.loads(shop("show", job, "--json"))["version"]
    shop("edit", job, "--priority", "1", "--version", data["version"])
    shop("edit", job, "--priority", "2", "--version", data["version"], code=3)
    assert "has been edited meanwhile" in shop.err
    shop("edit", job, "--at", "2100-01-01T00:00")
    assert 2100 == shop.app.get(job).run_at.year


@both
@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ([], 2, "Nothing to change: give NAME=VALUE"),
        (["user_id=x"], 2, "argument 'user_id': Input should be a valid integer"),
        (["7"], 2, "7 is no NAME=VALUE"),
        (["usr=7"], 2, "unknown argument 'usr'; did you mean 'user_id'"),
        (["user_id=7", "--args", "{}"], 2, "Give NAME=VALUE or --args, and not both"),
        (["--args", "[1]"], 2, "no JSON object"),
        (["--priority", "high"], 2, "--priority"),
        (["--in", "soon"], 2, "'soon' is no number of seconds"),
        (["--in", "5", "--at", "2100-01-01T00:00"], 2, "Give at= or delay=, and not both"),
        (["--priority", "5", "--version", "x"], 3, "has been edited meanwhile"),
    ],
)
def test_an_edit_that_cannot_be_is_refused(shop, words, code, message):
    """With what to do; the job is as it was."""
    job = shop("enqueue", "emails.send", "user_id=7").strip()

    shop("edit", job, *words, code=code)
    assert message in shop.err
    assert ({"user_id": 7}, 0) == (shop.app.get(job).arguments, shop.app.get(job).priority)
    shop("edit", "nonsense", "--priority", "5", code=5)
    drain(shop.app)
    shop("edit", job, "--priority", "5", code=3)
    assert "succeeded: only a job that waits is edited" in shop.err
