"""The runner of a worker: tasks on the event loop and threads, which run claimed jobs in turn."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context
from time import perf_counter
from typing import cast

from rotulus._engine.driver import drive
from rotulus._engine.execution import Execution, Stop
from rotulus._engine.executor import Executor
from rotulus._engine.leases import LeaseKeeper
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

_TURN = 0.002
"""Seconds for which jobs may follow one another before the event loop gets its turn."""


class AttemptRunner:
    """Runs claimed jobs, so many at once; holds a few more, to start them without a pause.

    Args:
        count: how many run at once.
        executor: runs them.
        threads: where plain functions run.
        fork server: keeps their leases.
        settler: takes their outcomes.
        events: where attempts are told.
        context: the context variables that bodies see, each in a copy of its own.
        monotonic: the clock, in seconds.

    Attributes:
        changed: set whenever there is room to claim more, or nothing is held any more.
        asked: how many more have been asked for.
        attempts: how many attempts have ended.
        released: how many of them were given back.
    """

    def __init__(
        self,
        count: int,
        executor: Executor,
        threads: Threads,
        fork_server_process: LeaseKeeper,
        settler: Settler,
        events: Events,
        context: Context,
        monotonic: Callable[[], float],
    ) -> None:
        self._executor = executor
        self._threads = threads
        self._fork_server_process = fork_server_process
        self._settler = settler
        self._events = events
        self._context = context
        self._monotonic = monotonic
        self._slots = Slots(count, self._hand_over)
        self._pace = Prefetch(count)
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._taking_turns = False
        self._ended: deque[tuple[Execution, Outcome, float]] = deque()
        self._waking = False
        self._told_waiting: set[str] = set()
        self.changed = asyncio.Event()
        self.asked = 0
        self.attempts = 0
        self.released = 0

    @property
    def slots(self) -> int:
        """How many jobs run at once."""
        return self._pace.slots

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
        """Whether what was claimed ahead had to be given back, and no job has ended since."""
        return self._pace.stalled

    def set_slots(self, count: int) -> None:
        """Run so many at once from now on; what runs beyond that goes on. In any thread."""
        if count < self._pace.slots:
            self._pace.stalled = True  # who asks for more now asks anew, for less
        self._pace.slots = count
        self._slots.resize(count)
        self._nudge()

    def room(self) -> int:
        """How many jobs to claim now; 0 when it can wait."""
        return self._pace.room(self._slots.held - self._slots.away + self.asked)

    def room_along(self, ended: int) -> int:
        """How many jobs to claim along with settling so many that have ended."""
        return self._pace.room_along(self._slots.held - self._slots.away, self.asked, ended)

    def take(self, jobs: list[JobRecord], asked_at: float) -> None:
        """Run these as soon as there are slots for them.

        Args:
            jobs: jobs that have been claimed.
            asked_at: when the claim was asked for, by the clock.
        """
        runs = list(map(Execution, jobs))
        is_plain, now = self._executor.is_plain, self._monotonic()
        for run in runs:
            run.slot = self
            run.plain = is_plain(run)
            run.taken_at = now
            run.leased_at = asked_at
        self._fork_server_process.hold(runs)
        self._slots.add(runs)
        self._start()

    def leave(self, run: Execution) -> None:
        """A run waits for something outside: others may have its slot. In any thread."""
        self._slots.leave(run)
        self._nudge()

    def come_back(self, run: Execution, back: Callable[[], object]) -> None:
        """A run wants a slot again. In any thread."""
        self._slots.come_back(run, back)

    def note_waiting(self, run: Execution, job_id: str) -> None:
        """A run keeps its slot while it waits for another job. In any thread."""
        if run.job.task not in self._told_waiting:  # once for each task
            self._told_waiting.add(run.job.task)
            self._events.emit(ResultAwaited(run.job, job_id))

    def give_back_waiting(self) -> None:
        """Give back what has not been started."""
        self._give_back(self._slots.withdraw())

    def give_back_overdue(self) -> int:
        """Give back what was claimed ahead and has waited for much too long; how many."""
        overdue = self._slots.withdraw(self._monotonic() - OVERDUE)
        if overdue:
            self._pace.stalled = True
        self._give_back(overdue)
        return len(overdue)

    def give_back(self, jobs: list[JobRecord]) -> None:
        """Give back what is not to be started here any more."""
        self._give_back(list(map(Execution, jobs)))

    def interrupt(self) -> None:
        """Tell everything that runs to stop and be given back."""
        for run in self._slots.all_running():
            run.stop(Stop.SHUTDOWN)

    def abandon(self) -> None:
        """Give back what did not stop; its bodies are left to themselves."""
        for run in self._slots.all_running():
            if self._slots.drop(run):
                self._events.emit(BodyStuck(run.job, "shutdown"))
                self._settle(run, released(run.job.id, run.job.attempt), 0.0)

    def _start(self) -> None:
        """See to it that somebody takes the next jobs, if there are slots for them."""
        if not self._taking_turns and self._slots.startable(plain=False):
            self._taking_turns = True
            task = self._loop.create_task(self._take_turns())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self._start_threads()

    def _start_threads(self) -> None:
        for _ in range(self._slots.startable(plain=True)):
            self._threads.call(self._work_off)

    def _hand_over(self, plain: bool) -> None:
        """The next job is for the threads, which the loop is told; or the other way round."""
        if plain:
            self._start_threads()
        else:
            self._wake_up()

    async def _take_turns(self) -> None:
        """Run one coroutine after the other, until one of them waits for something."""
        task = cast("asyncio.Task[None]", asyncio.current_task())
        now = perf_counter()
        turn_ends = now + _TURN
        waited = False

        def waits() -> None:
            """This task belongs to that body from now on; another one starts the next."""
            nonlocal waited
            waited = True
            self._taking_turns = False
            self._start()

        while run := self._slots.next(plain=False):
            self._tell_start(run)
            run.interrupt = task.cancel
            outcome = await drive(self._executor.execute(run), waits, self._context.copy())
            self._slots.vacate(run)
            started, now = now, perf_counter()
            self._end(run, outcome, now - started)
            if waited or now > turn_ends or task.cancelling():
                break
        if not waited:
            self._taking_turns = False
        self._start()

    def _work_off(self) -> None:
        """Run one plain function after the other. In a thread."""
        now = perf_counter()
        while run := self._slots.next(plain=True):
            self._tell_start(run)
            outcome = self._context.copy().run(self._executor.execute_plain, run)
            self._slots.vacate(run)
            started, now = now, perf_counter()
            self._ended.append((run, outcome, now - started))
            self._wake_up()

    def _wake_up(self) -> None:
        """Let the loop look what threads have done.

        One wake-up for all that they do until the loop gets round to it. Two threads may both see
        it asleep: then it wakes twice, and finds nothing the second time.
        """
        if not self._waking:
            self._waking = True
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                self._loop.call_soon_threadsafe(self._collect)

    def _nudge(self) -> None:
        """Let others begin, or be claimed, from the loop."""

        def look() -> None:
            self._start()
            self.changed.set()

        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(look)

    def _collect(self) -> None:
        """Take what has ended in threads, and start what they have left to the loop."""
        self._waking = False
        while self._ended:
            self._end(*self._ended.popleft())
        self._start()

    def _give_back(self, runs: list[Execution]) -> None:
        """They have not begun: nobody is told of an attempt."""
        for run in runs:
            run.ended = True
            self._settler.put(run, unstarted(run.job.id, run.job.attempt))

    def _end(self, run: Execution, outcome: Outcome, seconds: float) -> None:
        """An attempt has come to its end, after so many seconds."""
        if not self._slots.drop(run):
            run.error = None
            return  # abandoned: its job was given back
        self._pace.ended(seconds)
        self._settle(run, outcome, seconds)
        if not self._slots.held or self.room():
            self.changed.set()

    def _settle(self, run: Execution, outcome: Outcome, seconds: float) -> None:
        run.ended = True
        self.attempts += 1
        self.released += is_release(outcome)
        progress = run.unstored_progress()
        if progress is not None:
            outcome = outcome._replace(progress=progress)
        self._settler.put(run, outcome)
        if outcome.state is not State.SUCCEEDED:
            # Its traceback refers to frames, and they to the attempt: whoever is told may look.
            error, run.error = run.error, None
            self._events.emit(AttemptFailed(run.job, outcome, seconds, error))
        elif self._events.wants(AttemptSucceeded):
            self._events.emit(AttemptSucceeded(run.job, outcome, seconds))

    def _tell_start(self, run: Execution) -> None:
        if self._events.wants(AttemptStarted):
            self._events.emit(AttemptStarted(run.job))
