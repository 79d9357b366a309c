"""The types of events: which there are, which a webhook is told of, and the message of each."""

import reprlib
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple, cast

from rotulus._jobs.labels import read_texts
from rotulus._jobs.record import JobRecord
from rotulus._jobs.states import ENDED, State
from rotulus._tasks.masking import MaskedNames
from rotulus._text import jsontext
from rotulus._text.names import did_you_mean
from rotulus.errors import OptionError
from rotulus.store import Change, WebhookRow

TEST = "webhook.test"
"""The type of a message that somebody asks for, to see whether it arrives."""

MOST_BYTES = 20 * 1024
"""The bytes of a message at most, as Standard Webhooks asks for."""

OF_JOBS = tuple(f"job.{state}" for state in State if state in ENDED)
OF_RUNS = tuple(f"run.{state}" for state in State if state in ENDED - {State.SKIPPED})

EVENTS = (*OF_JOBS, *OF_RUNS)
"""The types of events: jobs and runs end, in the words of their states."""

_KINDS = ("job.*", "run.*")
"""All types of a kind."""


class Occurred(NamedTuple):
    """A job, or a run, has ended.

    Attributes:
        change: what has happened, as a store tells it.
        job: the job as it stands now; None: it has been deleted meanwhile.
        muted: whether it has failed as a group that is muted has.
    """

    change: Change
    job: JobRecord | None
    muted: bool = False

    @property
    def types(self) -> Iterator[str]:
        """The types of it: a run is its job, too. A failure that is muted is none of a job."""
        if not self.muted:
            yield f"job.{self.change.what}"
        if self.job is not None and self.job.run == self.job.id:
            yield f"run.{self.change.what}"


def occurred(change: Change, job: JobRecord | None, muted: Collection[str]) -> Occurred:
    """Returns what has happened.

    Args:
        change: the change.
        job: its job, as it stands now.
        muted: the fingerprints of the failure groups that are muted.
    """
    is_failure = change.what in (State.FAILED, State.DEAD)
    return Occurred(change, job, is_failure and job is not None and job.fingerprint in muted)


def check_events(events: object) -> list[str]:
    """Returns types of events as they were given: one, or several. Raises `OptionError`."""
    given = [events] if isinstance(events, str) else events
    if not isinstance(given, Collection) or not given:
        raise OptionError(
            f"events={reprlib.repr(events)} is not allowed: give one or several of "
            f"{', '.join((*EVENTS, *_KINDS))}"
        )
    checked = dict.fromkeys(cast("Collection[object]", given))
    for name in checked:
        if name not in EVENTS and name not in _KINDS:
            hint = did_you_mean(str(name), (*EVENTS, *_KINDS))
            raise OptionError(
                f"There is no event {reprlib.repr(name)}{hint or '.'} There are: "
                f"{', '.join((*EVENTS, *_KINDS))}"
            )
    return cast("list[str]", list(checked))


def may_want(row: WebhookRow, change: Change) -> bool:
    """Returns whether a webhook may want a change, as far as that is known without its job."""
    if change.kind != "job" or change.what not in ENDED:
        return False
    wanted = wanted_types(row.events)
    if not wanted & {f"job.{change.what}", f"run.{change.what}"}:
        return False
    if row.queue is not None and row.queue != change.queue:
        return False
    if row.task is None:
        return True
    task = change.task or ""
    return task.startswith(row.task[:-1]) if row.task.endswith("*") else task == row.task


def types_for(row: WebhookRow, occurred: Occurred) -> list[str]:
    """Returns the types of which a webhook is told of what has occurred, if it `may_want` it."""
    if row.labels is not None:
        own = read_texts(occurred.job.labels) if occurred.job is not None else {}
        if not read_texts(row.labels).items() <= own.items():
            return []
    wanted = wanted_types(row.events)
    return [type_ for type_ in occurred.types if type_ in wanted]


@lru_cache(maxsize=256)
def wanted_types(events: str) -> frozenset[str]:
    """Returns the types of which a webhook is told, by the JSON text of its events."""
    names: Iterable[str] = jsontext.decode(events)
    return frozenset(
        type_
        for type_ in EVENTS
        for name in names
        if name == type_ or (name in _KINDS and type_.startswith(name[:-1]))
    )


def message(type_: str, at: datetime, data: dict[str, Any]) -> str:
    """Returns the body of a message: a JSON text.

    Args:
        type_: the type of the event.
        at: when it occurred.
        data: what is told of it; what makes it too long is left out.
    """
    stamp = f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond:06d}Z"
    text = jsontext.encode_plain({"type": type_, "timestamp": stamp, "data": data})
    if len(text.encode()) <= MOST_BYTES:
        return text
    return message(type_, at, {name: one for name, one in data.items() if name != "labels"})


def data_of(occurred: Occurred, masked: MaskedNames) -> dict[str, Any]:
    """Returns what is told of what has occurred: no arguments, and no results.

    Args:
        occurred: what has occurred.
        masked: the names of labels whose texts are not told.
    """
    change, job, _ = occurred
    return {
        "id": change.name,
        "task": change.task,
        "queue": change.queue,
        "state": change.what,
        "run": None if job is None else job.run,
        "step": None if job is None else job.step or None,
        "labels": {} if job is None else masked.masked(read_texts(job.labels)),
    }
