"""Proof of life for the workers of one file: a lock that the kernel drops when a process dies.

A lease tells that a worker has died only when it is over. On one machine it can be known at once:
each worker holds a lock on a file of its own, and a file that nobody holds belongs to a dead one.
After a restart of the machine, `boot_id` tells that all leases from before are over.
"""

import os
import socket
import subprocess
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from rotulus._forking import follow_forks

try:
    import fcntl
except ImportError:  # Windows: there, leases alone tell
    fcntl = None

_SUFFIX = ".alive"


class Lifeline:
    """Which workers of one file are alive.

    Args:
        folder: where the locks are; None for a store in memory, whose workers share its process.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder if fcntl is not None else None
        self._held: dict[str, int] = {}
        follow_forks(self._forked)

    def _forked(self) -> None:
        """In a forked child: a copy of a lock must not prove that its worker lives."""
        for handle in self._held.values():
            os.close(handle)
        self._held.clear()

    def hold(self, worker: str) -> None:
        """Prove that a worker of this process is alive, for as long as the process is.

        Where the system refuses the lock, its lease alone tells, until it is asked for again.
        """
        if self._folder is None or worker in self._held:
            return
        with suppress(OSError):
            self._folder.mkdir(exist_ok=True)
            self._held[worker] = self._prove(worker)

    @contextmanager
    def dead(self) -> Generator[list[str], None, None]:
        """The workers that died; their proofs are taken away at the end of the block."""
        found = dict(self._unlocked()) if self._folder is not None else {}
        try:
            yield sorted(found)
            for name in found:
                self._path(name).unlink(missing_ok=True)
        finally:
            for handle in found.values():
                os.close(handle)

    def close(self) -> None:
        """Let go, without looking dead."""
        for worker, handle in self._held.items():
            self._path(worker).unlink(missing_ok=True)
            os.close(handle)
        self._held.clear()

    def _prove(self, worker: str) -> int:
        # Locked before it has its name: nobody can see it unlocked.
        hidden = self._path(worker).with_suffix(".starting")
        handle = os.open(hidden, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o666)
        try:
            _lock(handle)
            hidden.rename(self._path(worker))
        except BaseException:
            os.close(handle)
            hidden.unlink(missing_ok=True)
            raise
        return handle

    def _unlocked(self) -> Iterator[tuple[str, int]]:
        """Names whose lock nobody holds, each with our own lock on it."""
        for path in self._folder.glob(f"*{_SUFFIX}") if self._folder else ():
            if path.stem in self._held:
                continue
            with suppress(OSError):
                handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
                try:
                    _lock(handle)
                except OSError:
                    os.close(handle)
                else:
                    yield path.stem, handle

    def _path(self, worker: str) -> Path:
        return (self._folder or Path()) / f"{worker}{_SUFFIX}"


def _lock(handle: int) -> None:
    """Lock a file, or raise OSError."""
    if fcntl is not None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


@cache
def boot_id() -> str:
    """A text that is the same for all processes until the machine is started again.

    Monotonic clocks of different runs of a machine cannot be compared.

    Linux and macOS tell. Elsewhere the machine's name stands in for it, and a lease given before
    a restart may last longer than it was meant to.
    """
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return _boot_session() or socket.gethostname() or "unknown"


def _boot_session() -> str:
    try:
        done = subprocess.run(
            ["/usr/sbin/sysctl", "-n", "kern.bootsessionuuid"],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()
