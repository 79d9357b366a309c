"""`@task(isolation="process")`: a body in a process of its own, behind the same door."""

import asyncio
import multiprocessing
import os
import threading
from dataclasses import dataclass

import pytest

from rotulus import App, Cancel, Job, Retry, Snooze, scheduled, task
from rotulus.errors import ConfigurationError, JobFailedError, OptionError
from rotulus.events import AttemptStarted, ForkServerStarted
from rotulus.store import ClaimFilter
from rotulus.testing import drain


@pytest.fixture
def file_app(registry):
    """An app on a file."""
    app = App("sqlite:///jobs.db", registry=registry)
    yield app
    app.close()


@pytest.fixture
def isolated(app):
    """Declares isolated tasks of the app."""
    return lambda **options: task(registry=app.registry, isolation="process", **options)


def test_it_runs_in_another_process(app, isolated):
    """Its result comes back as any other; what it changes in memory does not."""
    seen = []

    @isolated()
    def body(x: int) -> list:
        seen.append(x)
        return [os.getpid(), *seen]

    job = body.enqueue(7)
    drain(app)
    pid, *inside = job.result(0)

    assert [7] == inside
    assert [] == seen
    assert pid not in (os.getpid(), os.getppid())


def test_a_coroutine_runs_there_too(app, isolated):
    """On an event loop of that process."""

    @isolated()
    async def body(x: int) -> list:
        await asyncio.sleep(0)
        return [os.getpid() == here, x]

    here = os.getpid()
    job = body.enqueue(7)
    drain(app)

    assert [False, 7] == job.result(0)


def test_run_goes_through_the_same_door(app, isolated):
    """`app.run` isolates it as a worker would, and does not store it."""

    @isolated()
    def body() -> int:
        return os.getpid()

    @isolated(timeout=0.2)
    def spin() -> None:
        while True:
            pass

    assert os.getpid() != app.run("body")
    with pytest.raises(JobFailedError, match="longer than its timeout of 0.2 seconds"):
        app.run("spin")
    assert [] == app.jobs()


def test_a_call_is_a_call(app, isolated):
    """It runs here and now, as for any task."""

    @isolated()
    def body() -> int:
        return os.getpid()

    assert os.getpid() == body()


RAISED = {
    "an error": (lambda: ValueError("no"), "failed", "error", "ValueError: no"),
    "a retry": (lambda: Retry(after=60), "delayed", "retry", "Retry: Retry(after=60)"),
    "a snooze": (lambda: Snooze(60), "delayed", "snooze", "None"),
    "a cancellation": (lambda: Cancel("gone"), "cancelled", "gone", "None"),
    "an exit": (lambda: SystemExit(3), "failed", "error", "SystemExit: 3"),
}


@pytest.mark.parametrize("what", RAISED)
def test_what_it_raises_means_what_it_always_means(app, isolated, what):
    """Judged there, told here."""
    make, state, reason, error = RAISED[what]

    @isolated()
    def body():
        raise make()

    job = body.enqueue()
    drain(app)
    job = job.refresh()

    assert (state, reason, error) == (job.state, job.reason, str(job.error))


def test_its_traceback_is_kept(app, isolated):
    """That of the task's own code."""

    @isolated()
    def body():
        raise ValueError("over there")

    job = body.enqueue()
    drain(app)

    assert 'raise ValueError("over there")' in job.refresh().error.traceback


def test_a_result_that_is_not_json_is_a_failure(app, isolated):
    """And so is one that is too large."""

    @isolated()
    def body(large: bool):
        return "x" * 2_000_000 if large else object()

    jobs = [body.enqueue(large) for large in (False, True)]
    drain(app)

    assert [("failed", "result")] * 2 == [(j.refresh().state, j.refresh().reason) for j in jobs]


def test_a_megabyte_goes_there_and_back(app, isolated):
    """In one piece."""

    @isolated()
    def body(text: str) -> str:
        return text[::-1]

    text = "é" * 250_000 + "x" * 500_000
    job = body.enqueue(text)
    drain(app)

    assert text[::-1] == job.result(0)


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_arguments_that_no_longer_fit_are_found_out_there(app, isolated):
    """As everywhere: dead, and not retried."""

    @isolated()
    def body(x: int): ...

    job = body.enqueue(1)
    app.store._connections.writer().execute(
        """UPDATE rotulus_jobs SET arguments = '{"x": "much"}'"""
    )
    drain(app)

    assert ("dead", "invalid_arguments") == (job.refresh().state, job.refresh().reason)


