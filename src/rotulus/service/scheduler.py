"""Background jobs of a service: coroutines that go on when their request is over."""

import asyncio
import inspect
import threading
from collections.abc import Awaitable
from contextlib import suppress
from typing import Any, cast
from uuid import UUID

from rotulus import App, Cancel, Job, Retry, Snooze
from rotulus._concurrency.pool import off_loop
from rotulus._exiting import close_at_exit
from rotulus._forking import follow_forks
from rotulus._text.ids import is_id
from rotulus.config import load_settings
from rotulus.errors import (
    ArgumentsError,
    JobFailedError,
    JobNotFoundError,
    JobUnfinishedError,
    SchedulerClosedError,
    StoreError,
)
from rotulus.service.background_worker import BackgroundWorker, Run, background_app
from rotulus.service.records import (
    LIVE,
    SPAWNED,
    STATUSES,
    JobStatus,
    SpawnedJob,
    record_of,
    states_of,
)
from rotulus.service.spawned import LocalJobs, Spawned
from rotulus.store import Filter

_UNBOUNDED = 10_000
"""The number of jobs that run at once by default."""

_PAGE = 500
_SETTLED_WITHIN = 5.0
_LOOK = 0.01

_SIGNALS = (Cancel, Retry, Snooze)
"""Exceptions with a meaning for workers, and none for a caller that waits."""

JobId = str | UUID


