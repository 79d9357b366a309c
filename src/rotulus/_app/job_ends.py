"""Tells coroutines that jobs have ended: one look at the store for all of an event loop."""

import asyncio
from collections.abc import Callable, Collection, Generator, Iterable
from contextlib import contextmanager, suppress
from contextvars import Context

from rotulus._concurrency.pool import off_loop
from rotulus.store import Store

_SHORTEST_PAUSE = 0.005
_LONGEST_PAUSE = 0.5


class JobEnds:
    """Tells coroutines when their jobs have ended.

    However many wait, one look at a time is for all of them. A look that finds nothing doubles the
    pause until the next, from 5 to 500 milliseconds. The pauses are short again when another
    coroutine begins to wait, and when a job has ended.

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
            looks = self._looks[loop] = _Looks(self._unended)
            looks.begin(lambda: self._looks.pop(loop))
        end = looks.end_of(job_id)
        try:
            yield end
        finally:
            looks.leave(job_id, end)

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
        pause = _SHORTEST_PAUSE
        while self._waiting:
            await self._sleep(pause)
            if not (ids := list(self._waiting)):
                return
            try:
                unended = await off_loop(self._unended, ids)
            except Exception as error:  # noqa: BLE001 - those who wait are told, whatever it is
                self._tell(ids, error)
                continue
            ended = [job for job in ids if job not in unended]
            self._tell(ended)
            begins_anew = ended or self._joined.is_set()
            pause = _SHORTEST_PAUSE if begins_anew else min(2 * pause, _LONGEST_PAUSE)

    async def _sleep(self, pause: float) -> None:
        """Sleep until the next look; not much longer, if somebody else begins to wait."""
        self._joined.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await self._joined.wait()
                await asyncio.sleep(_SHORTEST_PAUSE)

    def _tell(self, ids: Iterable[str], error: Exception | None = None) -> None:
        for job in ids:
            for end in self._waiting.pop(job, ()):
                if end.done():
                    continue
                if error is None:
                    end.set_result(None)
                else:
                    end.set_exception(error)
