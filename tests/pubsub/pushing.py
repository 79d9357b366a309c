"""Pushes as Pub/Sub makes them."""

import base64
import itertools
import json

from rotulus.pubsub.http import PushRequest

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
