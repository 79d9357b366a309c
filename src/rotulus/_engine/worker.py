"""A worker: claims jobs whenever there is room for them, until it is stopped; then it drains."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from rotulus._engine.attempt_runner import OVERDUE, AttemptRunner
from rotulus._engine.executor import Executor
from rotulus._engine.leases import LeaseKeeper
from rotulus._engine.settler import Batch, ClaimRequest, Settler
from rotulus._engine.threads import Threads
from rotulus._exiting import is_exiting
from rotulus._jobs.record import JobRecord
from rotulus._time.backoff import pause_after
from rotulus.errors import StoreClosedError
from rotulus.events import (
    Events,
    StoreFailed,
    StoreRecovered,
    ThreadNotStarted,
    WorkerDraining,
    WorkerRetiring,
    WorkerStarted,
    WorkerStopped,
)
from rotulus.store import ClaimFilter, Store, WorkerInfo

_WAIT = 0.4
"""Seconds a call waits for work before it looks whether the worker is to stop."""

_CLEAN_UP = 0.25
"""Seconds for coroutines to clean up when the time to drain is over."""

_LAST_WRITE = 5.0
"""Seconds to go on trying to settle, when the store fails at the very end."""


_MOST_STUCK = 100
"""How many bodies that do not stop, each in a thread of its own, a worker lives with."""

_LOOK_EVERY = OVERDUE / 4
"""Seconds between two looks for jobs that were claimed ahead for too long."""


class Claimed(NamedTuple):
    """Jobs, and when their claim was asked for."""

    jobs: list[JobRecord]
    asked_at: float


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """How a worker works.

    Attributes:
        lease: seconds for which a claim is safe without being renewed.
        drain: seconds for which jobs may run on after a stop; then they are given back.
        burst: stop as soon as nothing is due and everything is settled.
        unknown_grace: seconds for which a due job of a task that is not known here is left to
            workers that know it; 0: it is given up at once.
        recycle_jobs: retire after so many attempts.
    """

    lease: float = 30.0
    drain: float = 20.0
    burst: bool = False
    unknown_grace: float = 0.0
    recycle_jobs: int | None = None


class Worker:
    """Runs jobs of a store until it is stopped.

    Args:
        store: where the jobs are.
        info: who it is, which queues it serves, and how many slots it has.
        options: how it works.
        make_executor: makes the executor, given the threads for plain functions.
        monotonic: the clock of leases, in seconds.
        chance: random numbers from 0 to 1.
        events: where it tells what happens.

    Attributes:
        info: who it is.
        stuck: how many bodies did not stop when it retired because of them; 0: it did not.
    """

    def __init__(
        self,
        store: Store,
        info: WorkerInfo,
        options: WorkerOptions,
        make_executor: Callable[[Threads], Executor],
        monotonic: Callable[[], float],
        chance: Callable[[], float],
        events: Events,
    ) -> None:
        self.info = info
        self.stuck = 0
        self._store = store
        self._options = options
        self._make_executor = make_executor
        self._monotonic = monotonic
        self._chance = chance
        self._events = events
        grace = options.unknown_grace or None
        names = None if grace is None else info.names
        self._wanted = ClaimFilter(info.name, info.queues, names, grace)
        self._stops = 0
        self._claimed = 0
        self._retiring = False
        self._wake: Callable[[], object] | None = None
        self._prepare: Callable[..., object] = lambda *_: None
        self._resize: Callable[[int], object] = lambda _: None

    def stop(self, times: int | None = None) -> None:
        """Stop: claim no more, and finish what runs; called a second time, give it back now.

        May be called from any thread, and from a signal handler.

        Args:
            times: how often it has been told by now, from one who may not be the only one to
                tell it: unless that is more than before, nothing happens.
        """
        self._stops = self._stops + 1 if times is None else max(times, self._stops)
        self._look_up()

    def retire(self, reason: str) -> None:
        """Claim no more, finish what is held however long it takes, and end.

        May be called from any thread. A worker that has not claimed anything yet stays.
        """
        if self._claimed and not self._retiring:
            self._retiring = True
            self._events.emit(WorkerRetiring(self.info.name, reason))
            self._look_up()

    def set_slots(self, slots: int) -> None:
        """Run so many jobs at once from now on; what runs beyond that goes on.

        May be called from any thread, also before the worker begins.
        """
        self.info = self.info._replace(slots=slots)
        self._resize(slots)

    async def run(self, end_duties: Callable[[], object] = lambda: None) -> None:
        """Work until stopped.

        Args:
            end_duties: in a burst, called in a thread before the last claims: what has been fired
                until then is still run.
        """
        loop = asyncio.get_running_loop()
        lease, events = self._options.lease, self._events
        calls = Threads(loop, "rotulus-store", keep=2, refused=self._no_thread)
        bodies = Threads(loop, "rotulus-task", keep=self.info.slots, refused=self._no_thread)
        executor = self._make_executor(bodies)
        self._prepare = executor.prepare
        fork_server_process = LeaseKeeper(self._store, self.info, lease, self._monotonic, events)
        settler = Settler(self._store, fork_server_process.drop, calls, events, self._chance)
        runner = AttemptRunner(
            self.info.slots,
            executor,
            bodies,
            fork_server_process,
            settler,
            events,
            copy_context(),
            self._monotonic,
        )

        def resize(slots: int) -> None:
            fork_server_process.announce(self.info)
            bodies.keep(slots)
            runner.set_slots(slots)

        self._resize = resize
        if self.info.slots != runner.slots:  # they have been changed meanwhile
            resize(self.info.slots)
        self._wake = partial(loop.call_soon_threadsafe, runner.changed.set)
        fork_server_process.start(loop)
        settling = loop.create_task(settler.run(self._along(runner)))
        watching = [
            loop.create_task(fork_server_process.watch()),
            loop.create_task(self._watch(runner, bodies)),
        ]
        events.emit(WorkerStarted(self.info.name, self.info.queues, self.info.slots))
        try:
            try:
                await self._feed(runner, settler, calls)
                if self._options.burst and self._feeding:
                    await calls.run(end_duties)
                    await self._feed(runner, settler, calls)
                await self._finish(runner)
            finally:  # whatever ends it: what runs is finished, or given back
                await self._drain(runner, settler)
        finally:
            settling.cancel()
            for task in watching:
                task.cancel()
            await calls.run(fork_server_process.end)
            await executor.close()
            bodies.close()
            calls.close()
            events.emit(WorkerStopped(self.info.name, runner.attempts, runner.released))

    def _no_thread(self, error: Exception) -> None:
        if not is_exiting():  # then no thread is started any more, and nobody is missing one
            self._events.emit(ThreadNotStarted(self.info.name, error))

    async def _watch(self, runner: AttemptRunner, bodies: Threads) -> None:
        """Give back what waits for too long, and retire with too many stuck bodies."""
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            self._claimed -= runner.give_back_overdue()
            if bodies.abandoned >= _MOST_STUCK and not self._retiring:
                self.stuck = bodies.abandoned
                self.retire(f"{bodies.abandoned} bodies do not stop, and hold a thread each")

    def _look_up(self) -> None:
        if self._wake is not None:
            with suppress(RuntimeError):  # the loop has ended already
                self._wake()

    @property
    def _feeding(self) -> bool:
        """Whether to claim more."""
        return not self._stops and not self._retiring

    async def _feed(self, runner: AttemptRunner, settler: Settler, calls: Threads) -> None:
        """Claim whenever there is room, until told to stop or to retire."""
        failures = 0
        while self._feeding:
            room = runner.room()
            if not room:
                await _change(runner)
                continue
            settled = settler.batches
            try:
                # After a failure what counts first is whether the store works again.
                claimed = await self._ask(runner, calls, room, wait=not failures)
            except StoreClosedError:
                return
            except Exception as error:  # noqa: BLE001 - no descriptors, no memory: it may pass
                failures += 1
                await self._pause(error, failures)
                continue
            if failures:
                failures = 0
                self._events.emit(StoreRecovered("claim"))
            self._take(runner, claimed)
            if (
                self._options.burst
                and not claimed.jobs
                and not await _more(runner, settler, settled)
            ):
                return

    async def _ask(
        self, runner: AttemptRunner, calls: Threads, room: int, *, wait: bool
    ) -> Claimed:
        """Claim so many; what is claimed meanwhile, along with what is settled, heeds that."""
        room = self._still_to_claim(room)
        runner.asked += room
        try:
            return await calls.run(partial(self._fetch, runner, room, wait=wait))
        finally:
            runner.asked -= room

    def _fetch(self, runner: AttemptRunner, room: int, *, wait: bool) -> Claimed:
        """Claim; when there is nothing, and time to wait, wait for something. In a thread."""
        claim = partial(self._claim, room)
        claimed = claim()
        while wait and not claimed.jobs and self._feeding and not self._options.burst:
            found = self._store.wait(self._wanted, _WAIT)
            if runner.stalled:
                break  # there is less room than there was
            if found and self._feeding:
                claimed = claim()
        return claimed

    def _claim(self, room: int) -> Claimed:
        asked_at = self._monotonic()
        jobs = self._store.claim(self._wanted, room, self._options.lease)
        self._prepare(jobs)
        return Claimed(jobs, asked_at)

    def _along(self, runner: AttemptRunner) -> ClaimRequest:
        """What is claimed along with what is settled: when steps end, others are due."""
        asked_at = 0.0

        def ask(ended: Batch) -> int:
            nonlocal asked_at
            steps = any(run.job.run is not None or outcome.parts for run, outcome in ended)
            # One that may claim only so many more counts them when they are here.
            if not steps or not self._feeding or self._options.recycle_jobs is not None:
                return 0
            room = runner.room_along(len(ended))
            runner.asked += room
            asked_at = self._monotonic()
            return room

        def take(jobs: list[JobRecord], asked: int) -> None:
            runner.asked -= asked
            if self._feeding:
                self._take(runner, Claimed(jobs, asked_at))
            else:
                runner.give_back(jobs)
            if runner.room():  # who found none, as these might have come, may look again
                runner.changed.set()

        return ClaimRequest(self._wanted, self._options.lease, ask, self._prepare, take)

    def _take(self, runner: AttemptRunner, claimed: Claimed) -> None:
        if claimed.jobs:
            runner.take(claimed.jobs, claimed.asked_at)
            self._count(len(claimed.jobs))

    def _still_to_claim(self, room: int) -> int:
        most = self._options.recycle_jobs
        return room if most is None else min(room, most - self._claimed)

    def _count(self, jobs: int) -> None:
        self._claimed += jobs
        most = self._options.recycle_jobs
        if most is not None and self._claimed >= most:
            self.retire(f"it has its {most} jobs")

    async def _finish(self, runner: AttemptRunner) -> None:
        """Let a worker that retires finish what it holds, until it is told to stop."""
        while self._retiring and runner.held and not self._stops:
            await _change(runner)

    async def _pause(self, error: Exception, failures: int) -> None:
        if failures == 1:
            self._events.emit(StoreFailed("claim", error))
        await asyncio.sleep(pause_after(failures, self._chance()))

    async def _drain(self, runner: AttemptRunner, settler: Settler) -> None:
        """Finish what runs, for as long as there is time, and give back the rest."""
        runner.give_back_waiting()
        if runner.running:
            drain = self._options.drain
            self._events.emit(WorkerDraining(self.info.name, runner.running, drain))
            await self._until_idle(runner, drain, stops=2)
            runner.interrupt()
            await self._until_idle(runner, _CLEAN_UP, stops=3)
            runner.abandon()
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WRITE / max(1, self._stops)):
                await settler.all_settled()

    async def _until_idle(self, runner: AttemptRunner, seconds: float, *, stops: int) -> None:
        """Wait until nothing runs, the time is over, or somebody is impatient."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while runner.running and self._stops < stops:
                    await _change(runner)


async def _change(runner: AttemptRunner) -> None:
    await runner.changed.wait()
    runner.changed.clear()


async def _more(runner: AttemptRunner, settler: Settler, settled: int) -> bool:
    """Whether what is under way may still bring something to claim, or has since the last claim.

    Args:
        runner: who runs jobs.
        settler: who settles them.
        settled: how many batches had been settled before the last claim.
    """
    if runner.held:
        await _change(runner)
        return True
    under_way = settler.busy
    await settler.all_settled()
    return under_way or settler.batches != settled
