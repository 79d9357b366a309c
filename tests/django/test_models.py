"""`TaskExecution` is the jobs table: it is looked at there, and steered by what the store says."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.core.exceptions import FieldError, ValidationError
from django.db import transaction
from django.utils import timezone

import django_examples as tasks
from rotulus import State
from rotulus.django.models import InvalidStateTransition, TaskExecution
from rotulus.django.results import STATUSES
from rotulus.testing import drain

executions = TaskExecution.objects.using("jobs")


def execution_of(result):
    """The execution of what was enqueued."""
    return executions.get(id=result.id)


def changes(execution):
    """How its status has changed, the newest change first."""
    return [(one.from_status, one.to_status) for one in execution.history]


def test_every_state_has_a_status():
    """In the order of their declaration."""
    assert list(State) == list(STATUSES)
    assert ["READY"] * 3 + ["RUNNING", "SUCCESSFUL"] + ["FAILED"] * 4 == [
        status.value for status in STATUSES.values()
    ]


def test_an_execution_is_the_job(jobs, worker):
    """From when it is enqueued until it has ended."""
    result = tasks.add.using(queue_name="mail", priority=5).enqueue(1, b=5)
    ready = execution_of(result)

    assert ("READY", "django_examples.add", "mail", 5) == (
        ready.status,
        ready.task_name,
        ready.queue_name,
        ready.priority,
    )
    assert ([], {"a": 1, "b": 5}) == (ready.args, ready.kwargs)
    assert result.enqueued_at == ready.enqueued_at
    assert (None, None, None, None) == (
        ready.return_value,
        ready.started_at,
        ready.finished_at,
        ready.duration,
    )
    assert (False, False, False) == (ready.is_complete, ready.is_success, ready.is_failed)

    drain(worker)
    done = execution_of(result)

    assert ("SUCCESSFUL", 6, "") == (done.status, done.return_value, done.error_message)
    assert (True, True, False) == (done.is_complete, done.is_success, done.is_failed)
    assert timedelta(0) <= done.duration == done.finished_at - done.started_at
    assert [("RUNNING", "SUCCESSFUL"), ("READY", "RUNNING"), ("", "READY")] == changes(done)
    assert {"attempt": 1, "worker": done.worker} == done.history[0].metadata
    ready.refresh_from_db()
    assert "SUCCESSFUL" == ready.status


def test_what_was_raised_is_told(jobs, worker):
    """While it waits for its next attempt, too; and each attempt is in the history."""
    result = tasks.fail.enqueue("no such thing")
    drain(worker)
    waits = execution_of(result)

    assert ("READY", "LookupError: no such thing") == (waits.status, waits.error_message)
    assert "raise LookupError(message)" in waits.error_traceback
    assert [("RUNNING", "READY"), ("READY", "RUNNING"), ("", "READY")] == changes(waits)
    assert "LookupError: no such thing" == waits.history[0].metadata["error"]

    jobs.jobs.cancel(result.id)

    assert ("READY", "FAILED") == changes(execution_of(result))[0]


def test_executions_are_found_by_their_status_and_by_moments(jobs, worker):
    """As a query of Django's, by what stands in the columns."""
    done = tasks.add.enqueue(1)
    drain(worker)
    waits = tasks.note.enqueue()
    hour_ago = timezone.now() - timedelta(hours=1)

    assert [done.id] == [one.id for one in executions.filter(status="SUCCESSFUL")]
    assert [waits.id] == [one.id for one in executions.exclude(status="SUCCESSFUL")]
    assert {"READY": 1, "SUCCESSFUL": 1} == {
        status: executions.filter(status=status).count() for status in ("READY", "SUCCESSFUL")
    }
    assert 2 == executions.filter(enqueued_at__gte=hour_ago).count()
    assert 0 == executions.filter(enqueued_at__lt=hour_ago).count()
    assert 1 == executions.filter(finished_at__isnull=False).count()
    assert [done.id] == list(
        executions.filter(id__startswith=done.id[:30]).values_list("id", flat=True)
    )[-1:]
    assert [waits.id, done.id] == [one.id for one in executions.all()]
    assert [done.id] == [one.id for one in executions.filter(id__in=[done.id, UUID(int=0)])]
    assert done.enqueued_at == executions.order_by("enqueued_at").first().enqueued_at


def test_what_would_be_taken_of_a_number_is_refused(jobs):
    """A part of a moment, and an id that is none."""
    with pytest.raises(FieldError):
        executions.filter(enqueued_at__date=timezone.now().date()).count()
    with pytest.raises(FieldError):
        executions.filter(enqueued_at__year=2026).count()
    with pytest.raises(ValidationError, match="not the id of a job"):
        executions.get(id="nonsense")


def test_without_zones_moments_are_in_the_zone_of_the_settings(jobs, settings_with):
    """As Django has them."""
    settings_with(USE_TZ=False, TIME_ZONE="Europe/London")
    result = tasks.add.enqueue(1)
    execution = execution_of(result)

    assert execution.enqueued_at.tzinfo is None
    assert 1 == executions.filter(enqueued_at=execution.enqueued_at).count()


