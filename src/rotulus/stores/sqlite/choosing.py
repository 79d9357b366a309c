"""Chooses jobs to claim where many queues, or many keys with a limit, have jobs waiting."""

import sqlite3
import time
from typing import Any, NamedTuple

from rotulus.stores.sqlite import limit_heads, rows
from rotulus.stores.sqlite.free_jobs import FreeJobs, Place
from rotulus.stores.sqlite.limit_heads import Kept, NextKeys
from rotulus.stores.sqlite.session import fetch_row, fetch_value

LONGEST = 0.25
"""Seconds after which a claim looks at no more keys; the next claim goes on with the others."""

_FEWEST_HEADS, _MOST_HEADS = 8, 4096
"""How many heads of keys a claim reads together: few at first, and then twice as many."""

_MOST_KINDS = 100
"""Of how many kinds of workers it is remembered which jobs have been chosen."""


class Chosen(NamedTuple):
    """Jobs to claim.

    Attributes:
        jobs: their numbers, in order, as a JSON array.
        rated: whether any of them has a rate.
        keys: the keys with a limit whose heads are to move then, as a JSON array.
    """

    jobs: str
    rated: bool
    keys: str = "[]"


class Chooser:
    """Chooses from the first jobs of queues and keys, where `choose` would look at all of them."""

    def __init__(self) -> None:
        self._free: dict[tuple[Any, ...], FreeJobs] = {}

    def choose(
        self, con: sqlite3.Connection, how: dict[str, Any], kept: Kept | None, *, many_queues: bool
    ) -> Chosen:
        """Returns the jobs to claim.

        Args:
            con: the connection that writes.
            how: the parameters of `choose`.
            kept: how far heads of keys are kept; None if they are not, as keys are few.
            many_queues: whether to choose jobs without a limit for several claims.
        """
        end = time.monotonic() + LONGEST
        free = self._free_of(how)
        others = free.next(con, how, ahead=many_queues)
        suspect, suspect_key = _suspect(con, how)
        others = sorted([*others, *suspect])[: how["limit"]]
        if kept is not None:
            limit_heads.catch_up(con, kept, how["now"], end)
        heads = max(_FEWEST_HEADS, how["limit"])
        while True:
            keys = (
                limit_heads.all_keys(con)
                if kept is None
                else limit_heads.next_keys(con, how, heads)
            )
            first = _first(con, how, others, keys, suspect_key)
            if len(first) == how["limit"] or keys.are_all or time.monotonic() > end:
                break
            limit_heads.move(con, keys.keys, how["now"])  # those that are full are not found again
            heads = min(2 * heads, _MOST_HEADS)
        seqs = [seq for _, seq, _ in first]
        free.advance(seqs)
        rated = any(rated for _, _, rated in first)
        return Chosen(rows.array(seqs), rated, "[]" if kept is None else keys.keys)

    def _free_of(self, how: dict[str, Any]) -> FreeJobs:
        """What has been chosen for workers of this kind."""
        if len(self._free) > _MOST_KINDS:
            self._free.clear()
        return self._free.setdefault((how["queues"], how["names"], how["grace"]), FreeJobs())


def _suspect(con: sqlite3.Connection, how: dict[str, Any]) -> tuple[list[Place], str | None]:
    """The job that was lost twice and may be taken, if there is one, and its key."""
    found = fetch_row(con, "choose_suspect", **how)
    if found is None:
        return [], None
    priority, seq, rated, key = found
    return [(-priority, seq, rated)], key


def _first(
    con: sqlite3.Connection,
    how: dict[str, Any],
    others: list[Place],
    keys: NextKeys,
    suspect_key: str | None,
) -> list[Place]:
    """The first jobs of some keys and others, as many as the claim wants.

    Behind the last head there may be jobs of other keys; behind enough others nothing is taken.
    """
    last = keys.last
    if len(others) == how["limit"]:
        last = min(last, others[-1][:2])
    limited = _of_keys(con, {**how, "suspect_key": suspect_key}, keys.keys, last)
    if not limited and keys.are_all:
        return others
    return sorted(job for job in (*others, *limited) if job[:2] <= keys.last)[: how["limit"]]


def _of_keys(
    con: sqlite3.Connection, how: dict[str, Any], keys: str, last: tuple[int, int]
) -> list[Place]:
    """The jobs of some keys that have room, in order; none that stands behind a place."""
    if keys == "[]":
        return []
    bounds = {"keys": keys, "last_priority": -last[0], "last_seq": last[1]}
    found = rows.read(fetch_value(con, "choose_limited", **how, **bounds))
    before: dict[str, int] = {}
    taken: list[Place] = []
    ordered = [(-priority, seq, rated, key, room) for priority, seq, rated, key, room in found]
    for priority, seq, rated, key, room in sorted(ordered):
        before[key] = before.get(key, 0) + 1
        if before[key] <= room:
            taken.append((priority, seq, rated))
    return taken
