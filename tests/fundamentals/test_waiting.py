"""Who waits for a job that nobody would ever take is told so, once."""

import asyncio
import threading
import warnings

import pytest

from rotulus import task
from rotulus._app import unserved
from rotulus.errors import ResultTimeoutError, RotulusWarning
from rotulus.testing import drain

LONG_ENOUGH = 2.5


@pytest.fixture
def add(app):
    """A task that adds, in the queue `sums`."""

    def add(a: int, b: int = 1) -> int:
        return a + b

    return task("add", queue="sums", registry=app.registry)(add)


def waited(job, timeout=LONG_ENOUGH):
    """What a thread that waits for a job is warned of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises(ResultTimeoutError):
            job.result(timeout)
    return [one for one in caught if one.category is RotulusWarning]


def test_without_a_worker_a_waiter_is_told_where_it_waits(add):
    """Once for the queue, with the command that starts a worker."""
    told = waited(add.enqueue(1))

    assert [__file__] == [one.filename for one in told]
    assert "is queued. No worker is running: start one with 'rotulus worker'." in str(
        told[0].message
    )
    assert [] == waited(add.enqueue(2))


def test_a_coroutine_that_waits_is_told_the_same(add):
    """At the line that awaits."""

    async def wait():
        with (
            pytest.warns(RotulusWarning, match="No worker is running") as told,
            pytest.raises(ResultTimeoutError),
        ):
            await add.enqueue(1).aresult(LONG_ENOUGH)
        return told

    assert [__file__] == [one.filename for one in asyncio.run(wait())]


def test_a_waiter_whose_queue_no_worker_serves_is_told_which_are_served(app, add):
    """A worker for other queues is none."""
    worker = threading.Thread(target=lambda: app.run_worker(queues=["mail"]))
    worker.start()
    try:
        (told,) = waited(add.enqueue(1))
    finally:
        app.stop()
        worker.join(20)

    assert "No worker serves queue 'sums'; the 1 that run serve mail." in str(told.message)
    assert "rotulus worker --queues sums" in str(told.message)


def test_a_waiter_for_a_job_that_is_served_is_left_alone(app, registry):
    """Though it takes long, and though another job has the only slot."""
    let_go = threading.Event()
    hold = task("hold", registry=registry)(lambda: let_go.wait(20))
    worker = threading.Thread(target=lambda: app.run_worker(slots=1))
    worker.start()
    try:
        jobs = [hold.enqueue(), hold.enqueue()]
        assert [] == [one for job in jobs for one in waited(job)]
    finally:
        let_go.set()
        app.stop()
        worker.join(20)


def test_waiters_for_jobs_of_many_queues_leave_nothing_behind(app, add, monkeypatch):
    """One of those that wait for such a job looks for a worker; that is soon forgotten."""
    job = app.store.get(add.enqueue(1).id)
    looks = unserved.Unserved(lambda: app.store, lambda _: True, lambda: job.created_at)
    assert [True, False] == [looks.is_news(job) for _ in range(2)]

    monkeypatch.setattr(unserved, "WARN_AFTER", 0.0)
    assert all(looks.is_news(job._replace(queue=f"q{number}")) for number in range(1000))
    assert 1 == sum(len(kept) for kept in vars(looks).values() if isinstance(kept, dict | set))


def test_a_result_that_is_there_is_not_waited_for(app, add):
    """Nothing is looked up for it."""
    job = add.enqueue(1)
    drain(app)

    assert 2 == job.result()
