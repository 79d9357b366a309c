"""Webhooks under fire: those who tell them are killed, and each event is told once all the same."""

import os
import signal
import subprocess
import sys
from collections import Counter

import pytest

from rotulus import App, TaskRegistry, task

pytestmark = pytest.mark.anywhere

PROGRAM = """
import sys, threading
from datetime import UTC, datetime
from rotulus import App, TaskRegistry
from rotulus._tasks.masking import MaskedNames
from rotulus.webhooks.feeding import TellWebhooks

app = App(sys.argv[1], registry=TaskRegistry())
port = app._port()
pause = threading.Event()
while not pause.wait(0.01):
    TellWebhooks(app.store, port.new_id, lambda: 0.5, app.events, MaskedNames()).tick(datetime.now(UTC))
    print("told", flush=True)
"""


@pytest.fixture(params=["file", pytest.param("postgres", marks=pytest.mark.anywhere)])
def url(request, tmp_path):
    """A store with tables."""
    if request.param == "file":
        return f"sqlite:///{tmp_path / 'jobs.db'}"
    return request.getfixturevalue("database")


@pytest.fixture
def start(url):
    """Starts a process that tells webhooks of what has changed."""
    started = []

    def one():
        words = [sys.executable, "-c", PROGRAM, url]
        started.append(subprocess.Popen(words, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield one
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def test_each_event_is_told_once_under_kills(url, start, stress_random):
    """To each webhook that wants it: none is lost, and none is told twice."""
    registry = TaskRegistry()
    note = task("note", registry=registry)(lambda: None)
    app = App(url, registry=registry)
    app.store.migrate()
    for name, events in (("all", "job.*"), ("some", ["job.cancelled", "job.failed"])):
        app.webhooks.add(name, "https://example.com/", events=events)
    children, jobs = [start(), start()], []
    for _ in range(4):
        number = stress_random.randrange(2)
        for _ in range(stress_random.randrange(1, 12)):
            jobs += [job.id for job in note.using(delay=9999).enqueue_many([(), ()])]
            app.cancel(*jobs[-2:])
            assert children[number].stdout.readline()
        os.kill(children[number].pid, signal.SIGKILL)
        children[number].wait()
        children[number] = start()
    app.tick()
    told = Counter((one.webhook, one.subject) for one in app.webhooks.deliveries(limit=10_000))
    app.close()

    assert {(name, job): 1 for name in ("all", "some") for job in jobs} == told
