"""Single attempts: one job that is asked for by its id is run where its caller is, and settled."""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from contextvars import copy_context
from functools import partial
from time import perf_counter
from typing import NamedTuple, TypeVar

from rotulus._concurrency.handover import tell
from rotulus._concurrency.pool import in_own_thread, off_loop
from rotulus._engine.executor import Executor
from rotulus._engine.failure import describe_error
from rotulus._engine.holding import Hold, Holding
from rotulus._engine.isolation import Cells, Nursery
from rotulus._engine.run import Run, Stop
from rotulus._engine.threads import CallingThread, Threads
from rotulus._forking import follow_forks
from rotulus._jobs.outcome import Outcome, failed, released
from rotulus._jobs.states import Reason, State
from rotulus._tasks.registry import TaskRegistry
from rotulus._tasks.task import Task
from rotulus._time.backoff import pause_after
from rotulus.errors import StoreClosedError, StoreRefusedError
from rotulus.events import (
    AttemptFailed,
    AttemptStarted,
    AttemptSucceeded,
    BodyStuck,
    Events,
    JobsRescued,
    OutcomeRefused,
)
from rotulus.store import Store, Wanted

T = TypeVar("T")

_LAST_WRITE = 5.0
"""Seconds to go on trying to settle when the store fails."""


class Tried(NamedTuple):
    """What came of asking for one attempt.

    Attributes:
        id: the job.
        ran: whether an attempt was made here.
        error: what its body raised, if it did.
    """

    id: str
    ran: bool
    error: BaseException | None = None


class Ways(NamedTuple):
    """What single attempts are made with.

    Attributes:
        store: opens the store.
        executor: makes an executor for one attempt.
        nursery: forks the processes of isolated tasks, for the length of a block.
        name: what the name of this process among the workers begins with.
        lease: seconds for which a claim is safe without being renewed.
        grace: seconds for which a due job of a task that is not known here is left alone; None:
            it is given up at once.
        monotonic: the clock, in seconds.
        chance: random numbers from 0 to 1.
    """

    store: Callable[[], Store]
    executor: Callable[[Threads | CallingThread, Cells | None], Executor]
    nursery: Callable[[Iterable[Task[..., object, object]]], AbstractContextManager[Nursery | None]]
    name: Callable[[], str]
    lease: float
    grace: float | None
    monotonic: Callable[[], float]
    chance: Callable[[], float]


class Limit(NamedTuple):
    """How long a body may take that cannot be interrupted.

    Attributes:
        seconds: so long.
        judge: what an attempt comes to that raised something.
    """

    seconds: float
    judge: Callable[[Run, BaseException], Outcome]


