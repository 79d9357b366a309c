"""A task can be called, enqueued, and run by name: the same function each time."""

import asyncio
import threading

import pytest

from rotulus import (
    App,
    ArgumentsError,
    JobFailedError,
    State,
    TaskNotFoundError,
    TaskRegistry,
    task,
)
from rotulus.errors import JobNotFoundError, NoAppError, OptionError, ResultTimeoutError
from rotulus.testing import drain


@pytest.fixture
def add(registry):
    """A task to call."""

    @task(name="maths.add", registry=registry)
    def add(a: int, b: int = 1) -> int:
        return a + b

    return add


def test_a_call_is_a_call(add):
    """It runs here, returns the function's value, and needs no app."""
    assert 5 == add(2, b=3)


def test_a_job_is_stored_and_run_later(app, add):
    """Its result can be had when it has run."""
    job = add.enqueue(2, 3)
    assert State.QUEUED == job.state

    drain(app)
    assert 5 == job.result(0)
    assert State.SUCCEEDED == job.refresh().state
    assert {"a": 2, "b": 3} == job.arguments


def test_a_job_does_not_change_under_ones_hands(app, add):
    """It is what it was when it was read."""
    job = add.enqueue(2)
    drain(app)

    assert (State.QUEUED, 0) == (job.state, job.attempt)
    assert (State.SUCCEEDED, 1) == (job.refresh().state, job.refresh().attempt)


def test_a_wrong_call_is_refused_on_its_line(app, add):
    """And nothing is stored."""
    with pytest.raises(ArgumentsError, match="did you mean 'b'"):
        add.enqueue(2, bb=3)

    assert [] == app.jobs()


def test_many_calls_are_one_transaction(app, add):
    """Tuples are positional, dicts are named, anything else is the only argument."""
    jobs = add.enqueue_many([(2, 3), {"a": 5}, 7])
    drain(app)

    assert [5, 6, 8] == [job.result(0) for job in jobs]


def test_one_wrong_call_of_many_stores_none(app, add):
    """All or none."""
    with pytest.raises(ArgumentsError):
        add.enqueue_many([1, 2, "x"])

    assert [] == app.jobs()


def test_it_can_be_enqueued_from_a_coroutine(app, add):
    """And its result be awaited."""

    async def main():
        job = await add.aenqueue(2)
        jobs = await add.aenqueue_many([3, 4])
        await asyncio.to_thread(drain, app)
        return [await one.aresult(5) for one in (job, *jobs)]

    assert [3, 4, 5] == asyncio.run(main())


def test_a_task_is_enqueued_by_name(app, add):
    """Checked like any call, when it is registered here."""
    job = app.enqueue("maths.add", 2, b=3)
    drain(app)
    assert 5 == job.result(0)

    with pytest.raises(ArgumentsError):
        app.enqueue("maths.add", "x")


def test_a_task_is_enqueued_by_name_without_being_imported(tmp_path, add, registry):
    """The producer needs the name, and the worker the code."""
    producer = App("sqlite:///jobs.db", registry=TaskRegistry())
    job = producer.enqueue("maths.add", 2, b=3)
    worker = App("sqlite:///jobs.db", registry=registry)
    drain(worker)

    assert 5 == job.result(0)
    with pytest.raises(OptionError):
        producer.enqueue("no name")
    with pytest.raises(ArgumentsError, match="not JSON"):
        producer.enqueue("maths.add", object())
    producer.close()
    worker.close()


def test_a_task_is_run_here_and_now(app, add):
    """Through the same door as a worker's jobs, and nothing is stored."""
    assert 5 == app.run("maths.add", "2", b=3)
    assert [] == app.jobs()
    with pytest.raises(TaskNotFoundError):
        app.run("maths.ad")
    with pytest.raises(ArgumentsError):
        app.run("maths.add")


