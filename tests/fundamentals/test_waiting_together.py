"""Coroutines that wait for results share one look at the store."""

import asyncio
import gc
import threading
import time

import pytest

from rotulus import App, task
from rotulus._app.job_ends import JobEnds
from rotulus.errors import JobFailedError, ResultTimeoutError, RotulusWarning, StoreError
from rotulus.testing import drain
from statement_counter import StatementCounter

MANY = 1000


@pytest.fixture
def counter(monkeypatch):
    """Counts the statements of the app."""
    return StatementCounter(monkeypatch)


@pytest.fixture
def double(counter, app):
    """A task that doubles. (The counter comes first: it hears connections that are opened later.)"""

    def double(number: int) -> int:
        if number < 0:
            raise ValueError("negative")
        return 2 * number

    return task("double", registry=app.registry)(double)


def test_a_thousand_coroutines_ask_twice_a_second(counter, double):
    """In all, whatever they ask: of ten statements a few are of the look for a worker, once."""
    jobs = double.enqueue_many([(number,) for number in range(MANY)])

    async def wait():
        waiting = [asyncio.ensure_future(job.aresult()) for job in jobs]
        # Until one of them has looked for a worker.
        await asyncio.to_thread(counter.until, lambda said: "-- The workers whose lease" in said)
        begun, at = len(counter.said), time.monotonic()
        await asyncio.to_thread(counter.until, lambda _: len(counter.said) >= begun + 10)
        took = time.monotonic() - at
        for one in waiting:
            one.cancel()
        return took

    with pytest.warns(RotulusWarning, match="No worker is running"):
        assert asyncio.run(wait()) > 2.9


class Looks:
    """A store that takes notes of the jobs that it is asked for."""

    def __init__(self, app):
        self._store = app.store
        self._changed = threading.Condition()
        self.asked = []

    def unended(self, ids):
        with self._changed:
            self.asked.append(list(ids))
            self._changed.notify_all()
        return self._store.unended(ids)

    def until(self, job, begun):
        """Wait until it is asked for a job, in a look after so many."""
        with self._changed:
            asked = lambda: any(job in ids for ids in self.asked[begun:])  # noqa: E731
            assert self._changed.wait_for(asked, 30)


def test_one_who_begins_to_wait_has_only_its_own_job_looked_at(app, double):
    """Each job soon after its begin, and all of them twice a second: hasty ones make no more looks."""
    first, *others = [job.id for job in double.enqueue_many([(n,) for n in range(100)])]
    looks = Looks(app)
    ends = JobEnds(lambda: looks)

    async def wait():
        with ends.end_of(first):
            await asyncio.to_thread(looks.until, first, 0)
            for job in others:
                with ends.end_of(job):
                    await asyncio.to_thread(looks.until, job, len(looks.asked))

    asyncio.run(wait())

    with_first = [asked for asked in looks.asked if first in asked]
    # After pauses of its own, which double, and twice a second with all.
    assert 0 < len(with_first) < len(looks.asked) / 2


def test_a_thousand_results_come_to_those_who_wait_for_them(app, double):
    """Each coroutine has its own; the looks are fewer than the results."""
    jobs = double.enqueue_many([(number,) for number in range(MANY)])

    async def wait():
        results = asyncio.gather(*[job.aresult(60) for job in jobs])
        await asyncio.to_thread(drain, app)
        return await results

    assert [2 * number for number in range(MANY)] == asyncio.run(wait())


def test_two_coroutines_that_wait_for_one_job_both_have_its_result(app, double):
    """And one that gives up takes nothing from the other."""
    job = double.enqueue(4)

    async def wait():
        hasty = asyncio.ensure_future(job.aresult(0.05))
        patient = [asyncio.ensure_future(app.get(job.id).aresult(30)) for _ in range(2)]
        with pytest.raises(ResultTimeoutError, match="still queued"):
            await hasty
        await asyncio.to_thread(drain, app)
        return await asyncio.gather(*patient)

    assert [8, 8] == asyncio.run(wait())


def test_a_failure_is_told_to_the_one_who_waits_for_it(app, double):
    """The others go on."""
    bad, good = double.enqueue(-1), double.enqueue(1)

    async def wait():
        both = asyncio.gather(bad.aresult(30), good.aresult(30), return_exceptions=True)
        await asyncio.to_thread(drain, app)
        return await both

    failure, value = asyncio.run(wait())

    assert isinstance(failure, JobFailedError)
    assert 2 == value


def test_whoever_waits_on_a_store_that_is_closed_is_told(registry):
    """All of them, and not for ever."""
    app = App("sqlite://", registry=registry)
    wait_for = task("wait", registry=registry)(lambda: None).enqueue()

    async def wait():
        waiting = asyncio.gather(*[wait_for.aresult(30) for _ in range(3)], return_exceptions=True)
        await asyncio.sleep(0)
        await asyncio.to_thread(app.close)
        return await waiting

    assert all(isinstance(one, StoreError) for one in asyncio.run(wait()))


def test_one_loop_after_the_other_can_wait(app, double):
    """Nothing of a loop that is over is left: neither those who waited there, nor the looks."""
    job = double.enqueue(3)
    for _ in range(3):
        with pytest.raises(ResultTimeoutError):
            asyncio.run(job.aresult(0.02))
    assert {} == app._port()._ends._looks

    drain(app)
    assert 6 == asyncio.run(job.aresult(30))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_loop_that_is_closed_while_somebody_waits_is_forgotten(app, double):
    """As soon as somebody waits on another one."""
    job = double.enqueue(4)
    looks = app._port()._ends._looks

    async def wait_a_little():
        task = asyncio.ensure_future(job.aresult())
        await asyncio.wait([task], timeout=0.2)
        return task

    loop = asyncio.new_event_loop()
    waiting = loop.run_until_complete(wait_a_little())
    loop.close()
    assert ([loop], False) == (list(looks), waiting.done())
    with pytest.raises(ResultTimeoutError):
        asyncio.run(job.aresult(0.1))
    assert {} == looks

    loop.set_exception_handler(lambda *_: None)
    del waiting, loop
    gc.collect()  # coroutines that nobody ends say so


def test_a_loop_that_is_torn_down_leaves_nobody_looking(app, double):
    """Its coroutines are cancelled, and so is what looks for them."""
    job = double.enqueue(3)

    async def wait():
        asyncio.get_running_loop().waiting = asyncio.ensure_future(job.aresult())
        await asyncio.sleep(0.05)

    asyncio.run(wait())

    assert {} == app._port()._ends._looks