class Singles:
    """Makes single attempts: claims, runs, renews, settles.

    Args:
        ways: what they are made with.
        registry: the tasks.
        events: where attempts are told.
    """

    def __init__(self, ways: Ways, registry: TaskRegistry, events: Events) -> None:
        self._ways = ways
        self._registry = registry
        self._events = events
        self._forked()
        follow_forks(self._forked)

    def _forked(self) -> None:
        """In a forked child: it is another worker, and has none of the threads."""
        self._name = f"{self._ways.name()}.{os.getpid()}.{round(self._ways.chance() * 2**32):08x}"
        self._holding: Holding | None = None
        self._lock = threading.Lock()

    def run(self, job_id: str) -> Tried:
        """Make one attempt of a job in this thread. See `app.jobs.run`."""
        run = self._claim(job_id)
        return Tried(job_id, ran=False) if run is None else self._run(run)

    async def arun(self, job_id: str) -> Tried:
        """The same on the event loop, if the body is a coroutine; else in a thread of its own."""
        run = await off_loop(self._claim, job_id)
        if run is None:
            return Tried(job_id, ran=False)
        task = self._task(run)
        if task is None or not task.is_async or task.isolation is not None:
            return await in_own_thread(self._run, run)
        return await self._run_on_loop(run)

    def _claim(self, job_id: str) -> Run | None:
        """Claim a job; one whose lease is over is taken back first."""
        store, ways = self._ways.store(), self._ways
        names = None if ways.grace is None else self._registry.list_all()
        wanted = Wanted(self._name, None, names, ways.grace, [job_id])
        asked_at = ways.monotonic()
        jobs = store.claim(wanted, 1, ways.lease)
        if not jobs and self._rescued(store, job_id):
            asked_at = ways.monotonic()
            jobs = store.claim(wanted, 1, ways.lease)
        if not jobs:
            return None
        run = Run(jobs[0])
        run.taken_at, run.leased_at = ways.monotonic(), asked_at
        return run

    def _rescued(self, store: Store, job_id: str) -> bool:
        """Whether the job was running, and has been taken back."""
        record = store.get(job_id)
        if record is None or record.state != State.RUNNING:
            return False
        rescued = store.rescue()
        if rescued:
            self._events.emit(JobsRescued(rescued))
        return any(job.id == job_id for job in rescued)

    def _task(self, run: Run) -> Task[..., object, object] | None:
        name = run.job.task
        return self._registry.get(name) if self._registry.has(name) else None

    def _run(self, run: Run) -> Tried:
        """Make the attempt in this thread, which runs no event loop."""
        task = self._task(run)
        if task is not None and task.isolation is not None:
            with self._ways.nursery([task]) as nursery:
                return self._made(run, lambda: self._in_a_process(run, nursery))
        executor = self._ways.executor(CallingThread(), None)
        time = None if task is None or task.is_async else task.timeout
        limit = None if time is None else Limit(time, executor.interrupted)
        if not executor.is_in_thread(run):
            return self._made(run, lambda: _on_own_loop(lambda: executor, run), limit)
        body = partial(executor.execute_plain, run)
        return self._made(run, lambda: copy_context().run(body), limit)

    def _in_a_process(self, run: Run, nursery: Nursery | None) -> Outcome:
        def make_executor() -> Executor:
            cells = None if nursery is None else Cells(nursery, lambda: None)
            return self._ways.executor(CallingThread(), cells)

        return _on_own_loop(make_executor, run)

    def _made(self, run: Run, body: Callable[[], Outcome], limit: Limit | None = None) -> Tried:
        """An attempt, from its beginning to its end.

        Args:
            run: the attempt.
            body: makes it.
            limit: when it has failed, though it goes on: a plain function cannot be interrupted. It
                is settled by the thread that renews its lease.
        """
        attempt = _Attempt(self, run)
        self._tell_start(run)
        if limit is None:
            hold = Hold(run)
        else:
            hold = Hold(run, limit.seconds, partial(self._time_out, attempt, limit))
        with self._held(hold):
            try:
                outcome = body()
            except KeyboardInterrupt:
                attempt.end(released(run.job.id, run.job.attempt))
                raise
            return attempt.end(outcome)

    async def _run_on_loop(self, run: Run) -> Tried:
        loop = asyncio.get_running_loop()
        executor = self._ways.executor(Threads(loop, "rotulus-task", keep=0), None)
        attempt = _Attempt(self, run)
        self._tell_start(run)
        with self._held(Hold(run)):
            body = _begun(executor, run)
            try:
                outcome = await asyncio.shield(body)
            except asyncio.CancelledError:
                run.stop(Stop.SHUTDOWN)
                outcome = await _to_the_end(body)
                await _to_the_end(asyncio.ensure_future(off_loop(attempt.end, outcome)))
                raise
            finally:
                await executor.close()
            return await off_loop(attempt.end, outcome)

    def _time_out(self, attempt: "_Attempt", limit: Limit) -> None:
        """The time of a plain function is over. In the thread that renews leases."""
        run = attempt.run
        error = TimeoutError(f"it took longer than its timeout of {limit.seconds:g} seconds")
        if attempt.time_out(lambda: limit.judge(run, error)):
            self._events.emit(BodyStuck(run.job, "timeout"))

    def _held(self, hold: Hold) -> AbstractContextManager[None]:
        with self._lock:
            if self._holding is None:
                ways = self._ways
                self._holding = Holding(ways.store(), ways.lease, ways.monotonic, self._events)
        return self._holding.held(hold)

    def _tell_start(self, run: Run) -> None:
        if self._events.wants(AttemptStarted):
            self._events.emit(AttemptStarted(run.job))

    def end(self, run: Run, outcome: Outcome, seconds: float) -> Tried:
        """Tell what came of an attempt, and settle it."""
        run.ended = True
        progress = run.unstored_progress()
        if progress is not None:
            outcome = outcome._replace(progress=progress)
        error, run.error = run.error, None
        if outcome.state is not State.SUCCEEDED:
            self._events.emit(AttemptFailed(run.job, outcome, seconds, error))
        elif self._events.wants(AttemptSucceeded):
            self._events.emit(AttemptSucceeded(run.job, outcome, seconds))
        self._settle(run, outcome)
        return Tried(run.job.id, ran=True, error=error)

    def _settle(self, run: Run, outcome: Outcome) -> None:
        store, end, failures = self._ways.store(), time.monotonic() + _LAST_WRITE, 0
        while True:
            try:
                refused = store.settle([outcome])
                break
            except (StoreRefusedError, ValueError, TypeError, OverflowError) as error:
                if outcome.reason == Reason.RESULT:
                    raise
                why = describe_error(error)
                outcome = failed(outcome.id, outcome.attempt, Reason.RESULT, why)
            except StoreClosedError:
                raise
            except Exception:
                failures += 1
                pause = pause_after(failures, self._ways.chance())
                if time.monotonic() + pause > end:
                    raise
                time.sleep(pause)
        if refused and not run.completed:
            self._events.emit(OutcomeRefused(outcome.id, outcome.attempt))


