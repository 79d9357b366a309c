"""`Changes`: what has happened in a store, in an order that lasts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, NamedTuple, Protocol

CHANGES_KEPT = 600.0
"""Seconds for which changes can be read, and are written when somebody has listened."""

MOST_CHANGES_KEPT = 100_000

Position = Annotated[int, "position"]
"""The place of a change among all changes of a store."""


class Change(NamedTuple):
    """Something that has happened.

    Attributes:
        position: its place among all changes of the store; later changes have greater ones.
        at: when it happened, in UTC.
        kind: `job`, `queue`, `schedule`, `worker`, `limit` or `failure`; or `reset`: changes before
            it are missing.
        name: the id of the job, the name of the queue, schedule or worker, the key of the limit, or
            the fingerprint of the failure group.
        what: the state of the job by then, `cancelling` or `deleted`; a queue is `paused` or
            `resumed`, a schedule `added`, `changed` or `removed`, a worker `started` or `gone`, a
            limit `set` or `unset`, a failure group `muted` or `unmuted`.
        task: the task of the job.
        queue: the queue, or that of the job.
    """

    position: Position
    at: datetime
    kind: str
    name: str
    what: str
    task: str | None = None
    queue: str | None = None


class Changes(Protocol):
    """Writes changes in the transaction that makes them, but only while somebody listens.

    A job that becomes due, and is `queued` then where it was `delayed`, is no change.
    """

    def listen(self) -> int:
        """Have changes written for `CHANGES_KEPT` seconds from now; returns the last position.

        Everything that is changed by a call which begins after this one is written. If changes
        were not written until now, the last one is a reset. Where a transaction that began before
        is still open, another reset follows when that is over.
        """
        ...

    def read(self, after: int, limit: int) -> Sequence[Change]:
        """Returns changes after a position, in order: never one that comes before one returned.

        If the next one is not known any more, or never was, the first one is a reset; so it is
        where the position is greater than all.
        """
        ...

    def prune(self) -> None:
        """Forget old changes, and write none where nobody has listened for long enough."""
        ...
