"""What a job can come to: retried, snoozed, cancelled, timed out, failed, dead."""

import asyncio
import threading

import pytest

from rotulus import App, Cancel, Job, JobFailedError, Retry, Snooze, State, TaskRegistry, task
from rotulus.testing import drain


def settle(app, clock, job, seconds=3600.0, rounds=20):
    """Run a job until it has ended, letting time pass."""
    for _ in range(rounds):
        drain(app)
        if job.refresh().state.ended:
            break
        clock.advance(seconds)
    return app.get(job.id)


def test_a_task_without_a_policy_is_tried_once(still_app, clock):
    """No retry unless asked."""

    @task(registry=still_app.registry)
    def fail():
        raise ValueError("no")

    job = settle(still_app, clock, fail.enqueue())

    assert (State.FAILED, "error", 1) == (job.state, job.reason, job.attempt)
    with pytest.raises(JobFailedError, match="failed .error.: ValueError: no"):
        job.result(0)


@pytest.mark.parametrize("attempts", [1, 2, 5])
def test_a_policy_says_how_often(still_app, clock, attempts):
    """Attempts in all."""
    seen = []

    @task(retry=Retry(attempts=attempts), registry=still_app.registry)
    async def fail(job: Job):
        seen.append(job.attempt)
        raise ValueError(job.attempt)

    job = settle(still_app, clock, fail.enqueue())

    assert list(range(1, attempts + 1)) == seen
    assert State.FAILED == job.state
    assert [f"ValueError: {n}" for n in range(1, attempts)] == [str(a.error) for a in job.attempts]


def test_a_retry_waits_as_the_policy_says(still_app, clock):
    """And the job says that it does."""

    @task(retry=Retry(attempts=3, delay=10, jitter=False), registry=still_app.registry)
    def fail():
        raise ValueError("no")

    job = fail.enqueue()
    drain(still_app)
    waiting = job.refresh()

    assert (State.DELAYED, "retry") == (waiting.state, waiting.reason)
    assert 10 == (waiting.run_at - clock.now()).total_seconds()
    assert "Attempt 1 failed (ValueError: no); it is due in 10 s" in waiting.why()[0]


def test_a_policy_of_the_app_is_for_tasks_without_one(clock):
    """A task's own wins."""
    registry = TaskRegistry()
    app = App("sqlite://", registry=registry, retry=Retry(attempts=3), clock=clock)

    @task(registry=registry)
    def fail():
        raise ValueError

    @task(retry=Retry(attempts=1), registry=registry)
    def fail_once():
        raise ValueError

    assert [3, 1] == [settle(app, clock, t.enqueue()).attempt for t in (fail, fail_once)]
    app.close()


def test_an_error_that_is_not_to_be_retried_is_not(still_app, clock):
    """By type."""

    @task(
        retry=Retry(attempts=5, on=OSError, not_on=FileNotFoundError), registry=still_app.registry
    )
    def fail(kind: str):
        raise {"os": OSError, "file": FileNotFoundError, "value": ValueError}[kind]

    attempts = {
        k: settle(still_app, clock, fail.enqueue(k)).attempt for k in ("os", "file", "value")
    }

    assert {"os": 5, "file": 1, "value": 1} == attempts


def test_a_task_can_ask_to_be_retried(still_app, clock):
    """With a delay of its own, as often as its policy allows; without one, three times in all."""

    @task(registry=still_app.registry)
    def busy():
        raise Retry(after=42) from ConnectionError("busy")

    @task(retry=Retry(attempts=2), registry=still_app.registry)
    def strict():
        raise Retry(after=1)

    job = busy.enqueue()
    drain(still_app)
    assert 42 == (job.refresh().run_at - clock.now()).total_seconds()
    assert "ConnectionError: busy" == str(job.refresh().error)
    assert 3 == settle(still_app, clock, job).attempt
    assert 2 == settle(still_app, clock, strict.enqueue()).attempt


