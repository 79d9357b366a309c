"""Closes objects at the end of the program, after the program's own functions of `atexit`.

Functions of `atexit` are called last in, first out. Ours is registered when `rotulus` is imported,
so functions that a program registers later, as most do, still find everything open.
"""

import atexit
from collections.abc import Callable
from types import MethodType
from typing import Any
from weakref import WeakKeyDictionary

_EXITING: list[None] = []  # no Event: importing threading is a tenth of importing rotulus
_CLOSERS: WeakKeyDictionary[object, Callable[[Any], None]] = WeakKeyDictionary()


def close_at_exit(close: MethodType) -> None:
    """Call this method when the program ends, if its object is still there.

    A function of `atexit` that was registered before `rotulus` was imported runs after that, and
    may use the object again.
    """
    _CLOSERS[close.__self__] = close.__func__


def is_exiting() -> bool:
    """Returns whether the program has ended; work in other threads then ends with it."""
    return bool(_EXITING)


def _close_all() -> None:
    _EXITING.append(None)
    for closer, close in list(_CLOSERS.items()):
        close(closer)


atexit.register(_close_all)
