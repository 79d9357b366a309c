"""Writes outcomes to the store: whatever has come in since the last write went out, at once.

There is no timer: alone, an outcome is written immediately; under load, batches grow by
themselves to what comes in during one write.
"""

import asyncio
from collections.abc import Callable, Iterable
from functools import partial

from rotulus._engine.failure import describe_error
from rotulus._engine.run import Run
from rotulus._engine.threads import Threads
from rotulus._jobs.outcome import Outcome, failed
from rotulus._jobs.states import Reason
from rotulus._time.backoff import pause_after
from rotulus.errors import StoreError, StoreRefusedError
from rotulus.events import Events, OutcomeRefused, StoreFailed, StoreRecovered
from rotulus.store import Claim, Store


class Settler:
    """Settles outcomes in the background of an event loop.

    Args:
        store: where they go.
        settled: told which attempts have been settled.
        threads: where the store is called.
        events: where refusals and failures are told.
        chance: random numbers from 0 to 1, to spread attempts after a failure.
    """

    def __init__(
        self,
        store: Store,
        settled: Callable[[Iterable[Run]], None],
        threads: Threads,
        events: Events,
        chance: Callable[[], float],
    ) -> None:
        self._store = store
        self._settled = settled
        self._threads = threads
        self._events = events
        self._chance = chance
        self._pending: list[tuple[Run, Outcome]] = []
        self._more = asyncio.Event()
        self._done = asyncio.Event()
        self._done.set()
        self.batches = 0
        """How many batches have been settled."""

    def put(self, run: Run, outcome: Outcome) -> None:
        """Settle this as soon as possible."""
        if not self._pending:
            self._done.clear()
            self._more.set()
        self._pending.append((run, outcome))

    @property
    def busy(self) -> bool:
        """Whether something is not settled yet."""
        return not self._done.is_set()

    async def run(self) -> None:
        """Settle what comes, until cancelled."""
        while True:
            await self._more.wait()
            self._more.clear()
            while self._pending:
                batch, self._pending = self._pending, []
                refused = await self._settle([outcome for _, outcome in batch])
                self.batches += 1
                self._settled(run for run, _ in batch)
                self._tell_refused(refused, batch)
            self._done.set()

    async def all_settled(self) -> None:
        """Wait until everything has been settled."""
        await self._done.wait()

    async def _settle(self, batch: list[Outcome]) -> list[Claim]:
        """Settle a batch, again and again until the store takes it; what it refuses."""
        failures = 0
        while True:
            try:
                refused = await self._threads.run(partial(self._store.settle, batch))
            except StoreRefusedError as error:
                return await self._settle_singly(batch, error)
            except StoreError as error:
                failures += 1
                self._tell_failure(error, failures)
                await asyncio.sleep(pause_after(failures, self._chance()))
            except Exception as error:  # noqa: BLE001 - one outcome must not hold up the others
                return await self._settle_singly(batch, error)
            else:
                if failures:
                    self._events.emit(StoreRecovered("settle"))
                return refused

    async def _settle_singly(self, batch: list[Outcome], error: Exception) -> list[Claim]:
        """Some outcome of these cannot be written at all: that one failed."""
        if len(batch) > 1:
            return [claim for outcome in batch for claim in await self._settle([outcome])]
        job, attempt = batch[0].id, batch[0].attempt
        if batch[0].reason == Reason.RESULT:
            self._events.emit(StoreFailed("settle", error))
            return []  # the lease will run out
        return await self._settle([failed(job, attempt, Reason.RESULT, describe_error(error))])

    def _tell_refused(self, refused: list[Claim], batch: list[tuple[Run, Outcome]]) -> None:
        completed = {run.job.id for run, _ in batch if run.completed} if refused else set[str]()
        for claim in refused:
            if claim.id not in completed:  # that one was settled by its own body
                self._events.emit(OutcomeRefused(claim.id, claim.attempt))

    def _tell_failure(self, error: StoreError, failures: int) -> None:
        if failures == 1:
            self._events.emit(StoreFailed("settle", error))
