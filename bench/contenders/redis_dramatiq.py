"""Dramatiq on Redis, with one process of 32 threads: its best of 2, 8 and 32."""

import contender
import dramatiq
from dramatiq.brokers.redis import RedisBroker

broker = RedisBroker(url=contender.URL)
dramatiq.set_broker(broker)


@dramatiq.actor(actor_name="note")
def note(number):
    """The job."""
    contender.mark(number)


class Dramatiq(contender.Contender):
    """A job is acknowledged after it ran; results are not kept."""

    def enqueue(self, number):
        note.send(number)

    def work(self):
        contender.become("dramatiq", "redis_dramatiq", "--processes", "1", "--threads", "32")

    def left(self):
        return broker.do_qsize("default")


CONTENDER = Dramatiq()
