"""PgBouncer in front of a PostgreSQL server of ours, handing out a connection per transaction."""

import os
import shutil
import subprocess
import time
from pathlib import Path

from servers.ports import free_port, is_open

PROGRAM = shutil.which("pgbouncer") or shutil.which("/usr/sbin/pgbouncer")
"""Where it is installed; None if it is not."""

_SETTINGS = """\
[databases]
* = host=127.0.0.1 port={server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
max_client_conn = 200
default_pool_size = 4
"""


class PgBouncer:
    """A pooler, from `start` to `stop`.

    Args:
        server: the `PostgresServer` behind it.
    """

    def __init__(self, server):
        self._server = server
        self._process = None
        self.port = free_port()

    def start(self):
        """Start it, and return when it accepts connections."""
        path = Path(self._server.folder) / f"pgbouncer-{self.port}.ini"
        user = self._server.url().partition("://")[2].partition("@")[0]
        settings = _SETTINGS.format(server=self._server.port, port=self.port)
        path.write_text(settings.replace("* = ", f"* = user={user} "))
        path.chmod(0o644)
        words = [PROGRAM, "--quiet", path]
        if os.getuid() == 0:
            words[1:1] = ["--user", self._server.account]
        self._process = subprocess.Popen(words, cwd=self._server.folder)
        end = time.monotonic() + 20
        while not is_open(self.port):
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("pgbouncer does not start")
            time.sleep(0.05)

    def url(self, direct):
        """The URL by which a database is reached through it."""
        return direct.replace(f":{self._server.port}/", f":{self.port}/")

    def stop(self):
        """Stop it."""
        self._process.terminate()
        self._process.wait(20)
