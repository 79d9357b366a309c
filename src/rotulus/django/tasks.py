"""The tasks of Django's `@task` on a backend of ours: with our options, and known to workers."""

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self, cast

from django.db.models import Model
from django.utils.functional import Promise
from django.utils.safestring import SafeData

from rotulus import INJECTED, ArgumentsError, Group, Job, Retry
from rotulus._tasks.options import TaskOptions
from rotulus._tasks.signature import resolved_signature
from rotulus.django.compat import AnyTask, Task, TaskContext
from rotulus.django.declaring import Declared, declare, declared
from rotulus.django.results import result_of

_OPTIONS = sorted(TaskOptions.__optional_keys__ - {"queue", "priority"})
"""The options of `rotulus.task` that Django's decorator takes, too; it has those two itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RotulusTask(AnyTask):
    """A task of Django with the options of Rotulus: `@task(retries=3, timeout=60)`.

    Attributes:
        retries: the number of further attempts after a failure; shorthand for a `retry`.
        retry: the failures that get another attempt; see `rotulus.Retry`.
        timeout: seconds after which an attempt is stopped and counts as a failure.
        key: while a job with the same key is live, enqueuing returns that job and adds none. A key
            may name parameters: `"welcome:{user_id}"`.
        window: the least seconds for which the key is held.
        limit: the most jobs with the same `limit_key` that run at once.
        rate: the most jobs with the same `limit_key` that are started within any `per` seconds.
        per: the length of that window, in seconds; 1.
        limit_key: the key that those jobs share; the task's module path unless given.
        labels: words by which people find its jobs: `{"customer": "7"}`.
        expires: seconds after which an unstarted job is given up.
        isolation: `"process"` runs attempts in processes of their own.
        memory: the most MiB that an isolated attempt may allocate.
        tags: words to find it by.
        result: `"check"`, the default: a result has to fit the return annotation; or `"trust"`.
        logs: the least level of its log lines that are kept; False: none are.
        group: the group that its jobs are added to; see `using`.
    """

    retries: int | None = None
    retry: Retry | None = None
    timeout: float | None = None
    key: str | None = None
    window: float | None = None
    limit: int | None = None
    rate: int | None = None
    per: float | None = None
    limit_key: str | None = None
    labels: Mapping[str, str] | None = field(default=None, hash=False)
    expires: float | None = None
    isolation: str | None = None
    memory: int | None = None
    tags: tuple[str, ...] = ()
    result: str = "check"
    logs: bool | str = True
    group: Group | None = field(default=None, hash=False)

    def using(self, *, group: Group | None = None, **chosen: Any) -> Self:
        """Returns the task with other options, which are Django's, and with a group.

        Args:
            group: an open group, made by `app_of().group(...)`.
            chosen: `priority`, `queue_name`, `run_after` and `backend`.
        """
        task = cast("Self", Task.using(self, **chosen))
        return task if group is None else replace(task, group=group)

    def __post_init__(self) -> None:
        Task.__post_init__(self)  # pyright does not see that slots make another class of it
        register(self)


def register(task: Any) -> None:
    """Let the workers of every database know a task of Django, for any backend.

    Raises:
        ConfigurationError: an option is not allowed.
    """
    given = {name: getattr(task, name, None) for name in _OPTIONS}
    options = {name: value for name, value in given.items() if value not in (None, ())}
    if getattr(task, "retries", None) is not None:
        options |= {"retry": Retry(attempts=task.retries + 1)}
    before = declared(task.module_path)
    if before is None or before.task.func is not task.func or options not in ({}, before.options):
        declare(task.module_path, Declared(task, _body(task), options))


def places_of(task: Any) -> list[str]:
    """Returns the parameters that a call may give by position."""
    return _places(task.func, task.takes_context)


def plain(task: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[list[Any], Any]:
    """Returns the arguments of a call, with lazy translations and safe texts as plain texts.

    Raises:
        ArgumentsError: an argument holds a model instance.
    """
    names = [*places_of(task), *(f"*{n}" for n in range(len(args)))]
    return (
        [_plain(task, name, value) for name, value in zip(names, args, strict=False)],
        {name: _plain(task, name, value) for name, value in kwargs.items()},
    )


def _plain(task: Any, name: str, value: Any) -> Any:
    kind: type[Any] = type(value)
    if kind in _AS_THEY_ARE:
        return value
    if isinstance(value, Promise | SafeData):
        return "".join((str(value),))  # this makes a plain `str`
    if isinstance(value, Model):
        raise _model_instance(task, name, value)
    if kind in (list, tuple):
        return kind(_plain(task, name, item) for item in cast("Sequence[Any]", value))
    if kind is dict:
        items = cast("dict[Any, Any]", value).items()
        return {key: _plain(task, name, item) for key, item in items}
    return value


_AS_THEY_ARE = frozenset({str, int, float, bool, type(None)})


def _model_instance(task: Any, name: str, value: Model) -> ArgumentsError:
    kind = type(value).__name__
    problem = (
        f"argument {name!r} is or holds a {kind}, a model instance: pass its primary key, and let "
        f"the task load it ({kind}.objects.get(pk=...))"
    )
    return ArgumentsError(f"{task.func.__name__}() {problem}", [problem])


@functools.cache
def _places(function: Callable[..., Any], takes_context: bool) -> list[str]:
    parameters = inspect.signature(function).parameters.values()
    by_place = [p.name for p in parameters if p.kind < inspect.Parameter.VAR_POSITIONAL]
    return by_place[1:] if takes_context else by_place


def _body(task: Any) -> Callable[..., Any]:
    """Returns the function for the jobs of a task, with its context if it takes one."""
    function = task.func
    if not task.takes_context:
        return function
    declared_signature = resolved_signature(function)
    job = inspect.Parameter(_JOB, inspect.Parameter.KEYWORD_ONLY, default=INJECTED, annotation=Job)
    own = list(declared_signature.parameters.values())[1:]
    ends = [p for p in own if p.kind is inspect.Parameter.VAR_KEYWORD]
    signature = declared_signature.replace(
        parameters=[*(p for p in own if p not in ends), job, *ends]
    )

    @functools.wraps(function)
    async def run_async(*args: Any, **kwargs: Any) -> Any:
        job: Job[Any] = kwargs.pop(_JOB)
        known = await job.arefresh() if job.attempt > 1 else job  # with its earlier attempts
        return await function(_context(known, task), *args, **kwargs)

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        job: Job[Any] = kwargs.pop(_JOB)
        known = job.refresh() if job.attempt > 1 else job
        return function(_context(known, task), *args, **kwargs)

    body = run_async if inspect.iscoroutinefunction(function) else run
    setattr(body, "__signature__", signature)  # noqa: B010 - a function has none of its own
    return body


def _context(job: Job[Any], task: Any) -> TaskContext:
    return TaskContext(task_result=result_of(job, task))


_JOB = "rotulus_job_"
"""The parameter of a body for its job; no parameter of a task has this name."""
