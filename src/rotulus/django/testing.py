"""For the tests of Django projects: assert enqueued tasks, and run due jobs in the test.

The jobs belong to the transaction of the test, and are run on its own connection.
"""

import functools
import inspect
import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any, Self, cast

from asgiref.sync import async_to_sync, sync_to_async
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from pydantic_core import to_jsonable_python

from rotulus import App, Job, State
from rotulus._tasks.signature import is_async
from rotulus.django.app import app_of, registry_of_all
from rotulus.django.backend import RotulusBackend
from rotulus.django.compat import (
    AnyResult,
    DjangoDummyBackend,
    DjangoImmediateBackend,
    TaskResultDoesNotExist,
    task_backends,
    task_enqueued,
)
from rotulus.django.publishing import publishing_nothing
from rotulus.django.tasks import RotulusTask, places_of

__all__ = ["DummyBackend", "EnqueuedTasks", "ImmediateBackend", "TaskTestMixin"]

_LOGGER = logging.getLogger("rotulus")

_MOST = 100_000
"""The most jobs that are read at once."""


class ImmediateBackend(DjangoImmediateBackend):
    """Django's `ImmediateBackend`, for tasks that are declared with options of Rotulus, too."""

    task_class = RotulusTask


class DummyBackend(DjangoDummyBackend):
    """Django's `DummyBackend`, for tasks that are declared with options of Rotulus, too."""

    task_class = RotulusTask


class EnqueuedTasks:
    """The tasks that are enqueued during a block, on any backend, and a way to run them.

    Meanwhile a `PubSubBackend` publishes nothing.

    Args:
        databases: the aliases of the databases that the test may use.
    """

    def __init__(self, databases: Collection[str] = (DEFAULT_DB_ALIAS,)) -> None:
        self._databases = databases
        self._seen: list[AnyResult] = []
        self._silence = ExitStack()

    def __enter__(self) -> Self:
        self._silence.enter_context(publishing_nothing())
        task_enqueued.connect(self._note)
        return self

    def __exit__(self, *_: object) -> None:
        task_enqueued.disconnect(self._note)
        self._silence.close()

    def results(self, task: Any = None) -> list[AnyResult]:
        """Returns the results of the enqueued tasks, in order, without those rolled back.

        Args:
            task: only results of this task.
        """
        of_it = [r for r in self._seen if task is None or r.task.module_path == task.module_path]
        return [result for result in of_it if _is_there(result)]

    def assert_enqueued(self, task: Any, *args: Any, **kwargs: Any) -> AnyResult:
        """Assert that a task has been enqueued: with these arguments, if any are given.

        Returns:
            The result of the last such call: its `task` has `queue_name`, `priority`, `run_after`.

        Raises:
            AssertionError: it has not; the message shows the enqueued tasks.
        """
        found = self._matching(task, args, kwargs)
        if not found:
            raise AssertionError(
                f"{_call(task, args, kwargs)} was not enqueued; {self._shown()}{self._hooks()}"
            )
        return found[-1]

    def assert_not_enqueued(self, task: Any, *args: Any, **kwargs: Any) -> None:
        """Assert that a task has not been enqueued: with these arguments, or with any.

        Raises:
            AssertionError: it has.
        """
        found = self._matching(task, args, kwargs)
        if found:
            raise AssertionError(
                f"{_call(task, args, kwargs)} was enqueued {len(found)} times; {self._shown()}"
            )

    def run_due(self, *, raises: bool = False) -> list[Job[Any]]:
        """Run the jobs that are due, and the jobs that become due by that, here and now.

        Hooks of `transaction.on_commit` are run first and after each job, as if the transaction of
        the test had been committed. If a body breaks the transaction, its writes are lost.

        Args:
            raises: whether to raise the exception of a body.

        Returns:
            The jobs that were run, in their new state. Tasks of `ImmediateBackend` have been run
            before, and tasks of `DummyBackend` are never run.
        """
        ran: list[Job[Any]] = []
        around = functools.partial(_as_if_alone, self._databases)
        for alias in self._of_ours():
            here = app_of(alias)
            app = App(store_of=here, registry=registry_of_all(around))
            done: dict[str, None] = {}
            try:
                while now := self._run_once(app, raises=raises):
                    done |= dict.fromkeys(now)
            finally:
                app.close()
            ran += map(here.get, done)
        return ran

    def _run_once(self, app: App, *, raises: bool) -> list[str]:
        """Run the jobs that are due now. Returns their ids."""
        run_hooks(self._databases)
        ran: list[str] = []
        for job in _due(app):
            tried = app.jobs.run(job.id)
            run_hooks(self._databases)
            if tried.ran:
                ran.append(job.id)
            if raises and tried.error is not None:
                raise tried.error
        return ran

    def _note(self, task_result: AnyResult, **_: Any) -> None:
        self._seen.append(task_result)

    def _matching(self, task: Any, args: Sequence[Any], kwargs: Any) -> list[AnyResult]:
        meant = _named(task, args, kwargs) if args or kwargs else None
        return [
            one
            for one in self.results(task)
            if meant is None or meant == _named(task, one.args, one.kwargs)
        ]

    def _shown(self) -> str:
        calls = [_call(one.task, one.args, one.kwargs) for one in self.results()]
        return f"enqueued were: {', '.join(calls) or 'none'}"

    def _hooks(self) -> str:
        waiting = sum(len(connections[alias].run_on_commit) for alias in self._databases)
        return (
            f". {waiting} hooks of on_commit have not been run: do it by run_due_tasks(), or by "
            f"captureOnCommitCallbacks(execute=True)"
            if waiting
            else ""
        )

    def _of_ours(self) -> Iterator[str]:
        """Returns the databases of our backends that the test may use."""
        backends = [task_backends[alias] for alias in task_backends.settings]
        ours = {one.database for one in backends if isinstance(one, RotulusBackend)}
        return iter(sorted(ours.intersection(self._databases)))


