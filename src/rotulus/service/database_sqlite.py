"""Opens connections to SQLite for a `Database`, with the settings of each."""

import os
import random
import sqlite3
import time
from typing import Any

from sqlalchemy import Engine, event

from rotulus.errors import StoreUnavailableError
from rotulus.service.database_address import Address

BUSY_TIMEOUT = 10.0
"""Seconds to wait for another writer."""


_SPOILT = ("SQLITE_NOTADB", "SQLITE_CORRUPT", "SQLITE_IOERR", "SQLITE_CANTOPEN")


def open_tuned(address: Address) -> sqlite3.Connection:
    """Returns a connection with foreign keys, in WAL mode if it is a file, for any thread."""
    connection = sqlite3.connect(
        str(address.file), uri=address.in_memory, timeout=BUSY_TIMEOUT, check_same_thread=False
    )
    try:
        _tune(connection, address)
    except BaseException:
        connection.close()
        raise
    return connection


def watch_file(engine: Engine, path: str) -> None:
    """Have an engine refuse a file that was deleted or replaced, until the file is put back.

    SQLite would go on with the old file, which no other program can see any more. Call this before
    another listener opens connections: the first listener that returns one is the last one called.
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
    """Let SQLAlchemy drop connections that have met a file which is no database.

    Such connections would still fail after the file has been repaired. See `handle_error`.
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
    """Switch to WAL mode, and wait: SQLite itself does not wait for other users of the file."""
    end = time.monotonic() + BUSY_TIMEOUT
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
