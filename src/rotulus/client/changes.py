"""`client.changes(...)`: what happens in a service, as it happens; a broken stream goes on."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Collection, Generator, Iterator
from contextlib import aclosing, contextmanager
from typing import Any

import httpx2

from rotulus.client.calls import query_of, reader
from rotulus.client.problems import NoServiceError, as_ours, error_of
from rotulus.client.values import Change
from rotulus.client.wire import API, Wire, json_of

_change = reader(Change)

_SILENCE = 45.0
"""Seconds without a sign of the service after which a connection counts as broken: it sends a
comment each 15."""

_PAUSE = 1.0
"""Seconds until a broken connection is made again."""


class ChangeStream:
    """Changes as they happen: `for change in stream`, `async for change in stream`.

    A connection that breaks is made again, and goes on where it was. A change of the kind `reset`
    says that changes before it are missing. It does not end by itself.

    Args:
        wire: gives the connections.
        after: the position to begin after; None: from now on.
        jobs: only changes of these jobs, by id.
        queues: only changes of these queues, and of the jobs in them.

    Attributes:
        position: until where changes have been taken; None: not begun.
    """

    def __init__(
        self,
        wire: Wire,
        after: int | None,
        jobs: Collection[str] | None,
        queues: Collection[str] | None,
    ) -> None:
        self._wire = wire
        self._where = query_of(jobs=jobs, queues=queues)
        self.position = after

    def __iter__(self) -> Iterator[Change]:
        """Iterate over changes.

        Raises `ServiceError` when the service refuses, and `NoServiceError` for what is no change.
        """
        while True:
            with _broken():
                yield from self._connection()
            time.sleep(_PAUSE)

    async def __aiter__(self) -> AsyncGenerator[Change, None]:
        """Iterate over changes.

        Raises `ServiceError` when the service refuses, and `NoServiceError` for what is no change.
        """
        while True:
            with _broken():
                async with aclosing(self._loop_connection()) as changes:
                    async for change in changes:
                        yield change
            await asyncio.sleep(_PAUSE)

    def _connection(self) -> Iterator[Change]:
        """The changes of one connection."""
        with self._wire.client.sse(**self._request()) as source:
            if not source.response.is_success:
                source.response.read()
                return _check_passing(source.response)
            for event in source:
                yield from self._changes(event)

    async def _loop_connection(self) -> AsyncGenerator[Change, None]:
        async with self._wire.loop_client.sse(**self._request()) as source:
            if not source.response.is_success:
                await source.response.aread()
                _check_passing(source.response)
                return
            async for event in source:
                for change in self._changes(event):
                    yield change

    def _request(self) -> dict[str, Any]:
        return {
            "url": self._wire.address("/changes"),
            "params": [*self._where, *query_of(after=self.position)],
            "timeout": _SILENCE,
        }

    def _changes(self, event: httpx2.ServerSentEvent) -> Iterator[Change]:
        """The change of an event; one without data tells a position, and nothing else."""
        try:
            change = _change(json.loads(event.data)) if event.data else None
            position = int(event.id) if change is None and event.id else None
        except ValueError as error:
            raise _no_changes() from error
        if change is not None:
            self.position = change.position
            yield change
        elif position is not None:
            self.position = position


@contextmanager
def _broken() -> Generator[None, None, None]:
    """A block whose connection may break. Raises `NoServiceError` for what is no stream."""
    try:
        yield
    except httpx2.SSEError as error:  # of another type, or an event that is longer than any of ours
        raise _no_changes() from error
    except httpx2.TransportError:
        pass


def _no_changes() -> NoServiceError:
    return NoServiceError(
        f"What {API}/changes sends is not what a service of this version says. Is this the address "
        f"of a Rotulus service, and is its version that of the client?",
        status=200,
    )


def _check_passing(answer: httpx2.Response) -> None:
    """Raise the error of an answer, unless the same request may succeed a little later."""
    error = error_of(answer.status_code, answer.headers, json_of(answer))
    if not error.passing:
        raise as_ours(error)
