"""Tasks that Pub/Sub pushes, and their routes."""

import threading
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connections

from rotulus.django import TaskRoute, kill_switch
from rotulus.django.compat import task

RAN: list[Any] = []
"""What has been run in this process, in order."""


@task(backend="pubsub")
def add(a: int, b: int = 2) -> int:
    """Add."""
    RAN.append(("add", a, b))
    return a + b


@task(backend="pubsub")
def fail(message: str) -> None:
    """Fail."""
    RAN.append(("fail", message))
    raise LookupError(message)


@task(backend="pubsub")
def fail_once(name: str) -> str:
    """Fail, but not twice."""
    RAN.append(("fail_once", name))
    if RAN.count(("fail_once", name)) == 1:
        raise LookupError(name)
    return name


@task(backend="pubsub")
def tell() -> dict[str, Any]:
    """Tell where it runs."""
    connection = connections["jobs"]
    RAN.append(threading.get_ident())
    return {"atomic": connection.in_atomic_block}


@task(backend="pubsub")
def note(value: Any) -> None:
    """Take note of a value."""
    RAN.append(value)


@task(backend="pubsub")
def store(amount: Decimal, on: date) -> str:
    """Take what JSON has no form for."""
    return f"{amount} {on}"


@kill_switch("ENABLE_BACKFILL_SCHEDULER")
def backfill() -> int:
    """Be fired by a schedule."""
    RAN.append("backfill")
    return len(RAN)


tasks = [
    TaskRoute(add, max_delivery_attempts=5),
    TaskRoute(fail, max_delivery_attempts=5),
    TaskRoute(fail_once, min_retry_delay=1, ack_deadline=60),
    TaskRoute(tell, min_retry_delay=1),
    TaskRoute(note, min_retry_delay=1),
    TaskRoute(store),
    TaskRoute(backfill, schedule="0 3 * * *", min_retry_delay=1),
]
