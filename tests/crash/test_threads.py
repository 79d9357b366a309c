"""A program that the system refuses threads: calls fail in words, and the next ones work."""

import subprocess
import sys

import pytest

from rotulus import App, TaskRegistry

PROGRAM = """
import asyncio, sys, threading
from rotulus import App, task
from rotulus.errors import ThreadNotStartedError
from rotulus.store import ClaimFilter

def refuse():
    threading.stack_size(1 << 47)  # more than there are addresses

def allow():
    threading.stack_size(0)

def is_refusal(told):
    return isinstance(told, ThreadNotStartedError) and "raise the limit of threads" in str(told)

@task
def nothing(number: int) -> int:
    return number

app = App(sys.argv[1])

async def within(coroutine):
    async with asyncio.timeout(30):
        return await coroutine

async def add(count):
    each = [nothing.using(key=f"k{n}" if n % 2 else None).aenqueue(n) for n in range(count)]
    return await asyncio.gather(*each, return_exceptions=True)
"""

NONE = """
async def main():
    refuse()
    told = await within(add(6))
    assert all(map(is_refusal, told)), told
    allow()
    told = await within(add(6))
    assert {job.id for job in told} == {job.id for job in app.jobs()}

asyncio.run(main())
"""

SOME = """
async def main():
    await within(add(2))  # one thread for those with a key, one for the others
    refuse()
    told = await within(add(40))
    assert {job.id for job in told} <= {job.id for job in app.jobs()}
    assert 40 == len({job.id for job in told}), told

asyncio.run(main())
"""

LED = """
nothing.enqueue(0)
store = app.store
coalescer = (store._adder if hasattr(store, "_adder") else store._commit)._coalescer
own = app._own.engine.port._adds._coalescer
held, leave, told = threading.Event(), threading.Event(), []

def hold():
    held.set()
    leave.wait(30)

def enqueue():
    told.append(nothing.enqueue(1))

threads = [threading.Thread(target=coalescer.alone, args=(hold,))]
threads += [threading.Thread(target=own.alone, args=(hold,))]
threads += [threading.Thread(target=enqueue) for _ in range(4)]
for thread in threads:
    thread.start()
held.wait(30)
refuse()
refused = asyncio.run(within(add(3)))
assert all(map(is_refusal, refused)), refused
leave.set()
for thread in threads:
    thread.join(30)
assert 4 == len(told)
assert 5 == len(app.jobs())
"""

VERBS = """
async def main():
    refuse()
    for verb in (app.jobs.afind, app.queues.alist, app.acheck, app.arun_worker):
        try:
            await within(verb())
        except ThreadNotStartedError as error:
            assert is_refusal(error)
        else:
            raise AssertionError(verb)
    allow()
    assert [] == await within(app.jobs.afind())
    await within(app.arun_worker(burst=True))

asyncio.run(main())
"""

WORKER = """
nothing.enqueue(7)
refuse()
try:
    app.run_worker(burst=True)
except ThreadNotStartedError as error:
    assert is_refusal(error)
else:
    raise AssertionError
app.stop()  # there is nothing that it could stop
allow()
app.run_worker(burst=True)
assert ["succeeded"] == [job.state for job in app.jobs()]
"""

WAITING = """
refuse()
assert not app.store.wait(ClaimFilter("w"), 0.1)
nothing.enqueue(7)
assert app.store.wait(ClaimFilter("w"), 30)
allow()
app.store.wait(ClaimFilter("w"), 0.0)
assert "postgres" not in sys.argv[1] or "rotulus-listener" in {t.name for t in threading.enumerate()}
"""

PROCESS = """
import os, time
from rotulus._supervisor.worker_process import WorkerProcess

async def main():
    refuse()
    try:
        WorkerProcess([sys.executable, "-c", "import time; time.sleep(60)"], "w", time.monotonic)
    except ThreadNotStartedError as error:
        assert is_refusal(error)
    else:
        raise AssertionError
    try:
        print(os.waitpid(-1, os.WNOHANG))
    except ChildProcessError:
        return
    raise AssertionError("it has been left behind")

asyncio.run(main())
"""

RUNNER = """
from rotulus import workflow as wf

with wf.WorkflowBuilder("flow") as builder:
    builder.add_task(nothing)

with wf.DefaultRunner(sys.argv[1]) as runner:
    refuse()
    try:
        runner.execute("flow", wf.Context({"number": 1}))
    except ThreadNotStartedError as error:
        assert is_refusal(error)
    else:
        raise AssertionError
    allow()
    assert "Completed" == runner.execute("flow", wf.Context({"number": 1})).status
"""


@pytest.fixture(params=["sqlite", "postgres"])
def url(request, tmp_path):
    """A file, or a database with tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/jobs.db"
    url = request.getfixturevalue("database")
    app = App(url, registry=TaskRegistry())
    app.store.migrate()
    app.close()
    return url


def run(program, url):
    """Run a program, which has to end well."""
    command = [sys.executable, "-W", "error", "-c", PROGRAM + program, url]
    told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (0, "") == (told.returncode, told.stderr)


def test_without_any_thread_each_call_fails_and_the_next_one_works(url):
    """None is stored of those that failed, and none is left in a line."""
    run(NONE, url)


def test_with_one_thread_all_calls_wait_for_it(url):
    """A refusal costs nothing but time."""
    run(SOME, url)


def test_a_refused_coroutine_fails_none_of_the_threads_that_add(url):
    """They are performed by whoever leads, and what was refused is not."""
    run(LED, url)


def test_every_form_for_coroutines_says_what_to_do_when_there_is_no_thread(url):
    """And works as soon as there is one."""
    run(VERBS, url)


def test_a_worker_without_its_threads_does_not_begin(url):
    """It says so, and the next one works."""
    run(WORKER, url)


def test_who_waits_for_work_without_a_listener_looks_for_itself(url):
    """The listener is started as soon as there is a thread for it."""
    run(WAITING, url)


def test_a_process_that_nobody_could_wait_for_is_not_left_behind():
    """Its supervisor tries again later."""
    run(PROCESS, "sqlite://")


def test_a_runner_without_its_thread_says_so(tmp_path):
    """And has one the next time."""
    run(RUNNER, f"sqlite:///{tmp_path}/jobs.db")
