"""Opens connections to SQLite for a `Database`, each set up as it is opened."""

import random
import sqlite3
import time

from rotulus.service.database_address import Address

PATIENCE = 10.0
"""Seconds to wait for another writer."""


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