class _Attempt:
    """An attempt under way: it ends once, by itself or because its time is over.

    Args:
        singles: settles it.
        run: the attempt.
    """

    def __init__(self, singles: Singles, run: Run) -> None:
        self.run = run
        self._singles = singles
        self._began = perf_counter()
        self._lock = threading.Lock()
        self._tried: Tried | None = None

    def end(self, outcome: Outcome) -> Tried:
        """The body has come to its end. Raises `KeyboardInterrupt` if that was what ended it."""
        interrupt = self.run.error
        if isinstance(interrupt, KeyboardInterrupt):
            outcome = released(outcome.id, outcome.attempt)
        with self._lock:
            if self._tried is None:
                self._tried = self._end(outcome)
        if isinstance(interrupt, KeyboardInterrupt):
            raise interrupt
        return self._tried

    def time_out(self, judge: Callable[[], Outcome]) -> bool:
        """Its time is over; False when it had ended before."""
        with self._lock:
            if self._tried is not None or self.run.ended:
                return False
            self.run.timed_out = True
            self._tried = self._end(judge())
            return True

    def _end(self, outcome: Outcome) -> Tried:
        return self._singles.end(self.run, outcome, perf_counter() - self._began)


def _on_own_loop(make_executor: Callable[[], Executor], run: Run) -> Outcome:
    """Make an attempt on an event loop of its own. It raises nothing but `KeyboardInterrupt`.

    What a body leaves on the loop may end that: with `sys.exit()`, or as it cancels everything.
    """
    made: list[Executor] = []

    async def main() -> Outcome:
        made.append(make_executor())
        try:
            outcome = await _begun(made[0], run)
        finally:
            await made[0].close()
        this = asyncio.current_task()
        if this is not None and this.cancelling():  # then there was an interrupt
            raise asyncio.CancelledError
        return outcome

    try:
        return asyncio.run(main())
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        if not made:
            raise
        return made[0].interrupted(run, error)


def _begun(executor: Executor, run: Run) -> "asyncio.Task[Outcome]":
    """The attempt as a task of its own, whose body can be told to stop from any thread."""
    loop = asyncio.get_running_loop()
    body = loop.create_task(executor.execute(run))
    run.interrupt = partial(tell, loop, body.cancel)
    return body


async def _to_the_end(body: "asyncio.Future[T]") -> T:
    """What comes of it, however often its caller is cancelled meanwhile."""
    while not body.done():
        try:
            await asyncio.wait({body})
        except asyncio.CancelledError:
            continue
    return body.result()
