"""Starts threads, and says what to do when the system refuses one."""

import threading
from collections.abc import Callable

from rotulus.errors import ThreadNotStartedError


def start_thread(function: Callable[[], object], name: str) -> threading.Thread:
    """Run a function in a thread that cannot keep the process from ending.

    Raises:
        ThreadNotStartedError: the system refuses to start one; nothing has happened.
    """
    try:
        thread = threading.Thread(target=function, name=name, daemon=True)
        thread.start()
    except (RuntimeError, MemoryError) as problem:
        raise ThreadNotStartedError(
            f"The system refused the thread {name!r} ({problem}), and this process has "
            f"{threading.active_count()}: end some, or raise the limit of threads (ulimit -u, or "
            f"pids of a container) or of memory, and try again"
        ) from problem
    return thread
