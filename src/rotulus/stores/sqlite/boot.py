"""Which run of this machine it is: monotonic clocks of different runs are not comparable."""

import socket
import subprocess
from functools import cache
from pathlib import Path


@cache
def boot_id() -> str:
    """A text that is the same for all processes until the machine is started again.

    Linux and macOS tell. Elsewhere the machine's name stands in for it, and a lease given before
    a restart may last longer than it was meant to.
    """
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return _boot_session() or socket.gethostname() or "unknown"


def _boot_session() -> str:
    try:
        told = subprocess.run(
            ["/usr/sbin/sysctl", "-n", "kern.bootsessionuuid"],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return told.stdout.strip()
