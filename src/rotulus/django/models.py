"""`TaskExecution`: the jobs table as a model of Django, to look at and to steer.

There is one row for each job, whoever has enqueued it, and it is the job: nothing is copied, and so
nothing can disagree. Rows are changed by what the store says, which knows who has a job at present.
"""

import json
import socket
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NoReturn

from django.db import models, transaction
from django.db.models.expressions import Case, Value, When

from rotulus import App, ErrorInfo, Job, State
from rotulus._jobs.outcome import failed, read_error, succeeded
from rotulus._jobs.states import Reason
from rotulus._text import jsontext
from rotulus.django.app import app_of, home_of
from rotulus.django.fields import JobIdField, MicrosecondsField
from rotulus.django.results import arguments_of
from rotulus.django.statuses import STATUSES, status_of
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
"""Seconds for which an execution that is marked as running is left to who has marked it."""


class ExecutionQuerySet(models.QuerySet["TaskExecution"]):
    """Executions. They are read here, and changed by `enqueue` and `app_of(alias).jobs`."""

    def using_jobs(self) -> App:
        """The app whose jobs these are: `executions.using_jobs().jobs.retry(*ids)`."""
        return app_of(home_of(self.db, self.model))

    def create(self, **_kwargs: Any) -> NoReturn:
        """Refused: enqueue a task."""
        raise _refused("created")

    def bulk_create(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Refused: enqueue tasks."""
        raise _refused("created")

    def update(self, **_kwargs: Any) -> NoReturn:
        """Refused: the store knows who has a job at present."""
        raise _refused("changed")

    def bulk_update(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Refused, too."""
        raise _refused("changed")

    def delete(self) -> NoReturn:
        """Refused: a job goes with what is known of it, and not while others wait for it."""
        raise _refused("deleted")


class _Executions(models.Manager.from_queryset(ExecutionQuerySet)):
    """Executions, each with its status, by which they can be found: `filter(status="FAILED")`."""

    def get_queryset(self) -> Any:
        """All of them."""
        cases = [When(state=state.value, then=Value(s.value)) for state, s in STATUSES.items()]
        return super().get_queryset().annotate(status=Case(*cases, output_field=models.TextField()))


class TaskExecution(models.Model):
    """One execution of a task: a job, as Django sees it.

    It is found by `status`, too: READY, RUNNING, SUCCESSFUL or FAILED. `state` says more: it is
    that of the job.
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
        """The table is made by the steps of the store."""

        app_label = "rotulus"
        db_table = "rotulus_jobs"
        managed = False
        default_permissions = ("view", "change", "delete")
        ordering = ("-id",)
        verbose_name = "task execution"

    def __str__(self) -> str:
        return f"{self.task_name} {self.id} ({self.status})"

    def save(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Refused: the store knows who has a job at present."""
        raise _refused("saved")

    def delete(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Refused: a job goes with what is known of it, and not while others wait for it."""
        raise _refused("deleted")

    @property
    def status(self) -> str:
        """READY, RUNNING, SUCCESSFUL or FAILED."""
        return status_of(self.state).value

    @status.setter
    def status(self, _annotated: str) -> None:
        """What a query says of it is said by `state`, which stays up to date."""

    @property
    def args(self) -> list[Any]:
        """The positional arguments that have no name; see `kwargs`."""
        return arguments_of(json.loads(self.arguments))[0]

    @property
    def kwargs(self) -> dict[str, Any]:
        """The arguments by the names of the parameters, as plain JSON data."""
        return arguments_of(json.loads(self.arguments))[1]

    @property
    def return_value(self) -> Any:
        """What the task returned, as plain JSON data; None until it has."""
        return None if self.result is None else json.loads(self.result)

    @property
    def error_message(self) -> str:
        """What its last attempt raised, in a line; "" if it did not raise."""
        return str(read_error(self.error) or "")

    @property
    def error_traceback(self) -> str:
        """Where its last attempt raised that."""
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
        """Whether it has ended."""
        return self.status in (SUCCESSFUL, FAILED)

    @property
    def is_success(self) -> bool:
        """Whether its task has returned."""
        return self.status == SUCCESSFUL

    @property
    def is_failed(self) -> bool:
        """Whether it has ended in another way."""
        return self.status == FAILED

    @property
    def job(self) -> Job[Any]:
        """The job, as it stands now. Raises `JobNotFoundError` when it has been pruned."""
        return self._app.get(self.id)

    @property
    def history(self) -> list[Transition]:
        """How its status has changed, the newest change first."""
        return history_of(self.job)

    def mark_running(
        self, metadata: Mapping[str, Any] | None = None, *, lease: float = _LEASE
    ) -> None:
        """Take it, to run it in a way of your own: no worker takes it meanwhile.

        Args:
            metadata: what to remember of the change.
            lease: seconds for which it is yours; then it goes back to its queue.

        Raises:
            InvalidStateTransition: it is not ready, or may not begin now: the message says why.
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
        """End it as successful.

        Args:
            return_value: what the task has returned.
            metadata: what to remember of the change.

        Raises:
            InvalidStateTransition: it is not running, or another attempt of it is by now.
        """
        text = jsontext.encode(return_value, max_bytes=self._app.settings["max_bytes"].value)
        self._settle(SUCCESSFUL, succeeded(self.id, self.attempt, text), metadata)

    def mark_failed(
        self,
        error_message: str = "",
        error_traceback: str = "",
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """End it as failed: while it is ready, or while it runs.

        Args:
            error_message: what went wrong.
            error_traceback: where.
            metadata: what to remember of the change.

        Raises:
            InvalidStateTransition: it has ended, or another attempt of it runs by now.
        """
        error = ErrorInfo("Exception", error_message, error_traceback)
        with transaction.atomic(using=self.database):
            if self.status == READY:
                self.mark_running()
            self._settle(FAILED, failed(self.id, self.attempt, Reason.ERROR, error), metadata)

    @property
    def database(self) -> str:
        """The alias of the database that its job is in, wherever it was read."""
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
        """That it may not become so, by how it stands now."""
        job = self.job
        return InvalidStateTransition(status_of(job.state).value, to, " ".join(job.why()))


def _refused(what: str) -> TypeError:
    return TypeError(
        f"A TaskExecution is a job, and cannot be {what} as a row: enqueue a task, mark it "
        f"(mark_running, mark_successful, mark_failed), or cancel, retry and delete it by "
        f"rotulus.django.app_of(alias).jobs"
    )
