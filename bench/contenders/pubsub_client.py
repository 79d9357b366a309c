"""Google's own client of Pub/Sub: messages that are published, and nothing else."""

import json
import os
import uuid
from contextlib import suppress
from datetime import UTC, datetime

import contender
from google.api_core.exceptions import AlreadyExists
from google.cloud import pubsub_v1

os.environ["PUBSUB_EMULATOR_HOST"] = contender.URL
TOPIC = "projects/bench/topics/client"
client = pubsub_v1.PublisherClient()


class Client(contender.Contender):
    """Its batches are those it comes with; the messages are those of Rotulus."""

    def prepare(self):
        with suppress(AlreadyExists):
            client.create_topic(name=TOPIC)

    def enqueue(self, number):
        self._publish(number).result()

    def enqueue_many(self, numbers):
        for future in [self._publish(number) for number in numbers]:
            future.result()

    def _publish(self, number):
        payload = {
            "task_id": str(uuid.uuid4()),
            "task_name": "note",
            "args": [],
            "kwargs": {"number": number},
            "enqueued_at": datetime.now(UTC).isoformat(),
        }
        return client.publish(TOPIC, json.dumps(payload).encode(), task="note")


CONTENDER = Client()
