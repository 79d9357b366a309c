"""Celery's canvas on Redis: chains and chords, whose results are kept in Redis, too."""

import contender
import redis_celery
from celery import Celery, chain, chord

app = Celery("bench", broker=contender.URL, backend=contender.URL)
app.conf.update(worker_prefetch_multiplier=128)


@app.task(name="add_one")
def add_one(number):
    """A link, or one of many."""
    return number + 1


@app.task(name="total")
def total(numbers):
    """The join."""
    return sum(numbers)


class OnCanvas(redis_celery.OnCelery):
    """A step is acknowledged before it runs."""

    def work(self):
        how = ("--pool", "prefork", "--concurrency", "2", "--loglevel", "error")
        contender.become("celery", "--app", "redis_celery_flows", "worker", *how)

    def launch(self):
        """Nothing to do: a worker runs them."""

    def chain(self):
        later = [add_one.s() for _ in range(contender.LINKS - 1)]
        return chain(add_one.s(0), *later).apply_async()

    def fan(self, count):
        return chord(add_one.s(number) for number in range(count))(total.s())

    def result(self, run):
        return run.get(timeout=60)


CONTENDER = OnCanvas()
