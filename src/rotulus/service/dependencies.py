"""Dependencies of FastAPI that give routes the app, database, scheduler and artifacts."""

from fastapi import Request

from rotulus import App
from rotulus.errors import ConfigurationError
from rotulus.service.artifacts.managing import ArtifactManager
from rotulus.service.database import Database
from rotulus.service.scheduler import JobScheduler
from rotulus.service.state import app_of, state_of


async def get_app(request: Request) -> App:
    """Returns the app of the service.

    Raises:
        NoAppError: no app is open.
    """
    return app_of(request)


async def get_database(request: Request) -> Database:
    """Returns the database of the service: the one that `ServiceBuilder` was given, or has made.

    In an application of your own put one under `app.state.database`.

    Raises:
        ConfigurationError: there is none.
    """
    state = state_of(request)
    found = state.database if state else getattr(request.app.state, "database", None)
    if not isinstance(found, Database):
        raise ConfigurationError(
            "There is no database here: build the application with ServiceBuilder, or set "
            "app.state.database = Database(url)"
        )
    await found.init()
    return found


async def get_scheduler(request: Request) -> JobScheduler | None:
    """Returns the scheduler of the service; None unless the service was built `with_jobs()`.

    In an application of your own put one under `app.state.scheduler`.
    """
    state = state_of(request)
    return state.scheduler if state else getattr(request.app.state, "scheduler", None)


async def get_artifact_manager(request: Request) -> ArtifactManager:
    """Returns an artifact manager on the database of the service, with its hierarchy.

    Raises:
        ConfigurationError: there is no database.
    """
    database = await get_database(request)
    state = state_of(request)
    return ArtifactManager(database, hierarchy=state.hierarchy if state else None)
