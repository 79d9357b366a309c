"""A worker is stopped at any moment from the call that runs it, and its app works again later."""

import asyncio
import sys
import threading
import time

import pytest

from rotulus import task
from rotulus.testing import drain


@pytest.fixture
def slow_start(app):
    """Starts a worker in a thread that is held up while the app boots; let it go to go on."""
    lock = app._own.boot._lock
    threads = []

    def start(**options):
        lock.acquire()
        thread = threading.Thread(target=lambda: app.run_worker(**options), daemon=True)
        threads.append(thread)
        thread.start()
        end = time.monotonic() + 20
        while not is_booting(thread):
            assert time.monotonic() < end
            thread.join(0.001)
        return thread

    def go(thread):
        lock.release()
        thread.join(20)
        return not thread.is_alive()

    yield start, go
    app.stop()
    for thread in threads:
        thread.join(20)


def is_booting(thread):
    """Whether a thread is in the call that boots an app."""
    frame = sys._current_frames().get(thread.ident)
    return frame is not None and frame.f_code.co_filename.endswith("boot.py")


@pytest.fixture
def nothing(registry):
    """A task."""

    @task(registry=registry)
    def nothing() -> int:
        return 7

    return nothing


@pytest.mark.parametrize("stops", [1, 2])
def test_a_stop_before_a_worker_has_begun_is_heeded(app, nothing, slow_start, stops):
    """It runs nothing; and the app works when it is asked to again."""
    start, go = slow_start
    worker = start()
    job = nothing.enqueue()
    for _ in range(stops):
        app.stop()
    assert go(worker)
    assert job.refresh().attempt == 0
    drain(app)
    assert job.result(0) == 7


def test_slots_that_are_set_before_a_worker_has_begun_are_its_own(app, registry, slow_start):
    """As if they had been set right afterwards."""
    together, most = threading.Barrier(3), []

    @task(registry=registry)
    def meet() -> None:
        together.wait(20)
        most.append(1)

    start, go = slow_start
    worker = start(slots=1, burst=True)
    meet.enqueue_many([(), (), ()])
    app.set_slots(3)
    assert go(worker)
    assert 3 == len(most)


def test_who_cancels_one_worker_leaves_the_others(app, nothing):
    """Also at once; `stop` is for all of them."""

    async def main():
        one, other = (asyncio.ensure_future(app.arun_worker()) for _ in range(2))
        await asyncio.sleep(0)
        one.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(asyncio.shield(one), 20)
        job = await nothing.aenqueue()
        assert 7 == await job.aresult(20)
        assert not other.done()
        app.stop()
        await asyncio.wait_for(other, 20)

    asyncio.run(main())


def test_a_coroutine_that_was_just_begun_is_stopped(app, nothing):
    """Its thread may not have begun by then."""

    async def main():
        worker = asyncio.ensure_future(app.arun_worker())
        await asyncio.sleep(0)
        app.stop()
        await asyncio.wait_for(worker, 20)
        await app.arun_worker(burst=True)

    asyncio.run(main())
    assert not app._own.worker_runs.under_way


def test_an_option_that_there_is_not_begins_nothing(app):
    """It is named."""
    with pytest.raises(TypeError, match="unexpected keyword argument 'slotz'"):
        asyncio.run(app.arun_worker(slotz=1))
    assert not app._own.worker_runs.under_way
