"""Turns the calls of a task into jobs that can be added."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import cast

from rotulus._engine.carriage import Carriage
from rotulus._engine.parts import Parts
from rotulus._engine.terms import limit_key_of, terms, terms_of
from rotulus._tasks.arguments import Bound, Call
from rotulus._tasks.options import Delivery
from rotulus._tasks.plan import Plans
from rotulus._tasks.task import Task
from rotulus._tasks.template import KeyTemplate
from rotulus._text.ids import Ids
from rotulus._time.schedule import CATCH_UP, stamp
from rotulus._workflows.context import Context
from rotulus._workflows.tasks import WorkflowTask
from rotulus.errors import ArgumentsError, OptionError
from rotulus.store import NewJob, Terms

_HOLD = (CATCH_UP + timedelta(days=1)).total_seconds()
"""Seconds for which an instant's key is held: longer than anybody looks back for it."""

AnyTask = Task[..., object, object]


class JobFactory:
    """Makes new jobs.

    Args:
        plans: how each task is called.
        ids: makes the ids.
        parts: makes the parts of workflows.
        carriage: which jobs are carried to an endpoint outside.
        max_bytes: the largest arguments, in bytes.
    """

    def __init__(
        self, plans: Plans, ids: Ids, parts: Parts, carriage: Carriage, max_bytes: int
    ) -> None:
        self._plans = plans
        self._ids = ids
        self._parts = parts
        self._carriage = carriage
        self.max_bytes = max_bytes

    def calls(self, task: AnyTask, calls: Sequence[Call]) -> list[NewJob]:
        """A job for each call. Raises `ArgumentsError` when one does not fit."""
        plan = self._plans.of(task)
        bind, most = plan.binder.bind, self.max_bytes
        bound: list[Bound] = []
        try:
            bound.extend(bind(call.args, call.kwargs, most) for call in calls)
        except ArgumentsError as error:
            if len(calls) == 1:
                raise
            raise _numbered(error, len(bound) + 1, len(calls)) from None
        ids = self._ids.many(len(bound))
        shared = self._terms(task)
        key = task.delivery.key or task.key
        limit_key = limit_key_of(task)
        if key is None and limit_key is None:
            jobs = [NewJob(i, b.payload, shared) for i, b in zip(ids, bound, strict=True)]
        else:
            jobs = [
                NewJob(
                    i,
                    b.payload,
                    shared,
                    _filled(key, b.values, plan.defaults),
                    _filled(limit_key, b.values, plan.defaults),
                )
                for i, b in zip(ids, bound, strict=True)
            ]
        return [self._with_parts(task, job) for job in jobs] if _begins(task) else jobs

    def new_id(self) -> str:
        """An id that no job has."""
        return self._ids()

    def unchecked(self, name: str, payload: str, delivery: Delivery) -> NewJob:
        """A job of a task that is not known here."""
        limit_key = (delivery.limit_key or name) if delivery.is_limited else None
        shared = self._carriage.terms(terms(name, delivery))
        return NewJob(self._ids(), payload, shared, delivery.key, limit_key)

    def firing(self, task: AnyTask, instant: datetime) -> NewJob:
        """The job of one instant of a task's schedule: the same key wherever it is made."""
        shared = self._terms(task)._replace(window=_HOLD, schedule=task.name)
        key = f"{task.name}@{stamp(instant)}"
        limit_key = _filled(limit_key_of(task), {}, self._plans.of(task).defaults)
        job = NewJob(self._ids(), "{}", shared, key, limit_key, instant)
        return self._with_parts(task, job) if _begins(task) else job

    def _terms(self, task: AnyTask) -> Terms:
        """The terms of jobs of a task. Raises `OptionError` for a carried workflow."""
        own = terms_of(task)
        shared = self._carriage.terms(own)
        if shared.carried and isinstance(task, WorkflowTask):
            raise OptionError(not_carried(task.name))
        return shared

    def _with_parts(self, task: AnyTask, job: NewJob) -> NewJob:
        """The job of a workflow with those of its steps: its worker need not add them."""
        workflow = cast("WorkflowTask", task).workflow
        given = Context(self._plans.of(task).binder.load(job.arguments).kwargs).to_json()
        parts = self._parts.of_workflow(workflow, given, job.terms.queue, job.terms.priority)
        return job._replace(parts=parts)


def not_carried(name: str) -> str:
    """Why jobs of a workflow are not carried, and what to do."""
    return (
        f"{name!r} is a workflow, and workflows are not carried to an endpoint: workers run its "
        f"steps. Leave it out of what the carrier carries, and run a worker for it"
    )


def _numbered(error: ArgumentsError, number: int, total: int) -> ArgumentsError:
    """The same error, with which of several calls it is about."""
    return ArgumentsError(
        f"Call {number:,} of {total:,} does not fit, so none was stored: {error}", error.problems
    )


def _begins(task: AnyTask) -> bool:
    """Whether a job of a task is a workflow that begins at once.

    One that is to begin later, or when there is room for it, is a job that opens when it is due.
    """
    d = task.delivery
    waits = d.delay or d.at is not None or d.is_limited or d.expires is not None
    return isinstance(task, WorkflowTask) and not waits


def _filled(
    key: str | KeyTemplate | None, values: dict[str, object], defaults: dict[str, object]
) -> str | None:
    return key.fill(values, defaults) if isinstance(key, KeyTemplate) else key