def test_a_task_can_snooze(still_app, clock):
    """As often as it likes; it is no failure."""

    @task(registry=still_app.registry)
    def later(job: Job):
        if job.attempt <= 10:
            raise Snooze(60)
        return job.attempt

    job = settle(still_app, clock, later.enqueue(), seconds=60)

    assert 11 == job.result(0)
    assert {"snooze"} == {attempt.reason for attempt in job.attempts}
    assert 0 == job.record.failures


def test_a_task_can_snooze_until_a_moment(still_app, clock):
    """Which may be far."""
    from datetime import timedelta

    until = clock.now() + timedelta(days=3)

    @task(registry=still_app.registry)
    async def later():
        raise Snooze(until=until)

    job = later.enqueue()
    drain(still_app)

    assert (State.DELAYED, until) == (job.refresh().state, job.refresh().run_at)


def test_a_task_can_cancel_itself(still_app, clock):
    """With a reason."""

    @task(retry=Retry(attempts=5), registry=still_app.registry)
    def stop():
        raise Cancel("the user is gone")

    job = settle(still_app, clock, stop.enqueue())

    assert (State.CANCELLED, "the user is gone", 1) == (job.state, job.reason, job.attempt)


def test_a_coroutine_that_takes_too_long_is_stopped(app):
    """It counts as a failure, and gets the policy's attempts."""
    stopped = []

    @task(timeout=0.05, retry=Retry(attempts=2, delay=0), registry=app.registry)
    async def slow():
        try:
            await asyncio.Event().wait()
        finally:
            stopped.append(1)

    job = slow.enqueue()
    drain(app)
    job = job.refresh()

    assert (State.FAILED, "timeout", 2, 2) == (job.state, job.reason, job.attempt, len(stopped))
    assert "longer than its timeout of 0.05 seconds" in str(job.error)


def test_a_function_that_takes_too_long_gives_back_its_slot(app):
    """It cannot be stopped; that is said, and it runs on by itself."""
    from rotulus.events import BodyStuck

    finish, stuck = threading.Event(), []
    app.events.subscribe(lambda event: stuck.append(event.job.task), BodyStuck)

    @task(timeout=0.05, registry=app.registry)
    def slow():
        finish.wait(30)
        return "too late"

    @task(registry=app.registry)
    def quick():
        return "in time"

    slow.enqueue_many([()] * 3)
    job = quick.enqueue()
    app.run_worker(burst=True, slots=1)
    finish.set()

    assert "in time" == job.result(0)
    assert ["slow"] * 3 == stuck
    assert {("failed", "timeout")} == {(j.state, j.reason) for j in app.jobs(task="slow")}


def test_a_task_within_its_timeout_is_not_disturbed(app):
    """Plain or not."""

    @task(timeout=30, registry=app.registry)
    async def quick():
        await asyncio.sleep(0)
        return "a"

    @task(timeout=30, registry=app.registry)
    def plain():
        return "b"

    jobs = [quick.enqueue(), plain.enqueue()]
    drain(app)

    assert ["a", "b"] == [job.result(0) for job in jobs]


def test_a_waiting_job_is_cancelled_at_once(still_app):
    """It never runs."""

    @task(registry=still_app.registry)
    def never():
        raise AssertionError

    job = never.enqueue().cancel()
    drain(still_app)

    assert (State.CANCELLED, 0) == (job.state, job.refresh().attempt)


def running_worker(app, **options):
    """A worker in a thread."""
    worker = threading.Thread(target=lambda: app.run_worker(drain=10, **options))
    worker.start()
    return worker


def test_a_running_coroutine_is_cancelled(app):
    """It is interrupted where it waits, and may clean up."""
    started, cleaned = threading.Event(), []

    @task(registry=app.registry)
    async def forever():
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.append(1)

    job = forever.enqueue()
    worker = running_worker(app, lease=0.3)
    assert started.wait(20)
    assert job.cancel().cancel_requested
    with pytest.raises(JobFailedError, match="cancelled"):
        job.result(20)
    app.stop()
    worker.join(20)

    assert [1] == cleaned


