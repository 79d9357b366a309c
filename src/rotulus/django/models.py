"""`TaskExecution`: the jobs table as a model of Django, to look at and to steer.

There is one row for each job, and the row is the job: nothing is copied, so nothing can disagree.
Jobs of other programs are there, too. Only the store changes rows, because it knows the current
worker of each job.
"""

import json
import socket
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NoReturn

from django.db import models, transaction
from django.db.models.expressions import Case, Value, When

from rotulus import App, Job, State
from rotulus._jobs.encrypted import is_encrypted
from rotulus._jobs.labels import read_texts
from rotulus._jobs.outcome import failed, plain_error, read_error, succeeded
from rotulus._jobs.states import Reason
from rotulus._text import jsontext
from rotulus.django.app import app_of, home_of
from rotulus.django.fields import JobIdField, MicrosecondsField
from rotulus.django.results import STATUSES, arguments_of, status_of
from rotulus.django.transitions import (
    FAILED,
    READY,
    RUNNING,
    SUCCESSFUL,
    InvalidStateTransition,
    Transition,
    history_of,
    noted,
)
from rotulus.store import Claim, ClaimFilter, Renewal

__all__ = ["ExecutionQuerySet", "InvalidStateTransition", "TaskExecution", "Transition"]

_LEASE = 3600.0
"""Seconds for which an execution belongs to the caller that has marked it as running."""


