"""What is done to jobs inside a transaction: cancelled, sent back, paused, deleted, taken back."""

import sqlite3
from collections.abc import Collection
from typing import Any

from rotulus._jobs.outcome import LOST, MAX_LOSSES, write_error
from rotulus.stores._parts import with_their_keys
from rotulus.stores.sqlite import rows
from rotulus.stores.sqlite.ask import STATEMENTS, ask, ask_row, do
from rotulus.stores.sqlite.settling import unblock

Found = tuple[str, str, str | None]
"""A job, the one that its run is the run of, and the key of that."""


def cancel(con: sqlite3.Connection, ids: Collection[str], now: int) -> str:
    """Cancel jobs and their parts; the records of the jobs."""
    wanted = ask(con, "with_parts", ids=rows.array(ids))
    found = con.execute(STATEMENTS["cancel"], {"ids": wanted, "now": now}).fetchall()
    unblock(con, [job for job, ended in found if ended], now)
    return ask(con, "records", ids=rows.array(ids))


def retry(con: sqlite3.Connection, ids: Collection[str], now: int, arguments: str | None) -> str:
    """Send ended jobs back, with what waited for them; the records of the jobs."""
    anew = arguments is not None
    found = ask(con, "retryable", ids=rows.array(ids), anew=anew)
    if not anew:
        wanted = ask(con, "with_parts", ids=rows.array(job for job, *_ in rows.read(found)))
        found = ask(con, "retryable", ids=wanted, anew=anew)
    sent = _free_to_go(con, rows.read(found), now)
    back = rows.array(sent)
    later, after = ask_row(con, "after", ids=back)
    closed = ask(con, "made_anew", after=after, ids=back, anew=anew)
    if closed != "[]":
        delete(con, ask(con, "parts_of", jobs=closed))
        do(con, "close", jobs=closed)
    do(con, "archive_ended", jobs=after)
    do(con, "retry", jobs=after, ids=back, arguments=arguments, now=now)
    do(con, "count_needs", jobs=later)
    do(con, "carry_again", jobs=after)
    return ask(con, "records", ids=rows.array(job for job in ids if job in set(sent)))


def _free_to_go(con: sqlite3.Connection, found: list[Found], now: int) -> list[str]:
    """Those that can be sent back, as nobody else holds the key of their run by now."""
    keys = rows.array({key for _, _, key in found if key is not None})
    do(con, "drop_keys", keys=keys, now=now)
    holding = rows.records(ask(con, "holders", keys=keys))
    return with_their_keys(found, {holder.key: holder.id for holder in holding})


def pause(con: sqlite3.Connection, runs: Collection[str], now: int, *, paused: bool) -> None:
    """Pause runs, or resume them."""
    if paused:
        do(con, "pause_runs", runs=rows.array(runs))
        return
    which = {"runs": rows.array(runs), "now": now}
    resumed = con.execute(STATEMENTS["resume_runs"], which).fetchall()
    do(con, "carry_again", jobs=rows.array(job for (job,) in resumed))


def delete_ended(con: sqlite3.Connection, ids: Collection[str], now: int) -> str:
    """Delete those of some jobs that nobody needs, runs as a whole; their records."""
    gone, found = ask_row(con, "deletable", ids=rows.array(ids), now=now)
    told = ask(con, "records", ids=found)
    delete(con, ask(con, "parts_of", jobs=gone))
    delete(con, gone)
    return told


def delete(con: sqlite3.Connection, jobs: str) -> int:
    """Delete jobs, given by their numbers, with all that is known of them; how many there were."""
    if jobs == "[]":
        return 0
    do(con, "delete_attempts", jobs=jobs)
    do(con, "delete_needs", jobs=jobs)
    do(con, "delete_entries", jobs=jobs)
    return do(con, "delete", jobs=jobs)


def reclaim(con: sqlite3.Connection, now: int, which: str, **parameters: Any) -> str:
    """Take jobs back from workers that have lost them; their records.

    `which` is the statement that finds them, and these are its parameters.
    """
    claims = ask(con, which, **parameters)
    lost = write_error(LOST)
    do(con, "reclaim", claims=claims, now=now, max_losses=MAX_LOSSES, error=lost)
    do(con, "archive", claims=claims, now=now)
    found = ask(con, "records", ids=rows.array([job for job, _ in rows.read(claims)]))
    unblock(con, [job.id for job in rows.records(found) if job.ended_at], now)
    return found
