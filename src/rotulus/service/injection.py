"""Injection by type for the tasks of a service, and calls of those tasks."""

from collections.abc import AsyncGenerator
from contextvars import ContextVar
from typing import NamedTuple
from weakref import WeakKeyDictionary

from sqlalchemy.ext.asyncio import AsyncSession

from rotulus import App, Job, TaskRegistry
from rotulus._app.inline import InlineCalls
from rotulus._tasks.injection import Factory
from rotulus.errors import ConfigurationError
from rotulus.service.artifacts.managing import ArtifactManager
from rotulus.service.database import Database
from rotulus.service.scheduler import JobScheduler
from rotulus.service.state import ServiceState

INJECTABLE_TYPES = frozenset({ArtifactManager, AsyncSession, Database, Job, JobScheduler})
"""The types whose parameters the framework fills, besides those that `app.provide` adds. They are
matched exactly; `T | None` counts as `T`. A request can never give such a parameter."""


class ServiceValues(NamedTuple):
    """The values for the parameters of one call; None where the service has no such value.

    Attributes:
        database: for `Database`, and the source of an `AsyncSession`.
        scheduler: for `JobScheduler`.
        artifact_manager: for `ArtifactManager`.
    """

    database: Database | None = None
    scheduler: JobScheduler | None = None
    artifact_manager: ArtifactManager | None = None


CURRENT_VALUES: ContextVar[ServiceValues] = ContextVar("rotulus_service_values")
"""The values for the current call."""


def calls_of(registry: TaskRegistry, values: ServiceValues) -> InlineCalls:
    """Returns the calls of a registry's tasks, for executors with the same kinds of values.

    The injection of a task is worked out once for all of them, and not for each request.
    """
    return _calls(registry, tuple(value is not None for value in values))


def described_calls(registry: TaskRegistry) -> InlineCalls:
    """Returns the same with every value at hand: for code that describes tasks and calls none."""
    return _calls(registry, (True, True, True))


async def close_calls(registry: TaskRegistry) -> None:
    """Tear down the values that were made for the calls of this event loop."""
    for calls in _CALLS.get(registry, {}).values():
        await calls.close()


_CALLS: WeakKeyDictionary[TaskRegistry, dict[tuple[bool, ...], InlineCalls]] = WeakKeyDictionary()


def _calls(registry: TaskRegistry, there: tuple[bool, ...]) -> InlineCalls:
    known = _CALLS.setdefault(registry, {})
    if there not in known:
        known[there] = _make(registry, *there)
    return known[there]


def _make(registry: TaskRegistry, database: bool, scheduler: bool, manager: bool) -> InlineCalls:
    kinds: dict[type, tuple[Factory, bool]] = {
        Database: (_database, database),
        AsyncSession: (_session, database),
        JobScheduler: (_scheduler, scheduler),
        ArtifactManager: (_artifact_manager, manager),
    }
    provided = {kind: factory for kind, (factory, there) in kinds.items() if there}
    missing = {kind: _REMEDIES[kind] for kind in kinds if kind not in provided}
    return InlineCalls(registry, provided, missing)


def provide_to(app: App, state: ServiceState) -> None:
    """Fill the same types in the tasks of an app, wherever its jobs run in this process."""
    database, scheduler, hierarchy = state.database, state.scheduler, state.hierarchy

    async def session() -> AsyncGenerator[AsyncSession, None]:
        async with database.session() as fresh:
            yield fresh

    def manager() -> ArtifactManager:
        return ArtifactManager(database, hierarchy=hierarchy)

    app.provide(Database, lambda: database, scope="app")
    app.provide(AsyncSession, session)
    app.provide(ArtifactManager, manager)
    if scheduler is None:
        app.reserve(JobScheduler, _REMEDIES[JobScheduler])
    else:
        app.provide(JobScheduler, lambda: scheduler, scope="app")


_REMEDIES: dict[type, str] = {
    Database: "give the executor one, TaskExecutor(database)",
    AsyncSession: "give the executor a database, TaskExecutor(database)",
    JobScheduler: (
        "give the executor one, TaskExecutor(database, scheduler), and the service "
        "ServiceBuilder.with_jobs()"
    ),
    ArtifactManager: (
        "give the executor one, TaskExecutor(database, scheduler, artifact_manager), and the "
        "service ServiceBuilder.with_artifacts(hierarchy=...)"
    ),
}


def _database() -> Database:
    database = CURRENT_VALUES.get().database
    if database is None:
        raise ConfigurationError(f"There is no database here: {_REMEDIES[Database]}")
    return database


async def _session() -> AsyncGenerator[AsyncSession, None]:
    async with _database().session() as session:
        yield session


def _scheduler() -> JobScheduler | None:
    return CURRENT_VALUES.get().scheduler


def _artifact_manager() -> ArtifactManager | None:
    return CURRENT_VALUES.get().artifact_manager
