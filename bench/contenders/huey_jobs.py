"""The common base of huey with all its places for jobs."""

import logging
import os
import signal

import contender


def declare(huey):
    """The job as a task of it."""

    @huey.task(name="note")
    def note(number):
        contender.mark(number)
        return number

    return note


class Huey(contender.Contender):
    """A job is taken out of the store before it runs; results are kept until they are read."""

    def __init__(self, huey, note, threads):
        self._huey, self._note, self._threads = huey, note, threads

    def enqueue(self, number):
        self._note(number)

    def work(self):
        logging.getLogger("huey").setLevel(logging.ERROR)
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
        self._huey.create_consumer(workers=self._threads, periodic=False).run()

    def left(self):
        return self._huey.pending_count()
