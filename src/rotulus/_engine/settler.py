"""Settles outcomes in batches: a group commit of all that ended during the last write.

There is no timer: a single outcome is written immediately; under load a batch has all outcomes that
came during the last write. Where steps end, the jobs that become due by that are claimed in the
same transaction.
"""

import asyncio
from collections.abc import Callable, Iterable
from functools import partial
from typing import NamedTuple

from rotulus._engine.execution import Execution
from rotulus._engine.log_writer import LogWriter
from rotulus._engine.threads import Threads
from rotulus._engine.verdict import UNWRITABLE, describe_error
from rotulus._jobs.outcome import Outcome, failed
from rotulus._jobs.record import JobRecord
from rotulus._jobs.states import Reason, State
from rotulus._time.backoff import pause_after
from rotulus.events import Events, OutcomeRefused, StoreFailed, StoreRecovered
from rotulus.store import Claim, ClaimFilter, SettledAndClaimed, Store

Batch = list[tuple[Execution, Outcome]]
"""Attempts that have ended, and their outcomes."""


class ClaimRequest(NamedTuple):
    """How jobs are claimed in the transaction that settles others.

    Attributes:
        claim_filter: which jobs.
        lease: the length of a lease, in seconds.
        to_claim: says how many, given the attempts that have ended and their outcomes; 0: none.
        prepare: reads what they need, given also the jobs that have ended. Called in a thread.
        claimed: given the jobs that were claimed, and how many were wanted.
    """

    claim_filter: ClaimFilter
    lease: float
    to_claim: Callable[[Batch], int]
    prepare: Callable[[list[JobRecord], list[JobRecord]], object]
    claimed: Callable[[list[JobRecord], int], object]


class Settler:
    """Settles outcomes in the background of an event loop.

    Args:
        store: where they go.
        logs: writes what attempts have logged.
        settled: called with the attempts that have been settled.
        threads: where the store is called.
        events: where refusals and failures are told.
        chance: random numbers from 0 to 1, to spread attempts after a failure.
    """

    def __init__(
        self,
        store: Store,
        logs: LogWriter,
        settled: Callable[[Iterable[Execution]], None],
        threads: Threads,
        events: Events,
        chance: Callable[[], float],
    ) -> None:
        self._store = store
        self._logs = logs
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

    def put(self, execution: Execution, outcome: Outcome) -> None:
        """Settle the outcome of an attempt as soon as possible."""
        if not self._pending:
            self._done.clear()
            self._more.set()
        self._pending.append((execution, outcome))

    @property
    def busy(self) -> bool:
        """Whether an outcome is not settled yet."""
        return not self._done.is_set()

    async def run(self, request: ClaimRequest) -> None:
        """Settle outcomes as they come, and claim in the same transactions, until cancelled."""
        while True:
            await self._more.wait()
            self._more.clear()
            while self._pending:
                batch, self._pending = self._pending, []
                to_claim = request.to_claim(batch)
                settled = await self._settle(batch, request, to_claim)
                request.claimed(settled.jobs, to_claim)
                self.batches += 1
                self._settled(execution for execution, _ in batch)
                self._tell_refused(settled.refused, batch)
            self._done.set()

    async def all_settled(self) -> None:
        """Wait until everything has been settled."""
        await self._done.wait()

    async def _settle(
        self, batch: Batch, request: ClaimRequest, to_claim: int, *, singly: bool = False
    ) -> SettledAndClaimed:
        """Settle a batch, again and again until the store takes it, and claim so many jobs.

        A batch that cannot be written is settled `singly`, one outcome after the other. Other
        errors (the store is away, the system has no descriptors or no memory) are not the fault of
        an outcome.
        """
        failures = 0
        while True:
            try:
                settled = await self._threads.run(partial(self._write, batch, request, to_claim))
            except UNWRITABLE as error:
                return await self._settle_refused(batch, request, error, singly=singly)
            except Exception as error:  # noqa: BLE001 - an outcome is kept until it is written
                failures += 1
                to_claim = 0  # what comes next is to settle
                self._tell_failure(error, failures)
                await asyncio.sleep(pause_after(failures, self._chance()))
            else:
                if failures:
                    self._events.emit(StoreRecovered("settle"))
                return settled

    def _write(self, batch: Batch, request: ClaimRequest, to_claim: int) -> SettledAndClaimed:
        """Settle a batch, and claim; before that, what was logged is written. In a thread."""
        self._logs.finish([execution for execution, _ in batch if execution.logs is not None])
        if not to_claim:
            return SettledAndClaimed(self._store.settle([outcome for _, outcome in batch]), [])
        outcomes = [outcome for _, outcome in batch]
        settled = self._store.settle_and_claim(
            outcomes, request.claim_filter, to_claim, request.lease
        )
        request.prepare(settled.jobs, _as_they_ended(batch, settled.refused))
        return settled

    async def _settle_refused(
        self, batch: Batch, request: ClaimRequest, error: Exception, *, singly: bool
    ) -> SettledAndClaimed:
        """Settle a batch with an outcome that cannot be written: its attempt has failed."""
        if not singly:
            each = [await self._settle([pair], request, 0, singly=True) for pair in batch]
            return SettledAndClaimed([claim for settled in each for claim in settled.refused], [])
        [(execution, outcome)] = batch
        if outcome.reason == Reason.RESULT:
            self._events.emit(StoreFailed("settle", error))
            return SettledAndClaimed([], [])  # the lease will run out
        why = describe_error(error)
        outcome = failed(outcome.id, outcome.attempt, Reason.RESULT, why)
        return await self._settle([(execution, outcome)], request, 0)

    def _tell_refused(self, refused: list[Claim], batch: Batch) -> None:
        if not refused:
            return
        completed = {execution.job.id for execution, _ in batch if execution.completed}
        for claim in refused:
            if claim.id not in completed:  # that one was settled by its own body
                self._events.emit(OutcomeRefused(claim.id, claim.attempt))

    def _tell_failure(self, error: Exception, failures: int) -> None:
        if failures == 1:
            self._events.emit(StoreFailed("settle", error))


def _as_they_ended(batch: Batch, refused: list[Claim]) -> list[JobRecord]:
    """Returns the jobs that succeeded, as they are in the store now."""
    return [
        execution.job._replace(state=outcome.state, result=outcome.result, reason=None)
        for execution, outcome in batch
        if outcome.state is State.SUCCEEDED and Claim(outcome.id, outcome.attempt) not in refused
    ]
