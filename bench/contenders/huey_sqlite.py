"""huey on a SQLite file, with one thread and no log: its best of 1, 2 and 10 threads."""

import logging
import os
import signal

import contender
from huey import SqliteHuey

huey = SqliteHuey("bench", filename=str(contender.RUN / "huey.db"), fsync=True)


@huey.task()
def note(number):
    """The job."""
    contender.mark(number)
    return number


class Huey(contender.Contender):
    """A job is taken out of the file before it runs; results are kept until they are read."""

    def enqueue(self, number):
        note(number)

    def work(self):
        logging.getLogger("huey").setLevel(logging.ERROR)
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
        huey.create_consumer(workers=1, periodic=False).run()

    def left(self):
        return huey.pending_count()


if __name__ == "__main__":
    contender.main(Huey())
