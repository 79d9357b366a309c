"""Writes outcomes to the store: whatever has come in since the last write went out, at once.

There is no timer: alone, an outcome is written immediately; under load, batches grow by
themselves to what comes in during one write. Where steps end, what that makes due is claimed in
the same write.
"""

import asyncio
from collections.abc import Callable, Iterable
from functools import partial
from typing import NamedTuple

from rotulus._engine.execution import Execution
from rotulus._engine.failure import describe_error
from rotulus._engine.threads import Threads
from rotulus._jobs.outcome import Outcome, failed
from rotulus._jobs.record import JobRecord
from rotulus._jobs.states import Reason, State
from rotulus._time.backoff import pause_after
from rotulus.errors import StoreRefusedError
from rotulus.events import Events, OutcomeRefused, StoreFailed, StoreRecovered
from rotulus.store import Claim, ClaimFilter, SettledAndClaimed, Store

_OF_THE_VALUES = (StoreRefusedError, ValueError, TypeError, OverflowError)
"""Errors that come again with the same values. Any other one may pass."""

Batch = list[tuple[Execution, Outcome]]
"""Attempts that have ended, and what they came to."""


class ClaimRequest(NamedTuple):
    """How jobs are claimed along with what is settled.

    Attributes:
        wanted: which jobs.
        lease: the length of a lease, in seconds.
        ask: how many, given the attempts that have ended and their outcomes; 0: none.
        prepare: reads what they need, given also the jobs that have ended. Called in a thread.
        take: takes what has come of so many that were asked for.
    """

    wanted: ClaimFilter
    lease: float
    ask: Callable[[Batch], int]
    prepare: Callable[[list[JobRecord], list[JobRecord]], object]
    take: Callable[[list[JobRecord], int], object]


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
        settled: Callable[[Iterable[Execution]], None],
        threads: Threads,
        events: Events,
        chance: Callable[[], float],
    ) -> None:
        self._store = store
        self._settled = settled
        self._threads = threads
        self._events = events
        self._chance = chance
        self._pending: Batch = []
        self._more = asyncio.Event()
        self._done = asyncio.Event()
        self._done.set()
        self.batches = 0
        """How many batches have been settled."""

    def put(self, run: Execution, outcome: Outcome) -> None:
        """Settle this as soon as possible."""
        if not self._pending:
            self._done.clear()
            self._more.set()
        self._pending.append((run, outcome))

    @property
    def busy(self) -> bool:
        """Whether something is not settled yet."""
        return not self._done.is_set()

    async def run(self, along: ClaimRequest) -> None:
        """Settle what comes, and claim along with it, until cancelled."""
        while True:
            await self._more.wait()
            self._more.clear()
            while self._pending:
                batch, self._pending = self._pending, []
                asked = along.ask(batch)
                turn = await self._settle(batch, along, asked)
                along.take(turn.jobs, asked)
                self.batches += 1
                self._settled(run for run, _ in batch)
                self._tell_refused(turn.refused, batch)
            self._done.set()

    async def all_settled(self) -> None:
        """Wait until everything has been settled."""
        await self._done.wait()

    async def _settle(
        self, batch: Batch, along: ClaimRequest, room: int, *, singly: bool = False
    ) -> SettledAndClaimed:
        """Settle a batch, again and again until the store takes it, and claim as many jobs.

        What cannot be written is settled `singly`, and once more each. Whatever else goes wrong
        (the store is away, the system has no descriptors or no memory) says nothing of an outcome.
        """
        failures = 0
        while True:
            try:
                turn = await self._threads.run(partial(self._write, batch, along, room))
            except _OF_THE_VALUES as error:
                return await self._settle_refused(batch, along, error, singly=singly)
            except Exception as error:  # noqa: BLE001 - an outcome is kept until it is written
                failures += 1
                room = 0  # what comes next is to settle
                self._tell_failure(error, failures)
                await asyncio.sleep(pause_after(failures, self._chance()))
            else:
                if failures:
                    self._events.emit(StoreRecovered("settle"))
                return turn

    def _write(self, batch: Batch, along: ClaimRequest, room: int) -> SettledAndClaimed:
        """Settle a batch, and claim. In a thread."""
        if not room:
            return SettledAndClaimed(self._store.settle([outcome for _, outcome in batch]), [])
        outcomes = [outcome for _, outcome in batch]
        turn = self._store.settle_and_claim(outcomes, along.wanted, room, along.lease)
        along.prepare(turn.jobs, _as_they_ended(batch, turn.refused))
        return turn

    async def _settle_refused(
        self, batch: Batch, along: ClaimRequest, error: Exception, *, singly: bool
    ) -> SettledAndClaimed:
        """Some outcome of these cannot be written: one that still cannot by itself has failed."""
        if not singly:
            turns = [await self._settle([pair], along, 0, singly=True) for pair in batch]
            return SettledAndClaimed([claim for turn in turns for claim in turn.refused], [])
        [(run, outcome)] = batch
        if outcome.reason == Reason.RESULT:
            self._events.emit(StoreFailed("settle", error))
            return SettledAndClaimed([], [])  # the lease will run out
        why = describe_error(error)
        outcome = failed(outcome.id, outcome.attempt, Reason.RESULT, why)
        return await self._settle([(run, outcome)], along, 0)

    def _tell_refused(self, refused: list[Claim], batch: list[tuple[Execution, Outcome]]) -> None:
        completed = {run.job.id for run, _ in batch if run.completed} if refused else set[str]()
        for claim in refused:
            if claim.id not in completed:  # that one was settled by its own body
                self._events.emit(OutcomeRefused(claim.id, claim.attempt))

    def _tell_failure(self, error: Exception, failures: int) -> None:
        if failures == 1:
            self._events.emit(StoreFailed("settle", error))


def _as_they_ended(batch: Batch, refused: list[Claim]) -> list[JobRecord]:
    """The jobs that succeeded, as they are in the store now."""
    return [
        run.job._replace(state=outcome.state, result=outcome.result, reason=None)
        for run, outcome in batch
        if outcome.state is State.SUCCEEDED and Claim(outcome.id, outcome.attempt) not in refused
    ]
