"""Turns the calls of a task into jobs that can be added."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from rotulus import _json
from rotulus._arguments import Bound, Call
from rotulus._ids import Ids
from rotulus._options import Delivery
from rotulus._plan import Plans, TaskPlan
from rotulus._schedule import CATCH_UP
from rotulus._task import Task
from rotulus.store import NewJob

_HOLD = (CATCH_UP + timedelta(days=1)).total_seconds()
"""Seconds for which an instant's key is held: longer than anybody looks back for it."""


class Intake:
    """Makes new jobs.

    Args:
        plans: how each task is called.
        ids: makes the ids.
        max_bytes: the largest arguments, in bytes.
    """

    def __init__(self, plans: Plans, ids: Ids, max_bytes: int = _json.MAX_BYTES) -> None:
        self._plans = plans
        self._ids = ids
        self._max_bytes = max_bytes

    def calls(self, task: Task[..., object, object], calls: Sequence[Call]) -> list[NewJob]:
        """A job for each call. Raises `ArgumentsError` when one does not fit."""
        plan = self._plans.of(task)
        bind, most = plan.binder.bind, self._max_bytes
        bound = [bind(call.args, call.kwargs, most) for call in calls]
        ids = self._ids.many(len(bound))
        return [self._job(i, task, plan, b) for i, b in zip(ids, bound, strict=True)]

    def unchecked(self, name: str, payload: str, delivery: Delivery) -> NewJob:
        """A job of a task that is not known here."""
        return _deliver(NewJob(self._ids(), name, payload), delivery, None, None)

    def firing(self, task: Task[..., object, object], instant: datetime) -> NewJob:
        """The job of one instant of a task's schedule: the same key wherever it is made."""
        delivery = task.delivery
        limit_key = task.limit_key.text if task.limit_key else None
        job = _deliver(NewJob(self._ids(), task.name, "{}"), delivery, None, limit_key)
        return job._replace(
            key=f"{task.name}@{instant:%Y-%m-%dT%H:%MZ}",
            window=_HOLD,
            schedule=task.name,
            instant=instant,
        )

    def _job(
        self, job_id: str, task: Task[..., object, object], plan: TaskPlan, bound: Bound
    ) -> NewJob:
        key = task.key.fill(bound.values, plan.defaults) if task.key else None
        limit_key = task.limit_key.fill(bound.values, plan.defaults) if task.limit_key else None
        return _deliver(NewJob(job_id, task.name, bound.payload), task.delivery, key, limit_key)


def _deliver(job: NewJob, delivery: Delivery, key: str | None, limit_key: str | None) -> NewJob:
    limited = delivery.limit is not None
    return job._replace(
        queue=delivery.queue,
        priority=delivery.priority,
        delay=delivery.delay,
        at=delivery.at,
        expires=delivery.expires,
        key=delivery.key or key,
        window=delivery.window,
        limit_key=(delivery.limit_key or limit_key or job.task) if limited else None,
        limit_to=delivery.limit,
    )
