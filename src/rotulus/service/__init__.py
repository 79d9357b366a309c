"""The service door: every task over HTTP, with injection, background jobs and artifacts.

Each name is imported when it is first used, as those of `rotulus` are. The names for HTTP need the
extra: `pip install 'rotulus[service]'`.
"""

from typing import TYPE_CHECKING

from rotulus._lazy import lazy

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
    "rotulus.service.artifacts.managing": ("ArtifactManager",),
    "rotulus.service.artifacts.repository": ("ArtifactRepository",),
    "rotulus.service.artifacts.routes": ("make_artifact_router",),
    "rotulus.service.artifacts.values": (
        "ArtifactContent",
        "ArtifactHierarchy",
        "ArtifactIn",
        "ArtifactInfo",
        "ArtifactNode",
        "ArtifactOut",
    ),
    "rotulus.service.auth": ("Auth",),
    "rotulus.service.builder": ("ServiceBuilder",),
    "rotulus.service.console": ("make_console_router",),
    "rotulus.service.database": ("Database", "SqliteDatabaseBuilder"),
    "rotulus.service.dependencies": (
        "get_app",
        "get_artifact_manager",
        "get_database",
        "get_scheduler",
    ),
    "rotulus.service.executor": ("TaskExecutor",),
    "rotulus.service.injection": ("INJECTABLE_TYPES",),
    "rotulus.service.principal": ("Principal", "Role"),
    "rotulus.service.problems": ("ProblemError", "install_problems"),
    "rotulus.service.protection": ("leave_open", "protect"),
    "rotulus.service.records": ("JobStatus", "SpawnedJob"),
    "rotulus.service.resources.jobs": ("make_jobs_router",),
    "rotulus.service.router": ("TaskRouter",),
    "rotulus.service.scheduler": ("JobScheduler",),
    "rotulus.service.serving": ("serve", "service_of"),
    "rotulus.service.shell": ("run_shell",),
    "rotulus.service.state": ("ServiceInfo", "ServiceState"),
    "rotulus.service.tables": ("Base",),
}
"""Where each public name is defined."""

_EXTRA = {
    "aiosqlite": "service",
    "fastapi": "service",
    "sqlalchemy": "service",
    "starlette": "service",
    "uvicorn": "service",
}
"""The extra of each package."""

__getattr__ = lazy(__name__, _HOMES, _EXTRA)


def __dir__() -> list[str]:
    return list(__all__)
