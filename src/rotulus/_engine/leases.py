"""Extends the leases of running jobs, their heartbeat, from a thread that no task can block."""

import asyncio
import threading
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress

from rotulus._concurrency.starting import rest, start_thread
from rotulus._engine.execution import Execution, Stop
from rotulus._engine.memory import resident
from rotulus._jobs.states import Reason, awaiting
from rotulus.errors import StoreError
from rotulus.events import Events, LeaseLost, StoreFailed, StoreRecovered
from rotulus.store import Claim, Renewal, Renewed, Store, WorkerInfo

CHECK_EVERY = 1.0
"""Seconds between two looks for jobs to cancel, and between two writes of progress."""


class LeaseKeeper:
    """Extends the leases that a worker holds, and stops attempts that were cancelled or lost.

    A lease is renewed after a third of it. When that has not worked for five sixths of it, the
    jobs are given up here before another worker can begin them, also while a call to the store
    hangs. A lease counts from when it was asked for: the store cannot have begun it earlier.

    Args:
        store: where the leases are.
        worker: the worker that holds them; announced with each renewal. None: none is.
        lease: the length of a lease, in seconds.
        monotonic: the clock, in seconds.
        events: where losses are told.
        drained: called, in a thread, when somebody has drained the worker.
    """

    def __init__(
        self,
        store: Store,
        worker: WorkerInfo | None,
        lease: float,
        monotonic: Callable[[], float],
        events: Events,
        drained: Callable[[], object] = lambda: None,
    ) -> None:
        self._store = store
        self._worker = worker
        self._drained = drained
        self._lease = lease
        self._monotonic = monotonic
        self._events = events
        self._held: set[Execution] = set()
        self._deferred: set[Execution] = set()
        self._renewed_at = float("-inf")
        self._failing = False
        self._ended = threading.Event()
        self._tell: Callable[[Execution, Stop], object] = Execution.stop
        self._thread: threading.Thread | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin; attempts are told to stop on this loop. Raises `ThreadNotStartedError`."""

        def tell(execution: Execution, why: Stop) -> None:
            with suppress(RuntimeError):  # the loop has ended, and the attempt with it
                loop.call_soon_threadsafe(execution.stop, why)

        self._tell = tell
        self._thread = start_thread(self._extend_until_ended, "rotulus-leases")

    def announce(self, worker: WorkerInfo) -> None:
        """Announce the worker like this from now on; the store is told at the next look."""
        self._worker = worker
        self._renewed_at = float("-inf")

    def hold(self, executions: list[Execution]) -> None:
        """Renew the leases of some attempts from now on."""
        self._held.update(executions)

    def drop(self, executions: Iterable[Execution]) -> None:
        """Renew the leases of some attempts no more: they have been settled."""
        self._held.difference_update(executions)

    async def watch_for_loss(self) -> None:
        """Give up in time the attempts whose leases cannot be renewed, until cancelled."""
        pause = min(CHECK_EVERY, self._lease / 12)
        while True:
            since = self._monotonic()
            await asyncio.sleep(pause)
            # Where nothing here has run for long, the thread that renews runs first: a supervisor
            # may have renewed for us.
            if self._monotonic() - since < 3 * pause:
                self.give_up_expired()

    def end(self) -> None:
        """Stop, and let the worker be seen as gone."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(CHECK_EVERY)
        if self._failing or self._worker is None:
            return  # its lease will run out
        with suppress(StoreError):
            self._store.extend([], 0.0, self._worker)

    def _extend_until_ended(self) -> None:
        pause = min(CHECK_EVERY, self._lease / 3)
        self.extend_due()
        while not self._ended.wait(pause):
            rest()
            self.extend_due()

    def extend_due(self) -> None:
        """Extend the leases that are due, and stop cancelled and lost attempts. It never raises."""
        try:
            self._extend_due()
        except Exception as error:  # noqa: BLE001 - without this thread every lease would be lost
            if not self._failing and (self._held or self._worker):
                self._failing = True
                self._events.emit(StoreFailed("extend", error))

    def _extend_due(self) -> None:
        now = self._monotonic()
        held_now = self._held.copy()
        deferred = {execution for execution in held_now if execution.deferred}
        # An attempt that leaves its slot, or returns to one, is shown at once: all are renewed.
        renewing = now - self._renewed_at >= self._lease / 3 or deferred != self._deferred
        # A job that has just been claimed is left alone: most are over before the next look.
        held = {
            _claim_of(execution): execution
            for execution in held_now
            if renewing or now - execution.leased_at >= CHECK_EVERY / 2
        }
        if not held and not (renewing and self._worker):
            return
        progress = {claim: execution.unstored_progress() for claim, execution in held.items()}
        renewals = [Renewal(*c, text, _reason(held[c], deferred)) for c, text in progress.items()]
        found = self._extend(renewals, renewing=renewing)
        if found.draining:
            self._drained()
        if renewing:
            self._renewed_at = now
            self._deferred = deferred
            for claim in held.keys() - found.lost:
                held[claim].leased_at = now
        for claim in progress.keys() - set(found.passed_over):
            held[claim].progress_stored(progress[claim])
        self._stop_cancelled_and_lost(found, held)

    def _extend(self, renewals: list[Renewal], *, renewing: bool) -> Renewed:
        lease, worker = (self._lease, self._worker) if renewing else (None, None)
        if worker is not None:
            worker = worker._replace(memory=resident(worker.pid) or None)
        found = self._store.extend(renewals, lease, worker)
        if self._failing:
            self._failing = False
            self._events.emit(StoreRecovered("extend"))
        return found

    def _stop_cancelled_and_lost(self, found: Renewed, held: dict[Claim, Execution]) -> None:
        for claim in found.cancelling:
            self._stop(held[claim], Stop.CANCELLED)
        for claim in found.lost:
            execution = held[claim]
            if execution in self._held and not execution.ended:
                self._events.emit(LeaseLost(*claim))
                self._stop(execution, Stop.LOST)
            self.drop([execution])

    def give_up_expired(self) -> None:
        """Stop the attempts whose leases have not been renewed in time."""
        last_moment = self._monotonic() - self._lease * 5 / 6
        for execution in self._held.copy():
            if execution.leased_at < last_moment and not (execution.ended or execution.stopped_by):
                self._events.emit(LeaseLost(*_claim_of(execution)))
                self._stop(execution, Stop.LOST)

    def _stop(self, execution: Execution, why: Stop) -> None:
        if execution.stopped_by is None:
            self._tell(execution, why)


def _claim_of(execution: Execution) -> Claim:
    return Claim(execution.job.id, execution.job.attempt)


def _reason(execution: Execution, deferred: Collection[Execution]) -> str | None:
    """Returns the reason that is stored with the lease of a body that waits."""
    if execution in deferred:
        return Reason.DEFERRED
    job_id = execution.awaits
    return None if job_id is None else awaiting(job_id)
