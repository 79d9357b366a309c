"""Connections to one PostgreSQL database: few, kept, with a deadline for every call."""

import re
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from functools import cache, cached_property
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.types.string import TextLoader

from rotulus._concurrency.semaphore import Semaphore
from rotulus._forking import follow_forks
from rotulus._time.clock import monotonic
from rotulus.errors import StoreCapacityError, StoreClosedError, StoreUnavailableError
from rotulus.stores.postgres.address import Address
from rotulus.stores.postgres.rows import milliseconds
from rotulus.stores.postgres.session import Answer, Execute, Session, statements_in
from rotulus.stores.postgres.translate import CONTENDED, LOST, USELESS, translated
from rotulus.stores.shared.session import Row

T = TypeVar("T")

OLDEST_SERVER = 13
"""The oldest PostgreSQL that is served."""

CONNECTING = 5.0
"""Seconds for the server to accept a connection, if there are as many."""

_HURRY = 0.9
"""The server gives up after this share of the time for a call, if it is there at all."""

MOST = 12
"""How many connections this process has at once; a call that finds none waits for one.

A renewal that finds none has one more, so that no lease ends because other calls wait for locks.
"""

_FEW_ROWS = 100
"""An idle connection keeps the rows of its last answer, if there were no more."""

_DAYS = 7 * 86_400.0
"""Seconds that work without a time limit may take all the same."""

_TURN = 0.5
"""Seconds between two tries to be the one process that works outside of transactions."""

_AGAIN = 5
"""How often work is tried that meets a key of another transaction."""

_LONG_AGAIN = 50
"""How often work is tried that others wait for in a ring, while there is time."""

_LEFT_BEHIND: list[object] = []
"""Connections of a parent process, which a forked child must neither use nor close."""


class NoAnswerError(Exception):
    """The server took longer than a call may take, or is gone without a word."""