class JobScheduler:
    """Runs coroutines in the background of a service: `await scheduler.spawn(work())`.

    Each coroutine is a job like any other, in the store of the app, or in memory without an app: it
    can be found, watched and cancelled like other jobs, and if the process dies, another scheduler
    on the store ends it as failed. A coroutine runs on the event loop that spawned it, at most
    `max_concurrency` at a time, and is not repeated. Nothing is started before it is needed. Use
    the scheduler from any event loop. In a forked child it begins anew: calls that were spawned
    before go on in the parent.

    Args:
        max_concurrency: the most jobs that run at once; None: no limit.
        app: the app with the store of the jobs.

    Raises:
        OptionError: the number is not allowed.
    """

    def __init__(self, max_concurrency: int | None = None, *, app: App | None = None) -> None:
        self._slots = _read_slots(max_concurrency)
        self._of = app
        self._begin()
        follow_forks(self._begin)
        close_at_exit(self._discard_all)

    def _begin(self) -> None:
        """In a forked child: spawned calls run in the parent."""
        self._opening = threading.Lock()
        self._starting = threading.Lock()
        self._here = LocalJobs()
        self._app: App | None = None
        self._worker: BackgroundWorker | None = None
        self._closed = False

    async def start(self) -> None:
        """Start the worker, and look for jobs that were lost. `spawn` calls this by itself.

        A closed scheduler opens again: a web application may start more than once.

        Raises:
            StoreError: the store cannot be used.
        """
        if self._closed:
            self._begin()
        await off_loop(self._started)

    async def spawn(self, coroutine: Awaitable[Any], *, description: str | None = None) -> str:
        """Run a coroutine in the background, on this event loop. Returns at once.

        Args:
            coroutine: the coroutine, which gets the current context variables.
            description: a description, for people.

        Returns:
            The id of its job.

        Raises:
            ArgumentsError: the argument is not an awaitable.
            SchedulerClosedError: the scheduler is closed.
            StoreError: the job could not be stored. The coroutine is closed then.
        """
        if not inspect.isawaitable(coroutine):
            problem = f"spawn() takes a coroutine, not {type(coroutine).__name__}"
            raise ArgumentsError(f"{problem}: await scheduler.spawn(work())", [problem])
        return await self._add(Spawned(coroutine), description)

    async def add_job(self, target: Any, /, *args: Any, **kwargs: Any) -> str:
        """Call a function in the background, a plain one in a thread; or await an awaitable.

        Args:
            target: the function, or an awaitable, which takes no arguments.
            args: its arguments.
            kwargs: its arguments.

        Returns:
            The id of its job.

        Raises:
            ArgumentsError: the target can be neither called nor awaited.
            SchedulerClosedError: the scheduler is closed.
            StoreError: the job could not be stored.
        """
        if not (callable(target) or inspect.isawaitable(target)):
            problem = f"add_job() takes a function or an awaitable, not {type(target).__name__}"
            raise ArgumentsError(problem, [problem])
        name: str | None = getattr(cast("object", target), "__qualname__", None)
        return await self._add(Spawned(target, args, kwargs), name)

    async def get_record(self, job_id: JobId) -> SpawnedJob:
        """Returns the record of a job. Raises `JobNotFoundError`, a `KeyError`."""
        return record_of(await self._job(job_id))

    async def get_status(self, job_id: JobId) -> JobStatus:
        """Returns the status of a job. Raises `JobNotFoundError`, a `KeyError`."""
        return STATUSES[(await self._job(job_id)).state]

    async def get_result(self, job_id: JobId) -> Any:
        """Returns the result of a job: the value itself in the process that ran it lately.

        Elsewhere the result is the JSON form, or None without one; the `note` of the record says
        so.

        Raises:
            JobNotFoundError: there is no such job (a `KeyError`).
            JobFailedError: the job failed (a `RuntimeError`); the text is that of its exception.
            JobUnfinishedError: the job has not returned (a `RuntimeError`).
        """
        job = await self._job(job_id)
        status = STATUSES[job.state]
        if status is JobStatus.FAILED:
            error, reason = job.error, job.reason
            raise JobFailedError(
                str(error or reason),
                state=job.state,
                reason=reason,
                traceback=error.traceback if error else "",
            )
        if status is not JobStatus.COMPLETED:
            raise JobUnfinishedError(f"Job not finished (status={status})")
        outcome = self._here.outcome(job.id)
        return await job.aresult(0) if outcome is None else outcome[0]

    async def wait(self, job_id: JobId, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Wait until a job has ended.

        Args:
            job_id: its id.
            timeout: the longest time to wait, in seconds; None waits for ever.

        Raises:
            Exception: the exception of the job, in the process that ran it.
            JobNotFoundError: there is no such job (a `KeyError`).
            JobFailedError: the job ended without a result (a `RuntimeError`).
            ResultTimeoutError: the job has not ended in time (a `TimeoutError`); it goes on.
        """
        job = await self._job(job_id)
        try:
            await job.aresult(timeout)
        except JobFailedError:
            _, own = self._here.outcome(job.id) or (None, None)
            if isinstance(own, Exception) and not isinstance(own, _SIGNALS):
                raise own from None
            raise

    async def cancel(self, job_id: JobId) -> bool:
        """Cancel a job, and wait for its end if it runs in this process.

        A waiting job never begins. A running one gets a `CancelledError` at its next await.

        Returns:
            Whether it was still live.

        Raises:
            JobNotFoundError: there is no such job (a `KeyError`).
        """
        job = await self._job(job_id)
        if job.state.ended:
            return False
        await job.acancel()
        call = self._here.call(job.id)
        if call is not None:
            if call.waits:
                self._here.forget([job.id])
            call.cancel()
            with suppress(JobFailedError, JobNotFoundError):
                await job.aresult()
        return True

    async def delete(self, job_id: JobId) -> None:
        """Cancel a job if it is live, and remove it. Raises `JobNotFoundError`, a `KeyError`."""
        job = await self._job(job_id)
        await self.cancel(job.id)
        self._here.forget([job.id])
        await self._opened().jobs.adelete(job.id)

    async def list_records(
        self, status_filter: JobStatus | str | None = None, reverse: bool = False
    ) -> list[SpawnedJob]:
        """Returns the spawned jobs of the store, the last one first.

        Args:
            status_filter: only jobs with this status.
            reverse: whether the first one comes first.

        Raises:
            ValueError: there is no such status.
        """
        states = None if status_filter is None else states_of(status_filter)
        find = self._opened().jobs.afind
        page = await find(task=SPAWNED, state=states, limit=_PAGE)
        jobs: list[Job[Any]] = list(page)
        while page.next:
            page = await find(task=SPAWNED, state=states, limit=_PAGE, after=page.next)
            jobs += page
        return [record_of(job) for job in (reversed(jobs) if reverse else jobs)]

    async def get_all_records(self) -> list[SpawnedJob]:
        """Returns the spawned jobs of the store, the last one first."""
        return await self.list_records()

    async def set_max_concurrency(self, n: int | None) -> None:
        """Let so many jobs run at once from now on; jobs that run beyond that go on.

        Args:
            n: the number; None: no limit.

        Raises:
            OptionError: the number is not allowed.
        """
        self._slots = _read_slots(n)
        if self._worker is not None:
            self._worker.app.set_slots(self._slots)

    async def close(self, drain: float = 5.0) -> None:
        """Take no more jobs until `start`. Cancel waiting jobs, and running ones after a while.

        Args:
            drain: seconds for running jobs to end by themselves.
        """
        self._closed = True
        worker = self._worker
        if worker is not None:
            await self._cancel_all(worker.app, self._here.chosen(lambda call: call.waits))
            await self._idle(drain)
            await self._cancel_all(worker.app, self._here.chosen())
            await self._idle(_SETTLED_WITHIN)
            await off_loop(worker.end)
        self._discard_all()
        if self._app is not None:
            await self._app.aclose()

    async def _add(self, call: Spawned, description: str | None) -> str:
        number = self._here.add(call)
        try:
            worker = await off_loop(self._started)
            queued = worker.app.using(queue=worker.queue)
            job = await queued.aenqueue(SPAWNED, number=number, description=description)
        except BaseException:
            self._here.drop(number)
            raise
        self._here.name(number, job.id)
        return job.id

    async def _job(self, job_id: JobId) -> Job[Any]:
        return await self._opened().jobs.aget(_whole(job_id))

    def _opened(self) -> App:
        with self._opening:
            if self._app is None:
                self._refuse_closed()
                self._app = background_app(self._of, self._find)
            return self._app

    def _started(self) -> BackgroundWorker:
        """Start the worker unless it has started. Blocks until the worker serves its queue."""
        with self._starting:
            self._refuse_closed()
            if self._worker is None:
                slots = self._slots
                worker = BackgroundWorker(self._opened(), slots, self._tidy)
                worker.start()
                self._worker = worker
                if slots != self._slots:
                    worker.app.set_slots(self._slots)
            return self._worker

    def _refuse_closed(self) -> None:
        if self._closed:
            raise SchedulerClosedError("This scheduler is closed: make a new one, or start() it")

    def _find(self, queue: str, number: int, job_id: str) -> Run | None:
        """Returns the call of a job of this scheduler; None of any other job."""
        call = self._here.numbered(number)
        if call is None or self._worker is None or self._worker.queue != queue:
            return None

        async def run() -> Any:
            try:
                return await call.run()
            finally:
                self._here.note_end(number, job_id)

        return run

    def _tidy(self) -> None:
        """End the calls that wait here and whose jobs were cancelled elsewhere."""
        worker = self._worker
        waiting = self._here.chosen(lambda call: call.waits)
        if worker is None or not waiting:
            return
        most = len(self._here) + _PAGE
        live = worker.app.store.find(Filter(LIVE, queue=worker.queue), most)
        ended = waiting.keys() - {job.id for job in live}
        for job_id in ended:
            waiting[job_id].cancel()
        self._here.forget(ended)

    async def _cancel_all(self, app: App, chosen: dict[str, Spawned]) -> None:
        if not chosen:
            return
        with suppress(StoreError):  # then another scheduler ends them as failed
            await app.jobs.acancel(*chosen)
        never = [job_id for job_id, call in chosen.items() if call.waits]
        for call in chosen.values():
            call.cancel()
        self._here.forget(never)

    async def _idle(self, seconds: float) -> None:
        """Wait until nothing is live here, or the time is over."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._here.chosen():  # noqa: ASYNC110 - they end in other threads
                    await asyncio.sleep(_LOOK)

    def _discard_all(self) -> None:
        self._here.discard()


def _read_slots(number: int | None) -> int:
    slots: int = load_settings({"slots": _UNBOUNDED if number is None else number})["slots"].value
    return slots


def _whole(job_id: object) -> str:
    """Returns an id as text. Raises `JobNotFoundError` unless it is a whole id."""
    text = str(job_id)
    if not is_id(text):
        raise JobNotFoundError("Job not found")
    return text
