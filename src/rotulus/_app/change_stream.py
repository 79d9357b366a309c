"""The changes that one listener is told, which it takes one after the other."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Self

from rotulus._concurrency.handover import tell
from rotulus._concurrency.pool import off_loop
from rotulus._warnings import on_event_loop
from rotulus.errors import EventLoopError
from rotulus.store import Change

_MOST_WAITING = 1000
"""How many changes wait for a listener: if there are more, it is told that it has missed some."""


class ChangeStream:
    """Changes as they happen: `for change in stream`, `async for change in stream`.

    It begins when the first change is asked for, or earlier with `with stream:` or
    `async with stream:`. It ends with the block, with `close()`, and with the app. One thread or
    coroutine takes from it. A plain `for` on an event loop raises `EventLoopError`.

    Args:
        follow: has a stream told of changes.
        after: the position to begin after; None: from now on.
        jobs: only changes of these jobs, by id.
        queues: only changes of these queues, and of the jobs in them.
    """

    def __init__(
        self,
        follow: "Callable[[ChangeStream], object]",
        after: int | None,
        jobs: Collection[str] | None,
        queues: Collection[str] | None,
    ) -> None:
        self._follow = follow
        self._jobs = None if jobs is None else frozenset(jobs)
        self._queues = None if queues is None else frozenset(queues)
        self._position = after
        self._changed = threading.Condition()
        self._waiting: deque[Change] = deque()
        self._early: list[Change] | None = []
        self._told = 0
        self._wake: Callable[[], object] | None = None
        self._closed = False

    @property
    def position(self) -> int | None:
        """Until where changes have been taken, for a stream after this one. None: not begun."""
        with self._changed:
            if not self._waiting and self._early is None:
                return self._told
            return self._position

    @property
    def is_closed(self) -> bool:
        """Whether it has ended."""
        return self._closed

    def begin(self, position: int, earlier: Sequence[Change] = ()) -> None:
        """Have a stream begin after a position, with the changes since then that are known."""
        with self._changed:
            early, self._early = self._early or [], None
            self._position = self._told = position
        self.tell([*earlier, *early])

    def tell(self, changes: Iterable[Change]) -> None:
        """Hand in changes, in order; those that are not wanted are dropped."""
        with self._changed:
            if self._early is not None:
                self._early += changes
                return
            for change in changes:
                self._take_in(change)
            self._wake_up()

    def close(self) -> None:
        """End it: whoever waits for another change is told that there is none."""
        with self._changed:
            self._closed = True
            self._wake_up()

    def __enter__(self) -> Self:
        self._begin()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Change:
        if on_event_loop():
            raise EventLoopError(
                "for change in app.changes() would block the event loop of this thread: write "
                "async for change in app.changes()"
            )
        self._begin()
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            if (change := self._next()) is None:
                raise StopIteration
            return change

    async def __aenter__(self) -> Self:
        await off_loop(self._begin)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Change:
        if self._early is not None:
            await off_loop(self._begin)
        while True:
            rung = asyncio.Event()
            with self._changed:
                if (change := self._next()) is not None:
                    return change
                if self._closed:
                    raise StopAsyncIteration
                self._wake = partial(tell, asyncio.get_running_loop(), rung.set)
            await rung.wait()

    async def take(self, seconds: float) -> list[Change] | None:
        """Returns all changes that wait, at least one; none if there is none within some seconds.

        None stands for the end of the stream.
        """
        try:
            async with asyncio.timeout(seconds):
                first = await anext(self, None)
        except TimeoutError:
            return []
        if first is None:
            return None
        with self._changed:
            return [first, *iter(self._next, None)]

    def _begin(self) -> None:
        if self._early is not None and not self._closed:
            self._follow(self)

    def _next(self) -> Change | None:
        if not self._waiting:
            return None
        change = self._waiting.popleft()
        self._position = change.position
        return change

    def _take_in(self, change: Change) -> None:
        if change.position <= self._told and change.kind != "reset":
            return
        self._told = change.position
        if change.kind == "reset" or len(self._waiting) == _MOST_WAITING:
            self._waiting.clear()
            self._waiting.append(reset_at(change.position, change.at))
        elif self._wants(change):
            self._waiting.append(change)

    def _wants(self, change: Change) -> bool:
        if self._jobs is self._queues is None:
            return True
        if self._jobs is not None and change.kind == "job" and change.name in self._jobs:
            return True
        return self._queues is not None and change.queue in self._queues

    def _wake_up(self) -> None:
        self._changed.notify_all()
        if self._wake is not None:
            self._wake()


def reset_at(position: int, at: datetime) -> Change:
    """Returns what tells a listener that it has missed changes up to a position."""
    return Change(position, at, "reset", "", "reset")
