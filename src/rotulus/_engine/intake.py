"""Turns the calls of a task into jobs that can be added."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from rotulus._tasks.arguments import Call
from rotulus._tasks.options import DEFAULT_PER, Delivery
from rotulus._tasks.plan import Plans
from rotulus._tasks.task import Task
from rotulus._tasks.template import KeyTemplate
from rotulus._text import jsontext
from rotulus._text.ids import Ids
from rotulus._time.schedule import CATCH_UP
from rotulus.store import NewJob, Terms

_HOLD = (CATCH_UP + timedelta(days=1)).total_seconds()
"""Seconds for which an instant's key is held: longer than anybody looks back for it."""

AnyTask = Task[..., object, object]


class Intake:
    """Makes new jobs.

    Args:
        plans: how each task is called.
        ids: makes the ids.
        max_bytes: the largest arguments, in bytes.
    """

    def __init__(self, plans: Plans, ids: Ids, max_bytes: int = jsontext.MAX_BYTES) -> None:
        self._plans = plans
        self._ids = ids
        self.max_bytes = max_bytes

    def calls(self, task: AnyTask, calls: Sequence[Call]) -> list[NewJob]:
        """A job for each call. Raises `ArgumentsError` when one does not fit."""
        plan = self._plans.of(task)
        bind, most = plan.binder.bind, self.max_bytes
        bound = [bind(call.args, call.kwargs, most) for call in calls]
        ids = self._ids.many(len(bound))
        terms = terms_of(task)
        key = task.delivery.key or task.key
        limit_key = _limit_key(task)
        if key is None and limit_key is None:
            return [NewJob(i, b.payload, terms) for i, b in zip(ids, bound, strict=True)]
        return [
            NewJob(
                i,
                b.payload,
                terms,
                _filled(key, b.values, plan.defaults),
                _filled(limit_key, b.values, plan.defaults),
            )
            for i, b in zip(ids, bound, strict=True)
        ]

    def unchecked(self, name: str, payload: str, delivery: Delivery) -> NewJob:
        """A job of a task that is not known here."""
        limit_key = (delivery.limit_key or name) if delivery.is_limited else None
        return NewJob(self._ids(), payload, _terms(name, delivery), delivery.key, limit_key)

    def firing(self, task: AnyTask, instant: datetime) -> NewJob:
        """The job of one instant of a task's schedule: the same key wherever it is made."""
        terms = terms_of(task)._replace(window=_HOLD, schedule=task.name)
        key = f"{task.name}@{instant:%Y-%m-%dT%H:%MZ}"
        limit_key = _filled(_limit_key(task), {}, self._plans.of(task).defaults)
        return NewJob(self._ids(), "{}", terms, key, limit_key, instant)


def terms_of(task: AnyTask) -> Terms:
    """How jobs of a task are delivered, unless somebody says otherwise."""
    return _terms(task.name, task.delivery)


def _terms(name: str, delivery: Delivery) -> Terms:
    d = delivery
    per = None if d.rate is None else d.per or DEFAULT_PER
    return Terms(
        name, d.queue, d.priority, d.delay, d.at, d.expires, d.window, d.limit, d.rate, per
    )


def _limit_key(task: AnyTask) -> str | KeyTemplate | None:
    if not task.delivery.is_limited:
        return None
    return task.delivery.limit_key or task.limit_key or task.name


def _filled(
    key: str | KeyTemplate | None, values: dict[str, object], defaults: dict[str, object]
) -> str | None:
    return key.fill(values, defaults) if isinstance(key, KeyTemplate) else key
