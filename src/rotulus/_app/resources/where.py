"""The filters by which jobs are found, counted and changed."""

import json
import reprlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypedDict, cast

from rotulus._jobs.fingerprint import check_fingerprint
from rotulus._jobs.labels import check_labels
from rotulus._jobs.record import JobRecord, micros
from rotulus._jobs.states import State, read_states
from rotulus._text.names import check_queue_name, check_task_name, did_you_mean, is_storable
from rotulus._time.lengths import Seconds, check_moment, check_seconds
from rotulus.errors import OptionError
from rotulus.filters import JOB_FILTERS, FilterKind
from rotulus.store import Filter, Store

Since = datetime | Seconds
"""A moment, or how many seconds ago it was."""

_PAGE = 500
_LARGEST_LIMIT = 2**31 - 1
_LONGEST_TEXT = 1_000
_LONGEST_VALUE = 10_000
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
_TEXTS = tuple(one.name for one in JOB_FILTERS if one.kind is FilterKind.TEXT)
_NEVER_EMPTY = {"key", "schedule", "run", "worker", "error"}


def read_where(where: Mapping[str, Any], now: Callable[[], datetime]) -> Filter:
    """The filter of a store. Raises `OptionError` for what nothing can match.

    Args:
        where: the filters, by name.
        now: gives the present moment, from which lengths of time count.
    """
    check_filter_names(where)
    given = {name: value for name, value in where.items() if value is not None}
    fields: dict[str, Any] = {name: given[name] for name in _TEXTS if name in given}
    for name, value in fields.items():
        if not is_storable(check_text(name, value)):
            raise OptionError(f"{name}={value!r} is not allowed: no store can hold that text")
    _check_names(fields)
    fields |= _read_span(given, now())
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


def check_filter_names(
    names: Iterable[str],
    others: Sequence[str] = (),
    known: Sequence[str] = _FILTERS,
    what: str = "Jobs",
) -> None:
    """Check names of filters. Raises `OptionError`, with the nearest name.

    Args:
        names: the names that are given.
        others: further names that are meant to be there, which are no filters.
        known: the filters that there are.
        what: the word for what is found.
    """
    for name in names:
        if name not in known and name not in others:
            more = f"; other options: {', '.join(others)}" if others else ""
            raise OptionError(
                f"{what} are not found by {name!r}{did_you_mean(name, (*known, *others))} "
                f"(filters: {', '.join(known)}{more})"
            )


def _check_names(fields: dict[str, Any]) -> None:
    """Check names and other texts, and part a beginning of names from a name."""
    for name in _NEVER_EMPTY & fields.keys():
        if not 0 < len(fields[name]) <= _LONGEST_TEXT:
            shown = reprlib.repr(fields[name])
            raise OptionError(
                f"{name}={shown} is not allowed: give a text of 1 to {_LONGEST_TEXT:,} characters"
            )
    if "queue" in fields:
        check_queue_name(fields["queue"])
    if "fingerprint" in fields:
        check_fingerprint(fields["fingerprint"])
    if "task" in fields and check_task_filter(fields["task"]).endswith("*"):
        fields["task_prefix"] = fields.pop("task")[:-1]


def check_task_filter(task: object) -> str:
    """Returns the name of a task, or a beginning of names with a `*`. Raises `OptionError`."""
    text = check_text("task", task)
    check_task_name(f"{text[:-1]}x" if text.endswith("*") and "*" not in text[:-1] else text)
    return text


def _read_span(given: Mapping[str, Any], now: datetime) -> dict[str, int]:
    """The moments between which jobs were added. Raises `OptionError` for none between them."""
    span = {
        name: read_since(given[name], name, now) for name in ("since", "until") if name in given
    }
    if len(span) == 2:
        check_span(given, span["since"], span["until"])
    return {name: micros(at) for name, at in span.items()}


def check_span(given: Mapping[str, Any], since: datetime, until: datetime) -> None:
    """Check that a span of time does not end before it begins. Raises `OptionError`.

    Args:
        given: `since` and `until`, as they were given; an `until` that was not is the present.
        since: when it begins.
        until: when it ends.
    """
    if since <= until:
        return
    if given.get("until") is None:
        raise OptionError(
            f"since={_shown(given['since'])} is not allowed: that moment is still to come, and "
            f"nothing has happened after it"
        )
    raise OptionError(
        f"since={_shown(given['since'])} is after until={_shown(given['until'])}: swap the two"
    )


def _shown(when: object) -> str:
    return when.isoformat() if isinstance(when, datetime) else f"{when!r}"


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
    fits = isinstance(path, str) and len(path) <= _LONGEST_TEXT and is_storable(path)
    names = str(path).split(".") if fits else []
    if not names or not all(names) or len(names) > _DEEPEST:
        raise OptionError(
            f"args: the path {reprlib.repr(path)} is not allowed: give names that are joined by "
            f"dots, such as 'order.id', {_DEEPEST} at most"
        )
    if value is None or isinstance(value, str | int | float):
        try:
            text = json.dumps(value, ensure_ascii=False, allow_nan=False)
            if len(text) <= _LONGEST_VALUE:
                return names, text
        except ValueError:
            pass
    raise OptionError(
        f"args: {reprlib.repr(value)} at {path!r} is not allowed: give a text, a number, true, "
        f"false or None, of {_LONGEST_VALUE:,} characters at most"
    )


def check_limit(limit: object) -> int:
    """How many at most: a whole number, 0 or more, that each store can hold."""
    if isinstance(limit, int) and not isinstance(limit, bool) and 0 <= limit <= _LARGEST_LIMIT:
        return limit
    raise OptionError(
        f"limit={limit!r} is not allowed: give a whole number, 0 or more, {_LARGEST_LIMIT} at most"
    )


def check_flag(name: str, value: object) -> bool:
    """A value that is true or false. Raises `OptionError` for anything else."""
    if isinstance(value, bool):
        return value
    raise OptionError(f"{name}={reprlib.repr(value)} is not allowed: give True or False")


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
