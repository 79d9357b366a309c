"""What jobs of a task have in common, as a store takes it."""

from rotulus._tasks.options import DEFAULT_PER, Delivery
from rotulus._tasks.task import Task
from rotulus._tasks.template import KeyTemplate
from rotulus.store import Terms

AnyTask = Task[..., object, object]


def terms_of(task: AnyTask) -> Terms:
    """How jobs of a task are delivered, unless somebody says otherwise."""
    return terms(task.name, task.delivery)


def terms(name: str, delivery: Delivery) -> Terms:
    """The terms of jobs of a task, by its name, that are delivered like this."""
    d = delivery
    per = None if d.rate is None else d.per or DEFAULT_PER
    return Terms(
        name, d.queue, d.priority, d.delay, d.at, d.expires, d.window, d.limit, d.rate, per
    )


def limit_key_of(task: AnyTask) -> str | KeyTemplate | None:
    """The key that jobs of a task are limited by, if they are."""
    if not task.delivery.is_limited:
        return None
    return task.delivery.limit_key or task.limit_key or task.name
