"""Opens connections to one SQLite file, and says in our own words what goes wrong with it."""

import os
import random
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from rotulus._forking import FORK_BARRIER, follow_forks
from rotulus.errors import (
    SchemaError,
    StoreBusyError,
    StoreClosedError,
    StoreError,
    StoreFullError,
    StoreReadOnlyError,
    StoreRefusedError,
    StoreUnavailableError,
)

OLDEST_SQLITE = (3, 38, 0)
"""The first version with `->>`; `STRICT`, `RETURNING` and `UPDATE FROM` are older."""

MEMORY = ":memory:"

BUSY_TIMEOUT = 5.0
"""Seconds to wait for another process that writes, before giving up."""

_SPOILT = ("SQLITE_NOTADB", "SQLITE_CORRUPT", "SQLITE_IOERR", "SQLITE_CANTOPEN")
"""What a connection goes on to say once it has met it, though the file may be whole again."""

_NO_TABLES = "no such table: rotulus_"

_OF_THE_FILE = (f"{_NO_TABLES}jobs", "closed database")
"""What errors say that all calls meet: the file has no jobs, or the connection is closed."""

_LEFT_BEHIND: list[object] = []
"""Connections of a parent process, which a forked child must neither use nor close."""


class Connection(sqlite3.Connection):
    """A connection that others can remember something of, for as long as it is there."""


class Connections:
    """The connections of this process to one file: one that writes, and some that read.

    Args:
        path: the file, or `:memory:`, whose single connection writes and reads.
        synchronous: `FULL`, which survives a loss of power, or `NORMAL`, which survives a crash
            of the program and may lose the last commits when the power goes.

    Attributes:
        lock: to be held while the only connection of a store in memory is used.
    """

    def __init__(self, path: str, synchronous: str = "FULL") -> None:
        self.path = path
        self.in_memory = path == MEMORY
        self._synchronous = synchronous
        self._closed = False
        self._exiting = False
        self._out_of_reach = False
        self._reset()
        follow_forks(self._forked)

    def _reset(self) -> None:
        self.lock = threading.RLock()
        # A program that never closes an app gets no warning from sqlite3 when it is collected.
        self._opened: list[sqlite3.Connection] = []
        self._finalizer = weakref.finalize(self, _close, self._opened)
        self._finalizer.atexit = False  # that would be before functions of the program
        self._file: tuple[int, int] | None = None
        self._writer: sqlite3.Connection | None = None
        self._idle: list[sqlite3.Connection] = []

    def _forked(self) -> None:
        """In a forked child: begin anew, as SQLite's locks belong to the process that took them."""
        _LEFT_BEHIND.append(self._opened)
        self._finalizer.detach()
        self._out_of_reach = self.in_memory
        self._reset()

    def exit_readers(self) -> None:
        """At the end of the program: close those that nobody reads with.

        From now on only the main thread opens others: the rest of the threads end with it.
        """
        self._exiting = True
        self._close_idle()

    def exit_writer(self) -> None:
        """The same of the one that writes. Nobody may write meanwhile."""
        if not self.lock.acquire(blocking=False):
            return  # somebody reads with it, as there is only this one
        try:
            writer, self._writer = self._writer, None
            self._closed = self._closed or self.in_memory
            if writer is not None:
                writer.close()
        finally:
            self.lock.release()

    def writer(self) -> sqlite3.Connection:
        """The connection that writes; for one at a time: see commit.py."""
        self._check()
        if self._writer is None:
            with translated(self.path):
                connection = self._open()
                # The writer waits in its own way.
                connection.execute("PRAGMA busy_timeout = 0")
                self._writer = connection
        return self._writer

    def drop_writer(self) -> None:
        """Close the connection that writes; the next write opens another one.

        One in memory is all there is of its store, and stays.
        """
        if self._writer is not None and not self.in_memory:
            connection, self._writer = self._writer, None
            self._discard(connection)

    def note_failure(self, error: sqlite3.Error) -> None:
        """After a write has failed: of a file that is spoilt, drop what has it open, if it is idle.

        So the file is opened anew as soon as it has been put right.
        """
        if is_spoilt(error):
            self.drop_writer()
            self._close_idle()

    @property
    def guard(self) -> AbstractContextManager[Any]:
        """The guard of whatever is done inside SQLite.

        It keeps forks out: a child would find the locks of the file held for ever. In memory it
        keeps others from the only connection, which no child uses.
        """
        return self.lock if self.in_memory else FORK_BARRIER

    @contextmanager
    def reading(self) -> Generator[sqlite3.Connection, None, None]:
        """A connection to read with."""
        with self.guard, translated(self.path):
            if self.in_memory:
                yield self.writer()
                return
            self._check()
            connection, spoilt = self._idle_or_new(), False
            try:
                yield connection
            except sqlite3.Error as error:
                spoilt = is_spoilt(error)
                raise
            finally:
                if spoilt:
                    self._discard(connection)
                    self._close_idle()
                else:
                    self._give_back(connection)

    def _idle_or_new(self) -> sqlite3.Connection:
        try:
            return self._idle.pop()
        except IndexError:
            return self._open()

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    def close(self) -> None:
        """Close them all; one that is being read with, as soon as it is given back.

        Nobody may write meanwhile.
        """
        with self.guard:
            self._closed = True
            self._close_idle()
            if self._writer is not None:
                self._writer.close()
            self._writer = None
            self._opened.clear()

    def _give_back(self, connection: sqlite3.Connection) -> None:
        self._idle.append(connection)
        if self._closed:
            self._close_idle()

    def _close_idle(self) -> None:
        while self._idle:
            with suppress(IndexError):
                self._discard(self._idle.pop())

    def _discard(self, connection: sqlite3.Connection) -> None:
        connection.close()
        with suppress(ValueError):  # all have been forgotten at once
            self._opened.remove(connection)

    def _check(self) -> None:
        if self._closed:
            raise StoreClosedError(f"The store {self.path} is closed: open a new App to use it")
        if self._out_of_reach:
            raise StoreUnavailableError(
                "A store in memory belongs to the process that made it, and this one was forked "
                "from that: use a file, such as sqlite:///jobs.db"
            )
        if self._file is not None and self._file != self._identity():
            # SQLite would go on with the old file, which nobody else can see any more.
            raise StoreUnavailableError(
                f"{self.path} was deleted or replaced while in use: put it back, or restart"
            )

    def _identity(self) -> tuple[int, int] | None:
        """What tells this file from another one of the same name."""
        try:
            found = os.stat(self.path)  # noqa: PTH116 - before every write, so make it quick
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def _open(self) -> sqlite3.Connection:
        if self._exiting and threading.current_thread() is not threading.main_thread():
            raise StoreClosedError(f"The store {self.path} is closed: the program is ending")
        if sqlite3.sqlite_version_info < OLDEST_SQLITE:
            raise StoreUnavailableError(
                f"SQLite {sqlite3.sqlite_version} is too old: this Python needs one with SQLite "
                f"{'.'.join(map(str, OLDEST_SQLITE))} or newer"
            )
        connection = sqlite3.connect(
            self.path,
            timeout=5.0,
            isolation_level=None,
            check_same_thread=False,
            factory=Connection,
        )
        self._opened.append(connection)
        if not self.in_memory:
            try:
                self._tune(connection)
            except BaseException:
                self._discard(connection)
                raise
            self._file = self._identity()
        return connection

    def _tune(self, connection: sqlite3.Connection) -> None:
        if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            switch = partial(connection.execute, "PRAGMA journal_mode = WAL")
            patiently(switch, time.monotonic() + BUSY_TIMEOUT)
        connection.execute(f"PRAGMA synchronous = {self._synchronous}")
        connection.execute("PRAGMA cache_size = -16384")
        connection.execute("PRAGMA wal_autocheckpoint = 4000")


