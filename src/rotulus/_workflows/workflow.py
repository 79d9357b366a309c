"""A workflow: its steps, the needs of each, and the order in which they can run."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, Self

from rotulus._tasks.task import Task
from rotulus._tasks.template import KeyTemplate
from rotulus._text.names import check_task_name, did_you_mean
from rotulus._time.schedule import Schedule
from rotulus._workflows import fingerprint, order
from rotulus._workflows.marks import Place, places
from rotulus._workflows.trigger import Trigger
from rotulus.errors import StepNotFoundError, WorkflowError

_ID = re.compile(r"(?!\d+\Z)[A-Za-z0-9_-]+")

Callback = Callable[..., Any]


@dataclass(frozen=True)
class Step:
    """One step of a workflow.

    Attributes:
        id: its name within the workflow: letters, digits, `_` and `-`, not digits alone.
        task: what it runs.
        needs: the ids of the steps that have to end before it, in the order in which what they
            hand on is merged.
        trigger: whether it runs, once they have ended; the default rule unless given.
        for_each: a key of its context that holds an array: it runs once for each item.
        on_success: called with (id, context) once it has succeeded.
        on_failure: called with (id, error, context) once it has failed for good.

    Raises:
        WorkflowError: one of them is not allowed.
    """

    id: str
    task: Task[..., Any, Any]
    needs: tuple[str, ...] = ()
    trigger: Trigger | None = None
    for_each: str | None = None
    on_success: Callback | None = None
    on_failure: Callback | None = None

    def __post_init__(self) -> None:
        check_step_id(self.id)
        object.__setattr__(self, "needs", tuple(dict.fromkeys(self.needs)))
        options = option_problems(self.trigger, self.for_each, self.on_success, self.on_failure)
        unknown = _unknown_names(self.trigger, self.needs)
        for problem in (*options, *unknown, *_vain_options(self)):
            raise WorkflowError(f"Step {self.id!r}: {problem}")


@dataclass(frozen=True, eq=False, repr=False)
class Workflow:
    """Steps that wait for each other, checked; made with `Workflow.of` or a `WorkflowBuilder`.

    Attributes:
        name: its name, which is that of a task.
        steps: its steps by id, as they were declared.
        description: what it is for.
        tags: words about it, by key.
        schedule: when it is run by itself, if it is.
        site: where it is declared: `path:line`, if that is known.

    Raises:
        OptionError: the name is not allowed.
        WorkflowError: the steps do not make a workflow; the message names the step.
    """

    name: str
    steps: Mapping[str, Step]
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    schedule: Schedule | None = None
    site: str = ""

    def __post_init__(self) -> None:
        check_task_name(self.name)
        object.__setattr__(self, "steps", MappingProxyType(dict(self.steps)))
        object.__setattr__(self, "tags", MappingProxyType(dict(self.tags)))
        self.validate()

    def __repr__(self) -> str:
        return f"<Workflow {self.name!r} of {len(self.steps)} steps>"

    @classmethod
    def of(
        cls,
        name: str,
        steps: Iterable[Step],
        *,
        description: str = "",
        tags: Mapping[str, str] | None = None,
        schedule: Schedule | None = None,
        site: str = "",
    ) -> Self:
        """A workflow of these steps. Raises what the class raises, and for an id given twice."""
        by_id: dict[str, Step] = {}
        for step in steps:
            if step.id in by_id:
                raise WorkflowError(duplicate(name, by_id[step.id], step))
            by_id[step.id] = step
        return cls(name, by_id, description, tags or {}, schedule, site)

    def step(self, step_id: str) -> Step:
        """Returns the step of that id. Raises `StepNotFoundError`, with the nearest id."""
        found = self.steps.get(step_id)
        if found is None:
            hint = did_you_mean(step_id, self.steps)
            raise StepNotFoundError(f"Workflow {self.name!r} has no step {step_id!r}{hint}")
        return found

    def validate(self) -> None:
        """Check it again; one that exists is valid. Raises `WorkflowError`."""
        if not self.steps:
            raise WorkflowError(
                f"Workflow {self.name!r} cannot be empty: declare a step in its block, or add one "
                f"with add_task()"
            )
        for step in self.steps.values():
            for need in step.needs:
                if need not in self.steps:
                    raise WorkflowError(
                        f"Workflow {self.name!r}: step {step.id!r} depends on {need!r}, which is "
                        f"not one of its steps{did_you_mean(need, self.steps)}"
                    )
        circle = order.circle(self._needs)
        if circle:
            raise WorkflowError(
                f"Workflow {self.name!r}: its steps wait for each other in a cycle: "
                f"{' → '.join(circle)}"
            )

    def topological_sort(self) -> list[str]:
        """Returns the ids so that each stands after what it needs, else as they were declared."""
        return order.topological(self._needs)

    def get_execution_levels(self) -> list[list[str]]:
        """The ids in groups: those of one group can run at once, when the groups before ended."""
        return order.levels(self._needs)

    def get_roots(self) -> list[str]:
        """Returns the ids of the steps that need nothing."""
        return [step.id for step in self.steps.values() if not step.needs]

    def get_leaves(self) -> list[str]:
        """Returns the ids of the steps that no other one needs."""
        needed = {need for step in self.steps.values() for need in step.needs}
        return [step_id for step_id in self.steps if step_id not in needed]

    @cached_property
    def version(self) -> str:
        """16 digits that are the same as long as all of it is: name, steps, options and the rest.

        The code of the functions is not part of it.
        """
        return fingerprint.of(
            [self.name, self.description, dict(self.tags), self.schedule],
            [[getattr(step, name) for name in _SHOWN] for step in self.steps.values()],
        )

    @cached_property
    def places(self) -> dict[str, Place]:
        """The places of the steps whose contexts may meet that of another step."""
        order_of_steps = self.topological_sort()
        stands = places({step_id: self._needs[step_id] for step_id in order_of_steps})
        meeting = set(self.steps) if len(self.get_leaves()) > 1 else set[str]()
        for step_id in reversed(order_of_steps):
            needs = self._needs[step_id]
            if len(needs) > 1 or step_id in meeting:
                meeting.update(needs)
        return {step_id: stands[step_id] for step_id in order_of_steps if step_id in meeting}

    @cached_property
    def _needs(self) -> dict[str, tuple[str, ...]]:
        return {step.id: step.needs for step in self.steps.values()}


_SHOWN = ("id", "needs", "trigger", "for_each", "on_success", "on_failure", "task")


def option_problems(
    trigger: object, for_each: object, on_success: object, on_failure: object
) -> Iterable[str]:
    """Yields the problems of the options of a step, each by itself."""
    for name, callback in (("on_success", on_success), ("on_failure", on_failure)):
        if callback is not None and not callable(callback):
            yield f"{name}={callback!r} is not allowed: give a function"
    if for_each is not None and not (isinstance(for_each, str) and for_each):
        yield f"for_each={for_each!r} is not a key of a context: give a string"
    if trigger is not None and not isinstance(trigger, Trigger):
        yield f"trigger={trigger!r} is not a trigger rule, such as any_failed"


def _vain_options(step: Step) -> Iterable[str]:
    """Yields the options of its task that have no effect on a step."""
    task, options = step.task, step.task.options
    if options.connection is not None:
        yield "connection= has no effect on a step: give it where the workflow is enqueued"
    for option, value in (("key", options.key), ("window", options.window)):
        if value is not None:
            shown = value.text if isinstance(value, KeyTemplate) else value
            yield (
                f"its task {task.name!r} has {option}={shown!r}, which has no effect on a step: it "
                f"is added with its run. Give key= where the workflow is enqueued, and the step a "
                f"task without one"
            )
    template = options.limit_key
    unknown = options.is_limited and step.needs and step.for_each is None
    if unknown and isinstance(template, KeyTemplate):
        yield (
            f"its task {task.name!r} has limit_key={template.text!r}, and nobody knows what to "
            f"fill that with when the step is added: use for_each, or a limit_key without braces"
        )


def _unknown_names(rule: object, needs: tuple[str, ...]) -> Iterable[str]:
    names = rule.names() if isinstance(rule, Trigger) else set[str]()
    for name in sorted(names - set(needs)):
        yield (
            f"its trigger names {name!r}, which is not one of its dependencies"
            f"{did_you_mean(name, needs)}"
        )


def check_step_id(step_id: object) -> str:
    """Returns the id of a step: one segment of a path. Raises `WorkflowError`."""
    if isinstance(step_id, str) and _ID.fullmatch(step_id):
        return step_id
    raise WorkflowError(
        f"Step id {step_id!r} is not allowed: use letters, digits, '_' and '-', and not digits "
        f"alone, such as 'fetch'"
    )


def duplicate(workflow: str, first: Step, second: Step) -> str:
    """Returns the message about two steps of one id."""
    return (
        f"Workflow {workflow!r} has two steps {second.id!r}: {first.task.site} and "
        f"{second.task.site}; give one of them another id"
    )