def test_a_running_function_is_asked_to_stop(app):
    """It looks between its steps."""
    started = threading.Event()

    @task(registry=app.registry)
    def steps(job: Job):
        started.set()
        while True:
            job.raise_if_cancelled()

    job = steps.enqueue()
    worker = running_worker(app, lease=0.3)
    assert started.wait(20)
    job.cancel()
    with pytest.raises(JobFailedError, match="cancelled"):
        job.result(20)
    app.stop()
    worker.join(20)

    assert State.CANCELLED == job.refresh().state


def test_an_unknown_task_is_dead_after_one_claim(still_app):
    """It is a mistake of wiring: nothing is retried."""
    job = still_app.enqueue("nobody.knows", x=1)
    drain(still_app)
    job = job.refresh()

    assert (State.DEAD, "unknown_task", 1, 0) == (
        job.state,
        job.reason,
        job.attempt,
        job.record.failures,
    )
    assert {"x": 1} == job.arguments


def test_arguments_that_no_longer_fit_are_dead(still_app):
    """The task was changed since."""
    still_app.enqueue("later", user=7)

    @task(registry=still_app.registry)
    def later(person: int): ...

    drain(still_app)
    [job] = still_app.jobs()

    assert (State.DEAD, "invalid_arguments") == (job.state, job.reason)
    assert "did you mean" in str(job.error) or "unknown argument 'user'" in str(job.error)


def test_arguments_that_are_broken_are_dead_and_others_flow(registry, tmp_path):
    """A bad row is not a bad worker."""
    import sqlite3

    app = App("sqlite:///jobs.db", registry=registry)

    @task(registry=registry)
    def fine(x: int):
        return x

    bad, good = fine.enqueue_many([1, 2])
    with sqlite3.connect(tmp_path / "jobs.db") as connection:
        connection.execute("UPDATE rotulus_jobs SET arguments = '{\"x\":' WHERE id = ?", (bad.id,))
    connection.close()
    drain(app)

    assert (State.DEAD, "corrupt") == (bad.refresh().state, bad.refresh().reason)
    assert 2 == good.result(0)
    app.close()


def test_an_operator_can_retry_what_failed(still_app, clock):
    """With fresh budgets; the attempts go on counting."""
    fixed = []

    @task(retry=Retry(attempts=2), registry=still_app.registry)
    def fail():
        if not fixed:
            raise ValueError("no")
        return "fixed"

    job = settle(still_app, clock, fail.enqueue())
    fixed.append(1)
    job.retry()
    drain(still_app)
    job = job.refresh()

    assert ("fixed", 3) == (job.result(0), job.attempt)
    assert ["retry", "error"] == [attempt.reason for attempt in job.attempts]


def test_progress_is_there_at_the_end(app):
    """The last of it is stored with the outcome."""

    @task(registry=app.registry)
    async def crunch(job: Job):
        for done in range(10):
            job.progress(done + 1, 10, f"step {done + 1}")

    job = crunch.enqueue()
    drain(app)

    assert (10, 10, "step 10") == job.refresh().reached


def test_progress_is_there_while_it_runs(app):
    """About once a second, or a third of a short lease."""
    go, seen = threading.Event(), []

    @task(registry=app.registry)
    def crunch(job: Job):
        job.progress(1, 2)
        go.wait(20)

    job = crunch.enqueue()
    worker = running_worker(app, lease=0.3)
    while not seen:
        app.store.wait(job.id, 0.02)
        seen += [reached for reached in [job.refresh().reached] if reached]
    go.set()
    job.result(20)
    app.stop()
    worker.join(20)

    assert (1, 2, "") == seen[0]


def test_only_a_running_job_takes_progress(app, registry):
    """One that was enqueued is not it."""
    from rotulus.errors import JobNotRunningError

    @task(registry=registry)
    def body(): ...

    with pytest.raises(JobNotRunningError, match="job: Job"):
        body.enqueue().progress(1)
