"""The filters for jobs, described once: the doors make their options and parameters of them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Any, Literal, NamedTuple

from rotulus._jobs.states import State
from rotulus._time.lengths import LONGEST
from rotulus._time.words import length_of, moment_of
from rotulus.errors import OptionError


class FilterKind(Enum):
    """What the values of a filter are, and how they are written as words."""

    TEXT = "text"
    """A text."""
    STATE = "state"
    """A state; of several, one of them."""
    MOMENT = "moment"
    """A moment, or how long ago it was: `2026-11-20T09:30Z`, `2h`."""
    LABEL = "label"
    """A name and a text: `customer=7`; of several, all of them."""
    ARGUMENT = "argument"
    """A path in the arguments and a value: `order.id=42`; of several, all of them."""


class FilterInfo(NamedTuple):
    """A filter, as the doors show it.

    Attributes:
        name: its name, the same at all doors.
        kind: what its values are.
        meaning: which jobs it means, as in "jobs of this task".
    """

    name: str
    kind: FilterKind
    meaning: str

    @property
    def repeats(self) -> bool:
        """Whether it may be given several times."""
        return self.kind in (FilterKind.STATE, FilterKind.LABEL, FilterKind.ARGUMENT)

    @property
    def by_name(self) -> bool:
        """Whether each value has a name, as labels have."""
        return self.kind in (FilterKind.LABEL, FilterKind.ARGUMENT)

    @property
    def written(self) -> str | None:
        """How a value of it is written; None if a name says enough."""
        return _WRITTEN.get(self.kind)


_WRITTEN = {
    FilterKind.MOMENT: "90, 15min, 2h or 7d ago, or 2026-11-20T09:30 (UTC)",
    FilterKind.LABEL: "a name and a text, such as customer=7",
    FilterKind.ARGUMENT: "a path and a value, such as order.id=42",
}

JOB_FILTERS = (
    FilterInfo("state", FilterKind.STATE, "jobs in this state"),
    FilterInfo("task", FilterKind.TEXT, "jobs of this task; 'mail.*' for all that begin so"),
    FilterInfo("queue", FilterKind.TEXT, "jobs of this queue"),
    FilterInfo("key", FilterKind.TEXT, "jobs with this unique key"),
    FilterInfo("schedule", FilterKind.TEXT, "jobs that this schedule has fired"),
    FilterInfo("run", FilterKind.TEXT, "jobs of this run of a workflow"),
    FilterInfo("step", FilterKind.TEXT, "jobs at this step, or path, of a run"),
    FilterInfo("worker", FilterKind.TEXT, "jobs that this worker has, or had last"),
    FilterInfo("fingerprint", FilterKind.TEXT, "jobs that failed with this fingerprint"),
    FilterInfo("error", FilterKind.TEXT, "jobs whose error says this"),
    FilterInfo("since", FilterKind.MOMENT, "jobs added since then"),
    FilterInfo("until", FilterKind.MOMENT, "jobs added before then"),
    FilterInfo("label", FilterKind.LABEL, "jobs with this label"),
    FilterInfo("args", FilterKind.ARGUMENT, "jobs with this in their arguments"),
)
"""The filters of `Where`."""


CountedBy = Literal["error", "task", "queue", "worker"]
"""The common thing of jobs that are counted together."""

COUNTED_BY: tuple[CountedBy, ...] = ("error", "task", "queue", "worker")
"""The same, to choose from."""


RUN_FILTERS = (
    FilterInfo("state", FilterKind.STATE, "runs in this state; 'running': that have not ended"),
    FilterInfo("task", FilterKind.TEXT, "runs of this workflow; 'etl.*' for all that begin so"),
    FilterInfo("group", FilterKind.TEXT, "the group of this name"),
    FilterInfo("key", FilterKind.TEXT, "runs with this unique key"),
    FilterInfo("schedule", FilterKind.TEXT, "runs that this schedule has fired"),
    FilterInfo("label", FilterKind.LABEL, "runs with this label"),
    FilterInfo("since", FilterKind.MOMENT, "runs added since then"),
    FilterInfo("until", FilterKind.MOMENT, "runs added before then"),
)
"""The filters of `RunWhere`."""


def read_words(info: FilterInfo, words: Sequence[str]) -> Any:
    """Returns the value of a filter as `app.jobs` takes it; None if no word is given.

    Args:
        info: the filter.
        words: what was written, once or several times.

    Raises:
        OptionError: a word is not written as such a value is, or there are too many.
    """
    if not words:
        return None
    if info.repeats:
        return _READ_ALL[info.kind](words)
    if len(words) > 1:
        raise OptionError(f"it is given {len(words)} times: give it once")
    return read_when(words[0]) if info.kind is FilterKind.MOMENT else words[0]


def read_when(text: str) -> datetime | float:
    """Returns a moment, or how many seconds ago it was. Raises `OptionError`."""
    if (seconds := length_of(text)) is not None:
        if seconds <= LONGEST:
            return seconds
    elif moment := moment_of(text):
        return moment
    raise OptionError(
        f"{text!r} is no time: write 90, 15min, 2h or 7d for so long ago, a hundred years at most, "
        f"or a moment such as 2026-11-20T09:30, which is UTC"
    )


def read_labels(words: Iterable[str]) -> dict[str, str]:
    """Returns labels by name, each written as `customer=7`. Raises `OptionError`."""
    pairs: list[tuple[str, str]] = []
    for word in words:
        name, equals, text = word.partition("=")
        if not equals:
            raise OptionError(f"{word!r} is no label: write a name and a text, such as customer=7")
        pairs.append((name, text))
    return by_name(pairs)


def by_name(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Returns values by name; the same value twice is given once.

    Raises `OptionError` where a name has two values.
    """
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found and found[name] != value:
            raise OptionError(
                f"{name!r} is given twice, as {found[name]!r} and as {value!r}: give it once"
            )
        found[name] = value
    return found


def written_arguments(values: Mapping[str, Any]) -> list[str]:
    """Returns the words for values in arguments, as `read_words` reads them."""
    return [f"{path}={json.dumps(value, ensure_ascii=False)}" for path, value in values.items()]


def _read_states(words: Iterable[str]) -> list[str]:
    return [_state(word) for word in words]


def _state(word: str) -> str:
    if word in list(State):
        return word
    raise OptionError(f"{word!r} is no state; the states are {', '.join(State)}")


def _read_arguments(words: Iterable[str]) -> dict[str, Any]:
    return by_name(map(_read_argument, words))


def _read_argument(word: str) -> tuple[str, Any]:
    """Returns a path in the arguments, and the value there: JSON, or else a text."""
    path, equals, text = word.partition("=")
    if not equals or not path:
        raise OptionError(f"{word!r} is not PATH=VALUE: write order.id=42, or name=Ada for a text")
    try:
        return path, json.loads(text)
    except (ValueError, RecursionError):
        return path, text


_READ_ALL = {
    FilterKind.STATE: _read_states,
    FilterKind.LABEL: read_labels,
    FilterKind.ARGUMENT: _read_arguments,
}