def test_rows_are_not_written_past_the_store(jobs):
    """Every way that Django has is refused, with what to do."""
    execution = execution_of(tasks.add.enqueue(1))
    ways = [
        execution.save,
        execution.delete,
        executions.all().delete,
        lambda: executions.update(state="failed"),
        lambda: executions.bulk_update([execution], ["state"]),
        lambda: executions.create(task_name="t"),
        lambda: executions.bulk_create([execution]),
    ]

    for way in ways:
        with pytest.raises(TypeError, match="enqueue a task, mark it"):
            way()
    assert "READY" == execution_of(tasks.add.get_result(execution.id)).status


def test_an_execution_is_marked_step_by_step(jobs, worker):
    """No worker takes what is marked as running; what it was marked with is in its history."""
    execution = execution_of(tasks.add.enqueue(1))

    execution.mark_running(metadata={"by": "a script"})
    assert ("RUNNING", 1) == (execution.status, execution.attempt)
    assert [] == drain(worker)
    execution.mark_successful(return_value=[3], metadata={"rows": 3})

    assert ("SUCCESSFUL", [3]) == (execution.status, execution.return_value)
    done, began, _ = execution.history
    assert ("RUNNING", "SUCCESSFUL", 3) == (*done[:2], done.metadata["rows"])
    assert ("READY", "RUNNING", "a script") == (*began[:2], began.metadata["by"])
    assert done.at == execution.finished_at


def test_an_execution_is_marked_as_failed_from_ready_and_from_running(jobs):
    """With what went wrong."""
    for begun in (False, True):
        execution = execution_of(tasks.add.enqueue(1))
        if begun:
            execution.mark_running()
        execution.mark_failed("no room", "Traceback: …", metadata={"disk": "full"})

        assert ("FAILED", State.FAILED) == (execution.status, execution.state)
        assert "no room" in execution.error_message
        assert "Traceback: …" == execution.error_traceback
        assert "full" == execution.history[0].metadata["disk"]


@pytest.mark.parametrize(
    ("marks", "wrong", "allowed"),
    [
        ([], "mark_successful", ["RUNNING", "FAILED"]),
        (["mark_running"], "mark_running", ["SUCCESSFUL", "FAILED"]),
        (["mark_running", "mark_successful"], "mark_running", []),
        (["mark_running", "mark_successful"], "mark_failed", []),
        (["mark_running", "mark_failed"], "mark_successful", []),
    ],
)
def test_a_status_that_may_not_follow_is_refused(jobs, marks, wrong, allowed):
    """The error says what it has, what it was to have, and what it may have."""
    execution = execution_of(tasks.add.enqueue(1))
    for mark in marks:
        getattr(execution, mark)()
    before = execution.status

    with pytest.raises(InvalidStateTransition, match="Cannot transition from") as caught:
        getattr(execution, wrong)()

    assert (before, allowed) == (caught.value.from_status, caught.value.allowed)
    assert wrong.removeprefix("mark_").upper() == caught.value.to_status
    assert before == execution_of(tasks.add.get_result(execution.id)).status


def test_who_has_lost_an_execution_cannot_end_it(jobs, worker):
    """Another attempt runs by now, and what this one says does not count."""
    execution = execution_of(tasks.add.enqueue(1))
    execution.mark_running(lease=0.1)
    assert worker.store.rescue(worker=execution.worker)
    again = execution_of(tasks.add.get_result(execution.id))
    again.mark_running()

    with pytest.raises(InvalidStateTransition):
        execution.mark_successful()
    again.mark_successful("mine")
    assert "mine" == execution_of(tasks.add.get_result(execution.id)).return_value


def test_a_mark_in_a_block_that_is_rolled_back_never_was(jobs):
    """It is made on Django's connection, like anything else."""
    execution = execution_of(tasks.add.enqueue(1))

    with pytest.raises(ZeroDivisionError), transaction.atomic(using="jobs"):
        execution.mark_running()
        1 / 0

    execution.refresh_from_db()
    assert ("READY", 0) == (execution.status, execution.attempt)


def test_what_may_not_begin_now_says_why(jobs):
    """A paused queue holds it back."""
    execution = execution_of(tasks.add.enqueue(1))
    jobs.queues.pause("default")
    try:
        with pytest.raises(InvalidStateTransition, match="paused"):
            execution.mark_running()
    finally:
        jobs.queues.resume("default")


class ToJobs:
    """A router by which executions live in `jobs`."""

    def db_for_read(self, model, **_):
        """There."""
        return "jobs" if model is TaskExecution else None

    db_for_write = db_for_read


def test_a_router_says_where_the_jobs_live(jobs, settings_with):
    """Where the backend does not say it."""
    settings_with(DATABASE_ROUTERS=[ToJobs()])
    result = tasks.add.using(backend="routed").enqueue(1)

    assert "jobs" == TaskExecution.objects.get(id=result.id)._state.db
    assert "routed" == result.backend
