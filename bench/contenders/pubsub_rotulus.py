"""Rotulus that carries its jobs by Google Pub/Sub: each is stored before it is published."""

from contextlib import suppress

import contender
from google.api_core.exceptions import AlreadyExists

from rotulus import App, TaskRegistry, task
from rotulus.pubsub import PubSubCarrier, PubSubSettings, TaskRoute
from rotulus.pubsub.clients import GoogleClients
from rotulus.pubsub.names import topic_name

registry = TaskRegistry()
app = App(contender.STORE, registry=registry)
settings = PubSubSettings(project_id="bench", pubsub_emulator=contender.URL)


@task(registry=registry)
def note(number: int) -> int:
    """The job, which nothing runs here."""
    return number


route = TaskRoute(note)


class RotulusOnPubSub(contender.Contender):
    """What is committed is published, in batches."""

    def prepare(self):
        app.store.migrate()
        topic = f"projects/bench/topics/{topic_name(route.path, settings)}"
        with suppress(AlreadyExists):
            GoogleClients.of(settings).publisher.create_topic(name=topic)

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
