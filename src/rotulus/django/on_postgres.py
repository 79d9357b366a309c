"""The calls of a PostgreSQL store on Django's own connection."""

from collections.abc import Callable, Mapping
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
from rotulus.stores.postgres.joining import found, on_cursor, on_django
from rotulus.stores.postgres.migrate import step_statements
from rotulus.stores.postgres.session import Answer, Execute, Session, statements_in
from rotulus.stores.postgres.translate import CONTENDED, USELESS, translate

__all__ = ["STEPS", "open_store", "step_statements"]

T = TypeVar("T")

STEPS = "postgres"
"""The folder of the steps that make the tables."""

_TRIES = 5
"""How often work is tried that other transactions got in the way of."""

_STATEMENTS: Mapping[str, bytes] = MappingProxyType({**statements_in(None), "unpin": b"SELECT 1"})
"""The settings of the connection stay those of its owner: nothing is pinned, nor unpinned."""


class PostgresConnection(Connection):
    """Runs calls on the connection of an alias. See `rotulus.stores.postgres.source`."""

    is_callers = True

    @property
    def address(self) -> Address:
        """What there is to know of it: the server's time limits are those of the connection."""
        return Address("", self.url, None, listen=False)

    def run(
        self,
        work: Callable[[Session], T],
        *,
        atomic: bool = False,
        seconds: float | None = None,  # noqa: ARG002 - the owner of the connection says how long
        renews: bool = False,  # noqa: ARG002 - each thread has a connection
    ) -> T:
        """Do some work, and give what it gives.

        Several statements are a transaction, or behind a savepoint. One alone that fails has the
        block around it rolled back.
        """
        with self.translating(self._translated):
            return self._patiently(work, atomic)

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
        """Whether the same will do: another transaction was in the way, or a connection is new."""
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
        """Statements on a connection of somebody else."""
        return Session(execute, _STATEMENTS)

    def _translated(self, error: BaseException) -> StoreError | None:
        return translate(error, self.url) if isinstance(error, psycopg.Error) else None


def _execute_on(connection: Any) -> Execute:
    """What runs statements on a connection of Django.

    On Django's cursors while somebody looks at what is run: under `DEBUG`, in tests that count, or
    with wrappers. Else on the driver's, where the server need not plan a statement each time.
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
    """Whether a statement would be a transaction of its own, and can be sent with another."""
    idle = driver.info.transaction_status == TransactionStatus.IDLE
    return driver.autocommit and idle and psycopg.Pipeline.is_supported()


def _pinned(
    driver: psycopg.Connection[Any], statement: bytes, parameters: Mapping[str, str | None]
) -> Answer:
    """Run a statement by the plan that the server has of it, and not by a new one each time.

    The setting goes to the server together with the statement, and ends with its transaction.
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


def _may_prepare(given: Mapping[str, Any]) -> bool:
    """Whether the server is spoken to without a pooler between, as the settings have it."""
    return not given.get("DISABLE_SERVER_SIDE_CURSORS") and "prepare_threshold" not in given.get(
        "OPTIONS", {}
    )


_PIN = b"SELECT set_config('plan_cache_mode', 'force_generic_plan', true)"
"""Has the statements of this transaction run by the plans that the server has of them."""

_KEPT = ("add", "add_keyed", "carry")
"""Statements whose plans the server keeps by itself: the values make none of them look better."""

_PINNED = frozenset(text for name, text in _STATEMENTS.items() if name not in _KEPT)
"""Those that it would plan anew each time, which takes it longer than to run them."""


_NEVER_BY_ITSELF = 2**31
"""How often a statement is run until the driver prepares it by itself: only what we ask for is."""


def open_store(alias: str, _connection: Any, _clock: Clock) -> Store:
    """The store on a database of PostgreSQL."""
    source = PostgresConnection(alias)
    return PostgresStore(source.address, source)
