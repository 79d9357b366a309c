"""Oban on PostgreSQL, with fifty jobs at once: its best of 10 and 50."""

import contender
import psycopg
from oban import Oban, worker
from oban.schema import install


@worker(name="Note", queue="default")
class Note:
    """The job."""

    async def process(self, job):
        """Run it."""
        contender.mark(job.args["number"])


class OnOban(contender.Contender):
    """Rows are kept, results are not."""

    async def prepare(self):
        await install(await Oban.create_pool(dsn=contender.URL))

    async def open(self):
        self._oban = Oban(pool=await Oban.create_pool(dsn=contender.URL))
        self._connection = psycopg.connect(contender.URL, autocommit=True)

    async def enqueue(self, number):
        await self._oban.enqueue(Note.new({"number": number}))

    async def enqueue_many(self, numbers):
        for batch in contender.batches(numbers):
            await self._oban.enqueue_many(*(Note.new({"number": number}) for number in batch))

    def work(self):
        where = ("--dsn", contender.URL, "--queues", "default:50", "--log-level", "warning")
        contender.become("oban", "start", *where, "--cron-modules", "postgres_oban")

    def left(self):
        return self._connection.execute(LEFT).fetchone()[0]


LEFT = """
SELECT EXISTS (SELECT FROM oban_jobs
  WHERE state IN ('available', 'executing', 'scheduled', 'retryable'))
"""


CONTENDER = OnOban()
