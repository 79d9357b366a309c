"""Which of the jobs that a worker has claimed begins, in which slot, and with which variables."""

import asyncio
import contextvars
import threading
import time
from collections import Counter

import pytest

from rotulus import State, task
from rotulus.errors import OptionError
from rotulus.testing import drain

OWNER = contextvars.ContextVar("OWNER", default="nobody")


def until(holds, seconds=30):
    """Wait for something that a worker brings about."""
    end, pause = time.monotonic() + seconds, threading.Event()
    while not holds():
        assert time.monotonic() < end, "it did not come about"
        pause.wait(0.01)


@pytest.fixture
def worker(app):
    """Starts a worker in a thread; it is stopped at the end."""
    threads = []

    def start(of=app, **options):
        thread = threading.Thread(target=of.run_worker, kwargs={"drain": 0.2, **options})
        thread.start()
        threads.append((of, thread))
        return thread

    yield start
    for of, thread in threads:
        while thread.is_alive():
            of.stop()
            thread.join(0.2)


@pytest.mark.parametrize("kind", ["async", "timed"])
def test_a_long_plain_job_holds_up_no_others(app, worker, kind):
    """Those behind it, of whatever kind, begin at once while there are slots."""
    over = threading.Event()

    @task(registry=app.registry)
    def long():
        over.wait(30)

    @task(registry=app.registry, name="async")
    async def ping():
        await asyncio.sleep(0)

    @task(registry=app.registry, name="timed", timeout=30)
    def timed(): ...

    first = long.enqueue()
    others = [app.enqueue(kind) for _ in range(3)]
    worker(slots=10)
    for job in others:
        job.result(20)

    assert State.RUNNING == first.refresh().state
    over.set()


def test_a_coroutine_that_blocks_the_loop_holds_up_no_plain_jobs(app, worker):
    """Threads begin them although the loop has no time to tell them to."""
    over, begun = threading.Event(), threading.Event()

    @task(registry=app.registry)
    async def rude():
        over.wait(30)

    @task(registry=app.registry)
    def plain():
        begun.set()

    rude.enqueue()
    plain.enqueue()
    worker(slots=10)

    assert begun.wait(20)
    over.set()


def test_what_waits_behind_long_jobs_is_left_to_an_idle_worker(app, worker):
    """Though short jobs had taught the first one to claim ahead; and nothing is counted."""
    over, began = threading.Event(), Counter()

    @task(registry=app.registry)
    def work(kind):
        began[kind] += 1
        if kind == "long":
            over.wait(60)

    work.enqueue_many(["short"] * 300)
    work.enqueue_many(["long"] * 2)
    last = work.enqueue_many(["last"] * 50)
    worker(slots=2, name="busy")
    until(lambda: not app.store.count() or began["long"] == 2)
    until(lambda: any(job.refresh().attempt for job in last))
    worker(slots=2, name="idle")
    until(lambda: began["last"] >= 50)
    for job in last:
        job.result(20)
    records = [app.get(job.id).record for job in last]
    over.set()

    assert {"idle"} == {record.worker for record in records}
    assert {(0, 0, 0)} == {(r.failures, r.losses, r.releases) for r in records}
    reasons = {attempt.reason for job in last for attempt in app.get(job.id).attempts}
    assert {"unstarted"} == reasons


def test_giving_back_what_has_waited_is_not_logged(app, worker, caplog):
    """Nobody has to do anything about it."""
    over = threading.Event()

    @task(registry=app.registry)
    def work(long):
        if long:
            over.wait(60)

    caplog.set_level("DEBUG", "rotulus")
    work.enqueue_many([False] * 300)
    work.enqueue_many([True] * 2)
    last = work.enqueue_many([False] * 50)
    ids = {job.id for job in last}
    worker(slots=2)
    until(lambda: any(app.get(job.id).attempts for job in last))
    said = [record.message for record in caplog.records if any(i in record.message for i in ids)]
    over.set()

    assert [] == said
    for job in last:
        job.result(30)


def test_a_stop_that_comes_late_does_not_reach_the_next_job(app, worker, monkeypatch):
    """One is cancelled while it blocks the loop, which hears of it when it runs another one."""
    monkeypatch.setattr(
        "rotulus._engine.attempt_runner._LOOP_SHARE", 60.0
    )  # one asyncio task runs both
    begun, over, asked, looked = (threading.Event() for _ in range(4))
    extend = app.store.extend

    def listened(*arguments):
        if asked.is_set():
            looked.set()
        found = extend(*arguments)
        if found.cancelling:
            asked.set()
        return found

    monkeypatch.setattr(app.store, "extend", listened)

    @task(registry=app.registry)
    async def rude():
        begun.set()
        over.wait(30)

    @task(registry=app.registry)
    async def polite():
        await asyncio.sleep(0.1)

    first, second = rude.enqueue(), polite.enqueue()
    worker(slots=2, lease=2)
    assert begun.wait(20)
    app.cancel(first.id)
    assert looked.wait(20)
    over.set()
    until(lambda: second.refresh().ended_at)

    assert {"succeeded"} == {first.refresh().state, second.refresh().state}