def test_progress_comes_across(app, isolated):
    """While it runs, and the last one with its end."""

    @isolated()
    def body(job: Job):
        for step in range(1, 4):
            job.progress(step, 3, "stepping")

    job = body.enqueue()
    drain(app)

    assert (3, 3, "stepping") == job.refresh().reached


def test_progress_is_seen_while_it_runs(file_app):
    """Within a second or two."""

    @task(registry=file_app.registry, isolation="process")
    def body(job: Job):
        job.progress(1, 2)
        while not job.cancel_requested:
            pass
        job.raise_if_cancelled()

    def look():
        while job.refresh().reached is None:
            file_app.store.wait(ClaimFilter(queues=["nobody serves this"]), 0.05)
        job.cancel()

    job = body.enqueue()
    watcher = threading.Thread(target=look)
    watcher.start()
    drain(file_app)
    watcher.join()

    assert (1, 2, "") == job.refresh().reached
    assert "cancelled" == job.refresh().state


def test_a_cancelled_body_that_does_not_heed_it_is_killed(app, isolated):
    """It had a second."""

    @isolated()
    def body():
        while True:
            pass

    app.events.subscribe(lambda event: app.cancel(event.job.id), AttemptStarted)
    job = body.enqueue()
    drain(app)

    assert ("cancelled", "cancelled") == (job.refresh().state, job.refresh().reason)


@dataclass
class Model:
    made_by: int


def test_what_is_injected_is_made_in_its_process(app, isolated):
    """What lives as long as the app, once in each of them."""
    made = []

    def make() -> Model:
        made.append(1)
        return Model(os.getpid())

    app.provide(Model, make, scope="app")

    @isolated()
    def body(model: Model) -> list:
        return [model.made_by == os.getpid(), len(made)]

    jobs = [body.enqueue() for _ in range(5)]
    app.run_worker(burst=True, slots=1)

    assert [[True, 1]] * 5 == [job.result(0) for job in jobs]
    assert [] == made


def test_what_lives_as_long_as_the_app_is_torn_down(app, isolated, tmp_path):
    """When the worker ends, in each process that has made it."""

    def make():
        yield Model(os.getpid())
        (tmp_path / f"torn-down-{os.getpid()}").touch()

    app.provide(Model, make, scope="app")

    @isolated()
    def body(model: Model) -> int:
        return model.made_by

    jobs = [body.enqueue() for _ in range(5)]
    drain(app)
    torn_down = {path.name for path in tmp_path.glob("torn-down-*")}

    assert {f"torn-down-{job.result(0)}" for job in jobs} == torn_down


def test_a_body_that_closes_every_file_loses_its_attempt(app, isolated):
    """It cuts the line, and nobody waits for it any longer."""

    @isolated()
    def body():
        os.closerange(3, 65_536)  # those of a long run of tests are many
        while True:
            pass

    job = body.enqueue()
    drain(app)

    record = job.refresh().record

    assert ("delayed", "lost", 2) == (record.state, record.reason, record.losses)


def test_a_system_without_room_for_a_process_is_waited_for(app, isolated, monkeypatch, tmp_path):
    """A fork that fails is nobody's fault: it is tried again, and nothing is counted."""
    real, here = os.fork, os.getpid()

    def fork():
        if os.getpid() != here and not (tmp_path / "tried").exists():
            (tmp_path / "tried").touch()
            raise BlockingIOError(11, "Resource temporarily unavailable")
        return real()

    monkeypatch.setattr(os, "fork", fork)

    @isolated()
    def body() -> int:
        return 1

    job = body.enqueue()
    drain(app)

    assert (1, 1, 0) == (job.result(0), job.refresh().attempt, job.refresh().record.losses)
    assert (tmp_path / "tried").exists()


def test_a_process_runs_one_attempt_after_the_other(app, isolated):
    """As many processes as slots, each used again, and not for ever."""

    @isolated()
    def body() -> int:
        return os.getpid()

    jobs = [body.enqueue() for _ in range(250)]
    app.run_worker(burst=True, slots=1)

    assert 3 == len({job.result(0) for job in jobs})


