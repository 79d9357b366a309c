"""procrastinate on PostgreSQL, with twenty jobs at once: its best of 1, 10 and 20."""

import contender
import psycopg
from procrastinate import App, PsycopgConnector

app = App(connector=PsycopgConnector(conninfo=contender.URL, min_size=1, max_size=20))


@app.task(name="note")
async def note(number):
    """The job."""
    contender.mark(number)
    return number


class Procrastinate(contender.Contender):
    """Rows are kept, with one more for each thing that happened; results are not."""

    async def prepare(self):
        async with app.open_async():
            await app.schema_manager.apply_schema_async()

    async def open(self):
        await app.open_async()
        self._connection = psycopg.connect(contender.URL, autocommit=True)

    async def enqueue(self, number):
        await note.defer_async(number=number)

    async def enqueue_many(self, numbers):
        for batch in contender.batches(numbers):
            await note.batch_defer_async(*({"number": number} for number in batch))

    def work(self):
        with app.open():
            app.run_worker(concurrency=20)

    def left(self):
        return self._connection.execute(LEFT).fetchone()[0]


LEFT = "SELECT EXISTS (SELECT FROM procrastinate_jobs WHERE status IN ('todo', 'doing'))"


CONTENDER = Procrastinate()
