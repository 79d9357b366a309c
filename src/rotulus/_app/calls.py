"""The verbs of an app that call a task by its name: here and now, or by a worker."""

from collections.abc import Callable
from typing import Any, Unpack

from rotulus._app.engine import Engine
from rotulus._app.here import run_here
from rotulus._app.sender import Sender
from rotulus._concurrency.pool import in_own_thread
from rotulus._jobs.job import Job
from rotulus._tasks.arguments import Call
from rotulus._tasks.options import UsingOptions
from rotulus._warnings import on_event_loop
from rotulus.errors import EventLoopError


class Calls:
    """Calls tasks by name."""

    _answering: Callable[[], Engine]

    def enqueue(self, name: str, /, *args: Any, **kwargs: Any) -> Job[Any]:
        """Store a job of the task of that name.

        Raises:
            ArgumentsError: the call does not fit the task, or an argument is not JSON.
            TaskNotFoundError: tasks are registered here, and none of that name; see `using`.
            OptionError: no task can have that name.
            StoreError: the job could not be stored.
        """
        return self.using().enqueue(name, *args, **kwargs)

    async def aenqueue(self, name: str, /, *args: Any, **kwargs: Any) -> Job[Any]:
        """`enqueue`, without blocking the event loop."""
        return await self.using().aenqueue(name, *args, **kwargs)

    def using(self, *, unchecked: bool = False, **options: Unpack[UsingOptions]) -> Sender:
        """Enqueue by name with options: `app.using(delay=60).enqueue("emails.send", 7)`.

        Args:
            unchecked: also a task that is not registered here, though others are.
            options: see `UsingOptions`.

        Raises:
            OptionError: an option is not known, or its value is not allowed.
        """
        engine = self._answering()
        of = engine.registry, engine.job_factory, engine.port, engine.max_bytes
        return Sender(*of, options, unchecked=unchecked)

    def run(self, name: str, /, *args: Any, **kwargs: Any) -> Any:
        """Run a task here and now, as a worker would: validated, injected, with its timeout.

        Nothing is stored, and it is not retried.

        Raises:
            TaskNotFoundError: no task of that name is registered.
            ArgumentsError: the call does not fit it.
            JobFailedError: it did not succeed; the message says why.
            EventLoopError: this thread runs an event loop: `await app.arun(...)`.
        """
        if on_event_loop():
            raise EventLoopError("app.run() runs an event loop of its own: await app.arun() here")
        engine = self._answering()
        record = run_here(engine, engine.registry.get(name), Call(args, kwargs))
        return engine.port.value(record)

    async def arun(self, name: str, /, *args: Any, **kwargs: Any) -> Any:
        """`run`, in a thread of its own: the event loop goes on."""
        return await in_own_thread(self.run, name, *args, **kwargs)
