"""Prepares forks and forked children: locks, connections and signals.

A fork copies the memory of a process and one of its threads. A lock that another thread held
stays locked in the copy for ever, and a connection belongs to both processes from then on. Our own
locks are made anew in the child. Those of a C library cannot be, so a fork waits for the threads
that are inside such a library. The child also has a copy of the parent's signal handlers and of
the wake-up pipe of its event loop, so the parent would hear of signals to the child.
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from types import MethodType
from typing import Any
from weakref import WeakKeyDictionary

_FOLLOWERS: WeakKeyDictionary[object, Callable[[Any], None]] = WeakKeyDictionary()
_HANDLERS: list[Mapping[signal.Signals, Any]] = []
_MASKS = threading.local()

_FORK_WAIT = 5.0
"""Seconds for which a fork waits for other threads to leave their blocks."""

_PAUSE = 0.0005


def follow_forks(begin_anew: MethodType) -> None:
    """Call this method in every child that is forked from now on, as long as its object lives.

    The method makes objects anew that only one process may use, and does not touch the parent's.
    """
    _FOLLOWERS[begin_anew.__self__] = begin_anew.__func__


class ForkBarrier:
    """Keeps the forks of this process out of a block: `with barrier:`.

    A fork waits until every other thread has left its block, at most five seconds. A thread that
    comes to a block meanwhile waits for the fork. A thread may enter again, and may fork inside.
    """

    def __init__(self) -> None:
        # Lists, and no lock: each change is one call that a signal handler cannot come between.
        self._inside: list[int] = []
        self._forking: list[int] = []

    def __enter__(self) -> None:
        thread = threading.get_ident()
        self._inside.append(thread)
        while self._forking and self._inside.count(thread) == 1 and thread not in self._forking:
            self._inside.remove(thread)
            time.sleep(_PAUSE)
            self._inside.append(thread)

    def __exit__(self, *_: object) -> None:
        with suppress(ValueError):  # a fork has waited for this thread in vain
            self._inside.remove(threading.get_ident())

    def close(self) -> None:
        """Before a fork: wait for the threads inside, and let no other thread in."""
        thread, end = threading.get_ident(), time.monotonic() + _FORK_WAIT
        self._forking.append(thread)
        while others := [inside for inside in self._inside if inside != thread]:
            if time.monotonic() > end:
                break
            time.sleep(_PAUSE)
        # Ctrl-C may have kept a thread from leaving: no other fork waits for it again.
        for other in others:
            with suppress(ValueError):
                self._inside.remove(other)

    def open(self) -> None:
        """After a fork, in the parent: let threads in."""
        self._forking.remove(threading.get_ident())

    def forget(self) -> None:
        """In a forked child: only the thread that forked is left."""
        thread = threading.get_ident()
        self._inside[:] = [inside for inside in self._inside if inside == thread]
        self._forking.clear()


FORK_BARRIER = ForkBarrier()
"""Keeps forks out while a thread of this process is inside SQLite."""


@contextmanager
def children_handle(handlers: Mapping[signal.Signals, Any]) -> Generator[None, None, None]:
    """Let children that are forked in a block have these handlers of signals, and no wake-up.

    These signals are held up from before the fork until the child has its handlers, as a child may
    be told to stop before it has heard that it was forked. Of nested blocks the first one counts.

    Args:
        handlers: handlers for `signal.signal`, by the number of the signal; None: the system's.
    """
    _HANDLERS.append(handlers)
    try:
        yield
    finally:
        if handlers in _HANDLERS:  # not in a child
            _HANDLERS.remove(handlers)


def _hold_up() -> None:
    FORK_BARRIER.close()
    if _HANDLERS:
        _MASKS.before = signal.pthread_sigmask(signal.SIG_BLOCK, _HANDLERS[0])


def _let_through() -> None:
    before = _MASKS.__dict__.pop("before", None)
    if before is not None:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _go_on() -> None:
    _let_through()
    FORK_BARRIER.open()


def _tell() -> None:
    FORK_BARRIER.forget()
    for handlers in _HANDLERS[:1]:
        signal.set_wakeup_fd(-1)
        for number, handler in handlers.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        _HANDLERS.clear()
    _let_through()
    for follower, begin_anew in list(_FOLLOWERS.items()):
        begin_anew(follower)


if hasattr(os, "register_at_fork"):  # not on Windows, where nothing forks
    os.register_at_fork(before=_hold_up, after_in_parent=_go_on, after_in_child=_tell)
