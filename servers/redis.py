"""A Redis server of our own: the machine's `redis-server`, on a free port of this machine only.

It keeps nothing on the disk unless its settings say so.
"""

import contextlib
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from servers.ports import free_port

IN_MEMORY = ("save=", "appendonly=no")
"""No snapshots and no log: as fast as it can be, and empty after a crash."""


def installed():
    """The server's program on this machine; None when it is not there."""
    program = shutil.which("redis-server")
    return Path(program) if program else None


class RedisServer:
    """A server, from `start` to `stop`.

    Args:
        program: the path of `redis-server`.
        folder: where its log is, and its data if it keeps any; made by `start`.
        settings: lines of its configuration, such as `appendonly=yes`.
    """

    def __init__(self, program, folder, settings=IN_MEMORY):
        self.folder = Path(folder)
        self._program = program
        self._settings = settings
        self._process = None
        self.port = free_port()

    def url(self, database=0):
        """How to connect to a database of it."""
        return f"redis://127.0.0.1:{self.port}/{database}"

    def start(self):
        """Start it, and return when it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        options = [f"port={self.port}", "bind=127.0.0.1", f"dir={self.folder}", *self._settings]
        pairs = [line.partition("=") for line in options]
        words = [word for name, _, value in pairs for word in (f"--{name}", value)]
        with (self.folder / "log").open("a") as log:
            self._process = subprocess.Popen([self._program, *words], stdout=log, stderr=log)
        self._wait()

    def stop(self, how=signal.SIGTERM):
        """Stop it."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(60)
            self._process = None

    def remove(self):
        """Stop it, and take its data away."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def ask(self, command):
        """Send a command of one line, and give the answer as it comes: `+OK` for most."""
        with socket.create_connection(("127.0.0.1", self.port), 10) as connection:
            connection.sendall(f"{command}\r\nQUIT\r\n".encode())
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        answer = answer.decode().removesuffix("+OK\r\n").strip()
        if answer.startswith("-"):
            raise RuntimeError(f"redis: {command}: {answer}")
        return answer

    def _wait(self):
        end = time.monotonic() + 30
        while time.monotonic() < end:
            if self._process.poll() is not None:
                raise RuntimeError(f"redis ended: {(self.folder / 'log').read_text()[-2000:]}")
            with contextlib.suppress(OSError):
                if self.ask("PING") == "+PONG":
                    return
            time.sleep(0.02)
        raise RuntimeError("redis does not answer")
