"""`Outbox`: jobs that are carried to an endpoint outside, and what is to be published of them.

Jobs that are added with `Terms.carried` have an entry, which is written with them: so there is a
message to publish if and only if there is a job. An entry stands until its job has succeeded: one
that ended otherwise may be sent back, and is published again then.
"""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import NamedTuple, Protocol

from rotulus._jobs.record import JobRecord


class Entry(NamedTuple):
    """What is to be published of a job.

    Attributes:
        due_at: when it is looked at next.
        published_at: when its message was published; None: not since the job was added or sent
            back.
        tries: how often it was taken since then.
    """

    due_at: datetime
    published_at: datetime | None
    tries: int


class Outbox(Protocol):
    """What is to be published."""

    def take(
        self,
        queue: str,
        limit: int,
        lease: float,
        patience: float,
        names: Collection[str] | None = None,
    ) -> list[JobRecord]:
        """Take jobs of a queue whose entry is due, to publish them; the longest due first.

        Where `names` are given, the entries of other tasks are left as they are, for those who
        carry them: several services, or versions of one, may share a queue. See `take_left`.

        | the job | its entry |
        |---|---|
        | could be claimed now | is taken, and due again in `lease` seconds |
        | could be, but was published and tried since | is put off: `patience` after that try |
        | is due later | is put off until then |
        | is running or blocked | is put off for `patience` seconds |
        | has succeeded, was skipped, or is gone | is deleted |
        | has ended otherwise | stays, and is due when `Store.retry` makes it so |

        While its queue is paused, nothing is taken. No job is taken by two callers.
        """
        ...

    def take_left(
        self, queue: str, limit: int, patience: float, names: Collection[str]
    ) -> list[JobRecord]:
        """Take jobs of other tasks whose entry has been due, and left, for `patience` seconds.

        Nobody here publishes them: the service that carries their task is gone, or has been away
        for that long. They are due again after `patience`. So they are told of once in that time,
        and are in nobody's way meanwhile.
        """
        ...

    def published(self, ids: Collection[str], patience: float, *, taken: bool = True) -> None:
        """Note that messages of jobs are out: their entries are due again after `patience` seconds.

        So a job whose message was lost, or was given up on its way, is published once more. The
        entry of a job that was sent back since it was taken stays due, as another message is wanted
        then. With `taken=False` the messages came from elsewhere, and nobody took them here.
        """
        ...

    def republish(self, ids: Collection[str]) -> None:
        """Have jobs that have not ended published when they are due, published before or not."""
        ...

    def entry(self, job_id: str) -> Entry | None:
        """What is to be published of a job; None: it is not carried, or succeeded long ago."""
        ...

    def on_commit(self, function: Callable[[], object]) -> None:
        """Call a function when what this thread has added without a `connection` is committed.

        That is at once, unless the store itself works in a transaction that its caller began.
        """
        ...
