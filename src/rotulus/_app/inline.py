"""Runs calls of tasks on the caller's event loop: what a door runs within a request."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from time import perf_counter
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from rotulus._app.engine import Engine, make_engine
from rotulus._app.open_apps import OpenApp, open_app_of
from rotulus._app.unstored import Finished, UnstoredCalls, new_record, run_alone
from rotulus._concurrency.pool import in_own_thread
from rotulus._engine.around import MiddlewareList
from rotulus._jobs.current import CURRENT
from rotulus._jobs.record import JobRecord
from rotulus._jobs.retry import Retry
from rotulus._jobs.states import State
from rotulus._tasks.injection import Factory, Injector
from rotulus._tasks.registry import TaskRegistry
from rotulus._text.jsontext import NotJSONError, decode, encode
from rotulus._time.clock import SystemClock
from rotulus._workflows.tasks import WorkflowTask
from rotulus.config import load_settings
from rotulus.errors import NoAppError, OptionError
from rotulus.events import AttemptFailed, AttemptStarted, AttemptSucceeded
from rotulus.store import Store

_KEPT = 40
"""Idle threads that are kept for plain functions: as many requests as FastAPI runs in threads."""


class Shape(NamedTuple):
    """The arguments and the result of a task, as JSON Schemas.

    Attributes:
        arguments: the JSON Schema of its arguments: an object.
        result: the JSON Schema of what it returns.
    """

    arguments: dict[str, Any]
    result: dict[str, Any]


class InlineCalls:
    """Runs tasks of a registry on the event loop of the caller, as a worker would.

    A call is validated, injected and timed, and its attempt is told to the subscribers of the app
    that serves the registry. Nothing is stored, and nothing is tried again. Without an app tasks
    run all the same.

    Args:
        registry: the tasks.
        provided: what fills parameters beside what the app provides: factories by type.
        reserved: types that are the framework's and have no value here, each with what to do about
            that.
    """

    def __init__(
        self,
        registry: TaskRegistry,
        provided: Mapping[Any, Factory],
        reserved: Mapping[Any, str],
    ) -> None:
        self._registry = registry
        self._provided = provided
        self._reserved = reserved
        self._made_of: tuple[OpenApp | None, int] | None = None
        self._engine: Engine | None = None
        self._by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, UnstoredCalls] = (
            WeakKeyDictionary()
        )

    def payload(self, name: str, arguments: Mapping[str, Any]) -> str:
        """Returns the arguments of a call as JSON text.

        Raises:
            TaskNotFoundError: no task of that name is registered.
            ArgumentsError: they do not fit the task.
            InjectionError: a parameter of the task cannot be filled.
        """
        engine = self._ready()
        plan = engine.plans.of(self._registry.get(name))
        return plan.binder.bind((), arguments, engine.max_bytes).payload

    def shape(self, name: str) -> Shape:
        """Returns the arguments and the result of a task, as JSON Schemas.

        Raises:
            TaskNotFoundError: no task of that name is registered.
            InjectionError: a parameter of the task cannot be filled here.
        """
        plan = self._ready().plans.of(self._registry.get(name))
        arguments = plan.binder.json_schema()
        for argument, schema in arguments.get("properties", {}).items():
            with suppress(NotJSONError):  # a default may be anything
                if argument in plan.defaults:
                    schema["default"] = decode(encode(plan.defaults[argument]))
        return Shape(arguments, plan.result.json_schema())

    def retry(self, name: str) -> Retry:
        """Returns the retry policy of a task: its own, else that of the app.

        Raises:
            TaskNotFoundError: no task of that name is registered.
        """
        return self._registry.get(name).retry or self._ready().retry

    def fits(self, name: str, payload: str) -> bool:
        """Returns whether arguments, as JSON text, fit a task."""
        try:
            self._ready().plans.of(self._registry.get(name)).binder.load(payload)
        except Exception:  # noqa: BLE001 - a type's own validator may raise anything
            return False
        return True

    async def run(self, name: str, payload: str) -> Finished:
        """Run a task.

        Args:
            name: the task.
            payload: the arguments, as JSON text; they are checked here.

        Returns:
            The outcome, also if the arguments do not fit or the body raised.

        Raises:
            TaskNotFoundError: no task of that name is registered.
            OptionError: it is a workflow, which runs in workers.
        """
        engine, task = self._ready(), self._registry.get(name)
        if isinstance(task, WorkflowTask):
            raise OptionError(f"{name!r} is a workflow, whose steps run in workers: enqueue it")
        if task.isolation is not None:
            return await in_own_thread(run_alone, engine, task, payload)
        record = new_record(engine, task, payload)
        events = engine.events
        if events.wants(AttemptStarted):
            events.emit(AttemptStarted(record))
        begun = perf_counter()
        attempt = CURRENT.set(None)
        try:
            finished = await self._on_loop(engine).run(record)
        finally:
            CURRENT.reset(attempt)
        _tell(engine, finished, perf_counter() - begun)
        return finished

    def value(self, record: JobRecord) -> Any:
        """Returns the result of a call, in the type of its task. Raises `JobFailedError`."""
        return self._ready().port.value(record)

    async def close(self) -> None:
        """Tear down the values that were made for all calls of this event loop together."""
        calls = self._by_loop.pop(asyncio.get_running_loop(), None)
        if calls is not None:
            await calls.close()

    def _on_loop(self, engine: Engine) -> UnstoredCalls:
        loop = asyncio.get_running_loop()
        calls = self._by_loop.get(loop)
        if calls is None:
            calls = self._by_loop[loop] = UnstoredCalls(engine, keep=_KEPT)
        return calls

    def _ready(self) -> Engine:
        """Returns the engine, made anew when another app serves, or provides something else."""
        found = open_app_of(self._registry)
        active = found and found.active
        made_of = (active, active.injector.changes if active else 0)
        if self._engine is None or self._made_of != made_of:
            self._engine, self._made_of = self._make(active), made_of
            for calls in self._by_loop.values():
                calls.let_go()
            self._by_loop = WeakKeyDictionary()
        return self._engine

    def _make(self, active: OpenApp | None) -> Engine:
        injector = active.injector.copy() if active else Injector()
        for kind, factory in self._provided.items():
            injector.provide(kind, factory)
        for kind, remedy in self._reserved.items():
            injector.reserve(kind, remedy)
        if active is not None:
            return active.engine.filled_by(injector)
        settings = {name: setting.value for name, setting in load_settings().items()}
        return make_engine(
            _no_store, self._registry, injector, SystemClock(), None, settings, MiddlewareList()
        )


def _tell(engine: Engine, finished: Finished, seconds: float) -> None:
    job, outcome, _, error = finished
    if outcome.state is not State.SUCCEEDED:
        engine.events.emit(AttemptFailed(job, outcome, seconds, error))
    elif engine.events.wants(AttemptSucceeded):
        engine.events.emit(AttemptSucceeded(job, outcome, seconds))


def _no_store() -> Store:
    raise NoAppError(
        "This task runs without an app, so there is no store to look into: make one first, such as "
        "app = App('sqlite:///jobs.db')"
    )
