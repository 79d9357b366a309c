"""Single attempts: one job that is asked for by its id is run where its caller is, and settled."""

import asyncio
import os
import threading
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, suppress
from contextvars import copy_context
from functools import partial
from typing import NamedTuple, TypeVar

from rotulus._concurrency.handover import tell
from rotulus._concurrency.pool import in_own_thread, off_loop
from rotulus._engine.execution import Execution, Stop
from rotulus._engine.executor import Executor
from rotulus._engine.isolation import ForkServer, ProcessPool
from rotulus._engine.log_capture import capturing
from rotulus._engine.log_writer import LogWriter
from rotulus._engine.single_attempt import SingleAttempt, SingleResult, read
from rotulus._engine.single_leases import Held, SingleLeases
from rotulus._engine.threads import CallingThread, Threads
from rotulus._forking import follow_forks
from rotulus._jobs.outcome import Outcome, unstarted
from rotulus._jobs.record import JobRecord
from rotulus._jobs.states import State
from rotulus._tasks.known import KnownTasks
from rotulus._tasks.task import Task
from rotulus.errors import IsolationError
from rotulus.events import Events, JobsRescued
from rotulus.store import ClaimFilter, Store

T = TypeVar("T")


class SingleSetup(NamedTuple):
    """The parts that single attempts are made with.

    Attributes:
        store: opens the store.
        executor: makes an executor for one attempt.
        fork_server: forks the processes of isolated tasks, for the length of a block.
        name: gives the beginning of the name that this process has among workers.
        lease: seconds for which a claim is safe without being renewed.
        grace: seconds for which a due job of a task that is not known here is left alone; None:
            it is given up at once.
        monotonic: the clock, in seconds.
        chance: random numbers from 0 to 1.
    """

    store: Callable[[], Store]
    executor: Callable[[Threads | CallingThread, ProcessPool | None], Executor]
    fork_server: Callable[
        [Iterable[Task[..., object, object]]], AbstractContextManager[ForkServer | None]
    ]
    name: Callable[[], str]
    lease: float
    grace: float | None
    monotonic: Callable[[], float]
    chance: Callable[[], float]


class Timeout(NamedTuple):
    """The time of a body that cannot be interrupted.

    Attributes:
        seconds: how long it may take.
        judge: gives the outcome of an attempt that raised.
    """

    seconds: float
    judge: Callable[[Execution, BaseException], Outcome]


