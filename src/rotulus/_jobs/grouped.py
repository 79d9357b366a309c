"""Jobs of groups: how their records are told from others, and how a callback is given them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rotulus._jobs.outcome import read_error
from rotulus._jobs.record import JobRecord
from rotulus._jobs.states import State
from rotulus._text import jsontext

KEY = "group:"
"""What the key of a head begins with; the name follows."""

_NAME = "$group"
"""The argument of a head, as no parameter is called: the name of the group."""

_BEGINNING = f'{{"{_NAME}":'


@dataclass(frozen=True, slots=True)
class JobOutcome:
    """How a job of a group ended, as its callback is given it.

    Attributes:
        id: the id of the job.
        task: the name of its task.
        arguments: its arguments by parameter name, as plain JSON data.
        state: `succeeded`, `failed`, `dead`, `cancelled` or `skipped`.
        reason: why it ended so, in a word, if there is more to say than the state.
        result: what its task returned, as plain JSON data; None unless it succeeded.
        error: the type and message of what its last attempt raised, if it did.
    """

    id: str
    task: str
    arguments: dict[str, Any]
    state: State
    reason: str | None = None
    result: Any = None
    error: str | None = None


EXAMPLE = (
    '{"id":"","task":"task","arguments":{},"state":"succeeded","reason":null,"result":null,'
    '"error":null}'
)
"""The outcome of a job, as JSON text: a callback is tried with it before there are any."""


def head_arguments(name: str) -> str:
    """Returns what is stored as the arguments of the head of a group."""
    return jsontext.encode({_NAME: name})


def group_name(record: JobRecord) -> str:
    """Returns the name of the group that a job is the head of."""
    return (record.key or "").removeprefix(KEY)


def is_group(record: JobRecord) -> bool:
    """Returns whether a job is the head of a group: the callback, which runs last."""
    return (
        record.run == record.id
        and record.key is not None
        and record.key.startswith(KEY)
        and record.arguments.startswith(_BEGINNING)
    )


def is_member(record: JobRecord) -> bool:
    """Returns whether a job is in a group, and not its head: an ordinary job of a run."""
    return bool(record.step) and record.workflow is None


def has_context(record: JobRecord) -> bool:
    """Returns whether a job is a step or the head of a workflow: what it hands on is a context."""
    return record.run is not None and not is_member(record) and not is_group(record)


def outcomes_text(members: Sequence[JobRecord]) -> str:
    """Returns the outcomes of jobs as JSON text: an array, in the order given."""
    return f"[{','.join(map(_outcome_text, members))}]"


def _outcome_text(record: JobRecord) -> str:
    error = read_error(record.error)
    told = {
        "id": record.id,
        "task": record.task,
        "state": str(record.state),
        "reason": record.reason,
        "error": None if error is None else str(error),
    }
    # Arguments and results are JSON already, and may be large.
    texts = f'"arguments":{record.arguments},"result":{record.result or "null"}'
    return f"{jsontext.encode_plain(told)[:-1]},{texts}}}"
