"""`rotulus top`: queues, rates, workers and failures, once and live."""

import json
import re
import sqlite3
from functools import partial

import pytest

from doors.terminals import shown
from doors.wrong import Folder
from rotulus.testing import drain
from statement_counter import StatementCounter

pytestmark = pytest.mark.anywhere

APP = """
from rotulus import App, TaskRegistry, task
registry = TaskRegistry()
app = App("sqlite:///top.db", registry=registry)

@task(queue="mail", registry=registry)
def send(number: int) -> None:
    if number % 2:
        raise ValueError(f"no [red]{number}[/red]")
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with an app of which two jobs have ended, and one waits."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("ROTULUS_APP", "topped:app")
    made = Folder(tmp_path)
    made.write("topped.py", APP)
    yield made
    made.close()


@pytest.fixture
def app(folder):
    """That app."""
    from rotulus.cli.target import load_app

    made = load_app("topped:app")
    for number in (1, 2):
        made.enqueue("send", number)
    drain(made)
    made.enqueue("send", 3)
    made.using(delay=60).enqueue("send", 4)
    made.queues.pause("other")
    return made


def test_it_shows_what_goes_on(folder, app):
    """Once where there is no terminal: queues, workers and failures, as texts."""
    text = folder.rotulus("top").text

    assert re.search(r"mail +1 +0 +1 +0 +[\d.]+ m?s +0\.\d +0\.\d +0\.\d", text)
    assert re.search(r"other +0 .* paused", text)
    assert "No worker is running." in text
    assert re.search(r"send +failed +.* ago +ValueError: no \[red\]1\[/red\]", text)


def test_it_prints_json(folder, app):
    """Of the same."""
    seen = json.loads(folder.rotulus("top", "--json").text)
    mail, other = seen["queues"]

    assert ("mail", {"queued": 1, "delayed": 1}) == (mail["queue"], mail["jobs"])
    assert mail["age"] >= 0
    assert mail["rates"]["enqueued"] > mail["rates"]["failed"] > 0
    assert (True, None) == (other["paused"], other["age"])
    assert ([], ["send"]) == (seen["workers"], [job["task"] for job in seen["failures"]])


def test_what_failed_last_is_shown(folder, app):
    """Also if many were added since, and failed before it."""
    old = app.using(delay=60).enqueue("send", 5)
    for number in range(9):
        app.enqueue("send", 2 * number + 7)
    drain(app)
    app.jobs.run(app.jobs.retry(app.jobs.cancel(old.id)[0].id)[0].id)
    seen = json.loads(folder.rotulus("top", "--json").text)

    assert old.id == seen["failures"][0]["job"]


@pytest.fixture
def counter(monkeypatch):
    """Counts the statements of connections that are opened after it."""
    return StatementCounter(monkeypatch)


@pytest.mark.parametrize("command", [["top"], ["ls", "workers"]])
def test_how_busy_workers_are_is_counted(counter, folder, app, command):
    """Once for all of them, and no job is read for it, however many run."""
    counter.said.clear()
    folder.rotulus(*command)
    read = [said for said in counter.said if "state = 'running' AND lease" in said]

    assert 1 == sum("SELECT worker, count(*)" in statement for statement in read)
    assert not any("arguments" in statement for statement in read)


def test_it_ends_if_the_store_is_away_at_first():
    """Nothing has been seen that could be shown: as every command, with the same exit code."""
    url = "postgresql://127.0.0.1:1/none"
    lines, code = shown(300, "top", "--url", url)

    assert 4 == code
    assert 1 == sum(url in line for line in lines)


def test_it_goes_on_until_ctrl_c(folder, app):
    """On a terminal."""
    lines, code = shown(100, "top", "--every", "1", question="ValueError", answer="\x03")

    assert 130 == code
    assert any("mail" in line for line in lines)
    assert lines[-1].endswith("Interrupted.")


def test_a_store_that_is_away_for_a_moment_does_not_end_it(folder, app):
    """The head line says so, above what was seen last; then it goes on."""
    other = sqlite3.connect("top.db", isolation_level=None)
    steps = [
        ("of 0 slots", partial(other.execute, "ALTER TABLE rotulus_workers RENAME TO away")),
        ("No answer, trying", partial(other.execute, "ALTER TABLE away RENAME TO rotulus_workers")),
    ]
    lines, code = shown(
        300, "top", "--every", "1", before=steps, question="of 0 slots", answer="\x03"
    )
    other.close()

    assert 130 == code
    assert lines[-1].endswith("Interrupted.")


def test_it_ends_after_one_look(folder, app):
    """If it is told to, on a terminal, too; and where nothing has happened."""
    lines, code = shown(100, "top", "--once")

    assert 0 == code
    assert any("send" in line and "failed" in line for line in lines)
    app.jobs.delete(state="failed")
    app.jobs.cancel(queue="mail")
    app.queues.resume("other")
    assert "Nothing has failed." in folder.rotulus("top").text
