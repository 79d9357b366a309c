"""The webhooks of a store. See `rotulus.store.Webhooks`."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from rotulus._jobs.record import JobRecord, Micros
from rotulus.store import Advance, NewJob, WebhookEntry, WebhookRow
from rotulus.stores._columns import span
from rotulus.stores.shared.session import Session

Run = Callable[[Callable[[Session], Any]], Any]
Add = Callable[[Session, Sequence[NewJob]], list[JobRecord]]


class SharedWebhooks:
    """The webhooks of a store.

    Args:
        read: runs a call that reads.
        write: runs a call that writes, in a transaction.
        add: adds jobs in a transaction.
        tell_work: wakes those who wait for work, unless `add` does.
    """

    def __init__(self, read: Run, write: Run, add: Add, tell_work: Callable[[], object]) -> None:
        self._read = read
        self._write = write
        self._add = add
        self._tell_work = tell_work

    def read(self, names: Collection[str] | None = None) -> list[WebhookRow]:
        """Returns webhooks. See `Webhooks.read`."""
        return self._read(lambda session: _rows(session, names))

    def add(self, entry: WebhookEntry, secret: str, position: int) -> WebhookRow | None:
        """Add a webhook. See `Webhooks.add`."""

        def work(session: Session) -> WebhookRow | None:
            revision, now = _begin(session)
            if _rows(session, [entry.name]):
                return None
            row = _new(entry, secret, position, now)
            return _put(session, row._replace(changed=revision))

        return self._write(work)

    def set(self, entry: WebhookEntry, version: int) -> WebhookRow | None:
        """Change what a webhook says. See `Webhooks.set`."""
        return self._change(entry.name, version, lambda _, __: entry._asdict())

    def pause(self, name: str, version: int, reason: str | None = None) -> WebhookRow | None:
        """Pause a webhook. See `Webhooks.pause`."""

        def change(row: WebhookRow, now: Micros) -> dict[str, Any] | None:
            return None if row.paused_at is not None else {"paused_at": now, "reason": reason}

        return self._change(name, version, change)

    def resume(self, name: str, version: int, position: int) -> WebhookRow | None:
        """Resume a webhook. See `Webhooks.resume`."""

        def change(row: WebhookRow, now: Micros) -> dict[str, Any] | None:  # noqa: ARG001 - as others
            if row.paused_at is None:
                return None
            return {"paused_at": None, "reason": None, "position": position, "slow_until": None}

        return self._change(name, version, change)

    def rotate(self, name: str, version: int, secret: str, keep: float) -> WebhookRow | None:
        """Give a webhook another secret. See `Webhooks.rotate`."""

        def change(row: WebhookRow, now: Micros) -> dict[str, Any]:
            return {"secret": secret, "old_secret": row.secret, "old_until": now + span(keep)}

        return self._change(name, version, change)

    def remove(self, name: str, version: int) -> bool:
        """Remove a webhook. See `Webhooks.remove`."""

        def work(session: Session) -> bool:
            _begin(session)
            if [version] != [row.version for row in _rows(session, [name])]:
                return False
            session.execute("remove_webhook", name=name)
            return True

        return self._write(work)

    def advance(
        self, advances: Sequence[Advance], jobs: Mapping[str, Sequence[NewJob]]
    ) -> dict[str, list[JobRecord]]:
        """Add the jobs of changes. See `Webhooks.advance`."""
        if not advances:
            return {}

        def work(session: Session) -> dict[str, list[JobRecord]]:
            _begin(session)
            rows = _rows(session, [advance.name for advance in advances])
            stand = {row.name: row.position for row in rows if row.paused_at is None}
            moved = [advance for advance in advances if stand.get(advance.name) == advance.seen]
            if moved:
                session.execute("advance_webhooks", **session.rows("advance", moved))
            wanted = [job for advance in moved for job in jobs.get(advance.name, ())]
            added = iter(self._add(session, wanted) if wanted else ())
            return {
                advance.name: [next(added) for _ in jobs.get(advance.name, ())] for advance in moved
            }

        added = self._write(work)
        if any(added.values()):
            self._tell_work()
        return added

    def slow(self, name: str, seconds: float) -> None:
        """Have nothing sent for a while. See `Webhooks.slow`."""

        def work(session: Session) -> None:
            _begin(session)
            session.execute("slow_webhook", name=name, microseconds=span(seconds))

        self._write(work)

    def _change(
        self,
        name: str,
        version: int,
        change: Callable[[WebhookRow, Micros], Mapping[str, Any] | None],
    ) -> WebhookRow | None:
        """Change a webhook of a version; a change that is None leaves it as it is."""

        def work(session: Session) -> WebhookRow | None:
            revision, now = _begin(session)
            for row in _rows(session, [name]):
                if row.version != version:
                    return None
                changes = change(row, now)
                if changes is None:
                    return row
                noted = {"version": version + 1, "changed": revision, "updated_at": now}
                return _put(session, row._replace(**changes, **noted))
            return None

        return self._write(work)


def _begin(session: Session) -> tuple[Micros, Micros]:
    """Begin a change, before anything is read: its number, and the present moment.

    Others that change webhooks wait for it until the transaction is over, so whatever rows each
    locks, no two wait for each other.
    """
    return session.fetch_value("next_revision", what="webhooks"), session.fetch_value("moment")


def _rows(session: Session, names: Collection[str] | None) -> list[WebhookRow]:
    if names is None:
        return list(map(WebhookRow._make, session.fetch("all_webhooks")))
    return list(map(WebhookRow._make, session.fetch("webhooks", names=list(names))))


def _put(session: Session, row: WebhookRow) -> WebhookRow:
    session.execute("put_webhook", **session.rows("webhook", [row]))
    return row


def _new(entry: WebhookEntry, secret: str, position: int, now: Micros) -> WebhookRow:
    return WebhookRow(
        *entry,
        secret=secret,
        old_secret=None,
        old_until=None,
        position=position,
        missed_at=None,
        slow_until=None,
        paused_at=None,
        reason=None,
        version=1,
        changed=now,
        created_at=now,
        updated_at=None,
    )
