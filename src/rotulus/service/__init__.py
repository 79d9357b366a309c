"""The service door: every task over HTTP, with injection, background jobs and artifacts.

Each name is imported when it is first used, as those of `rotulus` are. The names for HTTP need the
extra: `pip install 'rotulus[service]'`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from rotulus.errors import ConfigurationError

if TYPE_CHECKING:
    from rotulus.service.artifacts.managing import ArtifactManager
    from rotulus.service.artifacts.repository import ArtifactRepository
    from rotulus.service.artifacts.routes import make_artifact_router
    from rotulus.service.artifacts.values import (
        ArtifactContent,
        ArtifactHierarchy,
        ArtifactIn,
        ArtifactInfo,
        ArtifactNode,
        ArtifactOut,
    )
    from rotulus.service.auth import Auth
    from rotulus.service.builder import ServiceBuilder
    from rotulus.service.console import make_console_router
    from rotulus.service.database import Database, SqliteDatabaseBuilder
    from rotulus.service.dependencies import (
        get_app,
        get_artifact_manager,
        get_database,
        get_scheduler,
    )
    from rotulus.service.executor import TaskExecutor
    from rotulus.service.injection import INJECTABLE_TYPES
    from rotulus.service.principal import Principal, Role
    from rotulus.service.problems import ProblemError, install_problems
    from rotulus.service.protection import leave_open, protect
    from rotulus.service.records import JobStatus, SpawnedJob
    from rotulus.service.resources.jobs import make_jobs_router
    from rotulus.service.router import TaskRouter
    from rotulus.service.scheduler import JobScheduler
    from rotulus.service.serving import serve, service_of
    from rotulus.service.shell import run_shell
    from rotulus.service.state import ServiceInfo, ServiceState
    from rotulus.service.tables import Base

__all__ = [
    "ArtifactContent",
    "ArtifactHierarchy",
    "ArtifactIn",
    "ArtifactInfo",
    "ArtifactManager",
    "ArtifactNode",
    "ArtifactOut",
    "ArtifactRepository",
    "Auth",
    "Base",
    "Database",
    "INJECTABLE_TYPES",
    "JobScheduler",
    "JobStatus",
    "Principal",
    "ProblemError",
    "Role",
    "ServiceBuilder",
    "ServiceInfo",
    "ServiceState",
    "SpawnedJob",
    "SqliteDatabaseBuilder",
    "TaskExecutor",
    "TaskRouter",
    "get_app",
    "get_artifact_manager",
    "get_database",
    "get_scheduler",
    "install_problems",
    "leave_open",
    "make_artifact_router",
    "make_console_router",
    "make_jobs_router",
    "protect",
    "run_shell",
    "serve",
    "service_of",
]

_HOMES = {
    "artifacts.managing": ("ArtifactManager",),
    "artifacts.repository": ("ArtifactRepository",),
    "artifacts.routes": ("make_artifact_router",),
    "artifacts.values": (
        "ArtifactContent",
        "ArtifactHierarchy",
        "ArtifactIn",
        "ArtifactInfo",
        "ArtifactNode",
        "ArtifactOut",
    ),
    "auth": ("Auth",),
    "builder": ("ServiceBuilder",),
    "console": ("make_console_router",),
    "database": ("Database", "SqliteDatabaseBuilder"),
    "dependencies": ("get_app", "get_artifact_manager", "get_database", "get_scheduler"),
    "executor": ("TaskExecutor",),
    "injection": ("INJECTABLE_TYPES",),
    "principal": ("Principal", "Role"),
    "problems": ("ProblemError", "install_problems"),
    "protection": ("leave_open", "protect"),
    "records": ("JobStatus", "SpawnedJob"),
    "resources.jobs": ("make_jobs_router",),
    "router": ("TaskRouter",),
    "scheduler": ("JobScheduler",),
    "serving": ("serve", "service_of"),
    "shell": ("run_shell",),
    "state": ("ServiceInfo", "ServiceState"),
    "tables": ("Base",),
}
"""Where each public name is defined."""

_EXTRA = ("aiosqlite", "fastapi", "sqlalchemy", "starlette", "uvicorn")
"""The packages of the extra."""


def __getattr__(name: str) -> Any:
    home = next((home for home, names in _HOMES.items() if name in names), None)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        value = getattr(import_module(f"{__name__}.{home}"), name)
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] not in _EXTRA:
            raise
        raise ConfigurationError(
            f"{__name__}.{name} needs {error.name}: pip install 'rotulus[service]'"
        ) from None
    if isinstance(value, type):
        value.__module__ = __name__  # shown where users find it
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
