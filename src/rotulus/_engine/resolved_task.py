"""A task with everything that is needed to run it, and the kind of its attempts."""

from collections.abc import Awaitable, Callable
from enum import Enum, auto
from typing import Any, NamedTuple

from rotulus._engine.execution import Execution
from rotulus._jobs.outcome import Outcome
from rotulus._tasks.arguments import Call
from rotulus._tasks.plan import TaskPlan
from rotulus._tasks.task import Task


class AttemptKind(Enum):
    """Where the body of a task runs, and where the values that it has injected are made."""

    COROUTINE = auto()
    """On the event loop; no values are made for it."""
    COROUTINE_WITH_VALUES = auto()
    """On the event loop, and so are its values."""
    FUNCTION = auto()
    """In a thread from beginning to end, and so are its values, if it has any."""
    FUNCTION_WITH_LOOP_VALUES = auto()
    """In a thread; its values are made on the event loop."""
    ISOLATED = auto()
    """In a task process."""


class ResolvedTask(NamedTuple):
    """A task with everything that is needed to run it.

    Attributes:
        task: the task.
        plan: how it is called.
        kind: the kind of its attempts.
        body: how its function is called, where that is done in this process.
        in_thread: whether its attempts run in a thread from beginning to end, and their time is
            not watched.
        timeout: seconds for which its body may run; None: that is not watched here.
        methods: the methods of the executor that make its attempts.
    """

    task: Task[..., Any, Any]
    plan: TaskPlan
    kind: AttemptKind
    body: "Body"
    in_thread: bool
    timeout: float | None
    methods: "AttemptMethods"


Body = Callable[[Any, ResolvedTask, Call, Execution], Awaitable[Any]]
"""A method of `Bodies` that calls the function of a task."""

AttemptMethod = Callable[[Any, ResolvedTask, Execution], Awaitable[Outcome]]
"""A method of the executor that makes an attempt."""


class AttemptMethods(NamedTuple):
    """The methods of the executor that make attempts of one kind.

    Attributes:
        job: for an ordinary job.
        step: for a step. Its call comes of a context, which is read from the store: that must not
            block the event loop.
    """

    job: AttemptMethod
    step: AttemptMethod


def kind_here(task: Task[..., Any, Any], plan: TaskPlan) -> AttemptKind:
    """Returns the kind of the attempts of a task that are made in this process."""
    if task.is_async:
        has_values = bool(plan.injection.parameters)
        return AttemptKind.COROUTINE_WITH_VALUES if has_values else AttemptKind.COROUTINE
    if plan.injection.needs_loop:
        return AttemptKind.FUNCTION_WITH_LOOP_VALUES
    return AttemptKind.FUNCTION
