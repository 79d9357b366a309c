"""The factory, with tasks that leave processes behind."""

import os
import subprocess

from factory import app, mark, poison, work

from rotulus import task

__all__ = ["app", "poison", "work"]


@task
def launch(number: int) -> int:
    """Run a tool that ends before what it has launched, and give its exit code."""
    launcher = "sleep 0.2 & echo $!; exit 7"
    told = subprocess.run(["sh", "-c", launcher], stdout=subprocess.PIPE, text=True, check=False)
    mark("left", told.stdout.strip(), os.getpid())
    return told.returncode
