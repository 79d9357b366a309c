"""The init process of a container: it passes signals on, and reaps what others leave behind.

A process whose parent has ended becomes a child of process 1, which has to wait for it, or it
stays a zombie. A worker cannot do that itself: waiting for any child would take exit codes from
`subprocess` in tasks. So the program forks before it does anything else, and only the child works.
"""

import ctypes
import os
import signal
import sys
from contextlib import suppress

_SET_PARENT_DEATH_SIGNAL = 1
_GET_CHILD_SUBREAPER = 37
"""Operations of `prctl`, from <linux/prctl.h>."""


def leave_init() -> None:
    """Fork if orphans become children of this process, and return in the child.

    The parent stays behind as the init process, and ends as the child ends: with its exit code,
    or 128 and the number of the signal that ended it. Call this before any thread is started.
    Elsewhere than on Linux, and in processes that get no orphans, nothing happens.
    """
    if sys.platform != "linux" or not _gets_orphans():
        return
    sys.stdout.flush()
    sys.stderr.flush()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # if ignored, there would be nothing to wait for
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    init = os.getpid()
    child = os.fork()
    if child:
        _serve(child)
    _begin_group()
    ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != init:  # it was killed before that
        os._exit(1)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _gets_orphans() -> bool:
    """Returns whether this is process 1, or a process that has taken on that part ("subreaper")."""
    if os.getpid() == 1:
        return True
    found = ctypes.c_int(0)
    try:
        ctypes.CDLL(None).prctl(_GET_CHILD_SUBREAPER, ctypes.byref(found), 0, 0, 0)
    except (OSError, AttributeError):
        return False
    return found.value != 0


def _begin_group() -> None:
    """Make this process a group of its own, in the foreground of the terminal if there is one.

    Ctrl-C sends a signal to the whole group. If the init process were in it, the signal would
    arrive twice, because the init process passes it on.
    """
    foreground = _is_in_foreground()
    os.setpgid(0, 0)
    if foreground:
        os.tcsetpgrp(0, os.getpgrp())


def _is_in_foreground() -> bool:
    try:
        return os.tcgetpgrp(0) == os.getpgrp()
    except OSError:  # no terminal
        return False


def _serve(child: int) -> None:
    """Pass signals on, and reap, until the child has ended; never returns. All are blocked."""
    while True:
        number = signal.sigwait(signal.valid_signals())
        if number == signal.SIGCHLD:
            _reap(child)
        else:
            with suppress(ProcessLookupError):
                os.kill(child, number)


def _reap(child: int) -> None:
    """Wait for all children that have ended, and end as the one that works has."""
    ended = None
    with suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                break
            if pid == child:
                ended = os.waitstatus_to_exitcode(status)
    if ended is not None:
        os._exit(ended if ended >= 0 else 128 - ended)
