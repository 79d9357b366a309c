"""A program with very many open files, or with no room for another one."""

import subprocess
import sys
import tempfile

import pytest

from rotulus import App, TaskRegistry

PROGRAM = """
import os, resource, sys, threading
from rotulus import App, task
from rotulus.errors import ResultTimeoutError
from rotulus.store import ClaimFilter

most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
if most < 3000:
    sys.exit(77)
resource.setrlimit(resource.RLIMIT_NOFILE, (3000, most))

@task
def nothing() -> str:
    return "done"

app = App(sys.argv[1] if len(sys.argv) > 1 else "sqlite:///jobs.db")
taken = []

def take(count):
    for _ in range(count):
        taken.append(os.open(os.devnull, os.O_RDONLY))
"""

MANY = """
take(2000)
assert not app.store.wait(ClaimFilter("w"), 0.05)
answers = []
waiter = threading.Thread(target=lambda: answers.append(app.store.wait(ClaimFilter("w"), 30)))
waiter.start()
job = nothing.enqueue()
waiter.join(60)
assert answers == [True], answers
try:
    job.result(0.05)
except ResultTimeoutError:
    pass
app.run_worker(burst=True)
assert job.result(5) == "done"
"""

NONE = """
first = nothing.enqueue()
with app.store._doorbell.listen("work"):
    app.store._doorbell._sender = None
    try:
        take(3000)
    except OSError as error:
        print(error)
    jobs = [nothing.enqueue(), *nothing.enqueue_many([(), ()])]
for handle in taken:
    os.close(handle)
assert {first, *jobs} == set(app.jobs())
"""

WAITING = """
import subprocess, time, warnings
from functools import partial

warnings.simplefilter("ignore")  # that there is no worker yet

OTHER = '''
import sys
from rotulus import App, task

@task
def nothing() -> str:
    return "done"

App(sys.argv[1]).run_worker(burst=True)
'''

def wait():
    told.append(job.result(60))

job, told = nothing.enqueue(), []
connections = app.store._connections
if hasattr(connections, "reading"):
    borrow = connections.reading
else:
    borrow = partial(connections._borrowed, time.monotonic() + 10)
with borrow(), borrow(), borrow():
    pass  # they stay open; there is no socket yet, and no listener
try:
    take(3000)
except OSError as error:
    print(error)
waiter = threading.Thread(target=wait)
waiter.start()
try:
    job.result(0.2)
except ResultTimeoutError:
    pass
assert app.store.wait(ClaimFilter("w"), 30)
[claimed] = app.store.claim(ClaimFilter("w"), 1, 60)
assert not app.store.wait(ClaimFilter("w"), 0.2)
for handle in taken:
    os.close(handle)
app.store.rescue(worker="w")
subprocess.run([sys.executable, "-c", OTHER, sys.argv[1]], check=True)
waiter.join(60)
assert ["done"] == told
"""


@pytest.fixture
def folder():
    """A folder whose name is short enough for sockets in it."""
    with tempfile.TemporaryDirectory(prefix="rotulus-") as made:
        yield made


def run(program, folder, *url):
    """Run a program in a folder; what it printed."""
    command = [sys.executable, "-W", "error", "-c", PROGRAM + program, *url]
    told = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if told.returncode == 77:
        pytest.skip("this system lets nobody open 3,000 files")
    assert told.returncode == 0, told.stderr
    assert told.stderr == ""
    return told.stdout


def test_more_than_1024_open_files_are_no_hindrance(folder):
    """`select` would refuse to wait for the next one."""
    run(MANY, folder)


def test_a_job_is_stored_without_an_error_when_nobody_can_be_told(folder):
    """What listens finds it a little later."""
    assert "Too many open files" in run(NONE, folder)


def test_who_waits_without_descriptors_looks_for_itself(folder):
    """For the end of a job, and for work; a worker claims, though nothing proves that it lives."""
    assert "Too many open files" in run(WAITING, folder, f"sqlite:///{folder}/jobs.db")


def test_who_waits_for_a_server_without_descriptors_looks_for_itself(folder, database):
    """On the connections that there are."""
    app = App(database, registry=TaskRegistry())
    app.store.migrate()
    app.close()
    assert "Too many open files" in run(WAITING, folder, database)
