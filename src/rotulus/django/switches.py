"""Kill switches: a task that does nothing while an environment variable turns it off."""

import functools
import inspect
import logging
import os
from collections.abc import Callable
from typing import Any, Optional, ParamSpec, TypeVar

from rotulus._tasks.signature import resolved_signature
from rotulus.errors import OptionError

P = ParamSpec("P")
R = TypeVar("R")

_log = logging.getLogger("rotulus.django")


def is_enabled(variable: str) -> bool:
    """Returns whether an environment variable leaves a task on: it is not set, or is `true`.

    Any other value turns the task off. The variable is read at each call.

    Args:
        variable: its name, such as `ENABLE_BACKFILL_SCHEDULER`. The case of its value does not
            matter.
    """
    return os.environ.get(variable, "true").lower() == "true"


def kill_switch(variable: str) -> Callable[[Callable[P, R]], Callable[P, R | None]]:
    """Decorate a function: while an environment variable turns it off, it returns None at once.

    A job that does nothing has succeeded: it is not tried again. The decorator stands below
    `@task`:

        @task
        @kill_switch("ENABLE_BACKFILL_SCHEDULER")
        def backfill() -> int: ...

    Args:
        variable: its name; see `is_enabled`.

    Raises:
        OptionError: it decorates something else than a function, such as a task.
    """

    def decorated(function: Callable[P, R]) -> Callable[P, R | None]:
        if not inspect.isfunction(function):
            raise OptionError(
                f"kill_switch({variable!r}) decorates a function, and {function!r} is none: put it "
                f"below @task"
            )
        run = _switched_async if inspect.iscoroutinefunction(function) else _switched
        switched = functools.wraps(function)(run(variable, function))
        setattr(switched, "__signature__", _signature(function))  # noqa: B010 - it has none itself
        return switched

    return decorated


def _switched(variable: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def run(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs) if _is_on(variable, function) else None

    return run


def _switched_async(variable: str, function: Callable[..., Any]) -> Callable[..., Any]:
    async def run(*args: Any, **kwargs: Any) -> Any:
        return await function(*args, **kwargs) if _is_on(variable, function) else None

    return run


def _is_on(variable: str, function: Callable[..., Any]) -> bool:
    if is_enabled(variable):
        return True
    name = f"{function.__module__}.{function.__qualname__}"
    _log.info("%s does nothing: %s=%s", name, variable, os.environ.get(variable))
    return False


def _signature(function: Callable[..., Any]) -> inspect.Signature:
    """Returns the annotations of the function, with None as a possible result."""
    signature = resolved_signature(function)
    result = signature.return_annotation
    if result in (inspect.Signature.empty, None, Any):
        return signature
    return signature.replace(return_annotation=Optional[result])  # noqa: UP045 - of any annotation
