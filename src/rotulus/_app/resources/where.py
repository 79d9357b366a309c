"""The filters by which jobs are found, counted and changed."""

import reprlib
from collections.abc import Collection, Iterator, Mapping
from typing import Any, TypedDict

from rotulus._jobs.record import JobRecord
from rotulus._jobs.states import State, read_states
from rotulus._text.names import check_queue_name, check_task_name, did_you_mean, is_storable
from rotulus.errors import OptionError
from rotulus.store import Filter, Store

_PAGE = 500
_LARGEST_LIMIT = 2**31 - 1


class Where(TypedDict, total=False):
    """Filters for jobs: a job matches if it has every given value.

    Attributes:
        state: one state, or several.
        task: the name of their task.
        queue: their queue.
        key: their unique key.
        schedule: the scheduled task they were fired for.
        run: the id of the run of a workflow that they are part of.
        step: where they stand in a run: the id of a step, or a path.
    """

    state: State | str | Collection[State | str] | None
    task: str | None
    queue: str | None
    key: str | None
    schedule: str | None
    run: str | None
    step: str | None


_FILTERS = tuple(Where.__annotations__)


def read_where(where: Mapping[str, Any]) -> Filter:
    """The filter of a store. Raises `OptionError` for what nothing can match."""
    for name in where:
        if name not in _FILTERS:
            raise OptionError(
                f"Jobs are not found by {name!r}{did_you_mean(name, _FILTERS)} (filters: "
                f"{', '.join(_FILTERS)})"
            )
    filters = {name: value for name, value in where.items() if value is not None}
    states = read_states(filters.pop("state", None))
    if "task" in filters:
        check_task_name(filters["task"])
    if "queue" in filters:
        check_queue_name(filters["queue"])
    for name, value in filters.items():
        if not is_storable(check_text(name, value)):
            raise OptionError(f"{name}={value!r} is not allowed: no store can hold that text")
    return Filter(states=states, **filters)


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
    page = store.find(where, _PAGE)
    while page:
        yield from page
        page = store.find(where, _PAGE, page[-1].id) if len(page) == _PAGE else []
