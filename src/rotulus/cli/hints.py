"""Hints about names that do not exist: the nearest one, and those that exist."""

from collections.abc import Collection
from difflib import get_close_matches

from rotulus import App

_LISTED = 12
"""How many names are listed; of more, only some."""


def nearest(name: str, known: Collection[str]) -> str:
    """`; did you mean 'x'?` when one of the known names is near to this one, else nothing."""
    near = get_close_matches(name, list(known), 1)
    return f"; did you mean {near[0]!r}?" if near else ""


def listed(names: Collection[str]) -> str:
    """Returns some names in their order, with commas; `none` of none."""
    more = ", …" if len(names) > _LISTED else ""
    return f"{', '.join(sorted(names)[:_LISTED])}{more}" if names else "none"


def no_queue(app: App, queue: str | None) -> str | None:
    """Returns a sentence if no task uses a queue and no job has ever been in it; else None."""
    if queue is None or queue in _declared_queues(app) or app.jobs(queue=queue, limit=1):
        return None  # most are: nothing has to be counted
    fleet = app.store.fleet()
    known = {count.group for count in app.store.count()} | _declared_queues(app)
    known |= {name for worker in fleet.workers for name in worker.queues or ()}
    if queue in known:
        return None
    return (
        f"No job has ever been in queue {queue!r}, as far as jobs are kept"
        f"{nearest(queue, known) or '.'} Queues here: {listed(known)}."
    )


def no_task(app: App, task: str | None) -> str | None:
    """Returns a sentence if no task has a name and no job is of it; else None."""
    if task is None or app.registry.has(task):
        return None
    known = {count.group for count in app.store.count("task")} | set(app.registry.list_all())
    if task in known:
        return None
    return (
        f"There is no task {task!r} here, nor a job of one"
        f"{nearest(task, known) or '.'} Tasks here: {listed(known)}."
    )


def no_schedule(app: App, schedule: str | None) -> str | None:
    """Returns a sentence if no task of the app is scheduled under a name; else None."""
    known = app.provider.schedule
    if schedule is None or schedule in known:
        return None
    return (
        f"There is no schedule {schedule!r} here"
        f"{nearest(schedule, known) or '.'} Schedules here: {listed(known)}."
    )


def _declared_queues(app: App) -> set[str]:
    """Returns the queues that the tasks of an app wait under, unless an enqueue says otherwise."""
    return {task.options.queue for task in app.registry}
