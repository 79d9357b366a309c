"""Which waiting jobs could not be run by the tasks as they are now: what a deploy would break."""

from collections.abc import Iterator

from rotulus._jobs.record import JobRecord
from rotulus._jobs.states import LIVE
from rotulus._tasks.plan import Plans
from rotulus._tasks.registry import TaskRegistry
from rotulus._text.jsontext import NotJSONError
from rotulus.errors import ArgumentsError
from rotulus.store import Filter, Store

_PAGE = 500


def incompatible_jobs(store: Store, registry: TaskRegistry, plans: Plans) -> list[str]:
    """A sentence for each task with jobs that wait and do not fit: how many, and why the last.

    Args:
        store: where the jobs are.
        registry: the tasks.
        plans: how they are called.
    """
    problems: dict[str, str] = {}
    counts: dict[str, int] = {}
    for job in _waiting(store):
        problem = _problem(job, registry, plans)
        if problem:
            problems.setdefault(job.task, problem)
            counts[job.task] = counts.get(job.task, 0) + 1
    return [f"{counts[task]} of {task!r}: {problem}" for task, problem in problems.items()]


def _waiting(store: Store) -> Iterator[JobRecord]:
    page = store.find(Filter(states=LIVE), _PAGE)
    while page:
        yield from page
        page = store.find(Filter(states=LIVE), _PAGE, page[-1].id)


def _problem(job: JobRecord, registry: TaskRegistry, plans: Plans) -> str | None:
    if not registry.has(job.task):
        return f"the task is not registered (the last one is {job.id})"
    if job.step:
        return None  # its arguments are what its run began with, or what it needs: no call
    try:
        plans.of(registry.get(job.task)).binder.load(job.arguments)
    except (ArgumentsError, NotJSONError) as error:
        return f"{error} (the last one is {job.id})"
    return None
