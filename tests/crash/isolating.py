"""The tasks of the factory that run in processes of their own, and what they do to those."""

import ctypes
import os
import signal
import subprocess
import sys

from factory import app, awork, mark, polite, work

from rotulus import task

app = app  # noqa: PLW0127 - the workers are started on this module

isolated = task("isolated", isolation="process")(work.function)
aisolated = task("aisolated", isolation="process")(awork.function)
apolite = task("apolite", isolation="process", timeout=0.3)(polite.function)


@task(isolation="process")
def crash():
    """Read where nothing is."""
    mark("begin", "crash", 0, 0, os.getpid())
    ctypes.string_at(0)


@task(isolation="process")
def leave(code: int):
    """End the process."""
    os._exit(code)


@task(isolation="process", timeout=0.3)
def spin():
    """Never come back."""
    mark("begin", "spin", 0, 0, os.getpid())
    while True:
        pass


@task(isolation="process", timeout=0.3)
def sleep_in_c():
    """Sleep in C and keep the interpreter to itself."""
    mark("begin", "sleep_in_c", 0, 0, os.getpid())
    ctypes.PyDLL(None).sleep(600)


@task(isolation="process")
def doze():
    """The same, for as long as it likes."""
    mark("begin", "doze", 0, 0, os.getpid())
    ctypes.PyDLL(None).sleep(600)


@task(isolation="process")
def family():
    """Start a program, and wait for it."""
    mark("begin", "family", 0, 0, os.getpid())
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as program:
        mark("begin", "program", 0, 0, program.pid)
        program.wait()


@task(isolation="process")
def abandon():
    """Start a program, and leave without it."""
    program = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    mark("begin", "program", 0, 0, program.pid)
    os._exit(1)


@task(isolation="process")
def murder():
    """Kill the fork server."""
    mark("begin", "murder", 0, 0, os.getppid())
    os.kill(os.getppid(), signal.SIGKILL)
    signal.pause()
