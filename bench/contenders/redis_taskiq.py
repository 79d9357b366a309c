"""Taskiq on Redis streams, with one process and a hundred jobs at once, as it comes."""

import contender
import redis
from taskiq_redis import RedisStreamBroker

broker = RedisStreamBroker(contender.URL)


@broker.task(task_name="note")
async def note(number: int) -> int:
    """The job."""
    contender.mark(number)
    return number


class Taskiq(contender.Contender):
    """A job is acknowledged after it ran; results are not kept."""

    async def open(self):
        await broker.startup()
        self._redis = redis.Redis.from_url(contender.URL)

    async def enqueue(self, number):
        await note.kiq(number)

    def work(self):
        how = ("--workers", "1", "--max-async-tasks", "100", "--log-level", "WARNING")
        contender.become("taskiq", "worker", "redis_taskiq:broker", *how)

    def left(self):
        groups = self._redis.xinfo_groups("taskiq")
        return sum(group["pending"] + (group["lag"] or 0) for group in groups)


CONTENDER = Taskiq()
