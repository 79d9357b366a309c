"""`rotulus audit`: who has done what; each command that steers acts as who has called it."""

import getpass
import json
import os
import socket
import subprocess
import sys

import pytest
from click.testing import CliRunner

from rotulus.cli.main import main
from rotulus.cli.target import load_app
from rotulus.store import AuditEntry

pytestmark = pytest.mark.anywhere

SHOP = """
from rotulus import App, TaskRegistry, task
registry = TaskRegistry()
app = App("sqlite:///steered.db", registry=registry)

@task(registry=registry)
def send(number: int = 0) -> None: ...

@task(registry=registry)
def stop_mail() -> None:
    app.queues.pause("mail")
"""


@pytest.fixture
def app(tmp_path, monkeypatch):
    """An app, which the commands find."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("ROTULUS_APP", "steered:app")
    monkeypatch.setattr(sys, "modules", {**sys.modules})
    (tmp_path / "steered.py").write_text(SHOP)
    made = load_app("steered:app")
    made.store.migrate()
    yield made
    made.close()


@pytest.fixture
def rotulus(app):
    """Calls the program, which has to go well; what it says."""

    def call(*words, code=0):
        answer = CliRunner().invoke(main, words)
        assert code == answer.exit_code, answer.output
        return answer.output

    return call


COMMANDS = (
    "cancel --task send --yes",
    "retry --task send --state cancelled --yes",
    "reprioritise --task send --priority 3 --yes",
    "pause mail bulk",
    "resume mail",
    "schedule add often send number=1 --every 60",
    "schedule set often --every 90",
    "schedule pause often",
    "schedule resume often",
    "schedule run often",
    "schedule backfill often --since 2min",
    "schedule remove often",
    "cancel -",
    "delete --state cancelled --yes",
)


def test_each_command_that_steers_stands_there(rotulus):
    """Under the name of the user and of the machine."""
    for _ in range(3):
        rotulus("enqueue", "send")
    for command in COMMANDS:
        rotulus(*command.split())
    rotulus("ls", "jobs")
    told = rotulus("audit", "--json")
    found = [json.loads(line) for line in told.splitlines()][::-1]

    me = f"{getpass.getuser()}@{socket.gethostname()}"
    assert {(me, "cli", None)} == {(e["actor"], e["door"], e["role"]) for e in found}
    wanted = [
        *("jobs.cancel", "jobs.retry", "jobs.reprioritise", "queues.pause", "queues.resume"),
        *(f"schedules.{v}" for v in ("add", "set", "pause", "resume", "run_now", "backfill")),
        *("schedules.remove", "jobs.cancel", "jobs.delete"),
    ]
    assert wanted == [entry["verb"] for entry in found]
    assert [3, 3, 3, 2] == [entry["count"] for entry in found[:4]]


def test_the_table_says_who_what_and_how(rotulus):
    """And how to go on; filters choose."""
    rotulus("pause", "mail")
    rotulus("resume", "mail")
    both = rotulus("audit")
    one = rotulus("audit", "--verb", "queues.*", "--limit", "1")
    cursor = one.rpartition("--after ")[2].strip()
    next_one = rotulus("audit", "--verb", "queues.*", "--limit", "1", "--after", cursor)

    assert {"when", "actor", "queues.pause", "queues.resume"} < set(both.split())
    assert ("queues.resume" in one, "queues.pause" in one) == (True, False)
    assert ("queues.resume" in next_one, "queues.pause" in next_one) == (False, True)
    assert "Nobody has done such a thing" in rotulus("audit", "--actor", "bob")
    assert "jobs.cancel" in rotulus("audit", "--verb", "pause", code=2)


def test_what_was_only_begun_is_told(rotulus, app):
    """In place of a number."""
    app.store.audit.begin(AuditEntry("bob\x1b[31m", "http", "admin", "jobs.delete", None, "{}"))
    line = rotulus("audit").splitlines()[1]

    assert "has not ended" in line
    assert "\x1b" not in line


def test_a_worker_acts_for_nobody(rotulus):
    """What its tasks steer is a matter of the program; where somebody runs a task, it is theirs."""
    rotulus("enqueue", "stop_mail")
    words = [sys.executable, "-m", "rotulus", "worker", "--burst", "steered:app"]
    subprocess.run(words, check=True, capture_output=True, timeout=60, env=dict(os.environ))
    assert "paused" in rotulus("ls", "queues")
    assert "" == rotulus("audit", "--json")

    rotulus("run", "stop_mail")
    assert "queues.pause" in rotulus("audit", "--json")


def test_somebody_without_a_name_is_a_number(rotulus, monkeypatch):
    """As in a container that knows no users."""

    def nobody():
        raise KeyError("uid not found")

    monkeypatch.setattr(getpass, "getuser", nobody)
    rotulus("pause", "mail")

    assert f"{os.getuid()}@{socket.gethostname()}" in rotulus("audit", "--json")
