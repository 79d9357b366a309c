"""The schedules of a store. See `rotulus.store.Schedules`."""

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from rotulus._jobs.record import JobRecord, Micros
from rotulus._jobs.states import ENDED
from rotulus.store import ADDED, CODE, Fired, NewJob, ScheduleEntry, ScheduleRow
from rotulus.stores._columns import PutRow, span
from rotulus.stores.shared.reading import records_of
from rotulus.stores.shared.session import Session

Run = Callable[[Callable[[Session], Any]], Any]
Add = Callable[[Session, Sequence[NewJob]], list[JobRecord]]

_CONFIRM_AFTER = span(30.0)
"""A declaration that is older than this is told again, when somebody declares it."""

_INSTANTS = ("cron", "timezone", "start_at", "end_at")
"""What decides when a schedule is due."""


class SharedSchedules:
    """The schedules of a store.

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

    def read(self, names: Collection[str] | None = None) -> list[ScheduleRow]:
        """Returns schedules. See `Schedules.read`."""
        return self._read(lambda session: _rows(session, names))

    def last(self, names: Collection[str]) -> dict[str, JobRecord]:
        """Returns the last job of each. See `Schedules.last`."""
        found = self._read(lambda session: session.fetch_records("last_of", names=list(names)))
        return {job.schedule: job for job in found}

    def changed(self, after: Micros) -> list[ScheduleRow]:
        """Returns what has changed. See `Schedules.changed`."""
        found = self._read(lambda session: session.fetch("changed_schedules", after=after))
        return list(map(ScheduleRow._make, found))

    def declare(self, entries: Collection[ScheduleEntry], patience: float = 0.0) -> None:
        """Have schedules as in the code. See `Schedules.declare`."""
        wanted = list(entries)
        if wanted:
            self._write(lambda session: _declare(session, wanted, span(patience)))

    def add(self, entry: ScheduleEntry) -> ScheduleRow | None:
        """Add a schedule. See `Schedules.add`."""

        def work(session: Session) -> ScheduleRow | None:
            revision, now = _begin(session)
            if _rows(session, [entry.name]):
                return None
            return _put(session, revision, [_new(entry, ADDED, now)])

        return self._write(work)

    def set(self, entry: ScheduleEntry, version: int) -> ScheduleRow | None:
        """Change what a schedule says. See `Schedules.set`."""

        def work(session: Session) -> ScheduleRow | None:
            revision, now = _begin(session)
            for row in _rows(session, [entry.name]):
                if row.version == version:
                    return _put(session, revision, [_changed(row, entry, now)])
            return None

        return self._write(work)

    def pause(self, name: str, paused: bool) -> ScheduleRow | None:
        """Pause or resume a schedule. See `Schedules.pause`."""

        def work(session: Session) -> ScheduleRow | None:
            revision, now = _begin(session)
            for row in _rows(session, [name]):
                if paused == (row.paused_at is not None):
                    return row
                put = _put_row(row)._replace(paused_at=now if paused else None)
                put = put if paused else put._replace(since=max(now, row.since))
                return _put(session, revision, [put])
            return None

        return self._write(work)

    def remove(self, name: str, version: int) -> bool:
        """Remove a schedule. See `Schedules.remove`."""

        def work(session: Session) -> bool:
            _begin(session)
            if [version] != [row.version for row in _rows(session, [name])]:
                return False
            session.execute("remove_schedule", name=name)
            return True

        return self._write(work)

    def fire(self, seen: ScheduleRow, until: Micros, jobs: Sequence[NewJob]) -> Fired:
        """Fire instants. See `Schedules.fire`."""
        fence = {name: getattr(seen, name) for name in ("name", "version", "since", "fired_to")}

        def work(session: Session) -> Fired:
            held = session.fetch("take_instants", **fence, until=until)
            if not held:
                rows = _rows(session, [seen.name])
                return Fired(rows[0] if rows else None, None)
            row = seen._replace(fired_to=until, last_jobs=held[0][0])
            live = _live(session, row) if row.overlap == "skip" else []
            if live or not jobs:
                return Fired(row, [])
            added = self._add(session, jobs)
            return Fired(_note(session, row, live, added, jobs), added)

        fired = self._write(work)
        if fired.jobs:
            self._tell_work()
        return fired

    def run(self, name: str, job: NewJob) -> JobRecord | None:
        """Fire by hand. See `Schedules.run`."""

        def work(session: Session) -> JobRecord | None:
            session.fetch("hold_schedule", name=name)
            for row in _rows(session, [name]):
                live = _live(session, row) if row.overlap == "skip" else []
                added = self._add(session, [job])
                _note(session, row, live, added, [job])
                return added[0]
            return None

        record = self._write(work)
        if record is not None:
            self._tell_work()
        return record


def _begin(session: Session) -> tuple[Micros, Micros]:
    """Begin a change, before anything is read: its number, and the present moment."""
    return session.fetch_value("next_revision", what="schedules"), session.fetch_value("moment")


def _rows(session: Session, names: Collection[str] | None) -> list[ScheduleRow]:
    if names is None:
        return list(map(ScheduleRow._make, session.fetch("all_schedules")))
    return list(map(ScheduleRow._make, session.fetch("schedules", names=list(names))))


def _new(entry: ScheduleEntry, origin: str, now: Micros) -> PutRow:
    declared_at = now if origin == CODE else None
    return PutRow(*entry, origin, now, None, declared_at, now)


def _put_row(row: ScheduleRow) -> PutRow:
    return PutRow._make(row[: len(PutRow._fields)])


def _changed(row: ScheduleRow, entry: ScheduleEntry, now: Micros) -> PutRow:
    """A schedule that says something else from now on."""
    moved = any(getattr(row, name) != getattr(entry, name) for name in _INSTANTS)
    since = max(now, row.since) if moved else row.since
    return _put_row(row)._replace(**entry._asdict(), since=since)


def _put(session: Session, revision: Micros, rows: Iterable[PutRow]) -> ScheduleRow:
    """Write schedules; the last one as it stands then."""
    wanted = list(rows)
    session.execute("put_schedules", **session.rows("put", wanted), revision=revision)
    return _rows(session, [wanted[-1].name])[0]


def _declare(session: Session, entries: Sequence[ScheduleEntry], patience: int) -> None:
    """Have schedules as in the code; nothing is written where that is known already.

    The number comes first, as in every change of schedules: whoever has it locks rows in whatever
    order, and no two wait for each other.
    """
    now = session.fetch_value("moment")
    if not any(_outdated(session, entries, now, patience)) and not _old(session, entries, now):
        return
    revision, now = _begin(session)
    put = list(_outdated(session, entries, now, patience))
    if put:
        _put(session, revision, put)
    old = _old(session, entries, now)
    if old:
        session.execute("declared_again", names=old)


def _old(session: Session, entries: Sequence[ScheduleEntry], now: Micros) -> list[str]:
    """The schedules that stand as in the code, and were told long ago."""
    told = {entry.name: entry for entry in entries}
    return [
        row.name
        for row in _rows(session, list(told))  # one may have been removed just now
        if row.entry == told[row.name] and now - (row.declared_at or 0) > _CONFIRM_AFTER
    ]


def _outdated(
    session: Session, entries: Sequence[ScheduleEntry], now: Micros, patience: int
) -> Iterable[PutRow]:
    """The schedules of the code that stand otherwise in the store, as they are to stand."""
    known = {row.name: row for row in _rows(session, [entry.name for entry in entries])}
    for entry in entries:
        row = known.get(entry.name)
        if row is None:
            yield _new(entry, CODE, now)
        elif row.origin != CODE:
            changed = _changed(row, entry, now)
            yield changed._replace(origin=CODE, declared_at=now, since=max(now, row.since))
        elif row.entry != entry and now - (row.declared_at or 0) >= patience:
            yield _changed(row, entry, now)._replace(declared_at=now)


def _live(session: Session, row: ScheduleRow) -> list[str]:
    """The jobs of a schedule that have not ended: the noted ones, and all among the last thousand.

    A job may live that was not noted: one of a backfill, one that somebody has sent back, or one
    that was fired while jobs were allowed to overlap.
    """
    recent = [job for (job,) in session.fetch("live_of_schedule", name=row.name)]
    noted = [job for job in json.loads(row.last_jobs) if job not in recent]
    older = [job.id for job in records_of(session, noted) if job.state not in ENDED]
    return [*older, *reversed(recent)]


def _note(
    session: Session,
    row: ScheduleRow,
    live: Sequence[str],
    added: Sequence[JobRecord],
    jobs: Sequence[NewJob],
) -> ScheduleRow:
    """Remember the jobs that were fired last; returns the schedule then."""
    new = [record.id for record, job in zip(added, jobs, strict=True) if record.id == job.id]
    if not new:
        return row
    kept = [*live, *new] if row.overlap == "skip" else new[-1:]
    row = row._replace(last_jobs=json.dumps(kept))
    session.execute("note_jobs", name=row.name, last_jobs=row.last_jobs)
    return row
