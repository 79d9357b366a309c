"""Rotulus that carries its jobs by Google Pub/Sub: each is stored before it is published."""

import contender
import topics

from rotulus import App, TaskRegistry, task
from rotulus.pubsub import PubSubCarrier, PubSubSettings, TaskRoute

registry = TaskRegistry()
app = App(contender.STORE, registry=registry)
settings = PubSubSettings(project_id="bench", pubsub_emulator=contender.URL)


@task(registry=registry)
def note(number: int) -> int:
    """The job, which nothing runs here."""
    return number


route = TaskRoute(note)


class RotulusOnPubSub(contender.Contender):
    """Committed jobs are published, in batches."""

    def prepare(self):
        app.store.migrate()
        topics.make_topic(route, settings)

    def open(self):
        app.store.fleet()
        app.carry(PubSubCarrier([route], settings))

    def enqueue(self, number):
        note.enqueue(number)

    def enqueue_many(self, numbers):
        note.enqueue_many(numbers)
        while app.relay():
            pass


CONTENDER = RotulusOnPubSub()
