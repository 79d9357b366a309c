"""The runner of a worker: runs claimed jobs, coroutines on the event loop, functions in threads."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context
from functools import partial
from time import perf_counter
from typing import cast

from rotulus._engine.driver import drive
from rotulus._engine.execution import Execution, Stop
from rotulus._engine.executor import Executor
from rotulus._engine.leases import LeaseKeeper
from rotulus._engine.log_writer import WRITE_EVERY, LogWriter
from rotulus._engine.prefetch import AHEAD, Prefetch
from rotulus._engine.settler import Settler
from rotulus._engine.slots import Slots
from rotulus._engine.threads import Threads
from rotulus._jobs.outcome import Outcome, is_release, released, unstarted
from rotulus._jobs.record import JobRecord
from rotulus._jobs.states import State
from rotulus.events import (
    AttemptFailed,
    AttemptStarted,
    AttemptSucceeded,
    BodyStuck,
    Events,
    ResultAwaited,
)

OVERDUE = 20 * AHEAD
"""Seconds after which a job that was claimed ahead, and has not been started, is given back: what
runs before it takes much longer than expected, and another worker may be idle."""

_LOOP_SHARE = 0.002
"""Seconds for which coroutines may follow one another before the event loop runs other tasks."""


class AttemptRunner:
    """Runs claimed jobs, so many at once; holds a few more, to start them without a pause.

    Args:
        count: how many run at once.
        executor: runs them.
        threads: where functions run.
        leases: keeps their leases.
        settler: takes their outcomes.
        events: where attempts are told.
        context: the context variables that bodies see, each in a copy of its own.
        monotonic: the clock, in seconds.

    Attributes:
        changed: set whenever more jobs can be claimed, or none is held any more.
        claiming: how many jobs are being claimed.
        attempts: how many attempts have ended.
        released: how many of them were given back.
    """

    def __init__(
        self,
        count: int,
        executor: Executor,
        threads: Threads,
        leases: LeaseKeeper,
        settler: Settler,
        events: Events,
        context: Context,
        monotonic: Callable[[], float],
    ) -> None:
        self._executor = executor
        self._threads = threads
        self._leases = leases
        self._settler = settler
        self._events = events
        self._context = context
        self._monotonic = monotonic
        self._slots = Slots(count, self._start_other_kind)
        self._prefetch = Prefetch(count)
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._running_coroutines = False
        self._ended: deque[tuple[Execution, Outcome, float]] = deque()
        self._waking = False
        self._told_waiting: set[str] = set()
        self.changed = asyncio.Event()
        self.claiming = 0
        self.attempts = 0
        self.released = 0

    @property
    def slots(self) -> int:
        """How many jobs run at once."""
        return self._prefetch.slots

    @property
    def running(self) -> int:
        """How many jobs run now."""
        return self._slots.running

    @property
    def held(self) -> int:
        """How many jobs run or wait here for a slot."""
        return self._slots.held

    @property
    def stalled(self) -> bool:
        """Whether jobs that were claimed ahead had to be given back, and none has ended since."""
        return self._prefetch.stalled

    def set_slots(self, count: int) -> None:
        """Run so many at once from now on; what runs beyond that goes on. In any thread."""
        if count < self._prefetch.slots:
            self._prefetch.stalled = True  # a claim under way is made again, for fewer jobs
        self._prefetch.slots = count
        self._slots.resize(count)
        self._notify_loop()

    def to_claim(self) -> int:
        """Returns the number of jobs to claim now; 0 if a later claim is as good."""
        return self._prefetch.to_claim(self._slots.held - self._slots.away + self.claiming)

    def to_claim_on_settle(self, ended: int) -> int:
        """Returns how many jobs to claim in the transaction that settles so many."""
        held = self._slots.held - self._slots.away
        return self._prefetch.to_claim_on_settle(held, self.claiming, ended)

    async def wait_for_change(self) -> None:
        """Wait until more jobs can be claimed, or none is held any more."""
        await self.changed.wait()
        self.changed.clear()

    def run(self, jobs: list[JobRecord], asked_at: float) -> None:
        """Run jobs as soon as there are slots for them.

        Args:
            jobs: jobs that have been claimed.
            asked_at: when the claim was asked for, by the clock.
        """
        executions = list(map(Execution, jobs))
        is_in_thread, now = self._executor.runs_in_thread, self._monotonic()
        for execution in executions:
            execution.slot = self
            execution.in_thread = is_in_thread(execution)
            execution.claimed_at = now
            execution.leased_at = asked_at
        self._leases.hold(executions)
        self._slots.add(executions)
        self._start_next()

    def leave(self, execution: Execution) -> None:
        """Let others have the slot of an execution that waits. In any thread."""
        self._slots.leave(execution)
        self._notify_loop()

    def come_back(self, execution: Execution, resume: Callable[[], object]) -> None:
        """Ask for a slot again for an execution. In any thread."""
        self._slots.come_back(execution, resume)

    def note_waiting(self, execution: Execution, job_id: str) -> None:
        """Take note that an execution waits for another job in its slot. In any thread."""
        if execution.job.task not in self._told_waiting:  # once for each task
            self._told_waiting.add(execution.job.task)
            self._events.emit(ResultAwaited(execution.job, job_id))

    async def write_logs(self, logs: LogWriter, threads: Threads) -> None:
        """Write what runs has logged, about every second, until cancelled."""
        while True:
            await asyncio.sleep(WRITE_EVERY)
            talking = [one for one in self._slots.all_running() if one.logs is not None]
            if talking:
                await threads.run(partial(logs.write, talking))

    def give_back_waiting(self) -> None:
        """Give back the jobs that have not been started."""
        self._give_back(self._slots.withdraw())

    def give_back_overdue(self) -> int:
        """Give back jobs that were claimed ahead and wait for too long; returns how many."""
        overdue = self._slots.withdraw(self._monotonic() - OVERDUE)
        if overdue:
            self._prefetch.stalled = True
        self._give_back(overdue)
        return len(overdue)

    def give_back(self, jobs: list[JobRecord]) -> None:
        """Give back jobs that have been claimed and are not to be started here any more."""
        self._give_back(list(map(Execution, jobs)))

    def interrupt(self) -> None:
        """Tell everything that runs to stop and be given back."""
        for execution in self._slots.all_running():
            execution.stop(Stop.SHUTDOWN)

    def abandon(self) -> None:
        """Give back the jobs that did not stop; their bodies are left to themselves."""
        for execution in self._slots.all_running():
            if self._slots.drop(execution):
                job = execution.job
                self._events.emit(BodyStuck(job, "shutdown"))
                self._settle(execution, released(job.id, job.attempt), 0.0)

    def _start_next(self) -> None:
        """Start the next jobs, if there are slots for them."""
        if not self._running_coroutines and self._slots.startable(in_thread=False):
            self._running_coroutines = True
            task = self._loop.create_task(self._run_coroutines())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self._start_threads()

    def _start_threads(self) -> None:
        for _ in range(self._slots.startable(in_thread=True)):
            self._threads.call(self._run_functions)

    def _start_other_kind(self, in_thread: bool) -> None:
        """Have threads run the next job, or the event loop if it is a coroutine."""
        if in_thread:
            self._start_threads()
        else:
            self._wake_up()

    async def _run_coroutines(self) -> None:
        """Run one coroutine after the other, until one of them waits for something."""
        task = cast("asyncio.Task[None]", asyncio.current_task())
        now = perf_counter()
        ends_at = now + _LOOP_SHARE
        waited = False

        def waits() -> None:
            """This asyncio task belongs to that body now; another one starts the next."""
            nonlocal waited
            waited = True
            self._running_coroutines = False
            self._start_next()

        while execution := self._slots.take(in_thread=False):
            self._tell_started(execution)
            execution.interrupt = task.cancel
            body = self._executor.execute(execution)
            outcome = await drive(body, waits, self._context.copy())
            self._slots.vacate(execution)
            started, now = now, perf_counter()
            self._end(execution, outcome, now - started)
            if waited or now > ends_at or task.cancelling():
                break
        if not waited:
            self._running_coroutines = False
        self._start_next()

    def _run_functions(self) -> None:
        """Run one function after the other. In a thread."""
        now = perf_counter()
        while execution := self._slots.take(in_thread=True):
            self._tell_started(execution)
            outcome = self._context.copy().run(self._executor.execute_in_thread, execution)
            self._slots.vacate(execution)
            started, now = now, perf_counter()
            self._ended.append((execution, outcome, now - started))
            self._wake_up()

    def _wake_up(self) -> None:
        """Let the loop look what threads have done.

        One wake-up for all that they do until the loop gets round to it. Two threads may both see
        it asleep: then it wakes twice, and finds nothing the second time.
        """
        if not self._waking:
            self._waking = True
            with suppress(RuntimeError):  # the loop is closed: nothing waits any more
                self._loop.call_soon_threadsafe(self._collect_ended)

    def _notify_loop(self) -> None:
        """Have the loop start and claim others: slots have come free, or there are more."""

        def start() -> None:
            self._start_next()
            self.changed.set()

        with suppress(RuntimeError):  # the loop is closed: nothing waits any more
            self._loop.call_soon_threadsafe(start)

    def _collect_ended(self) -> None:
        """Collect the attempts that ended in threads, and start the coroutines after them."""
        self._waking = False
        while self._ended:
            self._end(*self._ended.popleft())
        self._start_next()

    def _give_back(self, executions: list[Execution]) -> None:
        """Give back jobs that have not begun: no attempt is told of."""
        for execution in executions:
            execution.ended = True
            self._settler.put(execution, unstarted(execution.job.id, execution.job.attempt))

    def _end(self, execution: Execution, outcome: Outcome, seconds: float) -> None:
        """Settle an attempt that has come to its end, after so many seconds."""
        if not self._slots.drop(execution):
            execution.error = None
            return  # abandoned: its job was given back
        self._prefetch.note_ended(seconds)
        self._settle(execution, outcome, seconds)
        if not self._slots.held or self.to_claim():
            self.changed.set()

    def _settle(self, execution: Execution, outcome: Outcome, seconds: float) -> None:
        execution.ended = True
        self.attempts += 1
        self.released += is_release(outcome)
        progress = execution.unstored_progress()
        if progress is not None:
            outcome = outcome._replace(progress=progress)
        self._settler.put(execution, outcome)
        if outcome.state is not State.SUCCEEDED:
            # Its traceback refers to frames, and they to the attempt: subscribers may look at it.
            error, execution.error = execution.error, None
            self._events.emit(AttemptFailed(execution.job, outcome, seconds, error))
        elif self._events.wants(AttemptSucceeded):
            self._events.emit(AttemptSucceeded(execution.job, outcome, seconds))

    def _tell_started(self, execution: Execution) -> None:
        if self._events.wants(AttemptStarted):
            self._events.emit(AttemptStarted(execution.job))
