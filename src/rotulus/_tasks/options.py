"""`JobOptions`: how the jobs of a task are queued, and the keywords by which options are given."""

import reprlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Annotated, Any, Self, TypedDict, get_args, get_type_hints

from rotulus._jobs.group import Group
from rotulus._jobs.labels import Attached, Texts, check_headers, check_labels, united, write_texts
from rotulus._jobs.record import Debounce, Terms
from rotulus._jobs.retry import Retry
from rotulus._tasks.checks import (
    Isolation,
    KeepLogs,
    ResultCheck,
    check_isolation,
    check_logs,
    check_memory,
    check_options,
    check_priority,
    check_result,
    check_retry,
    check_some_seconds,
    check_tags,
    check_timeout,
    whole_number,
)
from rotulus._tasks.template import KeyTemplate
from rotulus._text.names import check_key, check_queue_name
from rotulus._time.lengths import Seconds, check_moment, check_seconds
from rotulus.errors import OptionError

DEFAULT_PER = 1.0
"""Seconds: a rate is so many a second, unless it says otherwise."""


class SharedOptions(TypedDict, total=False):
    """The keywords that a declaration and one enqueue have in common: those of `JobOptions`.

    Attributes:
        queue: the queue to wait under; `"default"`.
        priority: higher is sooner; 0.
        expires: seconds after which a due job that was not started is given up as
            `dead(expired)`.
        key: while a job with the same key is live, enqueuing adds none and gives that one. In a
            declaration it may name parameters, as in `key="welcome:{user_id}"`; in `using` it is
            taken as it is, and None is the key of the declaration.
        window: seconds for which the key is held at least, counted from the enqueue.
        limit: how many jobs with the same `limit_key` run at once, in all workers together.
        rate: how many jobs with the same `limit_key` are started within any `per` seconds, in all
            workers together.
        per: the length of that window, in seconds; 1.
        limit_key: the key that those jobs share, given like `key`; the task's name unless given.
        labels: words by which people find the jobs, such as `{"customer": "7"}`: at most 16. In
            `using` they come to those that are declared; where both have a name, that of `using`
            counts, and None is those of the declaration.
    """

    queue: str
    priority: int
    expires: Seconds | None
    key: str | None
    window: Seconds | None
    limit: int | None
    rate: int | None
    per: Seconds | None
    limit_key: str | None
    labels: Mapping[str, str] | None


class TaskOptions(SharedOptions, total=False):
    """The keywords of a declaration, beside the name of the task.

    Attributes:
        tags: words to find it by.
        retry: which failures get another attempt; without one, the app's policy.
        timeout: seconds after which an attempt is stopped and counts as a failure.
        isolation: `"process"` runs attempts in processes of their own, which can be killed and
            may die; None, the default, in the worker itself.
        memory: MiB that an isolated attempt may allocate on top of what the app takes.
        result: `"check"`, the default: a result has to fit the return annotation, or the attempt
            fails; `"trust"`: everything that JSON can hold is stored.
        logs: the least level of the lines that are kept with its attempts, such as `"debug"`;
            False: none are; True, the default: that of the app.
    """

    tags: Sequence[str]
    retry: Retry | None
    timeout: Seconds | None
    isolation: Isolation | None
    memory: int | None
    result: ResultCheck
    logs: KeepLogs


class UsingOptions(SharedOptions, total=False):
    """The keywords of one enqueue; an option that is not given is that of the task.

    Attributes:
        delay: seconds to wait before the job is due.
        at: the moment it is due, as an aware datetime, instead of a delay.
        debounce: seconds to wait before the job is due, counted again from each enqueue of the same
            key: a job that waits with it is moved, and takes the newer arguments, labels and
            headers. A job that has begun lets go of the key. Needs a key.
        max_wait: seconds after its first enqueue by which a debounced job is due in any case.
        headers: texts that travel with the job for machines, such as a trace context: at most 4 KB.
        connection: a connection of yours to the same database, whose transaction the job joins.
        group: an open group, see `app.group`, that the job is added to. It goes without a key and
            without a connection.
    """

    delay: Seconds
    at: datetime | None
    debounce: Seconds | None
    max_wait: Seconds | None
    headers: Mapping[str, str] | None
    connection: Any
    group: Group | None


TASK_CHECKS: Mapping[str, Callable[[object], Any]] = {
    "tags": check_tags,
    "retry": check_retry,
    "timeout": check_timeout,
    "isolation": check_isolation,
    "memory": check_memory,
    "result": check_result,
    "logs": check_logs,
}
"""The checks of the options of a task alone, each of which is a field of `Task`."""


def _queue(value: object, _: str) -> str:
    return check_queue_name(value)


def _key(value: object, option: str) -> str | KeyTemplate:
    return value if isinstance(value, KeyTemplate) else check_key(value, option)


def _group(value: object, option: str) -> Group:
    if isinstance(value, Group):
        return value
    raise OptionError(
        f"{option}={reprlib.repr(value)} is not allowed: give what app.group(...) makes, as in "
        f"'with app.group(\"import-7\", then=report) as g:'"
    )


def _as_given(value: object, _: str) -> object:
    return value


