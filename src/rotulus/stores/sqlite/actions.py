"""Operator actions in a transaction: cancel, retry and delete jobs, pause their runs, rescue."""

import sqlite3
from collections.abc import Collection
from typing import Any

from rotulus._jobs.outcome import LOST, MAX_LOSSES, write_error
from rotulus.stores._parts import with_their_keys
from rotulus.stores.sqlite import rows
from rotulus.stores.sqlite.settling import unblock
from rotulus.stores.sqlite.statements import STATEMENTS, execute, fetch_row, fetch_value

Found = tuple[str, str, str | None]
"""A job, the one that its run is the run of, and the key of that."""


def cancel(con: sqlite3.Connection, ids: Collection[str], now: int) -> str:
    """Cancel jobs and their parts; the records of the jobs."""
    wanted = fetch_value(con, "with_parts", ids=rows.array(ids))
    found = con.execute(STATEMENTS["cancel"], {"ids": wanted, "now": now}).fetchall()
    unblock(con, [job for job, ended in found if ended], now)
    return fetch_value(con, "records", ids=rows.array(ids))


def retry(con: sqlite3.Connection, ids: Collection[str], now: int, arguments: str | None) -> str:
    """Send ended jobs back, with what waited for them; the records of the jobs."""
    rebuild = arguments is not None
    found = fetch_value(con, "retryable", ids=rows.array(ids), any_end=rebuild)
    if not rebuild:
        wanted = fetch_value(con, "with_parts", ids=rows.array(job for job, *_ in rows.read(found)))
        found = fetch_value(con, "retryable", ids=wanted, any_end=False)
    retried = _with_free_keys(con, rows.read(found), now)
    chosen = rows.array(retried)
    affected, back = fetch_row(con, "dependants", ids=chosen)
    opened = fetch_value(con, "to_rebuild", back=back, ids=chosen, rebuild=rebuild)
    if opened != "[]":
        delete(con, fetch_value(con, "parts_of", jobs=opened))
        execute(con, "reset_opened", jobs=opened)
    execute(con, "archive_ended", jobs=back)
    execute(con, "retry", jobs=back, ids=chosen, arguments=arguments, now=now)
    execute(con, "count_needs", jobs=affected)
    execute(con, "carry_again", jobs=back)
    return fetch_value(con, "records", ids=rows.array(job for job in ids if job in set(retried)))


def _with_free_keys(con: sqlite3.Connection, found: list[Found], now: int) -> list[str]:
    """The jobs that can be sent back, as no other job holds the key of their run by now."""
    keys = rows.array({key for _, _, key in found if key is not None})
    execute(con, "release_keys", keys=keys, now=now)
    holding = rows.records(fetch_value(con, "holders", keys=keys))
    return with_their_keys(found, {holder.key: holder.id for holder in holding})


def pause(con: sqlite3.Connection, runs: Collection[str], now: int, *, paused: bool) -> None:
    """Pause runs, or resume them."""
    if paused:
        execute(con, "pause_runs", runs=rows.array(runs))
        return
    which = {"runs": rows.array(runs), "now": now}
    resumed = con.execute(STATEMENTS["resume_runs"], which).fetchall()
    execute(con, "carry_again", jobs=rows.array(job for (job,) in resumed))


def delete_ended(con: sqlite3.Connection, ids: Collection[str], now: int) -> str:
    """Delete those of some jobs that nobody needs, runs as a whole; their records."""
    gone, found = fetch_row(con, "deletable", ids=rows.array(ids), now=now)
    told = fetch_value(con, "records", ids=found)
    delete(con, fetch_value(con, "parts_of", jobs=gone))
    delete(con, gone)
    return told


def delete(con: sqlite3.Connection, jobs: str) -> int:
    """Delete jobs, given by their numbers, with all that is known of them; how many there were."""
    if jobs == "[]":
        return 0
    execute(con, "delete_attempts", jobs=jobs)
    execute(con, "delete_needs", jobs=jobs)
    execute(con, "delete_entries", jobs=jobs)
    return execute(con, "delete", jobs=jobs)


def rescue(con: sqlite3.Connection, now: int, which: str, **parameters: Any) -> str:
    """Take jobs back from workers that have lost them; their records.

    `which` is the statement that finds them, and these are its parameters.
    """
    claims = fetch_value(con, which, **parameters)
    lost = write_error(LOST)
    execute(con, "rescue", claims=claims, now=now, max_losses=MAX_LOSSES, error=lost)
    execute(con, "archive", claims=claims, now=now)
    found = fetch_value(con, "records", ids=rows.array([job for job, _ in rows.read(claims)]))
    unblock(con, [job.id for job in rows.records(found) if job.ended_at], now)
    return found
