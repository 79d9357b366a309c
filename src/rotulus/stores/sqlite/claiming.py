"""Claims jobs on SQLite, inside a transaction, and takes those that are to be published."""

import sqlite3
import time
from collections.abc import Collection
from typing import Any

from rotulus._jobs.record import JobRecord
from rotulus.store import ClaimFilter
from rotulus.stores._columns import MoveRow
from rotulus.stores.shared.outbox import Due
from rotulus.stores.shared.session import Session
from rotulus.stores.sqlite import limit_heads, rows
from rotulus.stores.sqlite.choosing import Chooser, Chosen
from rotulus.stores.sqlite.session import execute, fetch_row, fetch_value

_PROMOTED_AT_ONCE = 1000

_FEW_QUEUES, _FEW_KEYS = 8, 8
"""How many queues, and how many keys with a limit, are looked at one and all."""

_LASTS = 0.25
"""Seconds until a claim looks again whether there are many."""

Present = dict[str, Any]
"""The present moment by both clocks, as parameters of statements."""


class Claims:
    """Claims jobs for the workers of this process, inside a transaction."""

    def __init__(self) -> None:
        self._many_queues = False
        self._look_at = float("-inf")
        self._chooser = Chooser()

    def claim(
        self,
        con: sqlite3.Connection,
        wanted: ClaimFilter,
        limit: int,
        present: Present,
        lease_until: int,
    ) -> str:
        """Take jobs to run; their records. See `Store.claim`."""
        start = {"worker": wanted.worker, "boot": present["boot"], "lease_until": lease_until}
        start |= {"now": present["now"]}
        if wanted.ids is not None:
            return _claim_ids(con, wanted, wanted.ids, limit, present, start)
        execute(con, "promote", now=present["now"], limit=_PROMOTED_AT_ONCE)
        chosen = self._choose(con, {**rows.wanted(wanted), **present, "limit": limit})
        if chosen.jobs != "[]":
            _start(con, chosen.jobs, start, rated=chosen.rated)
        limit_heads.move(con, chosen.keys, present["now"])
        return "[]" if chosen.jobs == "[]" else fetch_value(con, "claimed", chosen=chosen.jobs)

    def _choose(self, con: sqlite3.Connection, how: dict[str, Any]) -> Chosen:
        kept = limit_heads.kept(con, how["now"])
        if time.monotonic() > self._look_at:
            self._look_at = time.monotonic() + _LASTS
            few = {"queues": _FEW_QUEUES, "keys": _FEW_KEYS}
            self._many_queues, many_keys = map(bool, fetch_row(con, "has_many", **few))
            if many_keys and kept is None:
                kept = limit_heads.keep(con, how["now"])
        if kept is not None or self._many_queues:
            return self._chooser.choose(con, how, kept, many_queues=self._many_queues)
        jobs, rated = fetch_row(con, "choose", **how)
        return Chosen(jobs, bool(rated))


def _claim_ids(
    con: sqlite3.Connection,
    wanted: ClaimFilter,
    ids: Collection[str],
    limit: int,
    present: Present,
    start: dict[str, Any],
) -> str:
    how = {**rows.wanted(wanted), **present}
    taken: list[int] = []
    for seq in rows.read(fetch_value(con, "in_claim_order", ids=rows.array(ids), **how)):
        if len(taken) == limit:
            break
        rated = fetch_value(con, "choose_one", seq=seq, worker=wanted.worker, now=present["now"])
        if rated is not None:
            _start(con, rows.array([seq]), start, rated=bool(rated))
            taken.append(seq)
    return fetch_value(con, "claimed", chosen=rows.array(taken))


def _start(con: sqlite3.Connection, chosen: str, start: dict[str, Any], *, rated: bool) -> None:
    """Have chosen jobs run, and count their starts."""
    execute(con, "claim", chosen=chosen, **start)
    if rated:
        execute(con, "count_starts", chosen=chosen, now=start["now"])


def take(session: Session, due: Due) -> list[JobRecord]:
    """Take jobs to publish, or that are left, inside the caller's transaction. See `Outbox`."""
    while True:
        entries = session.fetch_value("entries_due", **due._asdict())
        moves = list(map(MoveRow._make, rows.read(entries)))
        session.execute("move_entries", moves=entries)
        session.execute("delete_entries", jobs=[move.job for move in moves if move.kind == "gone"])
        taken = [move.job for move in moves if move.kind == "taken"]
        if taken or len(moves) < due.limit:
            return rows.records(session.fetch_value("claimed", chosen=taken))
