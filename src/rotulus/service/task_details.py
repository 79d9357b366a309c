"""`/api/v1/tasks/{name}/$details`: what a task takes and gives, and how its jobs are run."""

from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, Field

from rotulus import Retry, Schedule, Task, TaskRegistry
from rotulus._app.inline import Shape
from rotulus._app.roles import Role
from rotulus._concurrency.pool import off_loop
from rotulus._jobs.retry_words import retry_in_words
from rotulus._tasks.options import DEFAULT_PER
from rotulus._tasks.signature import source_of
from rotulus._workflows.tasks import WorkflowTask
from rotulus._workflows.workflow import Workflow
from rotulus.errors import ConfigurationError
from rotulus.service.injection import described_calls
from rotulus.service.principal import principal_of

AnyTask = Task[..., Any, Any]
TaskName = Annotated[str, Path(description="The name of a task.")]


class TaskSchedule(BaseModel):
    """When a task is fired, as its code says."""

    cron: str
    timezone: str
    words: str = Field(description="The same in English.")


class WorkflowShape(BaseModel):
    """The steps of a workflow, as its code declares them now."""

    version: str = Field(description="The same as long as its name, steps and options are.")
    steps: int
    levels: list[int] = Field(
        description="How many steps there are in each level: those of one can run at once."
    )

    @classmethod
    def of(cls, workflow: Workflow) -> Self:
        """Returns the model of a workflow."""
        levels = [len(level) for level in workflow.get_execution_levels()]
        return cls(version=workflow.version, steps=len(workflow.steps), levels=levels)


class TaskDetails(BaseModel):
    """What a task takes and gives, and how its jobs are run."""

    name: str
    kind: Literal["task", "workflow"]
    site: str | None = Field(description="The file and line of its function, for operators.")
    source: str | None = Field(description="The text of its function, for admins.")
    arguments: dict[str, Any] | None = Field(
        description="The JSON Schema of its arguments: an object. Null: `problem` says why."
    )
    result: dict[str, Any] | None = Field(description="The JSON Schema of what it returns.")
    problem: str | None = Field(description="Why it cannot be called here.")
    queue: str
    priority: int
    retry: str = Field(description="Which failures are tried again, and when, in English.")
    attempts: int = Field(description="The most attempts of a job.")
    timeout: float | None = Field(description="Seconds after which an attempt is stopped.")
    expires: float | None = Field(
        description="Seconds after which a due job that was not started is given up."
    )
    key: str | None = Field(description="The template of its unique key.")
    limit: int | None = Field(description="How many of its jobs run at once.")
    rate: int | None = Field(description="How many of its jobs begin within `per` seconds.")
    per: float | None
    isolated: bool = Field(description="Whether attempts run in processes of their own.")
    schedule: TaskSchedule | None
    workflow: WorkflowShape | None = Field(description="Null: it is no workflow.")

    @classmethod
    def of(cls, task: AnyTask, retry: Retry, shape: Shape | str, role: Role) -> Self:
        """Returns the model of a task.

        Args:
            task: the task.
            retry: its policy.
            shape: its schemas; or a text that says why it cannot be called.
            role: of whom it is shown to: the place of its function is for operators, the text of
                it for admins.
        """
        options = task.options
        schemas = None if isinstance(shape, str) else shape
        kind = "workflow" if isinstance(task, WorkflowTask) else "task"
        shows_source = kind == "task" and role.includes(Role.ADMIN)
        return cls(
            name=task.name,
            kind=kind,
            site=task.site if role.includes(Role.OPERATOR) else None,
            source=source_of(task.function) if shows_source else None,
            arguments=None if schemas is None else schemas.arguments,
            result=None if schemas is None else schemas.result,
            problem=shape if isinstance(shape, str) else None,
            queue=options.queue,
            priority=options.priority,
            retry=retry_in_words(retry),
            attempts=retry.attempts,
            timeout=task.timeout,
            expires=options.expires,
            key=None if options.key is None else getattr(options.key, "text", str(options.key)),
            limit=options.limit,
            rate=options.rate,
            per=None if options.rate is None else options.per or DEFAULT_PER,
            isolated=task.isolation is not None,
            schedule=None if task.schedule is None else _schedule(task.schedule),
            workflow=WorkflowShape.of(task.workflow) if isinstance(task, WorkflowTask) else None,
        )


def _schedule(schedule: Schedule) -> TaskSchedule:
    return TaskSchedule(cron=schedule.cron, timezone=schedule.timezone, words=schedule.explain())


def add_details(router: APIRouter, registry: TaskRegistry) -> None:
    """Add the route with the details of a task.

    Args:
        router: the router of the tasks.
        registry: the tasks.
    """

    @router.get(
        "/{name}/$details", operation_id="get_task_details", summary="How is a task called and run?"
    )
    async def get_task_details(request: Request, name: TaskName) -> TaskDetails:
        """The JSON Schemas of the arguments and the result of a task, and its policy."""
        task, calls = registry.get(name), described_calls(registry)
        try:
            shape: Shape | str = calls.shape(name)
        except ConfigurationError as error:  # such as no value for a parameter
            shape = str(error)
        role = principal_of(request).role
        return await off_loop(TaskDetails.of, task, calls.retry(name), shape, role)