class TaskTestMixin:
    """For `TestCase`, `TransactionTestCase` and their like: `class T(TaskTestMixin, TestCase)`.

    The assertions hold for every backend. Due jobs in the tables of Rotulus are run in the
    transaction of the test.
    """

    databases: Any
    enqueued_tasks: EnqueuedTasks

    def run(self, result: Any = None) -> Any:
        """Run the test, and record the tasks that it enqueues."""
        with EnqueuedTasks(_aliases(self.databases)) as self.enqueued_tasks:
            return cast("Any", super()).run(result)  # of the class beside this one

    def assert_enqueued(self, task: Any, *args: Any, **kwargs: Any) -> AnyResult:
        """Assert that a task has been enqueued. See `EnqueuedTasks.assert_enqueued`."""
        return self.enqueued_tasks.assert_enqueued(task, *args, **kwargs)

    def assert_not_enqueued(self, task: Any, *args: Any, **kwargs: Any) -> None:
        """Assert that a task has not been enqueued. See `EnqueuedTasks.assert_not_enqueued`."""
        self.enqueued_tasks.assert_not_enqueued(task, *args, **kwargs)

    def run_due_tasks(self, *, raises: bool = False) -> list[Job[Any]]:
        """Run the jobs that are due, here and now. See `EnqueuedTasks.run_due`."""
        return self.enqueued_tasks.run_due(raises=raises)

    async def arun_due_tasks(self, *, raises: bool = False) -> list[Job[Any]]:
        """`run_due_tasks` for tests that are coroutines."""
        return await sync_to_async(self.enqueued_tasks.run_due)(raises=raises)


def run_hooks(databases: Collection[str]) -> None:
    """Run the waiting hooks of `on_commit` in these databases, and the hooks that they add."""
    for alias in databases:
        connection = connections[alias]
        while connection.run_on_commit:
            waiting: Any = connection.run_on_commit.pop(0)
            _, hook, robust = waiting
            try:
                hook()
            except Exception:
                if not robust:
                    raise
                _LOGGER.exception("A hook of on_commit has raised")


def _due(app: App) -> list[Job[Any]]:
    """Returns the jobs that are due, in the order of a worker's claims."""
    waiting = app.jobs.find(state=["queued", "delayed"], limit=_MOST)
    now = datetime.now(UTC)
    due = [job for job in waiting if job.state is State.QUEUED or job.run_at <= now]
    return sorted(due, key=lambda job: (-job.priority, job.run_at, job.id))


def _as_if_alone(databases: Collection[str], function: Callable[..., Any]) -> Callable[..., Any]:
    """Returns a body that cannot break the transaction of the test, and stays in its thread."""
    plain = async_to_sync(function) if is_async(function) else function

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        inside = [alias for alias in databases if connections[alias].in_atomic_block]
        points = [(alias, connections[alias].savepoint()) for alias in inside]
        try:
            return plain(*args, **kwargs)
        finally:
            for alias, point in points:
                _leave(alias, point)

    return run


def _leave(alias: str, point: Any) -> None:
    """Keep the writes since a savepoint, as far as the database allows."""
    try:
        connections[alias].savepoint_commit(point)
    except DatabaseError:
        connections[alias].needs_rollback = False
        connections[alias].savepoint_rollback(point)


def _is_there(result: AnyResult) -> bool:
    """Returns whether a result has not been rolled back, if its backend keeps results."""
    if not isinstance(task_backends[result.backend], RotulusBackend):
        return True
    try:
        result.refresh()
    except TaskResultDoesNotExist:
        return False
    return True


def _named(task: Any, args: Sequence[Any], kwargs: Any) -> Any:
    """Returns the arguments of a call by their names, in their JSON form."""
    parameters = inspect.signature(task.func).parameters.values()
    own = [
        one for one in parameters if not task.takes_context or one.name in _own(task, parameters)
    ]
    bound = inspect.Signature(own).bind(*args, **kwargs)
    bound.apply_defaults()
    return to_jsonable_python(bound.arguments)


def _own(task: Any, parameters: Collection[inspect.Parameter]) -> set[str]:
    positional = set(places_of(task))
    return positional | {
        one.name for one in parameters if one.kind >= inspect.Parameter.VAR_POSITIONAL
    }


def _call(task: Any, args: Sequence[Any], kwargs: Any) -> str:
    shown = [*map(repr, args), *(f"{name}={value!r}" for name, value in kwargs.items())]
    return f"{task.name}({', '.join(shown)})"


def _aliases(databases: Any) -> Collection[str]:
    return set(connections) if databases == "__all__" else set(databases)
