"""`WorkflowBuilder`: makes a workflow, step by step."""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Never, Self

from rotulus import Schedule, TaskRegistry
from rotulus import registry as global_registry
from rotulus._tasks.checks import check_options
from rotulus._tasks.signature import site_of, site_of_frame
from rotulus._text.names import check_task_name
from rotulus._workflows.registration import register_workflow
from rotulus._workflows.trigger import Trigger
from rotulus._workflows.workflow import Callback, Step, Workflow, check_step_id
from rotulus.errors import WorkflowError
from rotulus.workflow.declared import Declared, Dependency, close_block, open_block
from rotulus.workflow.sources import Addable, Source, default_id, find_source, task_for
from rotulus.workflow.steps import check_dependencies


@dataclass(frozen=True, eq=False)
class _Planned:
    """A step that was added: its source, and its options."""

    id: str
    source: Source
    dependencies: Sequence[Dependency] = ()
    trigger: Trigger | None = None
    for_each: str | None = None
    on_success: Callback | None = None
    on_failure: Callback | None = None


class WorkflowBuilder:
    """Gathers the steps of one workflow.

    As a context manager it takes every step that is declared inside the block; leaving the block
    builds the workflow and registers it, unless an error leaves it.

    Args:
        name: the workflow's name: that of a task.
        tenant: where it belongs; kept on the builder, and no part of the name.
        package: the same.
        workflow: the same.
        registry: where it is registered; the global registry unless given.
        **unknown: any other option, which is refused.

    Raises:
        OptionError: the name is not allowed, or an option is not known.
    """

    def __init__(
        self,
        name: str,
        *,
        tenant: str = "public",
        package: str = "embedded",
        workflow: str | None = None,
        registry: TaskRegistry = global_registry,
        **unknown: Never,
    ) -> None:
        check_options(unknown, _BUILDER)
        self.name = check_task_name(name)
        self._site = site_of_frame(inspect.currentframe(), outward=1)
        self.tenant = tenant
        self.package = package
        self.workflow = name if workflow is None else workflow
        self._registry = registry
        self._description = ""
        self._tags: dict[str, str] = {}
        self._schedule: Schedule | None = None
        self._planned: dict[str, _Planned] = {}

    def description(self, description: str) -> Self:
        """Say what the workflow is for."""
        self._description = str(description)
        return self

    def tag(self, key: str, value: str) -> Self:
        """Add a tag: a text about the workflow, under a key."""
        self._tags[str(key)] = str(value)
        return self

    def schedule(self, cron: str, timezone: str = "UTC", missed: str = "latest") -> Self:
        """Run it by a schedule, with an empty context, wherever workers run.

        Args:
            cron: five fields, or an alias such as `@daily`.
            timezone: an IANA zone name.
            missed: what happens to moments at which nothing was running: as for `@scheduled`.

        Raises:
            OptionError: one of them is not allowed.
        """
        self._schedule = Schedule(cron, timezone, missed)
        return self

    def add_task(
        self,
        task: Addable,
        *,
        id: str | None = None,  # noqa: A002 - as in @task
        dependencies: Sequence[Dependency] | None = None,
        trigger: Trigger | None = None,
        for_each: str | None = None,
        on_success: Callback | None = None,
        on_failure: Callback | None = None,
        **unknown: Never,
    ) -> Self:
        """Add a step.

        Args:
            task: a step declared outside of the block, as its id or its function; any task or
                workflow, itself or by its name. A task takes its arguments from the context by
                name, and a dict that it returns is merged into it.
            id: its id here; unless given, the declared one, or the last segment of the name.
            dependencies: as in `@task`, like the others; None leaves each as it was declared.
            trigger: whether it runs.
            for_each: a key of the context, to run once for each item.
            on_success: called when it has succeeded.
            on_failure: called when it has failed.
            **unknown: any other option, which is refused.

        Raises:
            WorkflowError: there is no such step or task, or another one has the id.
            OptionError: an option is not allowed.
        """
        check_options(unknown, _ADD_TASK)
        options = {
            "dependencies": None if dependencies is None else check_dependencies(dependencies),
            "trigger": trigger,
            "for_each": for_each,
            "on_success": on_success,
            "on_failure": on_failure,
        }
        source = find_source(task, self._registry)
        planned = self._put(default_id(source) if id is None else id, source)
        said = {name: value for name, value in options.items() if value is not None}
        self._planned[planned.id] = replace(planned, **said)
        return self

    def take(self, declared: Declared) -> None:
        """Add a step that is declared inside the block; `@task` calls it."""
        self._put(declared.id, declared)

    def build(self) -> Workflow:
        """Returns the workflow; it is not registered by this.

        Raises:
            WorkflowError: the steps do not make a workflow; the message names the step.
        """
        ids = self._ids()
        steps = [self._step(planned, ids) for planned in self._planned.values()]
        return Workflow.of(
            self.name,
            steps,
            description=self._description,
            tags=self._tags,
            schedule=self._schedule,
            site=self._site,
        )

    def __enter__(self) -> Self:
        open_block(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        close_block(self)
        if kind is None:
            register_workflow(self.build(), self._registry)

    def _put(self, step_id: str, source: Source) -> _Planned:
        """Plan a step; the same step may be planned again, with more options."""
        present = self._planned.get(step_id)
        if present is None:
            present = self._planned[check_step_id(step_id)] = _plan(step_id, source)
        elif present.source.function is not source.function:
            raise WorkflowError(
                f"Workflow {self.name!r} has two steps {step_id!r}, {_site(present.source)} and "
                f"{_site(source)}: give one of them another id"
            )
        return present

    def _ids(self) -> dict[int, list[str]]:
        """Returns the ids of the steps that run a function, by its address."""
        found: dict[int, list[str]] = {}
        for planned in self._planned.values():
            found.setdefault(id(planned.source.function), []).append(planned.id)
        return found

    def _step(self, planned: _Planned, ids: dict[int, list[str]]) -> Step:
        return Step(
            planned.id,
            task_for(planned.source, f"{self.name}.{planned.id}", self._registry),
            tuple(self._need(planned, needed, ids) for needed in planned.dependencies),
            trigger=planned.trigger,
            for_each=planned.for_each,
            on_success=planned.on_success,
            on_failure=planned.on_failure,
        )

    def _need(self, planned: _Planned, needed: Dependency, ids: dict[int, list[str]]) -> str:
        """Returns the id that a dependency stands for."""
        if isinstance(needed, str):
            return needed
        function: object = getattr(needed, "function", needed)
        found = ids.get(id(function), [])
        if len(found) == 1:
            return found[0]
        name = getattr(needed, "__name__", repr(needed))
        if not found:
            raise WorkflowError(
                f"Workflow {self.name!r}: step {planned.id!r} depends on the function {name}, "
                f"which none of its steps runs: add it with add_task()"
            )
        raise WorkflowError(
            f"Workflow {self.name!r}: step {planned.id!r} depends on the function {name}, which "
            f"several steps run ({', '.join(found)}): give the id of one"
        )


_BUILDER = ("tenant", "package", "workflow", "registry")
_ADD_TASK = ("id", "dependencies", "trigger", "for_each", "on_success", "on_failure")


def _plan(step_id: str, source: Source) -> _Planned:
    if not isinstance(source, Declared):
        return _Planned(step_id, source)
    return _Planned(
        step_id,
        source,
        source.dependencies,
        source.trigger,
        source.for_each,
        source.on_success,
        source.on_failure,
    )


def _site(source: Source) -> str:
    return site_of(source.function)
