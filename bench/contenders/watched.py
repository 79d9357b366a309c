"""A whole service on `$BENCH_URL`, of whose changes very many may be told."""

import itertools
import os

import contender
import psycopg
import served

from rotulus import App, TaskRegistry, task

STREAMS = "2000"
"""How many streams it may have open."""

os.environ["ROTULUS_STREAMS"] = STREAMS
registry = TaskRegistry()
app = App(contender.URL, registry=registry)


@task(registry=registry)
async def note(number: int) -> int:
    """The job that is enqueued; nobody runs it."""
    return number


def count_reads():
    """Have the statements counted that read changes, of which another program is told."""
    execute, numbers = psycopg.RawCursor.execute, itertools.count(1)

    def counted(cursor, query, *args, **kwargs):
        if b"rotulus_changes" in (query if isinstance(query, bytes) else query.encode()):
            contender.READS.write_text(str(next(numbers)))
        return execute(cursor, query, *args, **kwargs)

    psycopg.RawCursor.execute = counted
    contender.READS.write_text("0")


class Watched(contender.Contender):
    """Its service; jobs are enqueued by another program."""

    def prepare(self):
        app.store.migrate()

    def open(self):
        app.store.fleet()

    def work(self):
        from rotulus.service import service_of  # noqa: PLC0415 - not to enqueue

        count_reads()
        served.serve(service_of(app))

    async def told(self, number):
        """Enqueue a job; its id."""
        return (await note.aenqueue(number)).id


CONTENDER = Watched()
