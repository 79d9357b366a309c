"""Celery on Redis: two processes, each with 128 jobs ahead, as its guide has it for short ones."""

import contender
import redis
from celery import Celery

app = Celery("bench", broker=contender.URL)
app.conf.update(task_ignore_result=True, worker_prefetch_multiplier=128)


@app.task(name="note")
def note(number):
    """The job."""
    contender.mark(number)


class OnCelery(contender.Contender):
    """A job is acknowledged before it runs; results are not kept."""

    def open(self):
        self._redis = redis.Redis.from_url(contender.URL)

    def enqueue(self, number):
        note.delay(number)

    def work(self):
        how = ("--pool", "prefork", "--concurrency", "2", "--loglevel", "error")
        contender.become("celery", "--app", "redis_celery", "worker", *how)

    def left(self):
        return self._redis.llen("celery") + self._redis.hlen("unacked")


CONTENDER = OnCelery()
