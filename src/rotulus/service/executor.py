"""Executes tasks by name within a request, and fills their parameters."""

from collections.abc import Mapping
from typing import Any

from rotulus import State, TaskRegistry
from rotulus import registry as global_registry
from rotulus._app.unstored import Finished
from rotulus.errors import ConfigurationError
from rotulus.service.artifacts.managing import ArtifactManager
from rotulus.service.database import Database
from rotulus.service.injection import CURRENT_VALUES, ServiceValues, calls_of
from rotulus.service.scheduler import JobScheduler


class TaskExecutor:
    """Executes tasks on the event loop of the caller, as a worker would.

    A call is checked against the signature and its types. Parameters of the `INJECTABLE_TYPES` and
    of types from `app.provide` are filled, and a plain function runs in a thread. Each execution
    has a fresh session, which is closed afterwards and never committed for the task. Nothing is
    stored, and nothing is tried again: use `enqueue` for that.

    Args:
        database: fills `Database` and `AsyncSession`.
        scheduler: fills `JobScheduler`.
        artifact_manager: fills `ArtifactManager`.
        registry: the tasks; the global registry unless given.

    Raises:
        ConfigurationError: one of the three is something else.
    """

    def __init__(
        self,
        database: Database | None = None,
        scheduler: JobScheduler | None = None,
        artifact_manager: ArtifactManager | None = None,
        *,
        registry: TaskRegistry = global_registry,
    ) -> None:
        self.registry = registry
        self._values = ServiceValues(
            _checked("database", database, Database),
            _checked("scheduler", scheduler, JobScheduler),
            _checked("artifact_manager", artifact_manager, ArtifactManager),
        )
        self._calls = calls_of(registry, self._values)

    async def execute(self, name: str, params: Mapping[str, Any] | None = None) -> Any:
        """Run a task. Returns its result.

        Args:
            name: the task.
            params: its arguments by name.

        Raises:
            TaskNotFoundError: no task of that name is registered; it is a `ValueError`.
            ArgumentsError: the arguments do not fit, one is missing, or one is filled by the
                framework; it is a `ValueError`.
            InjectionError: a parameter of the task cannot be filled here.
            JobFailedError: the task has asked to be run again later, or cancelled itself.
            Exception: the exception of the task.
        """
        finished = await self.run(name, self._calls.payload(name, params or {}))
        if finished.outcome.state is not State.SUCCEEDED and finished.error is not None:
            raise finished.error
        return self._calls.value(finished.record)

    async def run(self, name: str, payload: str) -> Finished:
        """Run a task. Returns the outcome as data; an exception of the task is not raised.

        Args:
            name: the task.
            payload: its arguments, as the text of a JSON object.

        Raises:
            TaskNotFoundError: no task of that name is registered.
        """
        token = CURRENT_VALUES.set(self._values)
        try:
            return await self._calls.run(name, payload)
        finally:
            CURRENT_VALUES.reset(token)


def _checked(name: str, value: Any, kind: type) -> Any:
    if value is None or isinstance(value, kind):
        return value
    raise ConfigurationError(
        f"TaskExecutor({name}={value!r}) needs a {kind.__name__}: TaskExecutor(database, "
        f"scheduler, artifact_manager)"
    )
