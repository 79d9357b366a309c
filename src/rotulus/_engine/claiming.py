"""When a worker claims jobs: as slots become free, and together with settling steps."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from rotulus._engine.attempt_runner import AttemptRunner
from rotulus._engine.settler import Batch, ClaimRequest, Settler
from rotulus._engine.threads import Threads
from rotulus._jobs.record import JobRecord
from rotulus._time.backoff import pause_after
from rotulus.errors import StoreClosedError
from rotulus.events import Events, StoreFailed, StoreRecovered
from rotulus.store import ClaimFilter, Store

_WAIT = 0.4
"""Seconds for which the store waits for work before the worker looks whether it is to stop."""

_LONG = 0.25
"""Seconds after which a claim that has found nothing may not have looked at all that is due."""


class Claimed(NamedTuple):
    """Jobs that have been claimed, and when their claim was asked for, by the clock."""

    jobs: list[JobRecord]
    asked_at: float


class ClaimOptions(NamedTuple):
    """How a worker claims.

    Attributes:
        claim_filter: which jobs.
        lease: seconds for which a claim is safe without being renewed.
        burst: whether to end as soon as nothing is due and everything is settled.
        most: how many jobs to claim in all; None: as many as there are.
    """

    claim_filter: ClaimFilter
    lease: float
    burst: bool
    most: int | None


class Claimer:
    """Claims jobs for the runner of a worker.

    Args:
        store: where the jobs are.
        options: how they are claimed.
        runner: runs them, and says how many to claim.
        calls: threads where the store is called.
        prepare: reads what claimed jobs need. Called in a thread.
        goes_on: whether to claim more.
        retire: called with the reason when as many have been claimed as there are to be.
        monotonic: the clock of leases, in seconds.
        chance: random numbers from 0 to 1, to spread attempts after a failure.
        events: where failures are told.

    Attributes:
        claimed: how many jobs have been claimed, and were not given back before they began.
    """

    def __init__(
        self,
        store: Store,
        options: ClaimOptions,
        runner: AttemptRunner,
        calls: Threads,
        prepare: Callable[..., object],
        goes_on: Callable[[], bool],
        retire: Callable[[str], None],
        monotonic: Callable[[], float],
        chance: Callable[[], float],
        events: Events,
    ) -> None:
        self._store = store
        self._options = options
        self._runner = runner
        self._calls = calls
        self._prepare = prepare
        self._goes_on = goes_on
        self._retire = retire
        self._monotonic = monotonic
        self._chance = chance
        self._events = events
        self.claimed = 0

    async def claim_until_stopped(self, settler: Settler) -> None:
        """Claim whenever there are free slots; in a burst, until nothing is due any more."""
        failures = 0
        while self._goes_on():
            to_claim = self._runner.to_claim()
            if not to_claim:
                await self._runner.wait_for_change()
                continue
            settled = settler.batches
            try:
                # After a failure the first question is whether the store works again.
                claimed = await self._claim(to_claim, wait=not failures)
            except StoreClosedError:
                return
            except Exception as error:  # noqa: BLE001 - no descriptors, no memory: it may pass
                failures += 1
                await self._pause_after(error, failures)
                continue
            if failures:
                failures = 0
                self._events.emit(StoreRecovered("claim"))
            self._run_claimed(claimed)
            if (
                self._options.burst
                and not claimed.jobs
                and not await self._may_bring_more(settler, settled)
            ):
                return

    def on_settle(self) -> ClaimRequest:
        """How jobs are claimed in the transaction that settles others: steps make others due."""
        asked_at = 0.0

        def to_claim(ended: Batch) -> int:
            nonlocal asked_at
            steps = any(
                execution.job.run is not None or outcome.parts for execution, outcome in ended
            )
            # A worker that may claim only so many more counts them when they are here.
            if not steps or not self._goes_on() or self._options.most is not None:
                return 0
            count = self._runner.to_claim_on_settle(len(ended))
            self._runner.claiming += count
            asked_at = self._monotonic()
            return count

        def claimed(jobs: list[JobRecord], count: int) -> None:
            self._runner.claiming -= count
            if self._goes_on():
                self._run_claimed(Claimed(jobs, asked_at))
            else:
                self._runner.give_back(jobs)
            if self._runner.to_claim():  # slots that were kept free for these are free for others
                self._runner.changed.set()

        options = self._options
        return ClaimRequest(options.claim_filter, options.lease, to_claim, self._prepare, claimed)

    async def _claim(self, to_claim: int, *, wait: bool) -> Claimed:
        """Claim so many jobs. Claims by the settler take note of them meanwhile."""
        most = self._options.most
        to_claim = to_claim if most is None else min(to_claim, most - self.claimed)
        self._runner.claiming += to_claim
        try:
            return await self._calls.run(partial(self._claim_or_wait, to_claim, wait=wait))
        finally:
            self._runner.claiming -= to_claim

    def _claim_or_wait(self, to_claim: int, *, wait: bool) -> Claimed:
        """Claim; when nothing is due, and there is time, wait for work. In a thread."""
        claimed = self._claim_now(to_claim)
        while self._options.burst and self._goes_on() and self._may_be_unfinished(claimed):
            claimed = self._claim_now(to_claim)
        while wait and not claimed.jobs and self._goes_on() and not self._options.burst:
            claimed = self._await_claim(to_claim)
            if self._runner.stalled:
                break  # there are fewer free slots than there were
        return claimed

    def _claim_now(self, to_claim: int) -> Claimed:
        asked_at = self._monotonic()
        jobs = self._store.claim(self._options.claim_filter, to_claim, self._options.lease)
        self._prepare(jobs)
        return Claimed(jobs, asked_at)

    def _may_be_unfinished(self, claimed: Claimed) -> bool:
        """Whether a claim has come back with nothing only because it took long."""
        if claimed.jobs or self._monotonic() - claimed.asked_at < _LONG:
            return False
        return self._store.wait(self._options.claim_filter, 0.0)

    def _await_claim(self, to_claim: int) -> Claimed:
        asked_at: list[float] = []

        def limit() -> int:
            asked_at.append(self._monotonic())  # the leases begin later than this, in any thread
            return to_claim if self._goes_on() and not self._runner.stalled else 0

        options = self._options
        jobs = self._store.await_claim(options.claim_filter, limit, options.lease, _WAIT)
        self._prepare(jobs)
        return Claimed(jobs, asked_at[0] if jobs else self._monotonic())

    def _run_claimed(self, claimed: Claimed) -> None:
        if not claimed.jobs:
            return
        self._runner.run(claimed.jobs, claimed.asked_at)
        self.claimed += len(claimed.jobs)
        most = self._options.most
        if most is not None and self.claimed >= most:
            self._retire(f"it has its {most} jobs")

    async def _may_bring_more(self, settler: Settler, settled: int) -> bool:
        """Whether jobs that are held or settled may make others due, or have since the last claim.

        Args:
            settler: settles the jobs.
            settled: how many batches had been settled before the last claim.
        """
        if self._runner.held:
            await self._runner.wait_for_change()
            return True
        under_way = settler.busy
        await settler.all_settled()
        return under_way or settler.batches != settled

    async def _pause_after(self, error: Exception, failures: int) -> None:
        if failures == 1:
            self._events.emit(StoreFailed("claim", error))
        await asyncio.sleep(pause_after(failures, self._chance()))