class Connection(psycopg.Connection[Row]):
    """A connection whose calls come to an end, though the server may not answer any more."""

    deadline: float | None = None
    """When the call under way must be over, by the monotonic clock."""

    def __del__(self, *_: Any) -> None:
        """Nothing to say: one that an interrupt has kept from its place is collected."""

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for the server, but not for ever."""
        if timeout is not None or self.deadline is None:
            return super().wait(gen, interval, timeout)
        left = self.deadline - monotonic()
        try:
            return super().wait(gen, interval, max(0.0, left))
        except psycopg.OperationalError as error:
            if error.sqlstate is None and monotonic() >= self.deadline:
                self.close()  # or else the end of a transaction would be waited for, too
                raise NoAnswerError from error
            raise

    @cached_property
    def _cursor(self) -> psycopg.RawCursor[Row]:
        """Runs one statement after the other: to make a cursor takes as long as to use it."""
        return psycopg.RawCursor(self)

    def forget_answer(self) -> None:
        """Let go of a large answer, which the cursor would keep until its next statement."""
        if self._cursor.rowcount > _FEW_ROWS:
            del self._cursor

    def run(self, statement: bytes, parameters: Mapping[str, str | None]) -> Answer:
        """Run a statement, whose answer is there until the next one is run.

        One without parameters may be several, which cannot be prepared.
        """
        if parameters:
            numbered, names = _numbered(statement)
            return self._cursor.execute(numbered, [parameters[name] for name in names])
        return self.execute(statement.replace(b"%%", b"%"), prepare=False)


_NAMED = re.compile(rb"%\(([a-z0-9_]+)\)s")


@cache
def _numbered(statement: bytes) -> tuple[bytes, list[str]]:
    """Returns a statement as the server wants it, and the names of its parameters in their order.

    The driver would look for the parameters of a long statement each time.
    """
    numbers: dict[bytes, int] = {}

    def number(named: re.Match[bytes]) -> bytes:
        return b"$%d" % numbers.setdefault(named[1], len(numbers) + 1)

    text = _NAMED.sub(number, statement).replace(b"%%", b"%")
    return text, [name.decode() for name in numbers]


def check_version(version: int, url: str) -> None:
    """Raise `StoreUnavailableError` for a server that is too old; `version` is as it tells it."""
    if version // 10_000 < OLDEST_SERVER:
        raise StoreUnavailableError(
            f"The server of {url} is PostgreSQL {version // 10_000}: use {OLDEST_SERVER} or newer"
        )


def check_encoding(encoding: str | None, url: str) -> None:
    """Raise `StoreUnavailableError` for a database that cannot hold every text."""
    if encoding not in (None, "UTF8", "SQL_ASCII"):
        raise StoreUnavailableError(
            f"The database of {url} is in {encoding}, which cannot hold every text: use one made "
            f"with CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0"
        )


class Connections:
    """The connections of this process to one database.

    Args:
        address: the database.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        self._statements = statements_in(address.schema)
        self._closed = False
        self._idle: list[Connection] = []
        self._semaphore = Semaphore(MOST)
        self._reserved = Semaphore(1)
        self._reset()
        follow_forks(self._forked)

    def _reset(self) -> None:
        self._end: SimpleQueue[None] = SimpleQueue()

    def _forked(self) -> None:
        _LEFT_BEHIND.append(self._idle)
        self._idle = []
        self._reset()

    def run(
        self,
        work: Callable[[Session], T],
        *,
        atomic: bool = False,
        seconds: float | None = None,
        renews: bool = False,
    ) -> T:
        """Do some work, and give what it gives.

        A call may be repeated after an unknown result (see `rotulus.store`), so work that finds
        its connection lost is done once more, on a new one; and work that other transactions got
        in the way of, again and again.

        Args:
            work: what to do; it may be done more than once.
            atomic: whether it is more than one statement, and a transaction.
            seconds: how long it may take in all; usually what the address says.
            renews: whether it renews leases, and so has a connection when others have all.
        """
        seconds = self.address.deadline if seconds is None else seconds
        begun = monotonic()
        end = begun + seconds
        with translated(self.address.shown):
            try:
                try:
                    return self._patiently(work, atomic, end, renews)
                except LOST as error:
                    if not self._is_lost(error):
                        raise
                return self._patiently(work, atomic, end, renews)
            except NoAnswerError as error:
                took = round(min(seconds, max(1.0, monotonic() - begun)))
                raise StoreUnavailableError(
                    f"{self.address.shown} gave no answer within {took} seconds: "
                    f"see whether the server is stopped or overloaded; ?deadline=60 waits longer"
                ) from error

    def _patiently(self, work: Callable[[Session], T], atomic: bool, end: float, renews: bool) -> T:
        tries = 0
        while True:
            try:
                return self._once(work, atomic, end, renews)
            except CONTENDED as error:
                tries += 1
                # A call that waits in a ring gets through in the end; a key that is taken stays so.
                patience = (
                    _AGAIN if isinstance(error, psycopg.errors.UniqueViolation) else _LONG_AGAIN
                )
                if tries >= patience or monotonic() >= end:
                    raise

    def _once(self, work: Callable[[Session], T], atomic: bool, end: float, renews: bool) -> T:
        # Work that may take minutes begins soon all the same, if anybody is there.
        soon = min(end, monotonic() + self.address.deadline) if atomic else end
        with self._borrowed(soon, renews) as connection:
            connection.deadline = soon
            session = Session(connection.run, self._statements)
            try:
                if self.address.listen and not atomic:
                    return work(session)
                with connection.transaction():
                    connection.deadline = end
                    if not self.address.listen:
                        self._pin(session, local=True)
                    return work(session)
            finally:
                connection.deadline = None

    def run_outside(self, work: Callable[[Session], object]) -> None:
        """Do some work outside of transactions, on a connection of its own; one process at a time.

        A second connection says who that is, by a lock that ends with its transaction: this holds
        behind a pooler, too. Its transaction has no snapshot, so no index has to wait for it.
        """

        def in_turn(session: Session) -> bool:
            if not session.fetch_value("hold_building"):
                return False
            connection = self.open(monotonic() + CONNECTING)
            try:
                connection.deadline = None
                if self.address.listen:
                    connection.run(b"SET statement_timeout = 0; SET lock_timeout = 0", {})
                work(Session(connection.run, self._statements))
            finally:
                connection.close()
            return True

        while not self.run(in_turn, atomic=True, seconds=_DAYS):
            self.pause(_TURN)
            self._check()

    @property
    def is_callers(self) -> bool:
        """They are ours."""
        return False

    @property
    def in_transaction(self) -> bool:
        """A call ends what it begins."""
        return False

    def after_commit(self, function: Callable[[], object]) -> None:
        """Call a function: what `run` has written is committed."""
        function()

    def joined(self, execute: Execute) -> Session:
        """Statements on a connection of somebody else."""
        return Session(execute, self._statements)

    def _is_lost(self, error: psycopg.Error) -> bool:
        """Whether the connection was lost, and not only the call; then so are those that wait."""
        if error.sqlstate is not None and not error.sqlstate.startswith(USELESS):
            return False
        self._close_idle()
        return True

    @contextmanager
    def _borrowed(self, end: float, renews: bool = False) -> Generator[Connection, None, None]:
        self._check()
        permit = self._semaphore.acquire(0.0 if renews else end)  # at once, or not at all
        if permit is None and renews:
            permit = self._reserved.acquire(end)
        if permit is None:
            raise StoreCapacityError(
                f"All {MOST} connections to {self.address.shown} have been in use for too long"
            )
        try:
            connection = self._idle_or_new(end)
            try:
                yield connection
            finally:
                self._give_back(connection)
        finally:
            permit.release()

    def _idle_or_new(self, end: float) -> Connection:
        """A connection that is idle, or a new one. There are never more of them than permits."""
        self._check()
        with suppress(IndexError):
            return self._idle.pop()
        with translated(self.address.shown):  # to connect again at once is of no use
            return self.open(end)

    def _give_back(self, connection: Connection) -> None:
        if connection.info.transaction_status == TransactionStatus.IDLE:
            connection.forget_answer()
            self._idle.append(connection)
            if self._closed:
                self._close_idle()
        else:
            connection.close()

    def _close_idle(self) -> None:
        while self._idle:
            with suppress(IndexError):
                self._idle.pop().close()

    def open(self, end: float) -> Connection:
        """A new connection before the end, by the monotonic clock; the caller has to close it."""
        connection = Connection.connect(
            self.address.conninfo,
            autocommit=True,
            prepare_threshold=0 if self.address.listen else None,
            connect_timeout=round(min(CONNECTING, max(1.0, end - monotonic()))),
            application_name="rotulus",
            client_encoding="utf8",  # else it may be that of the database, or of the environment
        )
        try:
            check_version(connection.info.server_version, self.address.shown)
            check_encoding(connection.info.parameter_status("server_encoding"), self.address.shown)
            connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
            connection.deadline = end
            connection.adapters.register_loader("uuid", TextLoader)
            if self.address.listen:
                self._pin(Session(connection.run, self._statements), local=False)
        except BaseException:
            connection.close()
            raise
        return connection

    def _pin(self, session: Session, *, local: bool) -> None:
        timeout = milliseconds(self.address.deadline * _HURRY)
        session.fetch("pin", local="true" if local else "false", timeout=timeout)

    def pause(self, seconds: float) -> None:
        """Sleep, but not beyond `close`."""
        with suppress(Empty):
            self._end.get(timeout=max(0.0, seconds))
            self._end.put(None)  # for the others who sleep

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    def close(self) -> None:
        """Close them all; one that is in use, as soon as it is given back."""
        self._closed = True
        self._end.put(None)
        self._close_idle()

    def _check(self) -> None:
        if self._closed:
            raise StoreClosedError(
                f"The store {self.address.shown} is closed: open a new App to use it"
            )