def test_it_can_enqueue(file_app):
    """The store is opened anew there."""

    @task(registry=file_app.registry)
    def inner(x: int) -> int:
        return x + 1

    @task(registry=file_app.registry, isolation="process")
    def outer(x: int) -> str:
        job = inner.enqueue(x)
        assert job == file_app.get(job.id)
        return job.id

    jobs = [outer.enqueue(x) for x in range(10)]
    drain(file_app)

    assert list(range(1, 11)) == [file_app.get(job.result(0)).result(0) for job in jobs]


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_it_cannot_enqueue_into_the_memory_of_its_worker(app, isolated):
    """It is told so, instead of a job being lost."""

    @isolated()
    def body():
        body.enqueue()

    job = body.enqueue()
    drain(app)

    assert "A store in memory belongs to the process that made it" in str(job.refresh().error)


def test_memory_has_a_limit(app, isolated):
    """What is beyond it cannot be allocated; the process, and the next attempt, live on."""

    @isolated(memory=64)
    def body(mebibytes: int) -> int:
        return len(bytearray(mebibytes * 1024 * 1024))

    jobs = [body.enqueue(mebibytes) for mebibytes in (1000, 20, 1000, 40)]
    app.run_worker(burst=True, slots=1)

    assert ["failed", "succeeded"] * 2 == [job.refresh().state for job in jobs]
    assert "MemoryError" == jobs[0].refresh().error.type


def test_it_may_have_processes_of_its_own(app, isolated):
    """They can be told to stop."""

    @isolated()
    def body() -> list:
        child = multiprocessing.get_context("fork").Process(target=threading.Event().wait)
        child.start()
        child.terminate()
        child.join()
        return [child.exitcode]

    job = body.enqueue()
    drain(app)

    assert [-15] == job.result(0)


def test_a_schedule_may_fire_isolated_jobs(app):
    """`@scheduled` takes the same options."""

    @scheduled("@daily", registry=app.registry, isolation="process", memory=100)
    async def nightly(): ...

    assert ("process", 100) == (nightly.isolation, nightly.memory)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"isolation": "thread"}, "isolation='thread' is not allowed: choose 'process', or None"),
        ({"memory": 100}, "memory=100 needs isolation='process'"),
        ({"isolation": "process", "memory": 0}, "a whole number of MiB from 1 to"),
        ({"isolation": "process", "memory": 2**30}, "a whole number of MiB from 1 to"),
        ({"isolation": "process", "memory": "1 GB"}, "a whole number of MiB from 1 to"),
    ],
)
def test_options_are_checked_where_they_are_given(registry, options, says):
    """With what is allowed."""
    with pytest.raises(OptionError, match=says):
        task(registry=registry, **options)(len)


def test_a_worker_without_isolated_tasks_has_no_fork_server(app):
    """Nobody pays for what nobody asked for."""
    started = []
    app.events.subscribe(started.append, ForkServerStarted)
    job = task("plain", registry=app.registry)(os.getpid).enqueue()
    drain(app)

    assert os.getpid() == job.result(0)
    assert [] == started


def test_threads_that_run_beside_the_fork_are_named(app, isolated, caplog):
    """A lock that one of them holds stays locked in the isolated tasks."""
    started, leave = [], threading.Event()
    app.events.subscribe(started.append, ForkServerStarted)

    @isolated()
    def body(): ...

    beside = threading.Thread(target=leave.wait, name="exporter")
    beside.start()
    drain(app)
    leave.set()
    beside.join()

    assert "exporter" in started[0].threads
    assert "exporter" in caplog.text


@pytest.mark.parametrize("name", ["fork", "linux"])
def test_a_system_that_cannot_do_it_is_a_configuration_error(app, isolated, monkeypatch, name):
    """Before anything starts; enqueueing needs none of it."""

    @isolated(memory=100)
    def body(): ...

    if name == "fork":
        monkeypatch.delattr(os, "fork")
    else:
        monkeypatch.setattr("sys.platform", "darwin")
    job = body.enqueue()
    with pytest.raises(ConfigurationError, match=r"Task 'body' has .*test_isolation.py:\d+"):
        app.run_worker(burst=True)
    monkeypatch.undo()

    assert ("queued", 0) == (job.refresh().state, job.attempt)
