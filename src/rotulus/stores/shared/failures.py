"""The failure groups of a store. See `rotulus.store.Failures`."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from rotulus._jobs.record import JobRecord, Micros
from rotulus.store import FailureFilter, FailureGroup, FailureMember, Mute
from rotulus.stores.shared.reading import records_of
from rotulus.stores.shared.session import Session

Run = Callable[[Callable[[Session], Any]], Any]


class _Part(NamedTuple):
    """The jobs of a failure group that are of one task."""

    fingerprint: str
    task: str
    first: int
    last: int


class SharedFailures:
    """Jobs that failed or died, by their fingerprints.

    Args:
        read: runs a call that reads.
        write: runs a call that writes, in a transaction.
    """

    def __init__(self, read: Run, write: Run) -> None:
        self._read = read
        self._write = write

    def groups(self, wanted: FailureFilter, limit: int, most: int) -> list[FailureGroup]:
        """The groups in which jobs failed. See `Failures.groups`."""
        return self._read(lambda session: _groups(session, None, wanted, limit, most))

    def group(self, fingerprint: str, most: int) -> FailureGroup | None:
        """One group. See `Failures.group`."""
        found = self._read(lambda session: _groups(session, fingerprint, _ALL, 1, most))
        return next(iter(found), None)

    def latest(self, limit: int) -> list[JobRecord]:
        """The jobs that failed last. See `Failures.latest`."""
        return self._read(lambda session: session.fetch_records("latest_failures", limit=limit))

    def members(
        self, fingerprint: str, until: int, limit: int, after: FailureMember | None = None
    ) -> list[FailureMember]:
        """Jobs of a group. See `Failures.members`."""
        wanted: dict[str, Any] = {"fingerprint": fingerprint, "until": until, "limit": limit}
        wanted |= (after or _BEFORE_ALL)._asdict()
        found = self._read(lambda session: session.fetch("failure_members", **wanted))
        return list(map(FailureMember._make, found))

    def mutes(self) -> list[Mute]:
        """The mutes that hold. See `Failures.mutes`."""
        return self._read(lambda session: list(_mutes(session).values()))

    def mute(
        self, fingerprint: str, until: Micros | None, by: str | None, note: str | None
    ) -> Mute | None:
        """Mute a failure group. See `Failures.mute`."""
        told = {"fingerprint": fingerprint, "until": until, "by": by, "note": note}

        def work(session: Session) -> Mute | None:
            session.execute("delete_mutes_that_are_over")
            found = session.fetch("mute", **told)
            return Mute._make(found[0]) if found else None

        return self._write(work)

    def unmute(self, fingerprint: str) -> bool:
        """End a mute. See `Failures.unmute`."""
        found = self._write(lambda session: session.fetch("unmute", fingerprint=fingerprint))
        return any(held for (held,) in found)


_ALL = FailureFilter()
_BEFORE_ALL = FailureMember("", -1, "00000000-0000-0000-0000-000000000000")


def _groups(
    session: Session, fingerprint: str | None, wanted: FailureFilter, limit: int, most: int
) -> list[FailureGroup]:
    found = map(_Part._make, session.fetch("failure_parts", fingerprint=fingerprint))
    parts = sorted(part for part in found if _is_wanted(part, wanted))
    mutes = _mutes(session) if parts else {}
    if wanted.muted is not None:
        parts = [part for part in parts if (part.fingerprint in mutes) == wanted.muted]
    groups = [list(same) for _, same in groupby(parts, attrgetter("fingerprint"))]
    groups.sort(key=_last, reverse=True)
    made = _counted(session, groups[:limit], wanted.since or 0, most)
    return [replace(group, mute=mutes.get(group.fingerprint)) for group in made]


def _mutes(session: Session) -> dict[str, Mute]:
    """The mutes that hold, by fingerprint."""
    return {mute.fingerprint: mute for mute in map(Mute._make, session.fetch("mutes"))}


def _last(parts: Sequence[_Part]) -> int:
    return max(part.last for part in parts)


def _is_wanted(part: _Part, wanted: FailureFilter) -> bool:
    if wanted.since is not None and part.last < wanted.since:
        return False
    if wanted.task is None:
        return True
    beginning = wanted.task.removesuffix("*")
    return part.task == wanted.task or (
        beginning != wanted.task and part.task.startswith(beginning)
    )


def _counted(
    session: Session, groups: list[list[_Part]], since: int, most: int
) -> list[FailureGroup]:
    """Groups with their numbers and examples; one whose jobs are gone by now is left out."""
    rows = [part[:2] for group in groups for part in group]
    if not rows:
        return []
    found = session.fetch(
        "failure_counts", **session.rows("failure", rows), since=since, most=most + 1
    )
    counts = {(name, task): (count, last) for name, task, count, last in found}
    examples = records_of(session, [last for _, last in counts.values() if last is not None])
    by_id = {record.id: record for record in examples}
    made: list[FailureGroup] = []
    for group in groups:
        newest = max(group, key=attrgetter("last"))
        example = by_id.get(counts[newest[:2]][1])
        if example is not None:
            made.append(
                FailureGroup(
                    newest.fingerprint,
                    min(sum(counts[part[:2]][0] for part in group), most + 1),
                    min(part.first for part in group),
                    newest.last,
                    [part.task for part in group],
                    example,
                )
            )
    return made
