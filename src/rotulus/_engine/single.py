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
from rotulus._engine.attempt import SingleAttempt, Tried, read
from rotulus._engine.execution import Execution, Stop
from rotulus._engine.executor import Executor
from rotulus._engine.holding import Hold, Holding
from rotulus._engine.isolation import ForkServer, ProcessPool
from rotulus._engine.threads import CallingThread, Threads
from rotulus._forking import follow_forks
from rotulus._jobs.outcome import Outcome, unstarted
from rotulus._jobs.record import JobRecord
from rotulus._jobs.states import State
from rotulus._tasks.registry import TaskRegistry
from rotulus._tasks.task import Task
from rotulus.errors import IsolationError
from rotulus.events import Events, JobsRescued
from rotulus.store import ClaimFilter, Store

T = TypeVar("T")


class Ways(NamedTuple):
    """What single attempts are made with.

    Attributes:
        store: opens the store.
        executor: makes an executor for one attempt.
        fork server: forks the processes of isolated tasks, for the length of a block.
        name: what the name of this process among the workers begins with.
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


class Limit(NamedTuple):
    """How long a body may take that cannot be interrupted.

    Attributes:
        seconds: so long.
        judge: what an attempt comes to that raised something.
    """

    seconds: float
    judge: Callable[[Execution, BaseException], Outcome]


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
        claimed = self._claim(job_id)
        return self._run(claimed) if isinstance(claimed, Execution) else claimed

    async def arun(self, job_id: str) -> Tried:
        """The same on the event loop, if the body is a coroutine; else in a thread of its own."""
        claiming = asyncio.ensure_future(off_loop(self._claim, job_id))
        try:
            claimed = await asyncio.shield(claiming)
        except asyncio.CancelledError:
            claimed = await _to_the_end(claiming)
            if isinstance(claimed, Execution):
                await _to_the_end(asyncio.ensure_future(off_loop(self._give_back, claimed)))
            raise
        if isinstance(claimed, Tried):
            return claimed
        task = self._task(claimed)
        if task is None or not task.is_async or task.isolation is not None:
            return await in_own_thread(self._run, claimed)
        return await self._run_on_loop(claimed)

    def _claim(self, job_id: str) -> Execution | Tried:
        """Claim a job; one whose lease is over is taken back first. Or else how it stands."""
        store, ways = self._ways.store(), self._ways
        names = None if ways.grace is None else self._registry.list_all()
        wanted = ClaimFilter(self._name, None, names, ways.grace, [job_id])
        asked_at = ways.monotonic()
        jobs = store.claim(wanted, 1, ways.lease)
        if not jobs:
            record = read(store, job_id)
            if record is None or not self._rescued(store, record):
                return Tried(job_id, record, ran=False)
            asked_at = ways.monotonic()
            jobs = store.claim(wanted, 1, ways.lease)
        if not jobs:
            return Tried(job_id, read(store, job_id), ran=False)
        run = Execution(jobs[0])
        run.taken_at, run.leased_at = ways.monotonic(), asked_at
        return run

    def _rescued(self, store: Store, record: JobRecord) -> bool:
        """Whether the job was running, and has been taken back."""
        if record.state != State.RUNNING:
            return False
        rescued = store.rescue()
        if rescued:
            self._events.emit(JobsRescued(rescued))
        return any(job.id == record.id for job in rescued)

    def _task(self, run: Execution) -> Task[..., object, object] | None:
        name = run.job.task
        return self._registry.get(name) if self._registry.has(name) else None

    def _run(self, run: Execution) -> Tried:
        """Make the attempt in this thread, which runs no event loop."""
        try:
            return self._run_here(run)
        except BaseException:
            if not run.ended:  # it could not even begin
                self._give_back(run)
            raise

    def _run_here(self, run: Execution) -> Tried:
        task = self._task(run)
        if task is not None and task.isolation is not None:
            return self._run_isolated(run, task)
        executor = self._ways.executor(CallingThread(), None)
        seconds = None if task is None or task.is_async else task.timeout
        limit = None if seconds is None else Limit(seconds, executor.interrupted)
        if not executor.is_in_thread(run):
            return self._made(run, lambda: _on_own_loop(lambda: executor, run), limit)
        body = partial(executor.execute_plain, run)
        return self._made(run, lambda: copy_context().run(body), limit)

    def _run_isolated(self, run: Execution, task: Task[..., object, object]) -> Tried:
        tried: Tried | None = None
        try:
            with self._ways.fork_server([task]) as fork_server:
                tried = self._made(run, lambda: self._in_a_process(run, fork_server))
        except IsolationError:
            if tried is None:
                raise
        return tried

    def _in_a_process(self, run: Execution, fork_server: ForkServer | None) -> Outcome:
        def make_executor() -> Executor:
            cells = None if fork_server is None else ProcessPool(fork_server, lambda: None)
            return self._ways.executor(CallingThread(), cells)

        return _on_own_loop(make_executor, run)

    def _made(
        self, run: Execution, body: Callable[[], Outcome], limit: Limit | None = None
    ) -> Tried:
        """An attempt, from its beginning to its end.

        Args:
            run: the attempt.
            body: makes it.
            limit: when it has failed, though it goes on: a plain function cannot be interrupted. It
                is settled by a thread of ours.
        """
        within = self._ways.store().in_transaction
        attempt = self._begin(run, in_transaction=within)
        if limit is None:
            hold = Hold(run, renews=not within)
        else:
            time_out = partial(attempt.time_out, limit.judge, limit.seconds)
            hold = Hold(run, limit.seconds, time_out, renews=not within)
        with self._held(hold):
            try:
                outcome = body()
            except KeyboardInterrupt:
                attempt.give_back()
                raise
            return attempt.end(outcome)

    async def _run_on_loop(self, run: Execution) -> Tried:
        loop = asyncio.get_running_loop()
        executor = self._ways.executor(Threads(loop, "rotulus-task", keep=0), None)
        attempt = self._begin(run)
        with self._held(Hold(run)):
            body = _begun(executor, run)
            try:
                outcome = await asyncio.shield(body)
            except asyncio.CancelledError:
                run.stop(Stop.SHUTDOWN)
                await _to_the_end(body)
                await _to_the_end(asyncio.ensure_future(off_loop(attempt.give_back)))
                raise
            finally:
                await executor.close()
            return await off_loop(attempt.end, outcome)

    def _begin(self, run: Execution, *, in_transaction: bool = False) -> SingleAttempt:
        ways = self._ways
        return SingleAttempt(run, in_transaction, ways.store(), self._events, ways.chance)

    def _give_back(self, run: Execution) -> None:
        """Give back what has been claimed, and has not begun."""
        with suppress(Exception):  # then its lease runs out
            self._ways.store().settle([unstarted(run.job.id, run.job.attempt)])

    def _held(self, hold: Hold) -> AbstractContextManager[None]:
        with self._lock:
            if self._holding is None:
                ways = self._ways
                self._holding = Holding(ways.store(), ways.lease, ways.monotonic, self._events)
        return self._holding.held(hold)


def _on_own_loop(make_executor: Callable[[], Executor], run: Execution) -> Outcome:
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


def _begun(executor: Executor, run: Execution) -> "asyncio.Task[Outcome]":
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
