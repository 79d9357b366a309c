"""The factory, with tasks that fork."""

import multiprocessing
import os
import signal
import time

from factory import app, mark

from rotulus import Job, task

__all__ = ["app"]


@task
def pool(number: int, job: Job) -> None:
    """Give up waiting for a pool, whose processes are sent SIGTERM then."""
    mark("begin", "pool", number, job.attempt, os.getpid())
    with multiprocessing.get_context("fork").Pool(2) as workers:
        workers.apply_async(time.sleep, (60,))
    mark("end", "pool", number, job.attempt, os.getpid())


@task
def child(number: int) -> list[str]:
    """Fork, and tell how the child handles signals, and that it dies of one."""
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        numbers = (signal.SIGTERM, signal.SIGINT)
        told = [getattr(signal.getsignal(n), "name", "python") for n in numbers]
        told += [str(signal.set_wakeup_fd(-1)), str(len(signal.pthread_sigmask(0, ())))]
        os.write(theirs, " ".join(told).encode())
        os.close(theirs)
        os.kill(os.getpid(), signal.SIGTERM)
        signal.pause()
        os._exit(0)
    os.close(theirs)
    with open(ours) as pipe:
        told = pipe.read().split()
    return [*told, str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))]
