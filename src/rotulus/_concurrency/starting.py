"""Starts threads, and says what to do when the system refuses one."""

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from rotulus.errors import ThreadNotStartedError


class Care(NamedTuple):
    """Cares for the things that a library keeps for each thread, such as database connections.

    Both are called in the thread. What they raise is dropped: the thread goes on.

    Attributes:
        between: called after each piece of work of a thread that goes on.
        after: called when a thread ends, or has nothing to do for a while.
    """

    between: Callable[[], object]
    after: Callable[[], object]


_cares: list[Care] = []


def care_for_threads(care: Care) -> None:
    """Have these functions called in threads of ours from now on; a second time changes nothing."""
    if care not in _cares:
        _cares.append(care)


def rest(*, idle: bool = False) -> None:
    """Called by a thread of ours that goes on, between two pieces of work.

    Args:
        idle: whether the next one may be long in coming.
    """
    for care in _cares:
        with suppress(Exception):
            (care.after if idle else care.between)()


def start_thread(function: Callable[[], object], name: str) -> threading.Thread:
    """Run a function in a thread that cannot keep the process from ending.

    Raises:
        ThreadNotStartedError: the system refuses to start one; nothing has happened.
    """

    def run() -> None:
        try:
            function()
        finally:
            rest(idle=True)

    try:
        thread = threading.Thread(target=run, name=name, daemon=True)
        thread.start()
    except (RuntimeError, MemoryError) as problem:
        raise ThreadNotStartedError(
            f"The system refused the thread {name!r} ({problem}), and this process has "
            f"{threading.active_count()}: end some, or raise the limit of threads (ulimit -u, or "
            f"pids of a container) or of memory, and try again"
        ) from problem
    return thread
