"""SAQ on PostgreSQL, with a hundred jobs at once: its best of 10 and 100."""

import contender
import psycopg
from saq import Queue


async def note(_context, *, number):
    """The job."""
    contender.mark(number)
    return number


def settings():
    """What its worker reads."""
    return {"queue": Queue.from_url(contender.URL), "functions": [note], "concurrency": 100}


class Saq(contender.Contender):
    """Rows and results are kept for ten minutes."""

    async def prepare(self):
        await self.open()

    async def open(self):
        self._queue = Queue.from_url(contender.URL)
        await self._queue.connect()
        self._connection = psycopg.connect(contender.URL, autocommit=True)

    async def enqueue(self, number):
        await self._queue.enqueue("note", number=number)

    def work(self):
        contender.become("saq", "postgres_saq.settings", "--quiet")

    def left(self):
        return self._connection.execute(LEFT).fetchone()[0]


LEFT = "SELECT EXISTS (SELECT FROM saq_jobs WHERE status IN ('new', 'queued', 'active'))"


CONTENDER = Saq()
