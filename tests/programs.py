"""Programs that tests run beside themselves."""

import subprocess
from contextlib import suppress

PATIENCE = 60
"""Seconds for a program to end at the end of its block."""


class Program(subprocess.Popen):
    """A program that ends with its block: one that does not is killed.

    `subprocess.Popen` would wait for ever, and with it all tests that come after.
    """

    def __exit__(self, *raised):
        with suppress(subprocess.TimeoutExpired):
            self.wait(0 if raised[0] else PATIENCE)
        if self.poll() is None:
            self.kill()
        super().__exit__(*raised)
