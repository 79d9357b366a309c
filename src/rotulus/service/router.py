"""The routes of tasks: listed, described, executed within the request, and enqueued."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple, Self
from weakref import WeakKeyDictionary

from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response

from rotulus import TaskInfo, TaskRegistry
from rotulus import registry as global_registry
from rotulus.errors import ConfigurationError
from rotulus.service.access import role_of
from rotulus.service.artifacts.managing import ArtifactManager
from rotulus.service.bodies import read_json
from rotulus.service.documents import document_operations
from rotulus.service.enqueueing import add_enqueueing
from rotulus.service.envelope import answer, read_params
from rotulus.service.executor import TaskExecutor
from rotulus.service.guard import ResourceRouter, guarded
from rotulus.service.injection import close_calls, described_calls
from rotulus.service.local import check_local
from rotulus.service.operations import Operations
from rotulus.service.problems import ProblemError
from rotulus.service.state import ServiceState, state_of
from rotulus.service.task_details import add_details

_EXECUTE = "/api/v1/tasks/{name}/$execute"
"""The path of executions, as the table of roles has it."""

ExecutorFactory = Callable[..., Any]
"""Returns a `TaskExecutor`: a FastAPI dependency, plain or `async`, with `Depends` of its own."""


@dataclass(frozen=True, slots=True)
class TaskRouter:
    """The routes of the tasks of a registry.

    Attributes:
        router: for `app.include_router(...)`.
        operations: the typed operations of the OpenAPI document, one for each task.
    """

    router: APIRouter
    operations: Operations

    @classmethod
    def create(
        cls,
        prefix: str = "/api/v1/tasks",
        tags: Sequence[str] = ("Tasks",),
        executor_factory: ExecutorFactory | None = None,
        *,
        registry: TaskRegistry = global_registry,
        jobs_prefix: str = "/api/v1/jobs",
        tracebacks: bool | None = None,
    ) -> Self:
        """Make the routes.

        `GET {prefix}` lists the tasks, `GET {prefix}/{name}` describes one,
        `POST {prefix}/{name}/$execute` runs it and answers with its result or its error, and
        `POST {prefix}/{name}/$enqueue` stores a job. Tasks that are registered later are served,
        too; the OpenAPI document has a typed operation for each.

        Args:
            prefix: the beginning of the paths.
            tags: the tags of the operations in the OpenAPI document.
            executor_factory: returns the executor: a FastAPI dependency, plain or `async`, with
                `Depends` of its own. Unless given, an executor with the database, the scheduler and
                the artifacts of the service.
            registry: the tasks; the global registry unless given.
            jobs_prefix: the beginning of the paths of jobs, for `Location`.
            tracebacks: whether the answer has the traceback of a task that raised. Default: if only
                this machine can see it, and no proxy stands in between.

        Raises:
            ConfigurationError: the prefix is no path.
        """
        if not prefix.startswith("/") or prefix.endswith("/"):
            raise ConfigurationError(
                f"prefix={prefix!r} is not allowed: it begins with a slash and does not end with "
                f"one, such as '/api/v1/tasks'"
            )
        operations = Operations(registry, described_calls(registry), prefix, list(tags))
        router = ResourceRouter(
            "/api/v1/tasks", prefix, tags, lifespan=_lifespan(registry, operations)
        )
        # The busiest first: routes are tried in their order.
        _add_execution(router, registry, executor_factory, tracebacks)
        _add_reading(router, registry)
        add_details(router, registry)
        add_enqueueing(router, registry, jobs_prefix)
        return cls(router, operations)


def _add_reading(router: APIRouter, registry: TaskRegistry) -> None:
    @router.get("", operation_id="list_tasks", summary="List the tasks")
    async def list_tasks(
        tag: Annotated[list[str] | None, Query(description="Only those with all of these.")] = None,
    ) -> list[TaskInfo]:
        """All tasks in the order in which they were registered."""
        return [registry.get_info(name) for name in registry.list_by_tags(tag or [])]

    @router.get("/{name}", operation_id="get_task", summary="Describe a task")
    async def get_task(name: str) -> TaskInfo:
        """One task: its text, its signature, its parameters and its tags."""
        return registry.get_info(name)


def add_direct_execution(app: FastAPI, prefix: str, registry: TaskRegistry) -> None:
    """Execute tasks by a Starlette route, which is found before the route of a router.

    FastAPI takes longer, because it looks for dependencies to solve. This route calls no
    dependencies, so it is for an application that has none.

    Args:
        app: the application.
        prefix: what the paths of tasks begin with.
        registry: the tasks.
    """

    async def execute(request: Request) -> Response:
        return await _run(request, _usual_executor(request, registry), None)

    path = f"{prefix}/{{name}}/$execute"
    app.add_route(
        path,
        guarded(execute, role_of(("POST",), _EXECUTE)),
        methods=["POST"],
        include_in_schema=False,
    )


async def _run(request: Request, executor: TaskExecutor, tracebacks: bool | None) -> Response:
    name = request.path_params["name"]
    executor.registry.get(name)  # an unknown task is 404, with any body
    params = read_params(await read_json(request, optional=True))
    finished = await executor.run(name, params.payload)
    return answer(name, params, finished, lambda: _shows(request, tracebacks))


def _add_execution(
    router: APIRouter,
    registry: TaskRegistry,
    factory: ExecutorFactory | None,
    tracebacks: bool | None,
) -> None:
    # Each task has an operation of its own in the document.
    add = router.post("/{name}/$execute", name="execute", include_in_schema=False)
    if factory is None:

        @add
        async def execute_alone(request: Request) -> Response:
            return await _run(request, _usual_executor(request, registry), tracebacks)

    else:

        @add
        async def execute(
            request: Request, executor: Annotated[TaskExecutor, Depends(factory)]
        ) -> Response:
            return await _run(request, executor, tracebacks)


def _usual_executor(request: Request, registry: TaskRegistry) -> TaskExecutor:
    """Returns an executor with the values of the service; one for all requests."""
    state = state_of(request)
    known = _EXECUTORS.get(request.app)
    if known is None or known.state is not state or known.executor.registry is not registry:
        known = _EXECUTORS[request.app] = _Known(state, _executor(state, registry))
    return known.executor


class _Known(NamedTuple):
    """An executor, and the values that it was made of."""

    state: ServiceState | None
    executor: TaskExecutor


_EXECUTORS: WeakKeyDictionary[FastAPI, _Known] = WeakKeyDictionary()


def _executor(state: ServiceState | None, registry: TaskRegistry) -> TaskExecutor:
    if state is None or state.database is None:
        return TaskExecutor(registry=registry)
    manager = ArtifactManager(state.database, hierarchy=state.hierarchy)
    return TaskExecutor(state.database, state.scheduler, manager, registry=registry)


def _shows(request: Request, tracebacks: bool | None) -> bool:
    state = state_of(request)
    if tracebacks is None and state is not None:
        tracebacks = state.tracebacks
    return _is_local(request) if tracebacks is None else tracebacks


def _is_local(request: Request) -> bool:
    """Returns whether only this machine sees the answer."""
    try:
        check_local(request)
    except ProblemError:
        return False
    return True


def _lifespan(registry: TaskRegistry, operations: Operations) -> Any:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None, None]:
        document_operations(app, operations)
        try:
            yield
        finally:
            await close_calls(registry)

    return lifespan
