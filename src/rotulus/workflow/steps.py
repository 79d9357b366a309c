"""`@task`: a function becomes a step."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, TypeVar, cast

from rotulus import Task
from rotulus._jobs.retry import Backoff
from rotulus._tasks.checks import check_timeout, refuse_unknown_options
from rotulus._workflows.tasks import takes
from rotulus._workflows.trigger import Trigger
from rotulus._workflows.workflow import Callback, check_step_id, option_problems
from rotulus.errors import OptionError
from rotulus.workflow.declared import Declared, Dependency, declare
from rotulus.workflow.retrying import RetryOptions

F = TypeVar("F", bound=Callable[..., Any])


@refuse_unknown_options
def task(
    *,
    id: str | None = None,  # noqa: A002 - the word of the documents it implements
    dependencies: Sequence[Dependency] = (),
    retry_attempts: int | None = None,
    retry_backoff: Backoff = "exponential",
    retry_delay_ms: float = 1000,
    retry_max_delay_ms: float = 60_000,
    retry_condition: str = "all",
    retry_jitter: bool = True,
    on_success: Callback | None = None,
    on_failure: Callback | None = None,
    trigger: Trigger | None = None,
    for_each: str | None = None,
    timeout: float | timedelta | None = None,
) -> Callable[[F], F]:
    """Declare a step: a function that takes a context, and returns it or None.

    The function stays the plain function it is. Inside a `WorkflowBuilder` block the step belongs
    to that workflow; elsewhere it is added with `add_task`, by id or by function. A second
    parameter called `handle` or `task_handle` is given the handle of the running step.

    Args:
        id: its id, unique within its workflow; the function's name unless given.
        dependencies: the steps that have to end before it: their ids, or their functions.
        retry_attempts: how many further attempts it gets when it fails. Unless given, the app
            decides, which gives none by itself.
        retry_backoff: how the delay grows: `"fixed"`, `"linear"` or `"exponential"`.
        retry_delay_ms: milliseconds before the first of them.
        retry_max_delay_ms: the longest delay, before jitter.
        retry_condition: which errors are retried: `"all"`, `"never"`, or `"transient"`:
            timeouts, lost connections, and whatever says of itself that it is busy,
            unavailable, temporary or the like.
        retry_jitter: spread each delay over ±25 %.
        on_success: called with (id, context) once the step has succeeded.
        on_failure: called with (id, error, context) once it has failed for good.
        trigger: whether it runs, given how its dependencies ended: `any_failed`, say. Unless
            given: if one of them succeeded, and every other one did too or was skipped by its
            own rule.
        for_each: a key of the context that holds an array: the step runs once for each item.
        timeout: seconds after which an attempt is stopped and counts as a failure.

    Raises:
        OptionError: an option is not known or not allowed, or the function has a parameter that
            nobody fills.
        WorkflowError: the id is not allowed, or there is such a step in the block.
    """
    retry = RetryOptions(
        attempts=retry_attempts,
        backoff=retry_backoff,
        delay_ms=retry_delay_ms,
        max_delay_ms=retry_max_delay_ms,
        condition=retry_condition,
        jitter=retry_jitter,
    ).policy()
    seconds = check_timeout(timeout)
    needs = check_dependencies(dependencies)
    for problem in option_problems(trigger, for_each, on_success, on_failure):
        raise OptionError(f"@task(...): {problem}")

    def decorate(function: F) -> F:
        _check_function(function)
        declared = Declared(
            id=check_step_id(id if id is not None else getattr(function, "__name__", None)),
            function=function,
            takes=takes(function),
            dependencies=needs,
            retry=retry,
            timeout=seconds,
            trigger=trigger,
            for_each=for_each,
            on_success=on_success,
            on_failure=on_failure,
        )
        declare(declared)
        return function

    return decorate


def check_dependencies(value: object) -> tuple[Dependency, ...]:
    """Ids, declared functions and tasks, in their order. Raises `OptionError`."""
    if isinstance(value, list | tuple):
        dependencies = cast("Sequence[object]", value)
        for dependency in dependencies:
            _check_dependency(dependency)
        return cast("tuple[Dependency, ...]", tuple(dependencies))
    raise OptionError(f"dependencies={value!r} is not allowed: give a list of ids or functions")


def _check_dependency(dependency: object) -> None:
    if not (isinstance(dependency, str) or callable(dependency)):
        raise OptionError(
            f"dependencies=[{dependency!r}] is not allowed: give the id of a step, or its function"
        )


def _check_function(function: object) -> None:
    if isinstance(function, Task):
        raise OptionError(
            f"{function.name!r} is a task already, and any task can be a step: "
            f"builder.add_task({function.name!r})"
        )
    if not callable(function):
        raise OptionError(f"@task(...) declares functions, and {function!r} is none")
