"""The explanations of a job's state, as values: a kind, a job, and a sentence."""

from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """The obstacle of a job, or the way in which it ended."""

    ENDED = "ended"
    """It has ended."""
    SKIPPED = "skipped"
    """It was not to be run."""
    KEY_HELD = "key_held"
    """It has ended, and another job has its key, so it cannot be sent back."""
    RUNNING = "running"
    """It runs."""
    CANCELLING = "cancelling"
    """It runs, and is asked to stop."""
    DEFERRED = "deferred"
    """It runs without a slot, until a condition holds."""
    AWAITS = "awaits"
    """It runs, and waits in its slot for the end of another job."""
    LATER = "later"
    """It was enqueued for later."""
    RETRY = "retry"
    """It waits for its next attempt."""
    SNOOZE = "snooze"
    """Its task asked to be run later."""
    UNREADABLE = "unreadable"
    """Its values are encrypted, and its worker had no key for them: it waits for another one."""
    LOST = "lost"
    """Its worker died more than once: it waits for a while."""
    RUN_PAUSED = "run_paused"
    """Its run is paused."""
    NEEDS = "needs"
    """It waits for steps that it needs."""
    PARTS = "parts"
    """It waits for its parts."""
    ADRIFT = "adrift"
    """It is blocked, and waits for nothing."""
    QUEUE_PAUSED = "queue_paused"
    """Its queue is paused."""
    NO_WORKER = "no_worker"
    """No worker is running."""
    NOT_SERVED = "not_served"
    """No worker that runs serves its queue."""
    UNKNOWN_TASK = "unknown_task"
    """No worker that serves its queue knows its task."""
    NOT_REGISTERED = "not_registered"
    """The app that was asked does not know its task."""
    CARRIED = "carried"
    """It is carried to an endpoint, which has not made an attempt yet."""
    LIMIT = "limit"
    """As many jobs of its limit key run as may."""
    RATE = "rate"
    """As many jobs of its limit key have just been started as may be."""
    SUSPECT = "suspect"
    """It was lost twice, and every worker with a free slot runs another such job."""
    SLOTS = "slots"
    """All slots of the workers that could run it are taken."""
    DUE = "due"
    """Nothing is in its way."""
    EXPIRES = "expires"
    """It is not worth starting after a moment, which comes or has passed."""


class Explanation(NamedTuple):
    """One reason.

    Attributes:
        kind: what is in the way.
        about: the job that this is true of: itself, or the one that it waits for in the end.
        text: the sentence.
        others: the jobs that are in the way: holders of slots, of a limit or a key, needs.
    """

    kind: Kind
    about: str
    text: str
    others: tuple[str, ...] = ()
