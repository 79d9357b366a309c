"""Opens connections to SQLite for a `Database`, each set up as it is opened."""

import os
import random
import sqlite3
import time
from typing import Any

from sqlalchemy import Engine, event

from rotulus.errors import StoreUnavailableError
from rotulus.service.database_address import Address

PATIENCE = 10.0
"""Seconds to wait for another writer."""


_SPOILT = ("SQLITE_NOTADB", "SQLITE_CORRUPT", "SQLITE_IOERR", "SQLITE_CANTOPEN")


def open_tuned(address: Address) -> sqlite3.Connection:
    """A connection with foreign keys, and of a file in WAL mode; any thread may use it."""
    connection = sqlite3.connect(
        str(address.file), uri=address.in_memory, timeout=PATIENCE, check_same_thread=False
    )
    try:
        _tune(connection, address)
    except BaseException:
        connection.close()
        raise
    return connection


def watch_file(engine: Engine, path: str) -> None:
    """Have an engine refuse a file that was deleted or replaced; put back, it is used again.

    SQLite would go on with the old one, which nobody else can see any more. To be called before
    there is another listener that opens connections: the first one that does is the last one asked.
    """
    known: list[tuple[int, int] | None] = []

    def compare(*_: Any) -> None:
        if known and known[0] != _identity(path):
            raise StoreUnavailableError(
                f"{path} was deleted or replaced while in use: put it back, or restart"
            )

    def remember(*_: Any) -> None:
        if not known:
            known.append(_identity(path))

    event.listen(engine, "do_connect", compare)
    event.listen(engine, "connect", remember)
    event.listen(engine, "checkout", compare)


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - for each session, so make it quick
    except OSError:
        return None
    return found.st_dev, found.st_ino


def drop_spoilt(context: Any) -> None:
    """Let SQLAlchemy drop connections that have met a file which is none; see `handle_error`.

    They would go on to say so when it has been put right.
    """
    name = getattr(context.original_exception, "sqlite_errorname", None) or ""
    if name.startswith(_SPOILT):
        context.is_disconnect = True


def _tune(connection: sqlite3.Connection, address: Address) -> None:
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA synchronous = {address.synchronous}")
    if connection.execute("PRAGMA journal_mode").fetchone()[0] not in ("wal", "memory"):
        _use_wal(connection)


def _use_wal(connection: sqlite3.Connection) -> None:
    """SQLite does not wait by itself for others that use the file as it was."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() > end:
                raise
            time.sleep(random.uniform(0.0005, 0.005))  # noqa: S311 - only to break step
        else:
            return
