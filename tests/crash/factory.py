"""The app that crash tests run in processes of their own."""

import asyncio
import ctypes
import os
import signal
import sqlite3
import time
from pathlib import Path

from rotulus import App, ConfigurationError, Job, JobOutcome, Retry, task

if Path("misconfigured").exists():
    raise ConfigurationError("this factory is not to be run")
if Path("explosive").exists():
    os._exit(9)

app = App(os.environ["FACTORY_URL"], lease=float(os.environ.get("FACTORY_LEASE", "30")))


def mark(*words):
    """Append a line to the ledger, which survives any kill."""
    line = " ".join(map(str, words)) + "\n"
    handle = os.open("ledger", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(handle, line.encode())
    os.close(handle)


@task
def work(number: int, seconds: float, job: Job) -> int:
    """Take a while, and say so before and after."""
    mark("begin", job.task, number, job.attempt, os.getpid())
    time.sleep(seconds)
    mark("end", job.task, number, job.attempt, os.getpid())
    return number


@task
async def awork(number: int, seconds: float, job: Job) -> int:
    """The same, as a coroutine."""
    mark("begin", job.task, number, job.attempt, os.getpid())
    await asyncio.sleep(seconds)
    mark("end", job.task, number, job.attempt, os.getpid())
    return number


@task(retry=Retry(attempts=50, delay=0, jitter=False))
def flaky(number: int, job: Job) -> int:
    """Fail a few times on the way."""
    mark("begin", job.task, number, job.attempt, os.getpid())
    if (number + job.attempt) % 3:
        raise ValueError(number)
    return number


@task
def gather(outcomes: list[JobOutcome]) -> list[int]:
    """The numbers of the jobs of a group."""
    mark("begin", "gather", 0, 0, os.getpid())
    return [outcome.arguments["number"] for outcome in outcomes]


@task
def poison():
    """Kill the worker."""
    mark("begin", "poison", 0, 0, os.getpid())
    os.kill(os.getpid(), signal.SIGKILL)


@task
async def stubborn():
    """Heed nothing."""
    mark("begin", "stubborn", 0, 0, os.getpid())
    while True:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            continue


@task
async def polite():
    """Clean up when told to stop."""
    mark("begin", "polite", 0, 0, os.getpid())
    try:
        await asyncio.sleep(60)
    finally:
        mark("cleaned", "polite", 0, 0, os.getpid())


@task
def hog(number: int, seconds: int, job: Job) -> int:
    """Hold the interpreter: no other thread of this process gets a turn."""
    mark("begin", job.task, number, job.attempt, os.getpid())
    ctypes.PyDLL(None).sleep(seconds)
    mark("end", job.task, number, job.attempt, os.getpid())
    return number


HOARD = []


@task
def hoard(number: int, megabytes: int) -> int:
    """Take memory, and never give it back."""
    HOARD.append(bytearray(os.urandom(1024) * 1024 * megabytes))
    return number


def hold_the_file(seconds):
    """Be in the way of everybody who writes."""
    connection = sqlite3.connect("jobs.db", isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    print("held", flush=True)
    time.sleep(seconds)
