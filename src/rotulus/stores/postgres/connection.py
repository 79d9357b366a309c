"""Connections to one PostgreSQL database: few, kept, with a deadline for every call."""

import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.types.string import TextLoader

from rotulus._forking import follow_forks
from rotulus.errors import StoreClosedError, StoreUnavailableError
from rotulus.stores.postgres.address import Address
from rotulus.stores.postgres.ask import Answer, Execute, Row, Session, prepared
from rotulus.stores.postgres.rows import milliseconds
from rotulus.stores.postgres.translate import CONTENDED, LOST, translated

T = TypeVar("T")

OLDEST_SERVER = 13
"""The oldest PostgreSQL that is served."""

DEADLINE = 15.0
"""Seconds for one call. The server gives up a second earlier, if it is there at all."""

CONNECTING = 5
"""Seconds for the server to accept a connection."""

MOST = 12
"""How many connections this process has at once; a call that finds none waits for one."""

_AGAIN = 5
"""How often work is tried that other transactions get in the way of."""

_LEFT_BEHIND: list[object] = []
"""Connections of a parent process, which a forked child must neither use nor close."""


class NoAnswerError(Exception):
    """The server took longer than a call may take, or is gone without a word."""


class Connection(psycopg.Connection[Row]):
    """A connection whose calls come to an end, though the server may not answer any more."""

    deadline: float | None = None
    """When the call under way must be over, by the monotonic clock."""

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for the server, but not for ever."""
        if timeout is not None or self.deadline is None:
            return super().wait(gen, interval, timeout)
        left = self.deadline - time.monotonic()
        try:
            return super().wait(gen, interval, max(0.0, left))
        except psycopg.OperationalError as error:
            if error.sqlstate is None and time.monotonic() >= self.deadline:
                raise NoAnswerError from error
            raise

    def ask(self, statement: bytes, parameters: Mapping[str, str | None]) -> Answer:
        """Run a statement; one without parameters may be several, which cannot be prepared."""
        if parameters:
            return self.execute(statement, parameters)
        return self.execute(statement, prepare=False)


class Connections:
    """The connections of this process to one database.

    Args:
        address: the database.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        self._statements = prepared(address.schema)
        self._closed = False
        self._idle: list[Connection] = []
        self._begin()
        follow_forks(self._forked)

    def _begin(self) -> None:
        self._changed = threading.Condition()
        self._count = 0

    def _forked(self) -> None:
        _LEFT_BEHIND.append(self._idle)
        self._idle = []
        self._begin()

    def run(
        self, work: Callable[[Session], T], *, atomic: bool = False, seconds: float = DEADLINE
    ) -> T:
        """Do some work, and give what it gives.

        A call may be repeated after an unknown result (see `rotulus.store`), so work that finds
        its connection lost is done once more, on a new one; and work that other transactions got
        in the way of, a few times.

        Args:
            work: what to do; it may be done more than once.
            atomic: whether it is more than one statement, and a transaction.
            seconds: how long it may take.
        """
        with translated(self.address.shown):
            try:
                return self._patiently(work, atomic, seconds)
            except LOST as error:
                if not self._is_lost(error):
                    raise
            except NoAnswerError as error:
                raise StoreUnavailableError(
                    f"{self.address.shown} gave no answer within {seconds:g} seconds"
                ) from error
            return self._patiently(work, atomic, seconds)

    def _patiently(self, work: Callable[[Session], T], atomic: bool, seconds: float) -> T:
        for _ in range(_AGAIN - 1):
            with suppress(*CONTENDED):
                return self._once(work, atomic, seconds)
        return self._once(work, atomic, seconds)

    def _once(self, work: Callable[[Session], T], atomic: bool, seconds: float) -> T:
        with self._borrowed() as connection:
            connection.deadline = time.monotonic() + seconds
            session = Session(connection.ask, self._statements)
            try:
                if self.address.listen and not atomic:
                    return work(session)
                with connection.transaction():
                    if not self.address.listen:
                        _pin(session, local=True)
                    return work(session)
            finally:
                connection.deadline = None

    def joined(self, execute: Execute) -> Session:
        """Statements on a connection of somebody else."""
        return Session(execute, self._statements)

    def _is_lost(self, error: psycopg.Error) -> bool:
        """Whether the connection was lost, and not only the call; then so are those that wait."""
        if error.sqlstate is not None and not error.sqlstate.startswith(("08", "57P")):
            return False
        with self._changed:
            lost, self._idle = self._idle, []
            self._count -= len(lost)
        for connection in lost:
            connection.close()
        return True

    @contextmanager
    def _borrowed(self) -> Generator[Connection, None, None]:
        connection = self._take()
        try:
            yield connection
        finally:
            self._give_back(connection)

    def _take(self) -> Connection:
        with self._changed:
            self._check()
            if not self._changed.wait_for(self._available, timeout=DEADLINE):
                raise StoreUnavailableError(
                    f"All {MOST} connections to {self.address.shown} have been in use for "
                    f"{DEADLINE:g} seconds"
                )
            self._check()
            if self._idle:
                return self._idle.pop()
            self._count += 1
        try:
            return self.open()
        except BaseException:
            with self._changed:
                self._count -= 1
                self._changed.notify()
            raise

    def _available(self) -> bool:
        return bool(self._idle) or self._count < MOST or self._closed

    def _give_back(self, connection: Connection) -> None:
        good = connection.info.transaction_status == TransactionStatus.IDLE
        with self._changed:
            if good and not self._closed:
                self._idle.append(connection)
            else:
                connection.close()
                self._count -= 1
            self._changed.notify()

    def open(self) -> Connection:
        """A new connection, which the caller has to close."""
        connection = Connection.connect(
            self.address.conninfo,
            autocommit=True,
            prepare_threshold=0 if self.address.listen else None,
            connect_timeout=CONNECTING,
            application_name="rotulus",
        )
        version = connection.info.server_version // 10_000
        if version < OLDEST_SERVER:
            connection.close()
            raise StoreUnavailableError(
                f"The server of {self.address.shown} is PostgreSQL {version}: "
                f"use {OLDEST_SERVER} or newer"
            )
        connection.adapters.register_loader("uuid", TextLoader)
        if self.address.listen:
            _pin(Session(connection.ask, self._statements), local=False)
        return connection

    def pause(self, seconds: float) -> None:
        """Sleep, but not beyond `close`."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed, seconds)

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    def close(self) -> None:
        """Close them all; one that is in use, as soon as it is given back."""
        with self._changed:
            self._closed = True
            idle, self._idle = self._idle, []
            self._changed.notify_all()
        for connection in idle:
            connection.close()

    def _check(self) -> None:
        if self._closed:
            raise StoreClosedError(
                f"The store {self.address.shown} is closed: open a new App to use it"
            )


def _pin(session: Session, *, local: bool) -> None:
    timeout = milliseconds(DEADLINE - 1)
    session.rows("pin", local="true" if local else "false", timeout=timeout)
