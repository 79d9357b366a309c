"""The port of an app: where tasks hand in jobs, and where jobs ask how they stand."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from math import inf
from typing import Any

from rotulus._app.adding import AsyncAdds
from rotulus._app.auditing import Act, audited
from rotulus._app.change_feed import ChangeFeed
from rotulus._app.edits import Edits
from rotulus._app.firings import Firings
from rotulus._app.groups import Groups
from rotulus._app.job_ends import JobEnds
from rotulus._app.unserved import Patience, Unserved
from rotulus._app.why import Explainer
from rotulus._concurrency.pool import off_loop
from rotulus._engine.around import MiddlewareList
from rotulus._engine.around_enqueue import AroundEnqueue
from rotulus._engine.job_factory import JobFactory
from rotulus._engine.outbox_relay import OutboxRelay
from rotulus._jobs.current import waiting_for
from rotulus._jobs.encrypted import check_readable
from rotulus._jobs.group import Group
from rotulus._jobs.grouped import has_context
from rotulus._jobs.job import Job, no_result
from rotulus._jobs.log_line import LogLine, check_wanted, read_line
from rotulus._jobs.outcome import succeeded
from rotulus._jobs.port import EnqueueRequest, LogsWanted, Progress
from rotulus._jobs.record import JobRecord
from rotulus._jobs.states import ENDED, State
from rotulus._tasks.arguments import Call
from rotulus._tasks.known import KnownTasks
from rotulus._tasks.plan import Plans
from rotulus._tasks.registry import TaskRegistry
from rotulus._tasks.task import Task
from rotulus._text import jsontext
from rotulus._text.words import many
from rotulus._warnings import on_event_loop, warn_caller
from rotulus._workflows.handed import plain_text
from rotulus.errors import (
    JobNotFoundError,
    JobNotRunningError,
    ResultTimeoutError,
)
from rotulus.events import Events
from rotulus.store import Filter, LogFilter, NewJob, Store

_LONGEST_WAIT = 5.0
_NAMED = 5
"""How many jobs are named that an id could mean."""


class AppPort:
    """Hands jobs to a store, and answers for them.

    Args:
        store: opens the store when it is first needed.
        registry: the tasks whose results can be read in their own types.
        plans: how each task is called, and its result read.
        job factory: makes jobs of calls.
        outbox_relay: publishes jobs that are carried to an endpoint outside.
        now: the clock.
        middleware: what surrounds its enqueues.
        events: where middleware that raises is told of, and changes that cannot be read.
    """

    def __init__(
        self,
        store: Callable[[], Store],
        registry: TaskRegistry,
        known: KnownTasks,
        plans: Plans,
        job_factory: JobFactory,
        outbox_relay: OutboxRelay,
        now: Callable[[], datetime],
        middleware: MiddlewareList,
        events: Events,
    ) -> None:
        self.store = store
        self.registry = registry
        self._knows = known.has
        self._plans = plans
        self._job_factory = job_factory
        self.new_id = job_factory.new_id
        self.max_bytes = job_factory.max_bytes
        self.outbox_relay = outbox_relay
        self.now = now
        self._middleware = middleware
        self._events = events
        self.firings = Firings(registry, plans, job_factory)
        self.edits = Edits(registry, plans, job_factory)
        self._adds = AsyncAdds(store)
        self._ends = JobEnds(store)
        self.change_feed = ChangeFeed(store, events)
        self.groups = Groups(store, registry, plans, job_factory, self, self._add_head)
        self._unserved = Unserved(store, known.has, now)

    def submit(self, task: Task[..., Any, Any], calls: Sequence[Call]) -> list[Job[Any]]:
        """Store a job for each call of a task, all or none."""
        options = task.options
        return self.add(self._job_factory.calls(task, calls), options.connection, options.group)

    async def asubmit(self, task: Task[..., Any, Any], calls: Sequence[Call]) -> list[Job[Any]]:
        """The same, without blocking the event loop."""
        options, jobs = task.options, self._job_factory.calls(task, calls)
        return await self.aadd(jobs, options.connection, options.group)

    def receive(self, task: Task[..., Any, Any], call: Call) -> Job[Any]:
        """Store a job whose message has come: none is published for it now."""
        jobs = self._job_factory.calls(task, [call])
        if self._middleware.enqueues:
            return self._around(jobs).run(self._receive)[0]
        return self._receive(jobs)[0]

    def _receive(self, jobs: Sequence[NewJob]) -> list[Job[Any]]:
        [added] = self.store().add(jobs)
        self.outbox_relay.received(
            [job.id for job in jobs if job.terms.carried and job.id == added.id]
        )
        return self._jobs_of([added], jobs)

    def add(
        self, jobs: Sequence[NewJob], connection: Any = None, group: Group | None = None
    ) -> list[Job[Any]]:
        """Store jobs, by themselves or in a group, and give them."""
        if self._middleware.enqueues and jobs:
            add = partial(self._add, connection=connection, group=group)
            return self._around(jobs).run(add)
        return self._add(jobs, connection, group)

    def _add(
        self, jobs: Sequence[NewJob], connection: Any, group: Group | None = None
    ) -> list[Job[Any]]:
        if group is not None:
            return self._jobs_of(self.groups.add(group, jobs), jobs)
        added = self.store().add(jobs, connection)
        if connection is None and self._any_carried(jobs):
            self.outbox_relay.relay_added()
        return self._jobs_of(added, jobs)

    async def aadd(
        self, jobs: Sequence[NewJob], connection: Any = None, group: Group | None = None
    ) -> list[Job[Any]]:
        """The same, without blocking the event loop; together with what others hand in."""
        if self._middleware.enqueues and jobs:
            add = partial(self._aadd, connection=connection, group=group)
            return await self._around(jobs).arun(add)
        return await self._aadd(jobs, connection, group)

    def _around(self, jobs: Sequence[NewJob]) -> AroundEnqueue:
        return AroundEnqueue(self._middleware.enqueues, jobs, self._events)

    async def _aadd(
        self, jobs: Sequence[NewJob], connection: Any, group: Group | None = None
    ) -> list[Job[Any]]:
        if group is not None:
            return await off_loop(self._add, jobs, None, group)
        if connection is None:
            added = await self._adds.add(jobs)
            if self._any_carried(jobs):
                await self.outbox_relay.arelay_added()
            return self._jobs_of(added, jobs)
        await off_loop(self.store)  # opens it, which may take a while
        # A connection belongs to the thread, or to the greenlet, of its owner.
        if hasattr(connection, "run_sync"):

            def add(inner: Any) -> list[Job[Any]]:
                return self._add(jobs, inner)

            return await connection.run_sync(add)
        return self._add(jobs, connection)

    def _jobs_of(self, records: Sequence[JobRecord], jobs: Sequence[NewJob]) -> list[Job[Any]]:
        """Returns the added jobs; in place of a job whose key was held, the job that holds it."""
        return [
            Job(record, self) if record.id == job.id else Job(record, self, None, _request(job))
            for record, job in zip(records, jobs, strict=True)
        ]

    def _add_head(self, head: NewJob) -> JobRecord:
        """Store the head of a group, and return that of the group that is open."""

        def add(jobs: Sequence[NewJob]) -> list[Job[Any]]:
            return self._jobs_of([self.store().groups.open(jobs[0])], jobs)

        added = self._around([head]).run(add) if self._middleware.enqueues else add([head])
        return added[0].record

    def _any_carried(self, jobs: Sequence[NewJob]) -> bool:
        return self.outbox_relay.queue is not None and any(job.terms.carried for job in jobs)

    def complete(
        self, record: JobRecord, result: Any, connection: Any, reached: Progress | None
    ) -> None:
        """Settle a running attempt as succeeded, in the transaction of a connection."""
        if has_context(record) or not self.registry.has(record.task):
            text = jsontext.encode(result, max_bytes=self.max_bytes)
        else:
            plan = self._plans.of(self.registry.get(record.task))
            text = plan.completion.write(result, self.max_bytes)
        progress = None if reached is None else jsontext.encode(reached)
        outcome = succeeded(record.id, record.attempt, text)._replace(progress=progress)
        if self.store().settle([outcome], connection):
            raise JobNotRunningError(
                f"Attempt {record.attempt} of job {record.id} is over: its lease was lost, or it "
                f"has ended already. Roll back what it has done"
            )

    def look(self, job_id: str) -> JobRecord:
        """Returns the job as it stands now. Raises `JobNotFoundError`."""
        record = self.store().get(job_id)
        if record is None:
            raise self._missing(job_id)
        return record

    def pick(self, beginning: str) -> JobRecord:
        """Returns the only job whose id begins so, as it stands now. Raises `JobNotFoundError`."""
        record = self.store().get(beginning)
        if record is not None:
            return record
        found = self.store().find(Filter(prefix=beginning), _NAMED + 1)
        if len(found) == 1:
            return self.look(found[0].id)  # with its history
        raise _ambiguous(beginning, found) if found else self._missing(beginning)

    def wait(self, job_id: str, timeout: float | None) -> JobRecord:
        """Returns the job once it has ended. Raises `ResultTimeoutError`, saying what it waits for.

        After a while the caller is warned if no worker would take the job.
        """
        patience = Patience(timeout)
        record = self.look(job_id)
        with waiting_for(job_id, unless=record.state in ENDED):
            while record.state not in ENDED:
                left = patience.left(_LONGEST_WAIT)
                if left <= 0:
                    raise self._late(record, timeout)
                _warn_on_loop()
                self.store().wait(job_id, left)
                record = self.look(job_id)
                if patience.is_tried() and (text := self._unserved.warning(record)):
                    warn_caller(text)
        return record

    async def await_end(self, job_id: str, timeout: float | None) -> JobRecord:  # noqa: ASYNC109
        """The same, without blocking the event loop, nor a thread while it waits.

        All coroutines that wait share the looks at the store: two a second while nothing ends.
        """
        patience = Patience(timeout)
        record = await off_loop(self.look, job_id)
        with waiting_for(job_id, unless=record.state in ENDED):
            while record.state not in ENDED:
                in_time = await self._await_end(record, patience)
                record = await off_loop(self.look, job_id)
                if not in_time and record.state not in ENDED:
                    raise await off_loop(self._late, record, timeout)
        return record

    async def _await_end(self, record: JobRecord, patience: Patience) -> bool:
        """Wait for the end of a job; False: the time is over. After a while, look for a worker."""
        with self._ends.end_of(record.id) as end:
            while (left := patience.left(inf)) > 0:
                await asyncio.wait([end], timeout=None if left == inf else left)
                if end.done():
                    end.result()  # raises what the store did
                    return True
                if patience.is_tried() and self._unserved.is_news(record):
                    record = await off_loop(self.look, record.id)
                    if text := await off_loop(self._unserved.warning, record):
                        warn_caller(text)
        return False

    def value(self, record: JobRecord) -> Any:
        """Returns the result of an ended job.

        Raises:
            JobFailedError: there is none.
            CipherError: it is encrypted, and cannot be decrypted here.
        """
        if record.state != State.SUCCEEDED:
            raise no_result(record)
        text = record.result or "null"
        check_readable(text, f"The result of job {record.id} of {record.task!r}")
        if has_context(record) or not self.registry.has(record.task):
            return jsontext.decode(plain_text(text))  # a step hands on a context
        return self._plans.of(self.registry.get(record.task)).completion.read(text)

    def why(self, job_id: str) -> list[str]:
        """Returns why a job stands as it does."""
        return self._explain(self.look(job_id))

    def logs(self, job_id: str, wanted: LogsWanted) -> list[LogLine]:
        """Returns lines that the attempts of a job have logged."""
        attempt, level, after, limit = check_wanted(*wanted)
        where = LogFilter(attempt, level, after)
        return list(map(read_line, self.store().logs.read(job_id, where, limit)))

    def cancel(self, job_id: str) -> JobRecord:
        """Cancel a job, and give it as it stands then."""

        def cancel() -> JobRecord:
            self.store().cancel([job_id])
            return self.look(job_id)

        return audited(self.store, Act("jobs.cancel", job_id), cancel)

    def retry(self, job_id: str) -> JobRecord:
        """Send an ended job back, and give it as it stands then."""

        def retry() -> JobRecord:
            self.outbox_relay.send_again(self.store().retry([job_id]))
            return self.look(job_id)

        return audited(self.store, Act("jobs.retry", job_id), retry)

    def _missing(self, job_id: str) -> JobNotFoundError:
        return JobNotFoundError(
            f"No job {job_id} in {self.store().url}: it was never added here, or has been pruned"
        )

    def _explain(self, record: JobRecord) -> list[str]:
        found = Explainer(self.store(), self._knows, self.now).explain(record)
        return [reason.text for reason in found]

    def _late(self, record: JobRecord, timeout: float | None) -> ResultTimeoutError:
        reasons = " ".join(self._explain(record))
        return ResultTimeoutError(
            f"Job {record.id} of {record.task!r} is still {record.state} after "
            f"{many(timeout or 0.0, 'second')}. {reasons}"
        )


def _warn_on_loop() -> None:
    if on_event_loop():
        warn_caller("job.result() waits and blocks the event loop: await job.aresult() instead")


def _ambiguous(beginning: str, found: Sequence[JobRecord]) -> JobNotFoundError:
    """Several jobs could be meant: which ones."""
    named = ", ".join(f"{job.id} ({job.task}, {job.state})" for job in found[:_NAMED])
    more = ", …" if len(found) > _NAMED else ""
    return JobNotFoundError(
        f"More than one job begins with {beginning}: {named}{more}; give more of the id"
    )


def _request(job: NewJob) -> EnqueueRequest:
    return EnqueueRequest(job.terms.task, job.arguments, job.terms.queue, job.terms.priority)
