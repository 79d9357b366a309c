"""Django's own connection, as the calls of a store use it: in the transaction that is open there.

A call in an `atomic` block belongs to it, and nobody else sees what it has done before that
commits. A call outside of one is a transaction of its own, committed when the call returns.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from threading import Event
from typing import Any

from django.db import DatabaseError, InterfaceError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.transaction import TransactionManagementError

from rotulus._text.names import did_you_mean
from rotulus._text.urls import migrating
from rotulus.errors import ConfigurationError, SchemaError, StoreClosedError, StoreError


class Connection:
    """The connection of a database alias: in each thread, that of the thread.

    Args:
        alias: a key of `settings.DATABASES`.
    """

    def __init__(self, alias: str) -> None:
        self.alias = alias
        self._end = Event()

    @property
    def url(self) -> str:
        """What the store on it is called."""
        return f"django://{self.alias}"

    @property
    def here(self) -> BaseDatabaseWrapper:
        """That of this thread. Raises `StoreClosedError` after `close`."""
        if self.closed:
            raise StoreClosedError(f"The store {self.url} is closed: open a new App to use it")
        return connections[self.alias]

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open that somebody else will end."""
        here = self.here
        return here.in_atomic_block or not here.get_autocommit()

    def after_commit(self, function: Callable[[], object]) -> None:
        """Call a function once what has been written here is committed; at once, if it is.

        In one transaction it is called once, however often this is asked for.
        """
        here = self.here
        if here.in_atomic_block:
            if not _is_awaited(here, function):
                transaction.on_commit(function, using=self.alias, robust=True)
        else:  # where a caller commits by hand, nobody tells when
            function()

    def pause(self, seconds: float) -> None:
        """Sleep, but not beyond `close`."""
        self._end.wait(max(0.0, seconds))

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._end.is_set()

    def close(self) -> None:
        """Run no more calls. The connections stay open: they are Django's."""
        self._end.set()

    @contextmanager
    def translating(
        self, translate: Callable[[BaseException], StoreError | None]
    ) -> Generator[None, None, None]:
        """Raise ours for what the driver raises, whatever Django has made of it.

        What Django says of its own transactions stays as it is: the block that is open cannot be
        used any more.

        Args:
            translate: our error for one of the driver's; None for what is none of it.
        """
        try:
            yield
        except TransactionManagementError:
            raise
        except (DatabaseError, InterfaceError) as error:
            ours = translate(error.__cause__ or error)
            if ours is None:
                raise
            raise self._advised(ours) from error

    def _advised(self, error: StoreError) -> StoreError:
        """The error, with what is to be done in Django."""
        if not isinstance(error, SchemaError):
            return error
        return SchemaError(missing_tables(self.alias))


def _is_awaited(connection: BaseDatabaseWrapper, function: Callable[[], object]) -> bool:
    """Whether a function is going to be called if what is written now is committed."""
    # It is not if only a part of the transaction waits with it that may be rolled back by itself.
    around = set(connection.savepoint_ids)
    return any(one[1] == function and one[0] <= around for one in connection.run_on_commit)


def connection_of(alias: str) -> Any:
    """Django's connection of an alias in this thread; it is not opened.

    Raises:
        ConfigurationError: there is no such alias.
    """
    if alias not in connections:
        hint = did_you_mean(alias, connections)
        raise ConfigurationError(f"There is no database {alias!r} in settings.DATABASES{hint}")
    return connections[alias]


@contextmanager
def using(connection: Any) -> Generator[Any, None, None]:
    """The driver's connection below one of Django's, guarded as Django's own cursors are.

    Raises:
        TransactionManagementError: the block that is open is to be rolled back.
        django.db.Error: what the driver raises.
    """
    connection.ensure_connection()
    connection.validate_thread_sharing()
    connection.validate_no_broken_transaction()
    with connection.wrap_database_errors:
        yield connection.connection


def missing_tables(alias: str) -> str:
    """What is said of a database without the tables of this version."""
    return (
        f"The database {alias!r} has not the tables of this version of Rotulus: have "
        f"'rotulus.django' in INSTALLED_APPS and run {migrating(f'django://{alias}')}"
    )
