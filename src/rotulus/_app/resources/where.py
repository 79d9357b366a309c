"""The filters by which jobs are found, counted and changed."""

import json
import reprlib
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, TypedDict, cast

from rotulus._jobs.labels import check_labels
from rotulus._jobs.record import JobRecord, micros
from rotulus._jobs.states import State, read_states
from rotulus._text.names import check_queue_name, check_task_name, did_you_mean, is_storable
from rotulus._time.lengths import Seconds, check_moment, check_seconds
from rotulus.errors import OptionError
from rotulus.store import Filter, Store

Since = datetime | Seconds
"""A moment, or how many seconds ago it was."""

_PAGE = 500
_LARGEST_LIMIT = 2**31 - 1
_LONGEST_TEXT = 1_000
_DEEPEST = 32


class Where(TypedDict, total=False):
    """Filters for jobs: a job matches if it has every given value.

    Attributes:
        state: one state, or several.
        task: the name of their task; `mail.*` for all names that begin with `mail.`.
        queue: their queue.
        key: their unique key.
        schedule: the name of the schedule that has fired them.
        run: the id of the run of a workflow that they are part of.
        step: where they stand in a run: the id of a step, or a path.
        worker: the name of the worker that has them, or had them last.
        fingerprint: the fingerprint of the error of their last attempt.
        error: a text in the type or the message of that error; letters from a to z match in
            either case.
        since: added at this moment or later; or so many seconds ago, or later.
        until: added before this moment, or before so many seconds ago.
        label: labels that they have, all of them: `{"customer": "7"}`.
        args: values in their arguments, by path: `{"order.id": 42}`, `{"items.0": "a"}`.
    """

    state: State | str | Collection[State | str] | None
    task: str | None
    queue: str | None
    key: str | None
    schedule: str | None
    run: str | None
    step: str | None
    worker: str | None
    fingerprint: str | None
    error: str | None
    since: Since | None
    until: Since | None
    label: Mapping[str, str] | None
    args: Mapping[str, Any] | None


_FILTERS = tuple(Where.__annotations__)
_TEXTS = ("task", "queue", "key", "schedule", "run", "step", "worker", "fingerprint", "error")


def read_where(where: Mapping[str, Any], now: Callable[[], datetime]) -> Filter:
    """The filter of a store. Raises `OptionError` for what nothing can match.

    Args:
        where: the filters, by name.
        now: gives the present moment, from which lengths of time count.
    """
    for name in where:
        if name not in _FILTERS:
            raise OptionError(
                f"Jobs are not found by {name!r}{did_you_mean(name, _FILTERS)} (filters: "
                f"{', '.join(_FILTERS)})"
            )
    given = {name: value for name, value in where.items() if value is not None}
    fields: dict[str, Any] = {name: given[name] for name in _TEXTS if name in given}
    for name, value in fields.items():
        if not is_storable(check_text(name, value)):
            raise OptionError(f"{name}={value!r} is not allowed: no store can hold that text")
    _check_names(fields)
    for name in {"since", "until"} & given.keys():
        fields[name] = micros(read_since(given[name], name, now()))
    if "label" in given:
        labels = check_labels(given["label"], "label")
        if not labels:  # it would match every job
            raise OptionError(
                "label={} is not allowed: give labels, such as label={'customer': '7'}; jobs with "
                "any labels, or none, are found without label="
            )
        fields["labels"] = [f"{name}={text}" for name, text in labels.items()]
    if "args" in given:
        fields["arguments"] = _read_args(given["args"])
    return Filter(states=read_states(given.get("state")), **fields)


def _check_names(fields: dict[str, Any]) -> None:
    """Check names of tasks and queues, and part a beginning of names from a name."""
    if "queue" in fields:
        check_queue_name(fields["queue"])
    if not 0 < len(fields.get("error", "x")) <= _LONGEST_TEXT:
        raise OptionError(f"error= is not allowed: give a text of 1 to {_LONGEST_TEXT} characters")
    task = fields.get("task", "")
    if task.endswith("*"):
        fields["task_prefix"] = fields.pop("task")[:-1]
        check_task_name(f"{fields['task_prefix']}x")
    elif "task" in fields:
        check_task_name(task)


def read_since(value: object, name: str, now: datetime) -> datetime:
    """Returns the moment of a `Since`. Raises `OptionError`.

    Args:
        value: a moment, or how many seconds ago it was.
        name: the name of the option.
        now: the present moment.
    """
    if isinstance(value, datetime):
        return check_moment(value, name)
    return now - timedelta(0, check_seconds(value, name))


def _read_args(args: object) -> list[tuple[list[str], str]]:
    """Paths and values, as a filter of a store has them."""
    if not isinstance(args, Mapping) or not args:
        shown = reprlib.repr(cast("object", args))
        raise OptionError(
            f"args={shown} is not allowed: give paths and values, such as args={{'order.id': 42}}"
        )
    return [_read_arg(path, value) for path, value in cast("Mapping[Any, Any]", args).items()]


def _read_arg(path: object, value: object) -> tuple[list[str], str]:
    names = path.split(".") if isinstance(path, str) else []
    if not names or not all(names) or len(names) > _DEEPEST:
        raise OptionError(
            f"args: the path {path!r} is not allowed: give names that are joined by dots, such as "
            f"'order.id', {_DEEPEST} at most"
        )
    if value is None or isinstance(value, str | int | float):
        try:
            return names, json.dumps(value, ensure_ascii=False, allow_nan=False)
        except ValueError:
            pass
    raise OptionError(
        f"args: {reprlib.repr(value)} at {path!r} is not allowed: give a text, a number, true, "
        f"false or None"
    )


def check_limit(limit: object) -> int:
    """How many at most: a whole number, 0 or more, that each store can hold."""
    if isinstance(limit, int) and not isinstance(limit, bool) and 0 <= limit <= _LARGEST_LIMIT:
        return limit
    raise OptionError(
        f"limit={limit!r} is not allowed: give a whole number, 0 or more, {_LARGEST_LIMIT} at most"
    )


def check_text(name: str, value: object) -> str:
    """A value that is a text. Raises `OptionError` for anything else."""
    if isinstance(value, str):
        return value
    raise OptionError(f"{name}={reprlib.repr(value)} is not allowed: give one text")


def every(store: Store, where: Filter) -> Iterator[JobRecord]:
    """All jobs that match, page by page, the last added first."""
    found = store.search(where, _PAGE)
    yield from store.records(found.ids)
    while found.after is not None:
        found = store.search(where, _PAGE, found.after)
        yield from store.records(found.ids)
