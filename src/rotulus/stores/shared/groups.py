"""The groups of a store. See `rotulus.store.Groups`."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from rotulus._jobs.record import JobRecord
from rotulus._text.ids import is_id
from rotulus.store import NewJob
from rotulus.store.groups import MOST_MEMBERS
from rotulus.stores.shared.adding import add_head, add_members
from rotulus.stores.shared.reading import records_of
from rotulus.stores.shared.session import Session

S = TypeVar("S", bound=Session)
Run = Callable[[Callable[[S], Any]], Any]

_DIGITS = len(str(MOST_MEMBERS))


class SharedGroups(Generic[S]):
    """Opens groups, adds jobs to them, and closes them.

    Args:
        read: runs a call that reads.
        write: runs a call that writes, in a transaction.
        tell_work: wakes those who wait for work.
    """

    def __init__(self, read: Run[S], write: Run[S], tell_work: Callable[[], object]) -> None:
        self._read = read
        self._write = write
        self._tell_work = tell_work

    def open(self, head: NewJob) -> JobRecord:
        """Add the head of a group. See `Groups.open`."""
        return self._write(lambda session: _open(session, head))

    def add(self, head_id: str, jobs: Sequence[NewJob]) -> list[JobRecord] | None:
        """Add members. See `Groups.add`."""
        if not is_id(head_id):
            return None
        records = self._write(lambda session: _add(session, head_id, jobs))
        if records:
            self._tell_work()
        return records

    def close(self, head_id: str) -> bool:
        """Let nobody add members any more. See `Groups.close`."""
        if not is_id(head_id):
            return False
        was_open, brings_work = self._write(lambda session: _close(session, head_id))
        if brings_work:
            self._tell_work()
        return was_open

    def is_open(self, head_id: str) -> bool:
        """Returns whether members can be added. See `Groups.is_open`."""
        return is_id(head_id) and bool(self._read(lambda s: _look(s, head_id)).is_open)


class _Head(NamedTuple):
    """The head of a group: whether members can be added, and where the last one is."""

    is_open: bool
    paused: bool = False
    last: str | None = None

    def places(self) -> Iterator[str]:
        """The places of further members: numbers, texts of which sort as they do."""
        last = (self.last or "0")[:_DIGITS]  # a member may have parts: its place, a slash, and more
        return (f"{number:0{_DIGITS}}" for number in itertools.count(int(last) + 1))


def _look(session: Session, head_id: str) -> _Head:
    found = session.fetch("group_head", id=head_id)
    return _Head(*found[0]) if found else _Head(is_open=False)


def _open(session: Session, head: NewJob) -> JobRecord:
    keys = [] if head.key is None else [head.key]
    while True:  # the holder of the key may end, or be deleted, between two statements
        session.execute("release_keys", keys=keys)
        add_head(session, head)
        found = records_of(session, [head.id]) or session.fetch_records("holders", keys=keys)
        if found:
            return found[0]


def _add(session: Session, head_id: str, jobs: Sequence[NewJob]) -> list[JobRecord] | None:
    # Its members settle and lock it, too: what stands there is read when it is locked.
    session.lock_with_dependants([head_id])
    head = _look(session, head_id)
    if not head.is_open:
        return None
    placed = [job._replace(step=place) for job, place in zip(jobs, head.places(), strict=False)]
    new = add_members(session, head_id, placed, paused=bool(head.paused))
    if new:
        session.execute("wait_for_more", id=head_id, more=new)
    return records_of(session, [job.id for job in jobs])


def _close(session: Session, head_id: str) -> tuple[bool, bool]:
    """Close a group; whether it was open, and whether its head is due."""
    session.lock_with_dependants([head_id])
    if not session.execute("stop_waiting_for_itself", id=head_id):
        return False, False
    closed = session.fetch("close_group", id=head_id)
    due = [job for job, is_due in closed if is_due]
    session.note_changes(due)
    return bool(closed), bool(due)
