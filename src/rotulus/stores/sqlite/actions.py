"""What people do to jobs, inside a transaction: cancel them, send them back, delete them."""

import sqlite3
from collections.abc import Collection

from rotulus.stores.sqlite import rows
from rotulus.stores.sqlite.ask import STATEMENTS, ask, do
from rotulus.stores.sqlite.settling import unblock


def cancel(con: sqlite3.Connection, ids: Collection[str], now: int) -> str:
    """Cancel jobs and their parts; the records of the jobs."""
    wanted = ask(con, "with_parts", ids=rows.array(ids))
    found = con.execute(STATEMENTS["cancel"], {"ids": wanted, "now": now}).fetchall()
    unblock(con, [job for job, ended in found if ended], now)
    return ask(con, "records", ids=rows.array(ids))


def retry(con: sqlite3.Connection, ids: Collection[str], arguments: str | None, now: int) -> str:
    """Send ended jobs back, with what waited for them; the records of the jobs."""
    anew = arguments is not None
    asked = rows.array(ids)
    wanted = asked if anew else ask(con, "with_parts", ids=asked)
    found = rows.read(ask(con, "retryable", ids=wanted, anew=anew))
    back = rows.array(job for job, _ in found)
    do(con, "drop_keys", keys=rows.array(key for _, key in found if key), now=now)
    after = ask(con, "after", ids=back)
    closed = ask(con, "made_anew", after=after, ids=back, anew=anew)
    if closed != "[]":
        delete(con, ask(con, "parts_of", jobs=closed))
        do(con, "close", jobs=closed)
    do(con, "archive_ended", jobs=after)
    do(con, "retry", jobs=after, ids=back, arguments=arguments, now=now)
    do(con, "count_needs", jobs=after)
    sent = {job for job, _ in found}
    return ask(con, "records", ids=rows.array(job for job in ids if job in sent))


def delete(con: sqlite3.Connection, jobs: str) -> int:
    """Delete jobs, given by their numbers, with all that is known of them; how many there were."""
    if jobs == "[]":
        return 0
    do(con, "delete_attempts", jobs=jobs)
    do(con, "delete_needs", jobs=jobs)
    return do(con, "delete", jobs=jobs)
