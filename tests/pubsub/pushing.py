"""Pushes as Pub/Sub makes them."""

import base64
import itertools
import json

from rotulus import Published
from rotulus.pubsub.http import PushRequest
from rotulus.pubsub.messages import write_message

NUMBERS = itertools.count(1)


def envelope(data, *, message_id=None, subscription="a-sub", attributes=None, **more):
    """The body of a push: data as an object, or as bytes."""
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    told = {
        "message": {
            "data": base64.b64encode(raw).decode(),
            "attributes": attributes or {},
            "messageId": message_id or str(next(NUMBERS)),
            "publishTime": "2026-01-01T00:00:00Z",
        },
        "subscription": f"projects/shop-prod/subscriptions/{subscription}",
    }
    return told | more


def push(body, *, headers=(), peer="127.0.0.1"):
    """A push of a body: an object, or bytes."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return PushRequest([("Content-Type", "application/json"), *headers], raw, peer)


class Carrier:
    """Carries the tasks of routes nowhere: tests push what it would have published."""

    queue = "_pubsub"

    def __init__(self, routes):
        self.routes = {route.task_name: route for route in routes}
        self.published = []

    def carries(self, task_name):
        return task_name in self.routes

    def retry(self, task_name):
        return self.routes[task_name].retry

    def publish(self, jobs):
        self.published += jobs
        return Published([job.id for job in jobs])

    def push(self, number=-1, **options):
        """The push of a message that was published: the last one, unless another is asked for."""
        job = self.published[number]
        route = self.routes[job.task]
        message = write_message(job, route.name)
        given = {"subscription": route.subscription_name, "attributes": message.attributes}
        return push(envelope(message.data, **given | options))
