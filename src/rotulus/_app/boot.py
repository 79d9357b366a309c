"""Boots an app: everything is checked, and the registry frozen for as long as it serves."""

import threading
from collections.abc import Generator
from contextlib import contextmanager

from rotulus._forking import follow_forks
from rotulus._tasks.plan import Plans
from rotulus._tasks.provider import TaskProvider
from rotulus._tasks.registry import TaskRegistry, registered_tasks


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