def test_late_stops_in_thousands_reach_nobody_else(app, worker):
    """Coroutines in few tasks, some of them cancelled while they wait, run, or have ended.

    None that nobody cancelled is interrupted.
    """

    @task(registry=app.registry)
    async def quick(waits):
        end = time.perf_counter() + 0.0001
        while time.perf_counter() < end:
            pass
        if waits:
            await asyncio.sleep(0.03)

    jobs = quick.enqueue_many([n % 4 == 0 for n in range(3000)])
    unwanted = [job.id for job in jobs[::7]]
    worker(slots=20, lease=1.5)
    for start in range(0, len(unwanted), 20):
        app.cancel(*unwanted[start : start + 60])
    until(lambda: not app.jobs(state=["queued", "running", "delayed"], limit=1), 60)
    ended = Counter(str(job.state) for job in app.jobs(limit=3000))

    assert len(jobs) - len(unwanted) <= ended["succeeded"]
    assert {"succeeded", "cancelled"} == set(ended)


@pytest.mark.parametrize("kind", ["plain", "async", "timed", "step"])
def test_every_body_sees_the_variables_that_the_worker_began_with(app, kind):
    """And not what another body has set."""
    import rotulus.workflow as wf

    seen = []

    def plain():
        seen.append(OWNER.get())
        OWNER.set("a body")

    async def coroutine():
        plain()

    task(name="plain", registry=app.registry)(plain)
    task(name="timed", timeout=30, registry=app.registry)(plain)
    task(name="async", registry=app.registry)(coroutine)
    with wf.WorkflowBuilder("step", registry=app.registry):
        wf.task(id="one")(lambda _context: plain())
    for _ in range(3):
        app.enqueue(kind)
    token = OWNER.set("the worker")
    try:
        drain(app)
    finally:
        OWNER.reset(token)

    assert ["the worker"] * 3 == seen


def test_the_slots_of_a_worker_may_be_changed_while_it_runs(app, worker):
    """More begin at once; with fewer, what runs goes on, and nothing begins until there is room."""
    running, most, over = Counter(), [], threading.Semaphore(0)
    lock = threading.Lock()

    @task(registry=app.registry)
    def body():
        with lock:
            running["now"] += 1
            most.append(running["now"])
        over.acquire(timeout=30)
        with lock:
            running["now"] -= 1

    body.enqueue_many([{}] * 9)
    worker(slots=1)
    until(lambda: running["now"] == 1)
    app.set_slots(4)
    until(lambda: running["now"] == 4)
    assert [4] == [found.slots for found in fleet_with(app, 4)]

    app.set_slots(2)
    over.release(2)
    until(lambda: running["now"] == 2)
    del most[:]
    for ended in range(3, 8):
        over.release()
        until(lambda ended=ended: ended == len(app.jobs(state="succeeded")))
        until(lambda: running["now"] == 2)
    assert {2} == set(most)
    over.release(9)
    until(lambda: not app.jobs.count(state=["queued", "running"]))


def fleet_with(app, slots):
    """The workers of an app, once they are announced with so many slots."""
    until(lambda: [slots] == [found.slots for found in app.workers.list()])
    return app.workers.list()


@pytest.mark.parametrize("slots", [0, -1, "many", 2.5, 10**10])
def test_a_number_of_slots_that_cannot_be_is_refused(app, slots):
    """As it is for a worker that starts."""
    with pytest.raises(OptionError, match="slots"):
        app.set_slots(slots)


def test_with_fewer_slots_no_more_is_claimed_than_there_are(app, worker):
    """Though a claim was under way for more."""
    names = []

    @task(registry=app.registry)
    def body():
        names.append(threading.current_thread().name)
        over.wait(30)

    over = threading.Event()
    worker(slots=8)
    until(app.workers.list)
    app.set_slots(2)
    fleet_with(app, 2)
    body.enqueue_many([{}] * 6)
    until(lambda: len(names) == 2)
    fleet_with(app, 2)
    assert 2 == len(app.jobs(state="running"))
    over.set()
