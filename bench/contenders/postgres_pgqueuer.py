"""PgQueuer on PostgreSQL by asyncpg and uvloop, in batches of 1,000: its best of 10 to 1,000."""

import asyncpg
import contender
import uvloop
from pgqueuer import AsyncpgDriver, PgQueuer, Queries


class Pgqueuer(contender.Contender):
    """A job's row is deleted and logged when it has run; its result is dropped."""

    async def prepare(self):
        await self.open()
        await self._queries.install()

    async def open(self):
        self._connection = await asyncpg.connect(contender.URL)
        self._queries = Queries(AsyncpgDriver(self._connection))

    async def enqueue(self, number):
        await self._queries.enqueue("note", str(number).encode())

    async def enqueue_many(self, numbers):
        for batch in contender.batches(numbers):
            payloads = [str(number).encode() for number in batch]
            await self._queries.enqueue(["note"] * len(batch), payloads, [0] * len(batch))

    def work(self):
        uvloop.run(work())

    async def left(self):
        return await self._connection.fetchval("SELECT EXISTS (SELECT FROM pgqueuer)")


async def work():
    """A worker of one entrypoint."""
    worker = PgQueuer(AsyncpgDriver(await asyncpg.connect(contender.URL)))

    @worker.entrypoint("note")
    async def note(job):
        contender.mark(int(job.payload))

    await worker.run(batch_size=1000)


CONTENDER = Pgqueuer()
