"""Enters and leaves the middleware of an app around each enqueue, whatever the middleware does."""

import asyncio
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    ExitStack,
    closing,
    contextmanager,
)
from typing import Any

from rotulus._engine.job_factory import with_attached
from rotulus._engine.managers import Manager, as_coroutine, enter, is_interruption, leave
from rotulus._jobs.job import Job
from rotulus._jobs.labels import Attached
from rotulus._jobs.middleware import EnqueueCall, Middleware, PendingJob
from rotulus._warnings import on_event_loop
from rotulus.errors import EventLoopError
from rotulus.events import Events, MiddlewareFailed
from rotulus.store import NewJob

Jobs = list[Job[Any]]


class AroundEnqueue:
    """Surrounds one call that stores jobs with middleware.

    Args:
        middleware: the middleware, the first one outermost.
        jobs: the jobs.
        events: where middleware that raises is told of.
    """

    def __init__(
        self, middleware: Sequence[Middleware], jobs: Sequence[NewJob], events: Events
    ) -> None:
        self._middleware = middleware
        self._jobs = jobs
        self._call = EnqueueCall(tuple(map(_pending, jobs)))
        self._events = events
        self._entered: list[tuple[Middleware, Manager | None]] = []

    def run(self, add: Callable[[Sequence[NewJob]], Jobs]) -> Jobs:
        """Store the jobs by a function, in this thread; returns what that returns."""
        with closing(_OwnLoop()) as loop:
            try:
                for middleware in self._middleware:
                    with self._telling(middleware):
                        manager = loop.enterable(middleware.around_enqueue(self._call))
                        loop.wait_for(enter(manager))
                        self._entered.append((middleware, manager))
                return self._end(add(self._with_additions()))
            except BaseException as error:
                self._call.exception = error
                raise
            finally:
                with ExitStack() as leaving:  # the last one first, and all if one is interrupted
                    for middleware, manager in self._entered:
                        leaving.callback(self._leave, loop, middleware, manager)

    async def arun(self, add: Callable[[Sequence[NewJob]], Awaitable[Jobs]]) -> Jobs:
        """The same on the event loop."""
        try:
            for middleware in self._middleware:
                with self._telling(middleware):
                    manager = middleware.around_enqueue(self._call)
                    if (rest := enter(manager)) is not None:
                        await rest
                    self._entered.append((middleware, manager))
            return self._end(await add(self._with_additions()))
        except BaseException as error:
            self._call.exception = error
            raise
        finally:
            async with AsyncExitStack() as leaving:
                for middleware, manager in self._entered:
                    leaving.push_async_callback(self._aleave, middleware, manager)

    def _leave(self, loop: "_OwnLoop", middleware: Middleware, manager: Manager | None) -> None:
        with self._telling(middleware):
            loop.wait_for(leave(manager))

    async def _aleave(self, middleware: Middleware, manager: Manager | None) -> None:
        with self._telling(middleware):
            if (rest := leave(manager)) is not None:
                await rest

    def _with_additions(self) -> list[NewJob]:
        """Returns the jobs with what middleware has added to them."""
        return [
            job
            if pending.attached == (job.labels, job.headers)
            else with_attached(job, pending.attached)
            for job, pending in zip(self._jobs, self._call.jobs, strict=True)
        ]

    def _end(self, added: Jobs) -> Jobs:
        self._call.added = tuple(added)
        return added

    @contextmanager
    def _telling(self, middleware: Middleware) -> Generator[None, None, None]:
        """Tell of what a middleware raises, and go on; an interruption is passed on."""
        try:
            yield
        except BaseException as error:
            if is_interruption(error):
                raise
            tasks = dict.fromkeys(job.task for job in self._call.jobs)
            self._events.emit(MiddlewareFailed(None, middleware, error, ", ".join(tasks)))


class _OwnLoop:
    """An event loop for the asynchronous middleware of an enqueue that is not awaited."""

    def __init__(self) -> None:
        self._runner: asyncio.Runner | None = None

    def enterable(self, manager: Manager | None) -> Manager | None:
        """Returns a context manager. Raises `EventLoopError` for one that cannot be awaited."""
        if isinstance(manager, AbstractAsyncContextManager) and on_event_loop():
            raise EventLoopError(
                "enqueue() cannot await an asynchronous middleware on an event loop: await "
                "aenqueue() here"
            )
        return manager

    def wait_for(self, awaitable: Awaitable[Any] | None) -> None:
        """Wait for something, if there is something to wait for."""
        if awaitable is None:
            return
        if self._runner is None:  # the loop that somebody has set for this thread stays set
            self._runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self._runner.run(as_coroutine(awaitable))

    def close(self) -> None:
        """Close the loop, if there was one."""
        if self._runner is not None:
            self._runner.close()


def _pending(job: NewJob) -> PendingJob:
    terms, attached = job.terms, Attached(job.labels, job.headers)
    return PendingJob(job.id, terms.task, terms.queue, job.key, job.arguments, attached)
