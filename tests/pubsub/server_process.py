"""Servers in processes of their own, on ports that were free."""

import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from servers.ports import free_port, is_open

PATIENCE = 60


class ServerProcess:
    """A program of Python that serves HTTP, from `start` to `stop`.

    Args:
        log: where it writes.
    """

    def __init__(self, log):
        self.port, self.log = free_port(), log
        self._process = None

    @property
    def url(self):
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def memory(self):
        """How many MiB of memory it has."""
        pages = Path(f"/proc/{self._process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE") / 2**20

    @property
    def descriptors(self):
        """How many files and sockets it has open."""
        return len(self._opened())

    @property
    def sockets(self):
        """How many sockets it has open."""
        return sum(one.startswith("socket:") for one in self._opened())

    def _opened(self):
        found = []
        for one in Path(f"/proc/{self._process.pid}/fd").iterdir():
            with suppress(FileNotFoundError):  # it was closed meanwhile
                found.append(str(one.readlink()))
        return found

    def start(self, *words, **environment):
        """Start it, and return when it listens."""
        known = {"PYTHONPATH": str(Path(__file__).parents[1]), "PYTHONUNBUFFERED": "1"}
        with self.log.open("wb") as out:
            self._process = subprocess.Popen(
                [sys.executable, *words],
                env=os.environ | known | environment,
                stdout=out,
                stderr=out,
            )
        until(lambda: is_open(self.port) or self._process.poll() is not None)
        assert self._process.poll() is None, self.log.read_text()

    def stop(self):
        """Stop it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(PATIENCE)


def until(holds):
    """Wait until something holds, and give what it came to."""
    end, beat = time.monotonic() + PATIENCE, threading.Event()
    while not (found := holds()):
        assert time.monotonic() < end
        beat.wait(0.05)
    return found
