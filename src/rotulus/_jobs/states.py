"""The states of a job, and every legal move between them."""

from collections.abc import Collection
from enum import StrEnum
from typing import cast

from rotulus._text.names import did_you_mean
from rotulus.errors import OptionError


class State(StrEnum):
    """The stored state of a job."""

    BLOCKED = "blocked"
    """It waits for other jobs."""
    DELAYED = "delayed"
    """Its time has not come: enqueued for later, or waiting for its next attempt."""
    QUEUED = "queued"
    """It is due, and waits for a worker."""
    RUNNING = "running"
    """A worker has it, under a lease."""
    SUCCEEDED = "succeeded"
    """Its task returned, and the result is stored."""
    FAILED = "failed"
    """Its task failed, and its retry policy allows no more attempts."""
    DEAD = "dead"
    """The framework gave up without an answer from the task."""
    CANCELLED = "cancelled"
    """An operator or a program cancelled it."""
    SKIPPED = "skipped"
    """It was not run, because of the outcome of a job that it waited for; or it was skipped by an
    operator or a program."""

    @property
    def ended(self) -> bool:
        """Whether nothing more happens to the job, unless an operator retries it."""
        return self in ENDED

    @property
    def words(self) -> str:
        """The state as the end of a sentence: `failed`, `is queued`, `was skipped`."""
        return _WORDS.get(self, f"is {self.value}")


ENDED = frozenset({State.SUCCEEDED, State.FAILED, State.DEAD, State.CANCELLED, State.SKIPPED})
"""The states a job ends in."""

_WORDS = {
    State.SUCCEEDED: "succeeded",
    State.FAILED: "failed",
    State.CANCELLED: "was cancelled",
    State.SKIPPED: "was skipped",
}

LIVE = frozenset(State) - ENDED
"""The states a job has before it ends."""

RETRYABLE = frozenset({State.FAILED, State.DEAD, State.CANCELLED})
"""The ended states from which an operator can send a job back."""

_AGAIN = frozenset({State.QUEUED, State.BLOCKED})
"""The states of a job that an operator has sent back, or that waits for such a job."""

_LEFT_OUT = frozenset({State.CANCELLED, State.SKIPPED})
"""The states in which an operator ends a job that waits."""

MOVES: dict[State, frozenset[State]] = {
    State.BLOCKED: frozenset({State.QUEUED, State.DELAYED}) | _LEFT_OUT,
    State.DELAYED: _AGAIN | _LEFT_OUT,
    State.QUEUED: frozenset({State.RUNNING, State.BLOCKED, State.DELAYED}) | _LEFT_OUT,
    State.RUNNING: ENDED | _AGAIN | {State.DELAYED},
    **dict.fromkeys(ENDED, _AGAIN),
    **dict.fromkeys(RETRYABLE, _AGAIN | {State.SKIPPED}),
}
"""Every legal move. Any other is a bug, and the tests look for it."""


def read_states(states: object) -> list[State] | None:
    """One state or several, as they may be given. Raises `OptionError` for what is none."""
    if states is None:
        return None
    if isinstance(states, str) or not isinstance(states, Collection):
        return [_read_state(states)]
    return [_read_state(one) for one in cast("Collection[object]", states)]


def _read_state(state: object) -> State:
    if isinstance(state, str) and state in _NAMES:
        return State(state)
    word = str(state).lower()
    hint = f"; did you mean {_ELSEWHERE[word]!r}?" if word in _ELSEWHERE else ""
    raise OptionError(
        f"There is no state {state!r}{hint or did_you_mean(word, _NAMES)} (the states of a job: "
        f"{', '.join(_NAMES)})"
    )


_NAMES = tuple(state.value for state in State)

_ELSEWHERE = {
    **dict.fromkeys(("complete", "completed", "done", "finished", "ok", "success"), "succeeded"),
    **dict.fromkeys(("available", "enqueued", "pending", "ready", "waiting"), "queued"),
    **dict.fromkeys(("retrying", "retryable", "scheduled"), "delayed"),
    **dict.fromkeys(("active", "executing", "started"), "running"),
    **dict.fromkeys(("error", "errored", "failure"), "failed"),
    **dict.fromkeys(("aborted", "canceled", "revoked"), "cancelled"),
    "discarded": "dead",
}
"""The names of the states in other systems."""


class Reason(StrEnum):
    """Why a job ended as it did, or why it waits: the word stored in `reason`."""

    ERROR = "error"
    """The task raised."""
    TIMEOUT = "timeout"
    """The task took longer than its `timeout`."""
    RESULT = "result"
    """The result of the task does not fit its annotation, or cannot be stored."""
    RETRY = "retry"
    """It waits for its next attempt."""
    SNOOZE = "snooze"
    """The task asked to be run later."""
    SHUTDOWN = "shutdown"
    """Its worker was stopped before it finished; nothing is counted against it."""
    UNREADABLE = "unreadable"
    """Its worker could not decrypt its values; nothing is counted against it."""
    UNSTARTED = "unstarted"
    """Its worker had claimed it ahead, and had no slot for it in time; nothing is counted."""
    LOST = "lost"
    """Its worker died or did not renew the lease, or its own process died."""
    UNKNOWN_TASK = "unknown_task"
    """No task of that name is registered where it was claimed."""
    INVALID_ARGUMENTS = "invalid_arguments"
    """Its arguments no longer fit the task."""
    CORRUPT = "corrupt"
    """Its stored arguments cannot be read."""
    EXPIRED = "expired"
    """Nobody started it before it expired."""
    CRASH_LOOP = "crash_loop"
    """Its process died each time it ran, too often."""
    CANCELLED = "cancelled"
    """An operator or the application cancelled it."""
    OPENED = "opened"
    """It is made of parts, and waits until they have ended."""
    DEFERRED = "deferred"
    """It runs without a slot: it looks again and again whether it can go on."""
    AWAITS = "awaits"
    """It runs, and waits in its slot for the end of another job, whose id follows this word."""
    TRIGGER = "trigger"
    """A step of a workflow: its trigger rule did not hold."""
    NEED_FAILED = "need_failed"
    """A step of a workflow: what it needs did not succeed."""
    OPERATOR = "operator"
    """A step of a workflow: an operator or a program skipped it, and the steps after it go on."""


def awaiting(job_id: str) -> str:
    """Returns the reason of a running job whose body waits for the end of another job."""
    return f"{Reason.AWAITS} {job_id}"


def awaited(reason: str | None) -> str | None:
    """The id of the job whose end a running job waits for, by its reason; None if it does not."""
    word, _, job_id = (reason or "").partition(" ")
    return job_id if word == Reason.AWAITS else None