class SingleAttempts:
    """Makes single attempts: claims, runs, renews, settles.

    Args:
        setup: what they are made with.
        tasks: the tasks.
        events: where attempts are told.
    """

    def __init__(self, setup: SingleSetup, tasks: KnownTasks, events: Events) -> None:
        self._setup = setup
        self._tasks = tasks
        self._events = events
        self._begin_process()
        follow_forks(self._begin_process)

    def _begin_process(self) -> None:
        """Begin as another worker, without threads: also in a forked child."""
        self._name = f"{self._setup.name()}.{os.getpid()}.{round(self._setup.chance() * 2**32):08x}"
        self._leases: SingleLeases | None = None
        self._logs: LogWriter | None = None
        self._lock = threading.Lock()

    def run(self, job_id: str) -> SingleResult:
        """Make one attempt of a job in this thread. See `app.jobs.run`."""
        claimed = self._claim(job_id)
        return self._run(claimed) if isinstance(claimed, Execution) else claimed

    async def arun(self, job_id: str) -> SingleResult:
        """Make one on the event loop, if the body is a coroutine; else in a thread of its own."""
        claiming = asyncio.ensure_future(off_loop(self._claim, job_id))
        try:
            claimed = await asyncio.shield(claiming)
        except asyncio.CancelledError:
            claimed = await _wait_uncancelled(claiming)
            if isinstance(claimed, Execution):
                await _wait_uncancelled(asyncio.ensure_future(off_loop(self._give_back, claimed)))
            raise
        if isinstance(claimed, SingleResult):
            return claimed
        task = self._task(claimed)
        if task is None or not task.is_async or task.isolation is not None:
            return await in_own_thread(self._run, claimed)
        return await self._run_on_loop(claimed)

    def _claim(self, job_id: str) -> Execution | SingleResult:
        """Claim a job, taken back before if its lease is over; else return how it stands."""
        store, setup = self._setup.store(), self._setup
        names = None if setup.grace is None else self._tasks.list_all()
        claim_filter = ClaimFilter(self._name, None, names, setup.grace, [job_id])
        asked_at = setup.monotonic()
        jobs = store.claim(claim_filter, 1, setup.lease)
        if not jobs:
            record = read(store, job_id)
            if record is None or not self._rescue(store, record):
                return SingleResult(job_id, record, ran=False)
            asked_at = setup.monotonic()
            jobs = store.claim(claim_filter, 1, setup.lease)
        if not jobs:
            return SingleResult(job_id, read(store, job_id), ran=False)
        execution = Execution(jobs[0])
        execution.claimed_at, execution.leased_at = setup.monotonic(), asked_at
        return execution

    def _rescue(self, store: Store, record: JobRecord) -> bool:
        """Take back a running job if its lease is over; returns whether it was taken back."""
        if record.state != State.RUNNING:
            return False
        rescued = store.rescue()
        if rescued:
            self._events.emit(JobsRescued(rescued))
        return any(job.id == record.id for job in rescued)

    def _task(self, execution: Execution) -> Task[..., object, object] | None:
        name = execution.job.task
        return self._tasks.get(name) if self._tasks.has(name) else None

    def _run(self, execution: Execution) -> SingleResult:
        """Make the attempt in this thread, which runs no event loop."""
        try:
            return self._run_by_kind(execution)
        except BaseException:
            if not execution.ended:  # it could not even begin
                self._give_back(execution)
            raise

    def _run_by_kind(self, execution: Execution) -> SingleResult:
        task = self._task(execution)
        if task is not None and task.isolation is not None:
            return self._run_isolated(execution, task)
        executor = self._setup.executor(CallingThread(), None)
        seconds = None if task is None or task.is_async else task.timeout
        timeout = None if seconds is None else Timeout(seconds, executor.outcome_of_error)
        if not executor.needs_no_loop(execution):
            return self._attempt(
                execution, lambda: _run_on_own_loop(lambda: executor, execution), timeout
            )
        body = partial(executor.execute_in_thread, execution)
        return self._attempt(execution, lambda: copy_context().run(body), timeout)

    def _run_isolated(self, execution: Execution, task: Task[..., object, object]) -> SingleResult:
        tried: SingleResult | None = None
        try:
            with self._setup.fork_server([task]) as fork_server:
                tried = self._attempt(execution, lambda: self._in_a_process(execution, fork_server))
        except IsolationError:
            if tried is None:
                raise
        return tried

    def _in_a_process(self, execution: Execution, fork_server: ForkServer | None) -> Outcome:
        def make_executor() -> Executor:
            pool = None if fork_server is None else ProcessPool(fork_server, lambda: None)
            return self._setup.executor(CallingThread(), pool)

        return _run_on_own_loop(make_executor, execution)

    def _attempt(
        self, execution: Execution, body: Callable[[], Outcome], timeout: Timeout | None = None
    ) -> SingleResult:
        """Returns an attempt, from its beginning to its end.

        Args:
            execution: the attempt.
            body: runs it.
            timeout: when it has failed, though it goes on: a function cannot be interrupted. A
                thread of ours settles it then.
        """
        within = self._setup.store().in_transaction
        attempt = self._new_attempt(execution, in_transaction=within)
        if timeout is None:
            held = Held(execution, renews=not within)
        else:
            time_out = partial(attempt.time_out, timeout.judge, timeout.seconds)
            held = Held(execution, timeout.seconds, time_out, renews=not within)
        with self._hold(held), capturing():
            try:
                outcome = body()
            except KeyboardInterrupt:
                attempt.give_back()
                raise
            return attempt.end(outcome)

    async def _run_on_loop(self, execution: Execution) -> SingleResult:
        loop = asyncio.get_running_loop()
        executor = self._setup.executor(Threads(loop, "rotulus-task", keep=0), None)
        attempt = self._new_attempt(execution)
        with self._hold(Held(execution)), capturing():
            body = _start_on_loop(executor, execution)
            try:
                outcome = await asyncio.shield(body)
            except asyncio.CancelledError:
                execution.stop(Stop.SHUTDOWN)
                await _wait_uncancelled(body)
                await _wait_uncancelled(asyncio.ensure_future(off_loop(attempt.give_back)))
                raise
            finally:
                await executor.close()
            return await off_loop(attempt.end, outcome)

    def _new_attempt(self, execution: Execution, *, in_transaction: bool = False) -> SingleAttempt:
        store, logs, chance = self._setup.store(), self._log_writer(), self._setup.chance
        return SingleAttempt(execution, in_transaction, store, logs, self._events, chance)

    def _log_writer(self) -> LogWriter:
        if self._logs is None:
            self._logs = LogWriter(self._setup.store(), self._setup.monotonic, self._events)
        return self._logs

    def _give_back(self, execution: Execution) -> None:
        """Give back a job that has been claimed, and has not begun."""
        with suppress(Exception):  # then its lease runs out
            self._setup.store().settle([unstarted(execution.job.id, execution.job.attempt)])

    def _hold(self, held: Held) -> AbstractContextManager[None]:
        with self._lock:
            if self._leases is None:
                setup = self._setup
                self._leases = SingleLeases(
                    setup.store(), self._log_writer(), setup.lease, setup.monotonic, self._events
                )
        return self._leases.hold(held)


def _run_on_own_loop(make_executor: Callable[[], Executor], execution: Execution) -> Outcome:
    """Make an attempt on an event loop of its own. It raises nothing but `KeyboardInterrupt`.

    Tasks that a body leaves on the loop may end it: by `sys.exit()`, or as they cancel all.
    """
    made: list[Executor] = []

    async def main() -> Outcome:
        made.append(make_executor())
        try:
            outcome = await _start_on_loop(made[0], execution)
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
        return made[0].outcome_of_error(execution, error)


def _start_on_loop(executor: Executor, execution: Execution) -> "asyncio.Task[Outcome]":
    """Start an attempt as a task of its own, which any thread can tell to stop."""
    loop = asyncio.get_running_loop()
    body = loop.create_task(executor.execute(execution))
    execution.interrupt = partial(tell, loop, body.cancel)
    return body


async def _wait_uncancelled(body: "asyncio.Future[T]") -> T:
    """Wait for a future to its end, however often the caller is cancelled meanwhile."""
    while not body.done():
        try:
            await asyncio.wait({body})
        except asyncio.CancelledError:
            continue
    return body.result()
