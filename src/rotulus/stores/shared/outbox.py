"""`SharedOutbox`: what is to be published of the jobs of a store. See `rotulus.store.Outbox`."""

from collections.abc import Callable, Collection
from typing import NamedTuple, Protocol, TypeVar

from rotulus._jobs.record import JobRecord, moment
from rotulus._text.ids import is_id
from rotulus.store import Entry
from rotulus.stores._columns import span
from rotulus.stores.shared.session import Session

T = TypeVar("T")


class Due(NamedTuple):
    """Which entries to take, as the parameters of statements. Lengths of time are microseconds.

    Attributes:
        queue: the queue they are in.
        limit: how many at most.
        lease: until they are due again.
        patience: until those that are put off are.
        overdue: how long they have been due at least.
        names: the tasks; None: all.
        others: whether those are the tasks that are left.
    """

    queue: str
    limit: int
    lease: int
    patience: int
    overdue: int
    names: list[str] | None
    others: bool


Take = Callable[[Session, Due], list[JobRecord]]
"""Takes jobs to publish, in a transaction."""


class Runs(Protocol):
    """Runs some work on a connection."""

    def __call__(self, work: Callable[[Session], T], /) -> T:
        """Do the work; returns what it returns."""
        ...


class SharedOutbox:
    """What is to be published.

    Args:
        read: reads.
        write: writes in a transaction.
        after_commit: calls a function once what was added is committed.
        take: takes jobs as the database can.
    """

    def __init__(
        self,
        read: Runs,
        write: Runs,
        after_commit: Callable[[Callable[[], object]], None],
        take: Take,
    ) -> None:
        self._read = read
        self._write = write
        self._after_commit = after_commit
        self._take = take

    def take(
        self,
        queue: str,
        limit: int,
        lease: float,
        patience: float,
        names: Collection[str] | None = None,
    ) -> list[JobRecord]:
        """Take jobs to publish. See `Outbox.take`."""
        wanted = None if names is None else list(names)
        due = Due(queue, limit, span(lease), span(patience), 0, wanted, others=False)
        return self._write(lambda session: self._take(session, due))

    def take_left(
        self, queue: str, limit: int, patience: float, names: Collection[str]
    ) -> list[JobRecord]:
        """Take jobs that nobody publishes. See `Outbox.take_left`."""
        long = span(patience)
        due = Due(queue, limit, long, long, long, list(names), others=True)
        return self._write(lambda session: self._take(session, due))

    def published(self, ids: Collection[str], patience: float, *, taken: bool = True) -> None:
        """Messages are out. See `Outbox.published`."""
        how = {"ids": _known(ids), "patience": span(patience), "taken": taken}
        self._write(lambda session: session.execute("published", **how))

    def republish(self, ids: Collection[str]) -> None:
        """Publish jobs once more. See `Outbox.republish`."""
        self._write(lambda session: session.execute("carry", ids=_known(ids)))

    def entry(self, job_id: str) -> Entry | None:
        """What is to be published of one job. See `Outbox.entry`."""
        if not is_id(job_id):
            return None
        found = self._read(lambda session: session.fetch("entry", id=job_id))
        for due_at, published_at, tries in found:
            out = None if published_at is None else moment(published_at)
            return Entry(moment(due_at), out, tries)
        return None

    def on_commit(self, function: Callable[[], object]) -> None:
        """Call a function once what was added is committed. See `Outbox.on_commit`."""
        self._after_commit(function)


def _known(ids: Collection[str]) -> list[str]:
    return [one for one in dict.fromkeys(ids) if is_id(one)]
