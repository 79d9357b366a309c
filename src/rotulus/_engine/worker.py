"""A worker, from its start to its end: claims and runs jobs until it is stopped, then drains."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial

from rotulus._engine.attempt_runner import OVERDUE, AttemptRunner
from rotulus._engine.claiming import Claimer, ClaimOptions
from rotulus._engine.executor import Executor
from rotulus._engine.leases import LeaseKeeper
from rotulus._engine.log_writer import LogWriter
from rotulus._engine.settler import Settler
from rotulus._engine.threads import Threads
from rotulus._exiting import is_exiting
from rotulus.events import (
    Events,
    ThreadNotStarted,
    WorkerDraining,
    WorkerRetiring,
    WorkerStarted,
    WorkerStopped,
)
from rotulus.store import ClaimFilter, Store, WorkerInfo

_CLEAN_UP = 0.25
"""Seconds for coroutines to clean up when the time to drain is over."""

_LAST_WRITE = 5.0
"""Seconds to go on trying to settle, when the store fails at the very end."""

_MOST_STUCK = 100
"""How many bodies that do not stop, each in a thread of its own, a worker lives with."""

_CHECK_EVERY = OVERDUE / 4
"""Seconds between two looks for jobs that were claimed ahead for too long."""


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
        info: its name, the queues that it serves, and how many slots it has.
        options: how it works.
        make_executor: makes the executor, given the threads for plain functions.
        monotonic: the clock of leases, in seconds.
        chance: random numbers from 0 to 1.
        events: where it tells of what happens.

    Attributes:
        info: the worker, as it is announced to the store.
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
        self._stops = 0
        self._retiring = False
        self._claimer: Claimer | None = None
        self._wake: Callable[[], object] | None = None
        self._resize: Callable[[int], object] = lambda _: None

    def stop(self, times: int | None = None) -> None:
        """Stop: claim no more, and finish what runs; called a second time, give it back now.

        May be called from any thread, and from a signal handler.

        Args:
            times: how often the worker has been told by now, where a caller counts that: unless
                it is more than before, nothing happens. None: once more.
        """
        self._stops = self._stops + 1 if times is None else max(times, self._stops)
        self._wake_up()

    def retire(self, reason: str) -> None:
        """Claim no more, finish what is held however long it takes, and end.

        May be called from any thread. A worker that has not claimed anything yet stays.
        """
        if self._claimer is not None and self._claimer.claimed and not self._retiring:
            self._retiring = True
            self._events.emit(WorkerRetiring(self.info.name, reason))
            self._wake_up()

    def drain(self) -> None:
        """The same, also for a worker that has claimed nothing; nothing takes its place.

        May be called from any thread, and more than once.
        """
        if not self._retiring:
            self._retiring = True
            self._events.emit(WorkerRetiring(self.info.name, "it is drained", drained=True))
            self._wake_up()

    def set_slots(self, slots: int) -> None:
        """Run so many jobs at once from now on; what runs beyond that goes on.

        May be called from any thread, also before the worker begins.
        """
        self.info = self.info._replace(slots=slots)
        self._resize(slots)

    async def run(self, end_duties: Callable[[], object] = lambda: None) -> None:
        """Work until stopped.

        Args:
            end_duties: in a burst, called in a thread before the last claims: the jobs of
                schedules that have fired until then are still run.
        """
        loop = asyncio.get_running_loop()
        lease, events = self._options.lease, self._events
        calls = Threads(loop, "rotulus-store", keep=2, refused=self._tell_no_thread)
        bodies = Threads(loop, "rotulus-task", keep=self.info.slots, refused=self._tell_no_thread)
        executor = self._make_executor(bodies)
        leases = LeaseKeeper(self._store, self.info, lease, self._monotonic, events, self.drain)
        logs = LogWriter(self._store, self._monotonic, events)
        settler = Settler(self._store, logs, leases.drop, calls, events, self._chance)
        runner = AttemptRunner(
            self.info.slots,
            executor,
            bodies,
            leases,
            settler,
            events,
            copy_context(),
            self._monotonic,
        )
        claimer = self._claimer = self._make_claimer(runner, calls, executor)

        def resize(slots: int) -> None:
            leases.announce(self.info)
            bodies.keep(slots)
            runner.set_slots(slots)

        self._resize = resize
        if self.info.slots != runner.slots:  # they were changed before it began
            resize(self.info.slots)
        self._wake = partial(loop.call_soon_threadsafe, runner.changed.set)
        leases.start(loop)
        settling = loop.create_task(settler.run(claimer.on_settle()))
        watching = [
            loop.create_task(leases.watch_for_loss()),
            loop.create_task(self._watch_for_delay(runner, claimer, bodies)),
            loop.create_task(runner.write_logs(logs, calls)),
        ]
        events.emit(WorkerStarted(self.info.name, self.info.queues, self.info.slots))
        try:
            try:
                await claimer.claim_until_stopped(settler)
                if self._options.burst and self._goes_on():
                    await calls.run(end_duties)
                    await claimer.claim_until_stopped(settler)
                await self._finish_held(runner)
            finally:  # in any case: the jobs that run are finished, or given back
                await self._drain(runner, settler)
        finally:
            settling.cancel()
            for task in watching:
                task.cancel()
            await calls.run(leases.end)
            await executor.close()
            bodies.close()
            calls.close()
            events.emit(WorkerStopped(self.info.name, runner.attempts, runner.released))

    def _make_claimer(self, runner: AttemptRunner, calls: Threads, executor: Executor) -> Claimer:
        options, info = self._options, self.info
        grace = options.unknown_grace or None
        claim_filter = ClaimFilter(
            info.name, info.queues, None if grace is None else info.names, grace
        )
        return Claimer(
            self._store,
            ClaimOptions(claim_filter, options.lease, options.burst, options.recycle_jobs),
            runner,
            calls,
            executor.prepare,
            self._goes_on,
            self.retire,
            self._monotonic,
            self._chance,
            self._events,
        )

    def _goes_on(self) -> bool:
        """Returns whether to claim more."""
        return not self._stops and not self._retiring

    def _tell_no_thread(self, error: Exception) -> None:
        if not is_exiting():  # then no thread is started any more, and none is missed
            self._events.emit(ThreadNotStarted(self.info.name, error))

    def _wake_up(self) -> None:
        if self._wake is not None:
            with suppress(RuntimeError):  # the loop has ended already
                self._wake()

    async def _watch_for_delay(
        self, runner: AttemptRunner, claimer: Claimer, bodies: Threads
    ) -> None:
        """Give back jobs that wait for too long, and retire with too many stuck bodies."""
        while True:
            await asyncio.sleep(_CHECK_EVERY)
            claimer.claimed -= runner.give_back_overdue()
            if bodies.abandoned >= _MOST_STUCK and not self._retiring:
                self.stuck = bodies.abandoned
                self.retire(f"{bodies.abandoned} bodies do not stop, and hold a thread each")

    async def _finish_held(self, runner: AttemptRunner) -> None:
        """Let a worker that retires finish the jobs it holds, until it is told to stop."""
        while self._retiring and runner.held and not self._stops:
            await runner.wait_for_change()

    async def _drain(self, runner: AttemptRunner, settler: Settler) -> None:
        """Finish the jobs that run, for as long as there is time, and give back the others."""
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
        """Wait until nothing runs, the time is over, or the worker is told to stop so often."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while runner.running and self._stops < stops:
                    await runner.wait_for_change()
