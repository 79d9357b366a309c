"""The outbox of a store: jobs that are carried to an endpoint outside, and what is to be published.

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
        due_at: nobody looks at it before.
        published_at: when its message was published; None: it was not, since the job was added or
            sent back.
        tries: how often somebody took it to publish it since then.
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

        None is taken again, by anybody, within `lease` seconds. Taken are only jobs that could be
        claimed now: of others the entry is put off until they are due, or for `patience` seconds
        while they are running or blocked. A job that was published and has had an attempt begun
        since then is left for as long as `patience` after that began. Entries of jobs that have
        succeeded or were skipped go; those of others that have ended are not looked at again until
        `Store.retry` makes them due. While its queue is paused, nothing is taken.
        """
        ...

    def take_left(
        self, queue: str, limit: int, patience: float, names: Collection[str]
    ) -> list[JobRecord]:
        """Take jobs of other tasks whose entry has been due, and left, for `patience` seconds.

        As `take`, but nobody here publishes them: the service that carries their task is gone, or
        has been away for that long. They are due again after `patience`, so they are told of once
        in that time, and are in nobody's way meanwhile.
        """
        ...

    def published(self, ids: Collection[str], patience: float, *, taken: bool = True) -> None:
        """Take note that messages of jobs are out; their entries are due again after `patience`.

        The entry of a job that was sent back since it was taken stays due, as another message is
        wanted then. With `taken=False` the messages came from elsewhere, and nobody took them here.

        So a job whose message was lost, or was given up on its way, is published once more.
        """
        ...

    def republish(self, ids: Collection[str]) -> None:
        """Publish jobs that have not ended when they are due, published before or not."""
        ...

    def entry(self, job_id: str) -> Entry | None:
        """What is to be published of a job; None: it is not carried, or succeeded long ago."""
        ...

    def on_commit(self, function: Callable[[], object]) -> None:
        """Call a function when what this thread has added without a `connection` is committed.

        That is at once, unless the store itself works in a transaction that its caller began.
        """
        ...
