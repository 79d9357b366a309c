"""Keeps the leases of running jobs, from a thread that no task can block."""

import asyncio
import threading
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress

from rotulus._concurrency.starting import rest, start_thread
from rotulus._engine.execution import Execution, Stop
from rotulus._jobs.states import Reason, awaiting
from rotulus.errors import StoreError
from rotulus.events import Events, LeaseLost, StoreFailed, StoreRecovered
from rotulus.store import Claim, Renewal, Renewed, Store, WorkerInfo

LOOK_EVERY = 1.0
"""Seconds between two looks for jobs to cancel, and between two writes of progress."""


class LeaseKeeper:
    """Renews what a worker holds, and tells runs to stop that were cancelled or lost.

    A lease is renewed after a third of it. When that has not worked for five sixths of it, the
    jobs are given up here before anybody else can begin them, also while a call to the store
    hangs. A lease counts from when it was asked for: the store cannot have begun it earlier.

    Args:
        store: where the leases are.
        worker: who holds them; announced with each renewal. None: nobody is announced.
        lease: the length of a lease, in seconds.
        monotonic: the clock, in seconds.
        events: where losses are told.
    """

    def __init__(
        self,
        store: Store,
        worker: WorkerInfo | None,
        lease: float,
        monotonic: Callable[[], float],
        events: Events,
    ) -> None:
        self._store = store
        self._worker = worker
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
        """Begin; runs are told to stop on this loop. Raises `ThreadNotStartedError`."""

        def tell(run: Execution, why: Stop) -> None:
            with suppress(RuntimeError):  # the loop has ended, and the run with it
                loop.call_soon_threadsafe(run.stop, why)

        self._tell = tell
        self._thread = start_thread(self._keep, "rotulus-leases")

    def announce(self, worker: WorkerInfo) -> None:
        """The worker is as this says from now on; the store is told at the next look."""
        self._worker = worker
        self._renewed_at = float("-inf")

    def hold(self, runs: list[Execution]) -> None:
        """These are held from now on, under the leases that they have."""
        self._held.update(runs)

    def drop(self, runs: Iterable[Execution]) -> None:
        """These have been settled."""
        self._held.difference_update(runs)

    async def watch(self) -> None:
        """Give up in time what cannot be renewed, until cancelled."""
        pause = min(LOOK_EVERY, self._lease / 12)
        while True:
            since = self._monotonic()
            await asyncio.sleep(pause)
            # Where nothing has had a turn for long, the thread that renews gets the first one: a
            # supervisor may have renewed for us.
            if self._monotonic() - since < 3 * pause:
                self.give_up()

    def end(self) -> None:
        """Stop, and let the worker be seen as gone."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(LOOK_EVERY)
        if self._failing or self._worker is None:
            return  # its lease will run out
        with suppress(StoreError):
            self._store.extend([], 0.0, self._worker)

    def _keep(self) -> None:
        pause = min(LOOK_EVERY, self._lease / 3)
        self.look()
        while not self._ended.wait(pause):
            rest()
            self.look()

    def look(self) -> None:
        """Renew what it is time for, and tell runs that were cancelled or lost. It never raises."""
        try:
            self._look()
        except Exception as error:  # noqa: BLE001 - without this thread every lease would be lost
            if not self._failing and (self._held or self._worker):
                self._failing = True
                self._events.emit(StoreFailed("extend", error))

    def _look(self) -> None:
        now = self._monotonic()
        held_now = self._held.copy()
        deferred = {run for run in held_now if run.deferred}
        # Who leaves or returns to a slot is shown at once, with a renewal of all.
        renewing = now - self._renewed_at >= self._lease / 3 or deferred != self._deferred
        # A job that has just been claimed is left alone: most are over before the next look.
        held = {
            _claim(run): run
            for run in held_now
            if renewing or now - run.leased_at >= LOOK_EVERY / 2
        }
        if not held and not (renewing and self._worker):
            return
        progress = {claim: run.unstored_progress() for claim, run in held.items()}
        renewals = [Renewal(*c, text, _reason(held[c], deferred)) for c, text in progress.items()]
        found = self._extend(renewals, renewing=renewing)
        if renewing:
            self._renewed_at = now
            self._deferred = deferred
            for claim in held.keys() - found.lost:
                held[claim].leased_at = now
        for claim in progress.keys() - set(found.passed_over):
            held[claim].progress_stored(progress[claim])
        self._heed(found, held)

    def _extend(self, renewals: list[Renewal], *, renewing: bool) -> Renewed:
        lease, worker = (self._lease, self._worker) if renewing else (None, None)
        found = self._store.extend(renewals, lease, worker)
        if self._failing:
            self._failing = False
            self._events.emit(StoreRecovered("extend"))
        return found

    def _heed(self, found: Renewed, held: dict[Claim, Execution]) -> None:
        for claim in found.cancelling:
            self._stop(held[claim], Stop.CANCELLED)
        for claim in found.lost:
            run = held[claim]
            if run in self._held and not run.ended:
                self._events.emit(LeaseLost(*claim))
                self._stop(run, Stop.LOST)
            self.drop([run])

    def give_up(self) -> None:
        """Stop what has not been renewed in time."""
        last_moment = self._monotonic() - self._lease * 5 / 6
        for run in self._held.copy():
            if run.leased_at < last_moment and not (run.ended or run.stopped_by):
                self._events.emit(LeaseLost(*_claim(run)))
                self._stop(run, Stop.LOST)

    def _stop(self, run: Execution, why: Stop) -> None:
        if run.stopped_by is None:
            self._tell(run, why)


def _claim(run: Execution) -> Claim:
    return Claim(run.job.id, run.job.attempt)


def _reason(run: Execution, deferred: Collection[Execution]) -> str | None:
    """What is stored with a lease about a body that waits."""
    if run in deferred:
        return Reason.DEFERRED
    job_id = run.awaits
    return None if job_id is None else awaiting(job_id)
