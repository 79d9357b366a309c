"""Builds a FastAPI application around an app, with one method for each feature."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from copy import copy
from functools import lru_cache
from typing import Any, Self, Unpack

from fastapi import APIRouter, Depends, FastAPI
from starlette.routing import BaseRoute

from rotulus import App, current_app
from rotulus._app.roles import Role, read_role
from rotulus._app.worker_runs import WorkOptions
from rotulus.errors import NoAppError
from rotulus.service.artifacts.routes import make_artifact_router
from rotulus.service.artifacts.values import ArtifactHierarchy
from rotulus.service.auth import Auth, auth_of_settings
from rotulus.service.console import make_console_router
from rotulus.service.database import Database
from rotulus.service.documents import document_operations
from rotulus.service.guard import Guard
from rotulus.service.health import make_health_router
from rotulus.service.injection import provide_to
from rotulus.service.landing import make_landing_router
from rotulus.service.logs import RequestLog, set_up_logging
from rotulus.service.metrics import make_metrics_router
from rotulus.service.problems import install_problems
from rotulus.service.protection import protect
from rotulus.service.resources import ROUTERS
from rotulus.service.resources.jobs import make_jobs_router
from rotulus.service.resources.problems import make_problems_router
from rotulus.service.router import ExecutorFactory, TaskRouter, add_direct_execution
from rotulus.service.scheduler import JobScheduler
from rotulus.service.slashes import RedirectSlashes
from rotulus.service.state import ServiceInfo, ServiceState
from rotulus.service.stored_tokens import StoredTokens
from rotulus.service.system import make_system_router


class ServiceBuilder:
    """Builds a service feature by feature; each method returns the builder.

    `ServiceBuilder(info=ServiceInfo(display_name="Mail")).with_health().with_tasks().build()` is
    an application of FastAPI, which any ASGI server runs.

    Args:
        info: how the service introduces itself.
        app: the app with the tasks and jobs. Unless given, the app that is open for the global
            registry; if none is, `App()`, with the store of the settings.
        database: the database for `get_database` and for artifacts. Unless given, a database at
            the URL of the app's jobs.
        pushes_of: the app of this process that takes the pushes, if it is not the same one.
    """

    def __init__(
        self,
        *,
        info: ServiceInfo,
        app: App | None = None,
        database: Database | None = None,
        pushes_of: App | None = None,
    ) -> None:
        self._info = info
        self._app = app
        self._database = database
        self._parts: list[Callable[[], APIRouter]] = []
        self._routers: list[tuple[APIRouter, dict[str, Any]]] = []
        self._task_routers: list[dict[str, Any]] = []
        self._logs = False
        self._jobs: tuple[int | None] | None = None
        self._hierarchy: ArtifactHierarchy | None = None
        self._auth: Auth | None = None
        self._tracebacks: bool | None = None
        self._worker: WorkOptions | None = None
        self._pushes_of = pushes_of

    def with_health(self) -> Self:
        """Offer `/health`, `/health/live` and `/health/ready`."""
        return self._with(make_health_router)

    def with_landing_page(self) -> Self:
        """Offer a page at `/` with the tasks, a form for each, and links."""
        return self._with(make_landing_router)

    def with_console(self) -> Self:
        """Offer the console at `/console`: a page that shows and steers the jobs of the app.

        It needs the resources, so they are offered, too.
        """
        self.with_resources()
        return self._with(make_console_router)

    def with_system(self) -> Self:
        """Offer `/api/v1/system` and `/api/v1/info`."""
        return self._with(make_system_router)

    def with_metrics(self) -> Self:
        """Offer `/metrics` for Prometheus."""
        return self._with(make_metrics_router)

    def with_logging(self) -> Self:
        """Log each request, with an id that the answer has, too, as `X-Request-ID`."""
        self._logs = True
        return self

    def with_jobs(self, max_concurrency: int | None = None) -> Self:
        """Offer `/api/v1/jobs`, and a `JobScheduler` to tasks.

        Args:
            max_concurrency: the most spawned jobs that run at once. Default: any number.
        """
        self._jobs = (max_concurrency,)
        return self._with(make_jobs_router)

    def with_resources(self) -> Self:
        """Offer the resources of the app below `/api/v1`: found, watched and steered over HTTP."""
        for make in ROUTERS:
            self._with(make)
        return self

    def with_artifacts(self, hierarchy: ArtifactHierarchy | None = None) -> Self:
        """Offer `/api/v1/artifacts`.

        Args:
            hierarchy: the names of the levels of artifacts.
        """
        self._hierarchy = hierarchy
        return self._with(make_artifact_router)

    def with_tasks(
        self,
        prefix: str = "/api/v1/tasks",
        tags: Sequence[str] = ("Tasks",),
        executor_factory: ExecutorFactory | None = None,
    ) -> Self:
        """Offer the tasks of the app, as `TaskRouter.create` does.

        Args:
            prefix: the beginning of the paths.
            tags: the tags of the operations.
            executor_factory: returns the executor; see `TaskRouter.create`.
        """
        self._task_routers.append(
            {"prefix": prefix, "tags": tags, "executor_factory": executor_factory}
        )
        return self

    def with_worker(self, **options: Unpack[WorkOptions]) -> Self:
        """Run a worker inside of the process, which drains at shutdown.

        Args:
            options: those of `App.run_worker`.
        """
        self._worker = options
        return self

    def with_auth(
        self, token: str | None = None, *, dependency: Callable[..., Any] | None = None
    ) -> Self:
        """Let in requests that have a token, or that pass a dependency of FastAPI.

        Args:
            token: the value of `Authorization: Bearer`.
            dependency: raises `HTTPException` to refuse.

        Raises:
            OptionError: neither is given, or the token is too short.
        """
        self._auth = Auth(token=token, dependency=dependency)
        return self

    def with_tracebacks(self, shown: bool) -> Self:
        """Put tracebacks into the answers of tasks that raise, or keep them in the log.

        Args:
            shown: whether answers hold them. Default: if only this machine can see them.
        """
        self._tracebacks = shown
        return self

    def include_router(
        self, router: APIRouter, *, role: Role | str | None = None, **options: Any
    ) -> Self:
        """Include a router: that of a `TaskRouter`, or one of your own.

        Args:
            router: the router.
            role: the least role that may call the routes of a router of your own. Default:
                `"operator"`. Viewers send safe methods only, such as GET.
            options: those of `FastAPI.include_router`.

        Raises:
            OptionError: there is no such role.
        """
        if role is not None:
            check = Depends(Guard(read_role(role), json=False))
            options["dependencies"] = [*options.get("dependencies", ()), check]
        self._routers.append((router, options))
        return self

    def build(self) -> FastAPI:
        """Returns the application.

        Its state is under `app.state.rotulus`. Its lifespan makes the tables of artifacts, boots
        the app, which checks every task, and closes all of it at the end.
        """
        state = self._state()
        app = FastAPI(
            title=self._info.display_name,
            version=self._info.version,
            summary=self._info.summary,
            description=self._info.description or "",
            contact=self._info.contact,
            license_info=self._info.license_info,
            lifespan=_lifespan(state, self._worker),
        )
        app.state.rotulus = state
        app.state.rotulus_problem_pages = make_problems_router in self._parts
        install_problems(app)
        RedirectSlashes(app.router)
        if self._logs:
            set_up_logging()
            app.add_middleware(RequestLog)
        protect(app, state.auth)
        for router, options in self._routers:
            app.include_router(router, **options)
        for options in self._task_routers:
            tasks = TaskRouter.create(**options, registry=state.app.registry)
            if options["executor_factory"] is None:
                add_direct_execution(app, options["prefix"], state.app.registry)
            app.include_router(tasks.router)
            document_operations(app, tasks.operations)
        for make in self._parts:
            app.router.routes.extend(map(copy, _routes_of(make)))
        return app

    def _with(self, make: Callable[[], APIRouter]) -> Self:
        if make not in self._parts:
            self._parts.append(make)
        return self

    def _state(self) -> ServiceState:
        app = self._app or _current()
        database = self._database or Database(app.url)
        scheduler = None if self._jobs is None else JobScheduler(self._jobs[0], app=app)
        state = ServiceState(
            app,
            self._info,
            database,
            scheduler,
            self._hierarchy,
            self._auth or auth_of_settings(),
            self._tracebacks,
            StoredTokens(app),
            self._pushes_of,
        )
        provide_to(app, state)
        return state


@lru_cache
def _routes_of(make: Callable[[], APIRouter]) -> Sequence[BaseRoute]:
    """Returns the routes of a part, made once for all applications of the process.

    They hold nothing of an application. FastAPI makes an included route anew, at the first request;
    a copy of a route costs nothing, and what a program changes on it changes no other application.
    """
    return make().routes


def _current() -> App:
    """Returns the app that is open for the global registry, else an app from the settings."""
    try:
        return current_app()
    except NoAppError:
        return App()


def _lifespan(state: ServiceState, worker: WorkOptions | None) -> Any:
    boot = state.app.lifespan(worker=False if worker is None else worker)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None, None]:
        async with AsyncExitStack() as stack:
            await state.database.init()  # each event loop closes its connections by itself
            await stack.enter_async_context(boot(app))
            if state.scheduler is not None:
                await state.scheduler.start()
                stack.push_async_callback(state.scheduler.close)
            yield

    return lifespan
