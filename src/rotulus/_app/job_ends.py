"""Tells coroutines that jobs have ended: one look at the store for all of an event loop."""

import asyncio
from collections.abc import Callable, Collection, Generator, Iterable
from contextlib import contextmanager, suppress
from contextvars import Context
from heapq import heappop, heappush

from rotulus._concurrency.pool import off_loop
from rotulus._time.clock import monotonic
from rotulus.store import Store

_SHORTEST_PAUSE = 0.005
_LONGEST_PAUSE = 0.5


class JobEnds:
    """Tells coroutines when their jobs have ended.

    However many wait, one look each 500 milliseconds is for all of them. A job for which somebody
    has just begun to wait is looked at before that, too: after 5 milliseconds, and then after
    pauses that double. Such a look is for these jobs only.

    Args:
        store: opens the store when it is first needed.
    """

    def __init__(self, store: Callable[[], Store]) -> None:
        self._store = store
        self._looks: dict[asyncio.AbstractEventLoop, _Looks] = {}

    @contextmanager
    def end_of(self, job_id: str) -> "Generator[End, None, None]":
        """Gives what is done when a job has ended, or is gone, for the length of a block.

        It has the error, if the store could not be read.
        """
        loop = asyncio.get_running_loop()
        looks = self._looks.get(loop)
        if looks is None:
            self._forget_closed()
            looks = self._looks[loop] = _Looks(self._unended)
            looks.begin(lambda: self._looks.pop(loop, None))
        end = looks.end_of(job_id)
        try:
            yield end
        finally:
            looks.leave(job_id, end)

    def _forget_closed(self) -> None:
        """Forget loops that were closed while somebody waited: nothing runs there any more."""
        for loop in [loop for loop in tuple(self._looks) if loop.is_closed()]:
            self._looks.pop(loop, None)

    def _unended(self, ids: Collection[str]) -> set[str]:
        return self._store().unended(ids)


End = asyncio.Future[None]
"""The end of a job, as one coroutine waits for it."""


class _Looks:
    """The looks at the store for the coroutines of one event loop, as long as any of them waits.

    Args:
        unended: tells which jobs have not ended.
    """

    def __init__(self, unended: Callable[[Collection[str]], set[str]]) -> None:
        self._unended = unended
        self._waiting: dict[str, set[End]] = {}
        self._new: list[tuple[float, float, str]] = []  # moment, pause before it, job
        self._joined = asyncio.Event()

    def begin(self, over: Callable[[], object]) -> None:
        """Look from now on until nobody waits; then call a function."""
        # Not in the context of the coroutine that happens to be the first.
        self._task = asyncio.get_running_loop().create_task(
            self._look_until_over(over), name="rotulus-job-ends", context=Context()
        )

    def end_of(self, job_id: str) -> End:
        """Returns what is done when a job has ended, or when the store could not be read."""
        end: End = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(job_id, set()).add(end)
        heappush(self._new, (monotonic() + _SHORTEST_PAUSE, _SHORTEST_PAUSE, job_id))
        self._joined.set()
        return end

    def leave(self, job_id: str, end: End) -> None:
        """Somebody does not wait any more."""
        if end.done() and not end.cancelled():
            end.exception()  # or else asyncio tells that nobody has asked for it
        ends = self._waiting.get(job_id, set())
        ends.discard(end)
        if not ends:
            self._waiting.pop(job_id, None)
        if not self._waiting:
            self._joined.set()

    async def _look_until_over(self, over: Callable[[], object]) -> None:
        try:
            await self._look_again()
        finally:
            over()
            for end in (end for ends in self._waiting.values() for end in ends):
                end.cancel()  # the loop cancels everything: nobody looks any more

    async def _look_again(self) -> None:
        looked = monotonic()
        all_at = looked + _LONGEST_PAUSE
        while self._waiting:
            at = min(all_at, self._new[0][0]) if self._new else all_at
            at = max(at, looked + _SHORTEST_PAUSE)
            await self._sleep_until(at)
            now = monotonic()
            if now < at:  # somebody has begun to wait, or nobody waits any more
                continue
            due, is_for_all = self._due(now), now >= all_at
            if ids := self._waiting.keys() if is_for_all else due:
                await self._look(list(ids))
                looked = monotonic()
            if is_for_all:
                all_at = looked + _LONGEST_PAUSE

    async def _look(self, ids: Collection[str]) -> None:
        try:
            unended = await off_loop(self._unended, ids)
        except Exception as error:  # noqa: BLE001 - those who wait are told, whatever it is
            self._tell(ids, error)
        else:
            self._tell(job for job in ids if job not in unended)

    def _due(self, now: float) -> set[str]:
        """The new jobs that are to be looked at now; each further pause is twice as long."""
        due: set[str] = set()
        while self._new and self._new[0][0] <= now:
            _, pause, job = heappop(self._new)
            if job in self._waiting:
                due.add(job)
                if 2 * pause < _LONGEST_PAUSE:
                    heappush(self._new, (now + 2 * pause, 2 * pause, job))
        return due

    async def _sleep_until(self, at: float) -> None:
        """Sleep until a moment, or until somebody else begins to wait, or nobody waits any more."""
        self._joined.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, at - monotonic())):
                await self._joined.wait()

    def _tell(self, ids: Iterable[str], error: Exception | None = None) -> None:
        for job in ids:
            for end in self._waiting.pop(job, ()):
                if end.done():
                    continue
                if error is None:
                    end.set_result(None)
                else:
                    end.set_exception(error)
