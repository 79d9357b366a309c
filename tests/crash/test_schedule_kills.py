"""Schedules under fire: those who fire them are killed, while they are changed."""

import os
import signal
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest

from rotulus import App, TaskRegistry, task

pytestmark = pytest.mark.anywhere

PROGRAM = """
import sys, threading
from rotulus import App, TaskRegistry, scheduled, task

registry = TaskRegistry()
task("note", registry=registry)(lambda: None)
scheduled(every=1, name="steady", missed="all(1000)", registry=registry)(lambda: None)
app = App(sys.argv[1], registry=registry)
pause = threading.Event()
while not pause.wait(0.02):
    app.tick()
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
    """Starts a process that fires what is due."""
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


def test_each_instant_fires_once_under_kills(url, start, stress_random):
    """Also of what is changed, and nothing while it is paused; of what is not changed, none is lost."""
    registry = TaskRegistry()
    task("note", registry=registry)(lambda: None)
    app = App(url, registry=registry)
    app.store.migrate()
    names = [f"s{number}" for number in range(8)]
    for name in names:
        app.schedules.add(name, task="note", every=1, missed="all(1000)")
    [children, paused] = [[start(), start()], []]
    since = {}
    for _ in range(8):
        number, name = stress_random.randrange(2), stress_random.choice(names)
        for _ in range(stress_random.randrange(1, 40)):
            assert children[number].stdout.readline()
        os.kill(children[number].pid, signal.SIGKILL)
        children[number].wait()
        if name in since:
            app.schedules.resume(name)
            [row] = app.store.schedules.read([name])
            paused.append((name, since.pop(name), row.since))
        else:
            since[name] = app.schedules.pause(name).paused_at
        children[number] = start()
    for child in children:
        assert child.stdout.readline()
    jobs = list(pages(app))
    app.close()

    counts = Counter((job.schedule, job.instant) for job in jobs)
    assert {1} == set(counts.values())
    steady = sorted(job.instant for job in jobs if job.schedule == "steady")
    assert len(steady) > 3
    assert {timedelta(seconds=1)} == {b - a for a, b in pairwise(steady)}
    for name, begin, end in paused:
        inside = [
            job.instant
            for job in jobs
            if job.schedule == name
            and begin < job.instant
            and job.instant.timestamp() * 1_000_000 <= end
        ]
        assert [] == inside


def pages(app):
    """All jobs."""
    after = None
    while page := app.jobs.find(limit=500, after=after):
        yield from page
        after = page[-1].id
