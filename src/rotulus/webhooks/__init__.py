"""Webhooks: receivers outside are told of what happens, by messages of Standard Webhooks 1.0.0.

`app.webhooks` adds, changes and removes them. Who receives such messages in Python checks them with
`verify`.
"""

from rotulus.webhooks.event_types import EVENTS
from rotulus.webhooks.signing import verify

__all__ = ["EVENTS", "verify"]
