"""Keeps what tasks log: a factory of log records hands each record to the attempt it is made in.

A handler on the root logger would do that, too. But a program that has such a handler has set up
logging as far as `logging` knows: `logging.basicConfig()` would do nothing, and warnings of a
program that has set up nothing would go nowhere. And `dictConfig` would remove it. The factory is
asked for each record that the level of its logger lets pass, whatever handlers there are.
"""

import logging
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from rotulus._engine.log_buffer import OFF
from rotulus._forking import follow_forks
from rotulus._jobs.current import CURRENT
from rotulus._jobs.log_line import LEVELS
from rotulus._tasks.registry import TaskRegistry

Factory = Callable[..., logging.LogRecord]


class LogPolicy:
    """Which lines are kept of the attempts of each task.

    Args:
        registry: the tasks.
        keep: the least level of tasks that do not say, or `off`.
    """

    def __init__(self, registry: TaskRegistry, keep: str) -> None:
        self._registry = registry
        self._keep = LEVELS.get(keep, OFF)

    def level(self, task: str) -> int:
        """Returns the least level that is kept of the attempts of a task."""
        own = self._registry.get(task).logs if self._registry.has(task) else True
        if own is True:
            return self._keep
        return LEVELS[own] if own else OFF


class _Capture:
    """The factory of this process, in place while somebody keeps what tasks log."""

    def __init__(self) -> None:
        self._factory: _Hearing | None = None
        self._begin_process()
        follow_forks(self._begin_process)

    def _begin_process(self) -> None:
        """In a forked child: nobody stores what it hears.

        A thread of the parent may hold the lock for ever.
        """
        self._lock = threading.Lock()
        self._users = 0
        self._restore()

    def begin(self) -> None:
        """Somebody begins."""
        with self._lock:
            self._users += 1
            if self._users == 1:
                self._factory = _Hearing(logging.getLogRecordFactory())
                logging.setLogRecordFactory(self._factory)

    def end(self) -> None:
        """Somebody ends; with the last one the factory goes.

        In a forked child, a block that was begun in the parent ends as well: it counts no more.
        """
        with self._lock:
            if self._users == 0:
                return
            self._users -= 1
            if self._users == 0:
                self._restore()

    def _restore(self) -> None:
        """Hear nothing any more. A factory that was wrapped by another one stays, and is deaf."""
        if self._factory is None:
            return
        self._factory.hears = False
        if logging.getLogRecordFactory() is self._factory:
            logging.setLogRecordFactory(self._factory.make)
        self._factory = None


class _Hearing:
    """Makes records as the factory before it does, and hands them to the attempt under way."""

    def __init__(self, make: Factory) -> None:
        self.make = make
        self.hears = True

    def __call__(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        record = self.make(*args, **kwargs)
        attempt = CURRENT.get()
        if attempt is not None and self.hears and record.name:
            attempt.hear(record)
        return record


_CAPTURE = _Capture()


@contextmanager
def capturing() -> Generator[None, None, None]:
    """For the length of a block, what tasks log is kept with their attempts."""
    _CAPTURE.begin()
    try:
        yield
    finally:
        _CAPTURE.end()