def _close(connections: list[sqlite3.Connection]) -> None:
    for connection in connections:
        connection.close()


def is_spoilt(error: sqlite3.Error) -> bool:
    """Whether a connection that has met an error is of no use any more.

    One that was opened while the file held no database may remember that it has no tables.
    """
    name = getattr(error, "sqlite_errorname", None) or ""
    return name.startswith(_SPOILT) or _NO_TABLES in str(error)


def is_of_statement(error: sqlite3.Error) -> bool:
    """Whether a statement is wrong, or its parameters are: others on the same file may succeed."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)  # Python's own have none
    text = str(error)
    return code & 0xFF == sqlite3.SQLITE_ERROR and not any(one in text for one in _OF_THE_FILE)


def patiently(step: Callable[[], object], end: float) -> None:
    """Do something that another process may be in the way of, again until it is not.

    SQLite's own waiting backs off to 100 ms, which is long beside a transaction of 1 ms.

    Args:
        step: what to do.
        end: when to give up, by the monotonic clock.
    """
    while True:
        try:
            step()
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() > end:
                raise
            time.sleep(random.uniform(0.0005, 0.005))  # noqa: S311 - only to break step
        else:
            return


@contextmanager
def translated(path: str) -> Generator[None, None, None]:
    """Raise SQLite's errors as ours, with what can be done about them."""
    try:
        yield
    except sqlite3.Error as error:
        raise translate(error, path) from error


def translate(error: sqlite3.Error, path: str) -> StoreError:
    """Our error for one of SQLite's."""
    name = getattr(error, "sqlite_errorname", "") or ""
    if _NO_TABLES in str(error):
        return SchemaError(f"{path} has no tables of Rotulus yet: run 'rotulus migrate'")
    if name.startswith("SQLITE_FULL"):
        return StoreFullError(f"No room left for {path}: free some space on its disk ({error})")
    if name.startswith("SQLITE_READONLY"):
        return StoreReadOnlyError(
            f"Cannot write to {path}: make the file and its folder writable for user "
            f"{_user()} ({error})"
        )
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return StoreBusyError(
            f"{path} is locked by another process or by another connection of this one, for longer "
            f"than we wait. If it is your own transaction, enqueue in that: "
            f"using(connection=...), or commit first; else find out who holds it (fuser {path})"
        )
    if isinstance(error, sqlite3.IntegrityError | sqlite3.DataError):
        return StoreRefusedError(f"{path} does not take what was to be written: {error}")
    if isinstance(error, sqlite3.ProgrammingError) and "closed" in str(error):
        return StoreClosedError(f"The store {path} is closed: open a new App to use it")
    return StoreUnavailableError(f"Cannot use {path}: {error}{_advice(name, path)}")


def _advice(name: str, path: str) -> str:
    if name.startswith("SQLITE_CANTOPEN"):
        folder = Path(path).resolve().parent
        if not folder.is_dir():
            return f"; the folder {folder} does not exist"
        return f"; make {folder} readable and writable for user {_user()}"
    if name.startswith("SQLITE_NOTADB"):
        return "; give the name of another file, or move this one away"
    if name.startswith("SQLITE_CORRUPT"):
        return "; restore it from a backup, or save what can be read with sqlite3's .recover"
    return ""


def _user() -> str:
    return str(os.getuid()) if hasattr(os, "getuid") else "of this process"
