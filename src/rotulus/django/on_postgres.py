"""The calls of a PostgreSQL store on Django's own connection."""

from collections.abc import Callable, Mapping
from time import sleep
from types import MappingProxyType
from typing import Any, TypeVar

import django.db
import psycopg
from django.db import transaction
from psycopg.pq import TransactionStatus
from psycopg.rows import tuple_row

from rotulus._time.clock import Clock
from rotulus.django.connections import Connection, using
from rotulus.errors import StoreError
from rotulus.store import Store
from rotulus.stores.postgres import PostgresStore
from rotulus.stores.postgres.address import Address
from rotulus.stores.postgres.indexes import build_indexes, index_statements
from rotulus.stores.postgres.joining import found, on_cursor, on_django
from rotulus.stores.postgres.migrate import migration_statements
from rotulus.stores.postgres.session import Answer, Execute, Session, statements_in
from rotulus.stores.postgres.translate import CONTENDED, USELESS, translate

__all__ = [
    "MIGRATIONS",
    "finish_migrations",
    "finishing_statements",
    "is_in_use",
    "migration_statements",
    "open_store",
]

T = TypeVar("T")

MIGRATIONS = "postgres"
"""The folder of the migrations that make the tables."""

_TRIES = 5
"""The most tries of work that conflicts with other transactions."""

_STATEMENTS: Mapping[str, bytes] = MappingProxyType({**statements_in(None), "unpin": b"SELECT 1"})
"""The settings of the connection stay those of its owner: nothing is pinned, nor unpinned."""


class PostgresConnection(Connection):
    """Runs calls on the connection of an alias. See `rotulus.stores.postgres.source`."""

    is_callers = True

    @property
    def address(self) -> Address:
        """The facts about the connection: its time limits are the owner's."""
        return Address("", self.url, None, listen=False)

    def run(
        self,
        work: Callable[[Session], T],
        *,
        atomic: bool = False,
        seconds: float | None = None,  # noqa: ARG002 - the owner of the connection sets the limit
        renews: bool = False,  # noqa: ARG002 - each thread has a connection
    ) -> T:
        """Do some work. Returns its result.

        Several statements form a transaction, or stand behind a savepoint. A single statement that
        fails rolls the block around it back.
        """
        with self.translating(self._translated):
            return self._patiently(work, atomic)

    def run_outside(self, work: Callable[[Session], object]) -> None:
        """Do some work, unless a transaction is open here: then it is for another call."""
        if not self.in_transaction:
            with self.translating(self._translated):
                work(Session(_execute_on(self.here), _STATEMENTS))

    def _patiently(self, work: Callable[[Session], T], atomic: bool) -> T:
        tries = 0
        while True:
            tries += 1
            try:
                return self._once(work, atomic)
            except django.db.Error as error:
                undone = atomic or not self.here.in_atomic_block
                if tries >= _TRIES or not (undone and self._again(error)):
                    raise

    def _again(self, error: BaseException) -> bool:
        """Returns whether a second try may succeed: after a conflict, or with a new connection."""
        cause = error.__cause__
        if isinstance(cause, CONTENDED):
            return True
        lost = isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError) and (
            cause.sqlstate is None or cause.sqlstate.startswith(USELESS)
        )
        if not lost or self.here.in_atomic_block:
            return False
        had_one = self.here.connection is not None
        self.here.close_if_unusable_or_obsolete()
        return had_one and self.here.connection is None

    def _once(self, work: Callable[[Session], T], atomic: bool) -> T:
        session = Session(_execute_on(self.here), _STATEMENTS)
        if atomic:
            with transaction.atomic(using=self.alias):
                return work(session)
        if self.here.in_atomic_block:
            with transaction.mark_for_rollback_on_error(using=self.alias):
                return work(session)
        return work(session)

    def joined(self, execute: Execute) -> Session:
        """Statements on a connection of another owner."""
        return Session(execute, _STATEMENTS)

    def _translated(self, error: BaseException) -> StoreError | None:
        return translate(error, self.url) if isinstance(error, psycopg.Error) else None


def finish_migrations(connection: Any, tell: Callable[[str], object]) -> None:
    """Build the indexes of the migrations on a connection without a transaction."""
    build_indexes(Session(_execute_on(connection), _STATEMENTS), None, sleep, tell)


def finishing_statements() -> list[str]:
    """Returns what `finish_migrations` does, for those who want to see it."""
    return index_statements(None)


def is_in_use(error: BaseException) -> bool:
    """Returns whether a migration has not got a table because it is in use: to be tried again."""
    return isinstance(error.__cause__, (psycopg.errors.LockNotAvailable, *CONTENDED))


def _execute_on(connection: Any) -> Execute:
    """Returns the runner of statements on a connection of Django.

    Statements run on Django's cursors if they are observed: under `DEBUG`, in tests that count, or
    with wrappers. Otherwise they run on the driver's cursors, where the server need not plan each
    statement anew.
    """
    if connection.queries_logged or connection.execute_wrappers:
        return on_django(connection)
    may_prepare = _may_prepare(connection.settings_dict)

    def run(statement: bytes, parameters: Mapping[str, str | None]) -> Answer:
        with using(connection) as driver:
            prepare = bool(parameters) and may_prepare
            if prepare and driver.prepare_threshold is None:
                driver.prepare_threshold = _NEVER_BY_ITSELF
            if prepare and statement in _PINNED and _is_alone(driver):
                return _pinned(driver, statement, parameters)
            return on_cursor(driver, statement, parameters, prepare=prepare)

    return run


def _is_alone(driver: psycopg.Connection[Any]) -> bool:
    """Returns whether a statement is a transaction of its own, and can go with another."""
    idle = driver.info.transaction_status == TransactionStatus.IDLE
    return driver.autocommit and idle and psycopg.Pipeline.is_supported()


def _pinned(
    driver: psycopg.Connection[Any], statement: bytes, parameters: Mapping[str, str | None]
) -> Answer:
    """Run a statement with the plan that the server has cached.

    The setting goes to the server with the statement, and ends with its transaction.
    """
    with (
        driver.pipeline() as pipeline,
        psycopg.Cursor(driver) as pin,
        psycopg.Cursor(driver, row_factory=tuple_row) as cursor,
    ):
        pin.execute(_PIN, prepare=True)
        cursor.execute(statement, parameters, prepare=True)
        pipeline.sync()
        return found(cursor)


def _may_prepare(settings: Mapping[str, Any]) -> bool:
    """Returns whether the settings connect to the server without a pooler."""
    return not settings.get(
        "DISABLE_SERVER_SIDE_CURSORS"
    ) and "prepare_threshold" not in settings.get("OPTIONS", {})


_PIN = b"SELECT set_config('plan_cache_mode', 'force_generic_plan', true)"
"""Lets the statements of this transaction use cached plans."""

_KEPT = ("add", "add_keyed", "carry")
"""Statements with plans that the server caches by itself: no value makes another plan better."""

_PINNED = frozenset(text for name, text in _STATEMENTS.items() if name not in _KEPT)
"""Statements that the server would plan anew each time, which takes longer than running them."""


_NEVER_BY_ITSELF = 2**31
"""The runs before the driver prepares a statement by itself: never, only we prepare."""


def open_store(alias: str, _connection: Any, _clock: Clock) -> Store:
    """Returns the store on a database of PostgreSQL."""
    source = PostgresConnection(alias)
    return PostgresStore(source.address, source)
