"""Boots an app: everything is checked, also the jobs that wait, and the registry is frozen."""

import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager

from rotulus._engine.steps.group import check_callback
from rotulus._forking import follow_forks
from rotulus._jobs.encrypted import UNREADABLE, is_encrypted
from rotulus._jobs.grouped import is_group, is_member
from rotulus._jobs.record import JobRecord
from rotulus._jobs.states import LIVE
from rotulus._tasks.known import KnownTasks
from rotulus._tasks.plan import Plans
from rotulus._tasks.provider import TaskProvider
from rotulus._tasks.registry import TaskRegistry, registered_tasks
from rotulus._text.jsontext import NotJSONError
from rotulus.errors import ArgumentsError
from rotulus.store import Filter, Store

_PAGE = 500


class Boot:
    """Whether an app has booted.

    Args:
        registry: its tasks.
        plans: how they are called.
        provider: schedules those of them that are scheduled.
    """

    def __init__(self, registry: TaskRegistry, plans: Plans, provider: TaskProvider) -> None:
        self._tasks = registered_tasks(registry)
        self._plans = plans
        self._provider = provider
        self._booted = False
        self._forked()
        follow_forks(self._forked)

    def _forked(self) -> None:
        """In a forked child: another thread of the parent may have held the lock."""
        self._lock = threading.RLock()

    def check(self) -> None:
        """Check parameters, injection and schedules. Raises `ConfigurationError`."""
        for task in self._tasks:
            self._plans.of(task)
        self._provider.check()

    def begin(self) -> bool:
        """Check everything and freeze the registry; False when that has been done before."""
        with self._lock:
            if self._booted:
                return False
            self.check()
            self._tasks.serve()
            self._booted = True
            return True

    def end(self) -> None:
        """Let the registry change again."""
        with self._lock:
            if self._booted:
                self._booted = False
                self._tasks.leave()

    @contextmanager
    def held(self) -> Generator[None, None, None]:
        """Have everything checked and the registry frozen meanwhile."""
        booted = self.begin()
        try:
            yield
        finally:
            if booted:
                self.end()


def incompatible_jobs(store: Store, tasks: KnownTasks, plans: Plans) -> list[str]:
    """Returns a sentence for each task with waiting jobs that do not fit it.

    The sentence has the number of these jobs, and the reason of the last one.

    Args:
        store: where the jobs are.
        tasks: the tasks.
        plans: how they are called.
    """
    problems: dict[str, str] = {}
    counts: dict[str, int] = {}
    for job in _waiting(store):
        problem = _problem(job, tasks, plans)
        if problem:
            problems.setdefault(job.task, problem)
            counts[job.task] = counts.get(job.task, 0) + 1
    return [f"{counts[task]} of {task!r}: {problem}" for task, problem in problems.items()]


def unreadable_schedules(store: Store) -> list[str]:
    """Returns a sentence for each schedule that does not fire here, as it cannot be decrypted."""
    unread = [row.name for row in store.schedules.read() if is_encrypted(row.arguments)]
    return [f"schedule {name!r}: {UNREADABLE}" for name in unread]


def _waiting(store: Store) -> Iterator[JobRecord]:
    page = store.find(Filter(states=LIVE), _PAGE)
    while page:
        yield from page
        page = store.find(Filter(states=LIVE), _PAGE, page[-1].id)


def _problem(job: JobRecord, tasks: KnownTasks, plans: Plans) -> str | None:
    if not tasks.has(job.task):
        return f"the task is not registered (the last one is {job.id})"
    if is_encrypted(job.arguments):
        return f"{UNREADABLE} (the last one is {job.id})"
    if job.step and not is_member(job):
        return None  # its arguments are what its run began with, or what it needs: no call
    plan = plans.of(tasks.get(job.task))
    try:
        if is_group(job):
            check_callback(job.task, plan)
        else:
            plan.binder.load(job.arguments)
    except (ArgumentsError, NotJSONError) as error:
        return f"{error} (the last one is {job.id})"
    return None
