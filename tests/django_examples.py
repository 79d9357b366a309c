"""Tasks of Django, as an application would declare them."""

from __future__ import annotations

import threading
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.db import connections, transaction

from rotulus import JobOutcome
from rotulus.django.compat import TaskContext, task

RAN = []
"""What has been run in this process, in order."""


@task
def add(a: int, b: int = 2) -> int:
    """Add."""
    return a + b


@task
def total(outcomes: list[JobOutcome]) -> int:
    """Add up the results of a group."""
    return sum(outcome.result for outcome in outcomes)


@task
def note(*args: Any, **kwargs: Any) -> None:
    """Take note of a call."""
    RAN.append((list(args), kwargs))


@task
async def add_later(a: int, b: int) -> int:
    """Add, as a coroutine."""
    return a + b


@task(retries=1)
def fail(message: str) -> None:
    """Fail."""
    raise LookupError(message)


@task
def give_up() -> None:
    """Fail, and that is it."""
    raise LookupError("gone")


@task
def convert(amount: Decimal, on: date, key: UUID, name: str) -> list[str]:
    """Take what JSON has no form for."""
    return [type(one).__name__ for one in (amount, on, key, name)]


@task(takes_context=True, retries=1)
def tell(context: TaskContext, times: int) -> dict[str, Any]:
    """Fail so many times, and tell of the attempt that does not."""
    if context.attempt <= times:
        raise RuntimeError
    result = context.task_result
    return {"attempt": context.attempt, "id": result.id, "errors": len(result.errors)}


@task(takes_context=True)
async def tell_later(context, times: int) -> int:
    """The same as a coroutine."""
    return context.attempt + times


@task(key="only:{number}")
def only(number: int) -> int:
    """Be enqueued once."""
    return number


@task(backend="immediate")
def elsewhere(number: int) -> int:
    """Be run at once, unless another backend is told to."""
    return number


GO_ON = threading.Event()


@task
def until() -> None:
    """Run until a test has seen it."""
    GO_ON.wait(30)


@task
def durably(alias: str) -> None:
    """Write in a block that no other may be around."""
    with transaction.atomic(using=alias, durable=True):
        add.using(backend="routed").enqueue(1)


@task
def server_process(alias: str) -> int:
    """Say which process of the server Django's connection of this thread leads to."""
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


@task
async def server_process_later(alias: str) -> int:
    """The same as a coroutine."""
    return await sync_to_async(server_process.func)(alias)
