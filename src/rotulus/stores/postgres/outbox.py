"""The outbox of a database. See `rotulus.store.Outbox`."""

from collections.abc import Callable, Collection

from rotulus._jobs.record import JobRecord, moment
from rotulus._text.ids import is_id
from rotulus.store import Entry
from rotulus.stores.postgres import rows
from rotulus.stores.postgres.session import Session
from rotulus.stores.postgres.source import Source


def carry(session: Session, ids: Collection[str]) -> None:
    """Have jobs published when they are due. See `Outbox.republish`."""
    session.execute("carry", ids=rows.array(one for one in dict.fromkeys(ids) if is_id(one)))


def take(
    session: Session,
    queue: str,
    limit: int,
    lease: float,
    patience: float,
    names: Collection[str] | None,
    *,
    left: bool = False,
) -> list[JobRecord]:
    """Take jobs to publish, or that are left, inside the caller's transaction. See `Outbox`."""
    how = {"lease": rows.span(lease), "patience": rows.span(patience)}
    overdue = rows.span(patience if left else 0.0)
    which = {"queue": queue, "limit": str(limit), "names": rows.optional_array(names)}
    which |= {"overdue": overdue, "others": str(left)}
    while True:
        # The locks come first, so that the next statement sees what their last holders did.
        due = session.fetch("lock_entries", **which)
        if not due:
            return []
        taken = session.fetch("take_entries", ids=rows.array(job for (job,) in due), **how)
        if taken or len(due) < limit:
            return rows.records(taken)


def published(session: Session, ids: Collection[str], patience: float, *, taken: bool) -> None:
    """Messages are out. See `Outbox.published`."""
    known = rows.array(one for one in ids if is_id(one))
    session.execute("published", ids=known, patience=rows.span(patience), taken=str(taken))


def entry(session: Session, job_id: str) -> Entry | None:
    """What is to be published of one job. See `Outbox.entry`."""
    if not is_id(job_id):
        return None
    for due_at, published_at, tries in session.fetch("entry", id=job_id):
        out = None if published_at is None else moment(published_at)
        return Entry(moment(due_at), out, tries)
    return None


class PostgresOutbox:
    """What is to be published of the jobs in a database.

    Args:
        connections: where calls run.
    """

    def __init__(self, connections: Source) -> None:
        self._connections = connections

    def take(
        self,
        queue: str,
        limit: int,
        lease: float,
        patience: float,
        names: Collection[str] | None = None,
    ) -> list[JobRecord]:
        """Take jobs to publish. See `Outbox.take`."""
        return self._connections.run(
            lambda session: take(session, queue, limit, lease, patience, names), atomic=True
        )

    def take_left(
        self, queue: str, limit: int, patience: float, names: Collection[str]
    ) -> list[JobRecord]:
        """Take jobs that nobody publishes. See `Outbox.take_left`."""
        return self._connections.run(
            lambda session: take(session, queue, limit, patience, patience, names, left=True),
            atomic=True,
        )

    def published(self, ids: Collection[str], patience: float, *, taken: bool = True) -> None:
        """Messages are out. See `Outbox.published`."""
        self._connections.run(lambda session: published(session, ids, patience, taken=taken))

    def republish(self, ids: Collection[str]) -> None:
        """Publish jobs once more. See `Outbox.republish`."""
        self._connections.run(lambda session: carry(session, ids))

    def entry(self, job_id: str) -> Entry | None:
        """What is to be published of one job. See `Outbox.entry`."""
        return self._connections.run(lambda session: entry(session, job_id))

    def on_commit(self, function: Callable[[], object]) -> None:
        """Call a function once what was added is committed. See `Outbox.on_commit`."""
        self._connections.after_commit(function)
