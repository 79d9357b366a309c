"""Adds what the coroutines of an event loop hand in, together when it comes together.

There is no timer: what comes while an add is under way is in the next one. Each coroutine goes on
when its own jobs are stored.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple

from rotulus._jobs.record import JobRecord
from rotulus.errors import StoreError, StoreUnavailableError
from rotulus.store import NewJob

Add = Callable[[Sequence[NewJob]], list[JobRecord]]


class _Letter(NamedTuple):
    """The jobs of one coroutine, and where it waits for their records."""

    jobs: Sequence[NewJob]
    answer: "asyncio.Future[list[JobRecord]]"


class Outbox:
    """What the coroutines of one event loop have handed in.

    Args:
        add: stores jobs, all or none; called in a thread.
    """

    def __init__(self, add: Add) -> None:
        self._add = add
        self._letters: list[_Letter] = []
        self._sending: asyncio.Task[None] | None = None

    async def add(self, jobs: Sequence[NewJob]) -> list[JobRecord]:
        """Store jobs, all or none; the record of each.

        Who is cancelled meanwhile does not learn whether they are stored.
        """
        loop = asyncio.get_running_loop()
        letter = _Letter(jobs, loop.create_future())
        self._letters.append(letter)
        if self._sending is None:
            self._sending = loop.create_task(self._send_all())
        return await letter.answer

    async def _send_all(self) -> None:
        try:
            while self._letters:
                letters, self._letters = self._letters, []
                await self._send(letters)
        finally:
            self._sending = None

    async def _send(self, letters: list[_Letter]) -> None:
        """Store the jobs of some letters together, or, if that fails, each for itself."""
        jobs = [job for letter in letters for job in letter.jobs]
        try:
            records = await asyncio.to_thread(self._add, jobs)
        except StoreError as error:
            await self._send_singly(letters, error)
        except BaseException as error:
            for letter in letters:
                _fail(letter, error)
            raise
        else:
            for letter in letters:
                count = len(letter.jobs)
                if not letter.answer.done():
                    letter.answer.set_result(records[:count])
                del records[:count]

    async def _send_singly(self, letters: list[_Letter], error: StoreError) -> None:
        if len(letters) > 1 and not isinstance(error, StoreUnavailableError):
            for letter in letters:
                await self._send([letter])
            return
        for letter in letters:
            _fail(letter, error)


def _fail(letter: _Letter, error: BaseException) -> None:
    if not letter.answer.done():
        letter.answer.set_exception(error)