class ExecutionQuerySet(models.QuerySet["TaskExecution"]):
    """Executions. They are read here, and changed by `enqueue` and `app_of(alias).jobs`."""

    def using_jobs(self) -> App:
        """Returns the app of these jobs: `executions.using_jobs().jobs.retry(*ids)`."""
        return app_of(home_of(self.db, self.model))

    def create(self, **_kwargs: Any) -> NoReturn:
        """Refused: enqueue a task."""
        raise _refused("created")

    def bulk_create(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Refused: enqueue tasks."""
        raise _refused("created")

    def update(self, **_kwargs: Any) -> NoReturn:
        """Refused: only the store changes jobs, because it knows the current worker of each."""
        raise _refused("changed")

    def bulk_update(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Refused, too."""
        raise _refused("changed")

    def delete(self) -> NoReturn:
        """Refused: delete the job, which is kept while other jobs wait for it."""
        raise _refused("deleted")


class _Executions(models.Manager.from_queryset(ExecutionQuerySet)):
    """Executions with their status, which can be filtered: `filter(status="FAILED")`."""

    def get_queryset(self) -> Any:
        """Returns all executions."""
        cases = [When(state=state.value, then=Value(s.value)) for state, s in STATUSES.items()]
        return super().get_queryset().annotate(status=Case(*cases, output_field=models.TextField()))


class TaskExecution(models.Model):
    """One execution of a task: the row of a job.

    It can be filtered by `status`, too: READY, RUNNING, SUCCESSFUL or FAILED. `state` is the more
    precise state of the job.
    """

    id = JobIdField(primary_key=True, editable=False)
    task_name = models.TextField(db_column="task")
    queue_name = models.TextField(db_column="queue")
    priority = models.IntegerField()
    state = models.TextField(choices=[(state.value, state.value) for state in State])
    reason = models.TextField(null=True)  # noqa: DJ001 - the column tells none from empty
    attempt = models.IntegerField()
    failures = models.IntegerField()
    worker = models.TextField(null=True)  # noqa: DJ001 - likewise
    key = models.TextField(null=True)  # noqa: DJ001 - likewise
    schedule = models.TextField(null=True)  # noqa: DJ001 - likewise
    labels_json = models.TextField(null=True, db_column="labels")  # noqa: DJ001 - likewise
    enqueued_at = MicrosecondsField(db_column="created_at")
    run_at = MicrosecondsField()
    started_at = MicrosecondsField(null=True)
    finished_at = MicrosecondsField(null=True, db_column="ended_at")
    arguments = models.TextField()
    progress = models.TextField(null=True)  # noqa: DJ001 - likewise
    result = models.TextField(null=True)  # noqa: DJ001 - likewise
    error = models.TextField(null=True)  # noqa: DJ001 - likewise

    objects = _Executions()

    class Meta:
        """The table is made by the migrations of the store."""

        app_label = "rotulus"
        db_table = "rotulus_jobs"
        managed = False
        default_permissions = ("view", "change", "delete")
        ordering = ("-id",)
        verbose_name = "task execution"

    def __str__(self) -> str:
        return f"{self.task_name} {self.id} ({self.status})"

    def save(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Refused: only the store changes jobs, because it knows the current worker of each."""
        raise _refused("saved")

    def delete(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Refused: delete the job, which is kept while other jobs wait for it."""
        raise _refused("deleted")

    @property
    def status(self) -> str:
        """READY, RUNNING, SUCCESSFUL or FAILED."""
        return status_of(self.state).value

    @status.setter
    def status(self, _annotated: str) -> None:
        """Ignore the status of a query: `state` decides, and stays up to date."""

    @property
    def plain_arguments(self) -> str:
        """The arguments as JSON text, decrypted if its app has the key."""
        text = self.arguments
        return self.job.record.arguments if is_encrypted(text) else text

    @property
    def args(self) -> list[Any]:
        """The positional-only arguments; see `kwargs`."""
        return arguments_of(json.loads(self.plain_arguments))[0]

    @property
    def kwargs(self) -> dict[str, Any]:
        """The arguments by the names of the parameters, as plain JSON data."""
        return arguments_of(json.loads(self.plain_arguments))[1]

    @property
    def labels(self) -> dict[str, str]:
        """The words by which it is found, by name."""
        return read_texts(self.labels_json)

    @property
    def return_value(self) -> Any:
        """The result of the task, as plain JSON data; None until it has returned."""
        text = self.result
        if text is not None and is_encrypted(text):
            text = self.job.record.result
        return None if text is None else json.loads(text)

    @property
    def error_message(self) -> str:
        """The exception of its last attempt, in a line; "" if there is none."""
        return str(read_error(self.error) or "")

    @property
    def error_traceback(self) -> str:
        """The traceback of that exception."""
        error = read_error(self.error)
        return error.traceback if error else ""

    @property
    def duration(self) -> timedelta | None:
        """From the start of its last attempt to its end; None until it has ended."""
        if self.started_at is None or self.finished_at is None:
            return None
        return self.finished_at - self.started_at

    @property
    def is_complete(self) -> bool:
        """Whether the execution has ended."""
        return self.status in (SUCCESSFUL, FAILED)

    @property
    def is_success(self) -> bool:
        """Whether the task has returned."""
        return self.status == SUCCESSFUL

    @property
    def is_failed(self) -> bool:
        """Whether the execution has ended in another way."""
        return self.status == FAILED

    @property
    def job(self) -> Job[Any]:
        """The current job. Raises `JobNotFoundError` when it has been pruned."""
        return self._app.get(self.id)

    @property
    def history(self) -> list[Transition]:
        """The changes of its status, the newest first."""
        return history_of(self.job)

    def mark_running(
        self, metadata: Mapping[str, Any] | None = None, *, lease: float = _LEASE
    ) -> None:
        """Take the execution, to run it in a way of your own: no worker takes it meanwhile.

        Args:
            metadata: what to remember of the change.
            lease: seconds for which the execution is yours; then it goes back to its queue.

        Raises:
            InvalidStateTransition: the execution is not ready, or may not begin now; the message
                gives the reason.
        """
        worker = f"{socket.gethostname()}.django"
        if not self._app.store.claim(ClaimFilter(worker, ids=[self.id]), 1, lease):
            raise self._refusal(RUNNING)
        self.refresh_from_db()
        if metadata:
            progress = noted(None, RUNNING, metadata)
            self._app.store.extend([Renewal(self.id, self.attempt, progress)], lease)
            self.refresh_from_db()

    def mark_successful(
        self, return_value: Any = None, metadata: Mapping[str, Any] | None = None
    ) -> None:
        """End the execution as successful.

        Args:
            return_value: the result of the task.
            metadata: what to remember of the change.

        Raises:
            InvalidStateTransition: the execution is not running, or another attempt runs by now.
        """
        text = jsontext.encode(return_value, max_bytes=self._app.settings["max_bytes"].value)
        self._settle(SUCCESSFUL, succeeded(self.id, self.attempt, text), metadata)

    def mark_failed(
        self,
        error_message: str = "",
        error_traceback: str = "",
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """End the execution as failed: while it is ready, or while it runs.

        Args:
            error_message: the error.
            error_traceback: its traceback.
            metadata: what to remember of the change.

        Raises:
            InvalidStateTransition: the execution has ended, or another attempt runs by now.
        """
        error = plain_error("Exception", error_message, error_traceback)
        with transaction.atomic(using=self.database):
            if self.status == READY:
                self.mark_running()
            self._settle(FAILED, failed(self.id, self.attempt, Reason.ERROR, error), metadata)

    @property
    def database(self) -> str:
        """The alias of the database of its job, wherever the row was read."""
        return home_of(self._state.db, type(self), instance=self)

    @property
    def _app(self) -> App:
        return app_of(self.database)

    def _settle(self, to: str, outcome: Any, metadata: Mapping[str, Any] | None) -> None:
        if metadata:
            outcome = outcome._replace(progress=noted(self.progress, to, metadata))
        claim = Claim(self.id, self.attempt)
        if self.status != RUNNING or claim in self._app.store.settle([outcome]):
            raise self._refusal(to)
        self.refresh_from_db()

    def _refusal(self, to: str) -> InvalidStateTransition:
        """Returns the error for a change that its current status does not allow."""
        job = self.job
        return InvalidStateTransition(status_of(job.state).value, to, " ".join(job.why()))


def _refused(what: str) -> TypeError:
    return TypeError(
        f"A TaskExecution is a job, and cannot be {what} as a row: enqueue a task, mark it "
        f"(mark_running, mark_successful, mark_failed), or cancel, retry and delete it by "
        f"rotulus.django.app_of(alias).jobs"
    )
