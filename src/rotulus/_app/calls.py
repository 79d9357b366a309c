"""Calls a task by its name: here and now, or by a worker, with options."""

from collections.abc import Callable, Mapping
from typing import Any, Unpack

from rotulus._app.engine import Engine
from rotulus._app.port import AppPort
from rotulus._app.unstored import run_unstored
from rotulus._concurrency.pool import in_own_thread
from rotulus._engine.job_factory import JobFactory
from rotulus._jobs.job import Job
from rotulus._tasks.arguments import Call, unchecked_payload
from rotulus._tasks.options import JobOptions, UsingOptions
from rotulus._tasks.registry import TaskRegistry
from rotulus._tasks.task import Task
from rotulus._text.names import check_task_name, did_you_mean
from rotulus._warnings import on_event_loop
from rotulus.errors import EventLoopError, TaskNotFoundError
from rotulus.store import NewJob

AnyTask = Task[..., Any, Any]


_USUAL = JobOptions()


class Sender:
    """Enqueues by name, with the options of `app.using(...)`.

    A task that is registered here is checked like `task.enqueue`. One that is not is refused
    where others are registered: the name is misspelt, or its module was not imported. With
    `unchecked`, or where no task is registered at all, it is taken on trust: its arguments have
    to be JSON, and the worker checks the rest.
    """

    def __init__(
        self,
        registry: TaskRegistry,
        job_factory: JobFactory,
        port: AppPort,
        max_bytes: int,
        options: Mapping[str, Any],
        *,
        unchecked: bool = False,
    ) -> None:
        self._registry = registry
        self._job_factory = job_factory
        self._port = port
        self._max_bytes = max_bytes
        self._given = options
        self._options = JobOptions.of(options) if options else _USUAL
        self._unchecked = unchecked

    def enqueue(self, name: str, /, *args: Any, **kwargs: Any) -> Job[Any]:
        """Store a job of the task of that name.

        Raises:
            ArgumentsError: the call does not fit the task, or is not JSON.
            TaskNotFoundError: other tasks are registered here, and none of that name.
            OptionError: the name is not one a task can have.
            StoreError: the job could not be stored.
        """
        if self._registry.has(check_task_name(name)):
            return self._port.submit(self._known(name), [Call(args, kwargs)])[0]
        job = self._unknown(name, Call(args, kwargs))
        options = self._options
        return self._port.add([job], options.connection, options.group)[0]

    async def aenqueue(self, name: str, /, *args: Any, **kwargs: Any) -> Job[Any]:
        """`enqueue`, without blocking the event loop."""
        if self._registry.has(check_task_name(name)):
            return (await self._port.asubmit(self._known(name), [Call(args, kwargs)]))[0]
        job = self._unknown(name, Call(args, kwargs))
        options = self._options
        return (await self._port.aadd([job], options.connection, options.group))[0]

    def _known(self, name: str) -> AnyTask:
        task = self._registry.get(name)
        return task.using(**self._given) if self._given else task

    def _unknown(self, name: str, call: Call) -> NewJob:
        if len(self._registry) and not self._unchecked:
            raise self._unregistered(name)
        payload = unchecked_payload(call.args, call.kwargs, self._max_bytes)
        return self._job_factory.unchecked(name, payload, self._options)

    def _unregistered(self, name: str) -> TaskNotFoundError:
        hint = did_you_mean(name, self._registry.list_all())
        return TaskNotFoundError(
            f"Task {name!r} not found in registry{hint or ';'} enqueue a task that only workers "
            f"have with app.using(unchecked=True).enqueue({name!r}, ...)",
            name,
        )


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
        record = run_unstored(engine, engine.registry.get(name), Call(args, kwargs))
        return engine.port.value(record)

    async def arun(self, name: str, /, *args: Any, **kwargs: Any) -> Any:
        """`run`, in a thread of its own: the event loop goes on."""
        return await in_own_thread(self.run, name, *args, **kwargs)
