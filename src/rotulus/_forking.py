"""Prepares forked children, before any code runs there: locks, connections and signals.

A fork copies the memory of a process and one of its threads. A lock that another thread held
stays locked in the copy for ever, and a connection belongs to both processes from then on. The
child also has a copy of the parent's signal handlers and of the wake-up pipe of its event loop, so
the parent would hear of signals to the child.
"""

import os
import signal
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from types import MethodType
from typing import Any
from weakref import WeakKeyDictionary

_FOLLOWERS: WeakKeyDictionary[object, Callable[[Any], None]] = WeakKeyDictionary()
_HANDLERS: list[Mapping[signal.Signals, Any]] = []
_MASKS = threading.local()


def follow_forks(renew: MethodType) -> None:
    """Call this method in every child that is forked from now on, as long as its object lives.

    The method makes objects anew that only one process may use, and does not touch the parent's.
    """
    _FOLLOWERS[renew.__self__] = renew.__func__


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
    if _HANDLERS:
        _MASKS.before = signal.pthread_sigmask(signal.SIG_BLOCK, _HANDLERS[0])


def _let_through() -> None:
    before = _MASKS.__dict__.pop("before", None)
    if before is not None:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _tell() -> None:
    for handlers in _HANDLERS[:1]:
        signal.set_wakeup_fd(-1)
        for number, handler in handlers.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        _HANDLERS.clear()
    _let_through()
    for follower, renew in list(_FOLLOWERS.items()):
        renew(follower)


if hasattr(os, "register_at_fork"):  # not on Windows, where nothing forks
    os.register_at_fork(before=_hold_up, after_in_parent=_let_through, after_in_child=_tell)
