"""The factory in a process that has no descriptors left for a while after its worker has begun."""

import os
import threading
from contextlib import suppress

from factory import app

from rotulus import task
from rotulus.events import WorkerStarted


@task
def nothing(number: int) -> None:
    """Need nothing."""


@task(isolation="process")
def apart(number: int) -> None:
    """Need a process of its own."""


def starve(_event):
    """Take every descriptor, for three seconds."""
    taken = []
    with suppress(OSError):
        while True:
            taken.append(os.open(os.devnull, os.O_RDONLY))

    def give_back():
        for handle in taken:
            os.close(handle)

    threading.Timer(3.0, give_back).start()


app.events.subscribe(starve, WorkerStarted)