def test_a_task_that_fails_here_says_so(app, registry):
    """With its error, and its traceback."""

    @task(registry=registry)
    async def fail():
        raise ValueError("no")

    with pytest.raises(JobFailedError, match="ValueError: no") as caught:
        app.run("fail")

    assert "in fail" in caught.value.traceback


def test_without_an_app_one_is_told_to_make_one(add):
    """A task does not make one up."""
    with pytest.raises(NoAppError, match="app = App"):
        add.enqueue(1)


def test_the_app_that_replaces_another_one_has_the_jobs(add, registry):
    """Until it is closed."""
    first = App("sqlite://", registry=registry)
    second = App("sqlite://", replaces=first)
    add.enqueue(1)
    second.close()
    add.enqueue(2)

    assert [{"a": 2}] == [job.arguments for job in first.jobs()]
    first.close()
    with pytest.raises(NoAppError):
        add.enqueue(3)


def test_a_result_is_waited_for(app, add):
    """By another thread, while the worker runs."""
    job = add.enqueue(2)
    results = []
    waiter = threading.Thread(target=lambda: results.append(job.result(20)))
    waiter.start()
    drain(app)
    waiter.join(20)

    assert [3] == results


def test_a_result_that_does_not_come_in_time_says_why(app, add):
    """It may be that no worker is running."""
    job = add.enqueue(2)
    with pytest.raises(ResultTimeoutError, match="No worker is running"):
        job.result(0.01)
    with pytest.raises(TimeoutError):
        asyncio.run(job.aresult(0.01))


def test_a_result_comes_in_the_type_the_task_says(app, registry):
    """A model comes back as a model."""
    import pydantic

    class Point(pydantic.BaseModel):
        x: int

    def origin(): ...

    origin.__annotations__["return"] = Point
    points = task("points", registry=registry)(lambda: Point(x=5))
    points.function.__annotations__["return"] = Point
    job = points.enqueue()
    drain(app)

    assert Point(x=5) == job.result(0)


def test_an_unknown_job_is_not_found(app):
    """Wherever it is asked for."""
    with pytest.raises(JobNotFoundError, match="No job nobody"):
        app.get("nobody")
    assert [] == app.cancel("nobody") == app.retry("nobody")


def test_the_beginning_of_an_id_will_do(app, registry):
    """As long as no other job begins so; else it is said which ones do."""
    work = task("work", registry=registry)(lambda n=0: n)
    one, other = work.enqueue(1), work.enqueue(2)
    shared = next(one.id[:n] for n in range(36, 0, -1) if other.id.startswith(one.id[:n]))
    drain(app)

    assert one.id == app.get(one.id[: len(shared) + 1]).id
    assert 2 == app.get(other.id[: len(shared) + 1].upper()).result(0)
    with pytest.raises(JobNotFoundError, match="give more of the id") as told:
        app.get(shared)
    assert f"{one.id} (work, succeeded)" in str(told.value)
    assert f"{other.id} (work, succeeded)" in str(told.value)
    with pytest.raises(JobNotFoundError, match="No job 0000"):
        app.get("0000")


def test_a_closed_app_says_so(add, registry):
    """It does not come back to life."""
    app = App("sqlite://", registry=registry)
    app.close()
    app.close()

    with pytest.raises(Exception, match="closed"):
        app.jobs()


def test_jobs_can_be_looked_through(app, add):
    """By state, task, queue and key, page by page."""
    jobs = add.enqueue_many(range(5))
    add.using(queue="mail", key="k").enqueue(9)
    first = app.jobs(limit=4)

    assert 6 == len(first) + len(app.jobs(limit=4, before=first[-1].id))
    assert 1 == len(app.jobs(queue="mail")) == len(app.jobs(key="k"))
    assert [] == app.jobs(state="failed") == app.jobs(state=[State.DEAD, "running"])
    assert jobs[0] in app.jobs(state="queued")
    with pytest.raises(ValueError):
        app.jobs(state="faild")
