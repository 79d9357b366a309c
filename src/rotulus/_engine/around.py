"""Enters and leaves the middleware of an app around each attempt, whatever the middleware does."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextlib import contextmanager
from typing import Any

from rotulus._engine.execution import Execution
from rotulus._engine.managers import Manager, as_coroutine, enter, is_interruption, leave
from rotulus._jobs.job import Job
from rotulus._jobs.middleware import Middleware, RunningAttempt
from rotulus._jobs.outcome import Outcome
from rotulus._jobs.port import JobPort
from rotulus.errors import OptionError
from rotulus.events import Events, MiddlewareFailed

WaitFor = Callable[[Coroutine[Any, Any, Any]], Any]
"""Waits, in a thread, for a coroutine to end on the event loop."""


class MiddlewareList:
    """The middleware of an app, the first one outermost.

    Attributes:
        attempts: those that surround attempts.
        enqueues: those that surround enqueues.
    """

    def __init__(self) -> None:
        self.attempts: tuple[Middleware, ...] = ()
        self.enqueues: tuple[Middleware, ...] = ()

    def add(self, middleware: object) -> None:
        """Add one, inside of those that are there. Raises `OptionError` when it does nothing."""
        if not isinstance(middleware, Middleware):
            raise OptionError(f"{middleware!r} is no rotulus.Middleware: use(MyMiddleware())")
        kind = type(middleware)
        surrounds_attempts = kind.around_attempt is not Middleware.around_attempt
        surrounds_enqueues = kind.around_enqueue is not Middleware.around_enqueue
        if not surrounds_attempts and not surrounds_enqueues:
            raise OptionError(
                f"{kind.__name__} overrides neither around_attempt nor around_enqueue"
            )
        if surrounds_attempts:
            self.attempts = (*self.attempts, middleware)
        if surrounds_enqueues:
            self.enqueues = (*self.enqueues, middleware)

    def copy(self) -> "MiddlewareList":
        """Returns a list of the same middleware, to which other middleware can be added."""
        copied = MiddlewareList()
        copied.attempts, copied.enqueues = self.attempts, self.enqueues
        return copied


class Around:
    """Surrounds one attempt with middleware.

    Args:
        middleware: the middleware, the first one outermost.
        execution: the attempt.
        port: what the job asks about itself.
        events: where middleware that raises is told of.
        isolated: whether this is a task process.
    """

    def __init__(
        self,
        middleware: tuple[Middleware, ...],
        execution: Execution,
        port: JobPort,
        events: Events,
        *,
        isolated: bool = False,
    ) -> None:
        self._middleware = middleware
        self._execution = execution
        self._attempt = RunningAttempt(Job(execution.job, port, execution), isolated=isolated)
        self._events = events
        self._entered: list[tuple[Middleware, Manager | None]] = []

    def run_here(self, attempt: Callable[[Execution], Outcome], wait_for: WaitFor) -> Outcome:
        """Make an attempt that never raises, in this thread."""
        for middleware in self._middleware:
            with self._telling(middleware):
                manager = middleware.around_attempt(self._attempt)
                if (rest := enter(manager)) is not None:
                    wait_for(as_coroutine(rest))
                self._entered.append((middleware, manager))
        outcome = attempt(self._execution)
        self._attempt.end(outcome, self._execution.error)
        for middleware, manager in reversed(self._entered):
            with self._telling(middleware):
                if (rest := leave(manager)) is not None:
                    wait_for(as_coroutine(rest))
        return outcome

    async def run(
        self,
        attempt: Callable[[Execution], Awaitable[Outcome]],
        outcome_of_error: Callable[[Execution, BaseException], Outcome],
    ) -> Outcome:
        """Make an attempt that never raises, on the event loop.

        Args:
            attempt: makes the attempt.
            outcome_of_error: gives the outcome of an attempt that is stopped before it begins.
        """
        try:
            await self._enter_all()
            outcome = await attempt(self._execution)
        except asyncio.CancelledError as error:
            outcome = outcome_of_error(self._execution, error)
        self._attempt.end(outcome, self._execution.error)
        for middleware, manager in reversed(self._entered):
            with self._telling(middleware):
                if (rest := leave(manager)) is not None:
                    await rest
        return outcome

    async def _enter_all(self) -> None:
        for middleware in self._middleware:
            with self._telling(middleware, passes_cancellation=True):
                manager = middleware.around_attempt(self._attempt)
                if (rest := enter(manager)) is not None:
                    await rest
                self._entered.append((middleware, manager))

    @contextmanager
    def _telling(
        self, middleware: Middleware, *, passes_cancellation: bool = False
    ) -> Generator[None, None, None]:
        """Tell of what a middleware raises, and go on; a cancellation of the attempt may pass."""
        try:
            yield
        except BaseException as error:
            cancelled = isinstance(error, asyncio.CancelledError) and is_interruption(error)
            if passes_cancellation and cancelled:
                raise
            self._events.emit(MiddlewareFailed(self._execution.job, middleware, error))