@dataclass(frozen=True, slots=True)
class JobOptions:
    """How jobs are queued: what the declaration of a task says, and one enqueue of it after that.

    This is the only list of these options: each with its type, its check and its default. Times
    are in seconds, and None is allowed where it is the default. To add an option, add a field
    here, a keyword above, and to `terms` what is stored of it.

    A key is a template where it was declared, and a text where it was chosen for one enqueue.
    """

    queue: Annotated[str, _queue] = "default"
    priority: Annotated[int, check_priority] = 0
    delay: Annotated[float, check_seconds] = 0.0
    at: Annotated[datetime | None, check_moment] = None
    debounce: Annotated[float | None, check_some_seconds] = None
    max_wait: Annotated[float | None, check_some_seconds] = None
    expires: Annotated[float | None, check_seconds] = None
    key: Annotated[str | KeyTemplate | None, _key] = None
    window: Annotated[float | None, check_seconds] = None
    limit: Annotated[int | None, whole_number(1, 1_000_000)] = None
    rate: Annotated[int | None, whole_number(1, 1_000_000)] = None
    per: Annotated[float | None, check_some_seconds] = None
    limit_key: Annotated[str | KeyTemplate | None, _key] = None
    labels: Annotated[Texts | None, check_labels] = None
    headers: Annotated[Texts | None, check_headers] = None
    connection: Annotated[Any, _as_given] = None
    group: Annotated[Group | None, _group] = None
    declared: Self | None = field(default=None, repr=False, compare=False)
    """The options of the declaration, if these were chosen over them."""

    def using(self, options: Mapping[str, Any]) -> Self:
        """These options with some chosen for one enqueue. Raises `OptionError`."""
        declared = self.declared or self
        chosen = _checked(options)
        for name, value in chosen.items():
            if name in _DECLARED and value is None:
                chosen[name] = getattr(declared, name)
            elif name in _UNITED:
                chosen[name] = _CHECKS[name][1](united(getattr(self, name), value), name)
        chosen = _later_moment(chosen)
        made = replace(self, **chosen, declared=declared)
        _refuse_contradictions(made, options)
        return made

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Self:
        """Options as they are given, the others at their defaults. Raises `OptionError`."""
        made = cls(**_checked(options))
        _refuse_contradictions(made, options)
        return made

    @property
    def is_limited(self) -> bool:
        """Whether the jobs share a limit or a rate with others."""
        return self.limit is not None or self.rate is not None

    def limited_by(self, task: str) -> str | KeyTemplate | None:
        """The key by which jobs of a task are limited, by the task's name; None: they are not."""
        return (self.limit_key or task) if self.is_limited else None

    @property
    def attached(self) -> Attached:
        """Labels and headers as they are stored."""
        return Attached(write_texts(self.labels), write_texts(self.headers))

    def terms(self, task: str) -> Terms:
        """What is stored with the jobs of a task, by its name."""
        return Terms(
            task=task,
            queue=self.queue,
            priority=self.priority,
            delay=self.debounce or self.delay,
            at=self.at,
            expires=self.expires,
            window=self.window,
            limit_to=self.limit,
            rate_to=self.rate,
            rate_per=None if self.rate is None else self.per or DEFAULT_PER,
            debounce=None if self.debounce is None else Debounce(self.debounce, self.max_wait),
        )


_CHECKS = {
    option.name: (option.default is None, get_args(hint)[1])
    for option, hint in zip(
        fields(JobOptions), get_type_hints(JobOptions, include_extras=True).values(), strict=True
    )
    if option.compare
}
"""Whether an option may be None, and its check, by its name."""


_DECLARED = ("key", "limit_key", "labels", "headers")
"""Options of which None, for one enqueue, is that of the declaration."""

_UNITED = ("labels", "headers")
"""Options that come to those that are there."""


def _checked(options: Mapping[str, Any]) -> dict[str, Any]:
    check_options(options, _CHECKS)
    checked: dict[str, Any] = {}
    for name, value in options.items():
        may_be_none, check = _CHECKS[name]
        checked[name] = None if value is None and may_be_none else check(value, name)
    return checked


def _later_moment(chosen: dict[str, Any]) -> dict[str, Any]:
    """Options of which a delay takes the place of an earlier moment, and the other way round."""
    delay, at = chosen.get("delay"), chosen.get("at")
    if delay and at is not None:
        raise OptionError(
            f"delay={delay:g} and at={at.isoformat()} both say when the job is due: give one of "
            f"the two"
        )
    if at is not None:
        return {**chosen, "delay": 0.0}
    return chosen if delay is None else {**chosen, "at": None}


def _refuse_contradictions(options: JobOptions, given: Mapping[str, Any]) -> None:
    if given.get("per") is not None and options.rate is None:
        raise OptionError(f"per={given['per']!r} is the window of a rate: give rate= as well")
    if options.group is not None:
        _check_grouped(options, options.group)
    if options.debounce is not None:
        _check_debounce(options, options.debounce)
    elif options.max_wait is not None:
        raise OptionError(
            f"max_wait={options.max_wait:g} bounds how far a job is moved: give debounce= as well"
        )


def _check_grouped(options: JobOptions, group: Group) -> None:
    if options.key is not None:
        raise OptionError(
            f"key={str(options.key)!r} is not allowed beside group={group.name!r}: a job of a "
            f"group holds no key. Leave key= out, or enqueue a task that declares none"
        )
    if options.connection is not None:
        raise OptionError(
            f"connection= is not allowed beside group={group.name!r}: jobs are added to a group in "
            f"a transaction of their own"
        )


def _check_debounce(options: JobOptions, seconds: float) -> None:
    if options.key is None:
        raise OptionError(
            f"debounce={seconds:g} moves the waiting job that holds a key: give key= as well"
        )
    if options.delay or options.at is not None:
        raise OptionError(
            f"debounce={seconds:g} says when the job is due: leave delay= and at= out"
        )
    if options.window is not None:
        raise OptionError(
            f"window={options.window:g} holds the key when the job has begun, and "
            f"debounce={seconds:g} lets it go then: give window=None beside debounce="
        )
    if options.max_wait is not None and options.max_wait < seconds:
        raise OptionError(
            f"max_wait={options.max_wait:g} is shorter than debounce={seconds:g}: give as much, or "
            f"more"
        )
