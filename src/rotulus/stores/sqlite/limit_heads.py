"""Keeps where the first jobs of keys with a limit stand, and which of these keys may have room.

A claim would count the jobs of every key that has jobs waiting. Where these are many, it reads
heads instead: a row for each key, queue and task, in the order of claims, without the keys that are
full. Triggers keep them, so they are right whoever writes to the file. A file in which few keys
have had jobs waiting has no such triggers.
"""

import sqlite3
import time
from typing import Any, NamedTuple

from rotulus.stores.sqlite import rows
from rotulus.stores.sqlite.session import Session, execute, fetch_row, fetch_value
from rotulus.stores.sqlite.triggers import Triggers

_TRIGGERS = Triggers("limit_heads.sql")

_AT_ONCE = 20_000
"""How many jobs that waited before are looked at in one statement."""

_OPENED_AT_ONCE = 1000
"""How many keys are opened in one claim whose rates have room again."""

_BEHIND_ALL = (2**63 - 1, 2**63 - 1)
"""The place behind all jobs."""


class Kept(NamedTuple):
    """How far heads are kept, where they are.

    Attributes:
        limit_key, priority, seq: the place up to which jobs that waited before have been looked
            at; None when all have been.
        are_opening: whether the rate of a key has room again.
    """

    limit_key: str | None
    priority: int | None
    seq: int | None
    are_opening: bool


class NextKeys(NamedTuple):
    """Keys whose jobs are next.

    Attributes:
        keys: as a JSON array.
        last: a place, as a priority that is turned around, and a number. Jobs of other keys that
            may have room stand behind it.
    """

    keys: str
    last: tuple[int, int]

    @property
    def are_all(self) -> bool:
        """Whether no other key may have room."""
        return self.last == _BEHIND_ALL


def kept(con: sqlite3.Connection, now: int) -> Kept | None:
    """Whether heads are kept; None if not."""
    found = fetch_row(con, "limits_kept", now=now)
    return None if found is None else Kept(*found)


def keep(con: sqlite3.Connection, now: int) -> Kept | None:
    """Keep heads from now on; the jobs that wait are looked at by the next claims."""
    _TRIGGERS.make(con.execute)
    execute(con, "keep_limits")
    return kept(con, now)


def catch_up(con: sqlite3.Connection, begun: Kept, now: int, end: float) -> None:
    """Look at jobs that waited before, and note that rates have room again.

    Looks at some of them in any case, and at more until a moment of the monotonic clock.
    """
    if begun.are_opening:
        execute(con, "reopen_heads", now=now, most=_OPENED_AT_ONCE)
    place: Kept | None = begun
    while place is not None and place.limit_key is not None:
        after = {"limit_key": place.limit_key, "priority": place.priority, "seq": place.seq}
        execute(con, "fill_heads", **after, most=_AT_ONCE)
        execute(con, "note_filled", **after, most=_AT_ONCE)
        if time.monotonic() > end:
            return
        place = kept(con, now)


def forget_unless_needed(session: Session) -> None:
    """Keep none any more, if no job with a limit waits."""
    if session.fetch("limits_kept") and not session.fetch_value("limited_wait"):
        _TRIGGERS.drop(session.run)
        session.execute("forget_heads")
        session.execute("forget_limits")


def next_keys(con: sqlite3.Connection, how: dict[str, Any], heads: int) -> NextKeys:
    """Returns the keys of so many heads: those that are next among the ones that may have room."""
    found = rows.read(fetch_value(con, "next_heads", **how, heads=heads))
    keys = rows.array(dict.fromkeys(key for key, _, _ in found))
    if len(found) < heads:
        return NextKeys(keys, _BEHIND_ALL)
    _, priority, seq = found[-1]
    return NextKeys(keys, (-priority, seq))


def all_keys(con: sqlite3.Connection) -> NextKeys:
    """Returns all keys that have jobs waiting, however many."""
    return NextKeys(fetch_value(con, "limit_keys"), _BEHIND_ALL)


def move(con: sqlite3.Connection, keys: str, now: int) -> None:
    """Say anew how some keys stand, a JSON array of them."""
    if keys != "[]":
        execute(con, "drop_heads", keys=keys)
        execute(con, "move_heads", keys=keys, now=now)
