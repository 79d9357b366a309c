"""The operating system's part in isolation: processes that die together, limits of memory."""

import ctypes
import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from rotulus._tasks.task import Task
from rotulus.errors import ConfigurationError

try:
    import resource
except ImportError:  # Windows
    resource = None

_MEBIBYTE = 1024 * 1024
_PR_SET_PDEATHSIG = 1
_DATA = 5
"""The field of `statm` with the pages that a process may write to and does not share."""


def check_system(tasks: Iterable[Task[..., Any, Any]]) -> None:
    """Raise `ConfigurationError` when this system cannot do what tasks were declared with."""
    for task in tasks:
        if task.isolation and not (hasattr(os, "fork") and hasattr(socket, "send_fds")):
            raise ConfigurationError(
                f"Task {task.name!r} has isolation='process', which needs fork(): run its worker "
                f"on Linux or macOS, or declare it without  ({task.site})"
            )
        if task.memory is not None and sys.platform != "linux":
            raise ConfigurationError(
                f"Task {task.name!r} has memory={task.memory}, which only Linux enforces: run its "
                f"worker there, or declare it without  ({task.site})"
            )


def only(life: Callable[[], object]) -> NoReturn:
    """Run a function in a forked process, and end it: never go back into the copied program."""
    try:
        life()
    except BaseException:  # noqa: BLE001 - it can be told nowhere else
        traceback.print_exc()
        os._exit(70)
    os._exit(0)


def die_with_parent(parent: int, number: int) -> None:
    """Have a signal sent to this process when its parent dies; where the system can do that."""
    if sys.platform == "linux":
        _libc().prctl(_PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:  # it died before that
            os.kill(os.getpid(), number)


def volunteer() -> None:
    """Let this process be killed before others when the machine has no memory left."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def flush_output() -> None:
    """Write everything that has been printed."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):  # a task may have closed it, or put anything in its place
            stream.flush()


@contextmanager
def memory_limit(mebibytes: int | None) -> Generator[None, None, None]:
    """Let this process allocate no more than so much on top of what it has now."""
    if mebibytes is None or resource is None:
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    most = _allocated() + mebibytes * _MEBIBYTE
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def how_it_ended(code: int | None) -> str:
    """Returns how a process ended, in words, given its exit code, or minus the signal."""
    if code is None:
        return "the process that ran it is gone, and so is the fork server that knew why"
    if code >= 0:
        return f"the process that ran it ended with exit code {code}"
    with suppress(ValueError):
        name = signal.Signals(-code).name
        hint = ", as the system does when memory runs out" if name == "SIGKILL" else ""
        return f"the process that ran it was killed by {name}{hint}"
    return f"the process that ran it was killed by signal {-code}"


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None)


def _allocated() -> int:
    """Bytes this process has allocated for itself, whether it uses them or not."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[_DATA]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
