"""Rotulus with the settings it comes with, on the store of `$BENCH_URL`."""

import contender

from rotulus import App, TaskRegistry, task

registry = TaskRegistry()
app = App(contender.URL, registry=registry)


@task(registry=registry)
async def note(number: int) -> int:
    """The job as a coroutine, which runs on the event loop."""
    contender.mark(number)
    return number


@task(registry=registry)
def plain(number: int) -> int:
    """The job as a function, which runs in threads."""
    contender.mark(number)
    return number


class Rotulus(contender.Contender):
    """Results and all rows are kept."""

    def __init__(self, job=note):
        self._job = job

    def prepare(self):
        app.store.fleet()

    def open(self):
        app.store.fleet()

    def enqueue(self, number):
        self._job.enqueue(number)

    async def aenqueue(self, number):
        await self._job.aenqueue(number)

    def enqueue_many(self, numbers):
        self._job.enqueue_many(numbers)

    def work(self):
        app.run_worker()

    def left(self):
        return app.jobs(state=("queued", "running"), limit=1)
