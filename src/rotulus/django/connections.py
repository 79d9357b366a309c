"""Django's own connections: for the calls of a store, and as a URL for connections without Django.

A call in an `atomic` block belongs to the block: other connections see its changes after the commit
of the block. A call outside of a block is a transaction of its own, committed when the call
returns.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import quote, urlencode

from django.db import DatabaseError, InterfaceError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.transaction import TransactionManagementError

from rotulus._text.names import did_you_mean
from rotulus._text.urls import migrating
from rotulus.errors import ConfigurationError, SchemaError, StoreClosedError, StoreError


class Connection:
    """The connection of a database alias: each thread has its own.

    Args:
        alias: a key of `settings.DATABASES`.
    """

    def __init__(self, alias: str) -> None:
        self.alias = alias
        self._end = Event()

    @property
    def url(self) -> str:
        """The URL of the store on it."""
        return f"django://{self.alias}"

    @property
    def here(self) -> BaseDatabaseWrapper:
        """The connection of this thread. Raises `StoreClosedError` after `close`."""
        if self.closed:
            raise StoreClosedError(f"The store {self.url} is closed: open a new App to use it")
        return connections[self.alias]

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open that its owner will end."""
        here = self.here
        return here.in_atomic_block or not here.get_autocommit()

    def after_commit(self, function: Callable[[], object]) -> None:
        """Call a function once the writes here are committed; at once if they are.

        In one transaction the function is called once, after any number of requests.
        """
        here = self.here
        if here.in_atomic_block:
            if not _is_awaited(here, function):
                transaction.on_commit(function, using=self.alias, robust=True)
        else:  # a caller that commits by hand does not report it
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
        """Raise our errors for those of the driver, also when Django has wrapped them.

        Django's own errors about transactions stay as they are: the open block can no longer be
        used.

        Args:
            translate: returns our error for one of the driver's; None for any other error.
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
        """Returns the error, with advice for Django."""
        if not isinstance(error, SchemaError):
            return error
        return SchemaError(missing_tables(self.alias))


def _is_awaited(connection: BaseDatabaseWrapper, function: Callable[[], object]) -> bool:
    """Returns whether a function will be called if the current writes are committed."""
    # It will not if it waits with a savepoint, which may be rolled back by itself.
    around = set(connection.savepoint_ids)
    return any(one[1] == function and one[0] <= around for one in connection.run_on_commit)


def connection_of(alias: str) -> Any:
    """Returns Django's connection of an alias in this thread; it is not opened.

    Raises:
        ConfigurationError: there is no such alias.
    """
    if alias not in connections:
        hint = did_you_mean(alias, connections)
        raise ConfigurationError(f"There is no database {alias!r} in settings.DATABASES{hint}")
    return connections[alias]


@contextmanager
def using(connection: Any) -> Generator[Any, None, None]:
    """Returns the driver's connection below one of Django's, guarded like Django's own cursors.

    Raises:
        TransactionManagementError: the open block has to be rolled back.
        django.db.Error: an error of the driver.
    """
    connection.ensure_connection()
    connection.validate_thread_sharing()
    connection.validate_no_broken_transaction()
    with connection.wrap_database_errors:
        yield connection.connection


def missing_tables(alias: str) -> str:
    """Returns the message about a database without the tables of this version."""
    return (
        f"The database {alias!r} does not have the tables of this version of Rotulus: put "
        f"'rotulus.django' into INSTALLED_APPS and run {migrating(f'django://{alias}')}"
    )


_DJANGOS = ("assume_role", "isolation_level", "pool", "server_side_binding")
"""Options of Django's own that libpq does not know."""


def url_of(connection: Any) -> str:
    """Returns the URL of the database of a connection of Django.

    Args:
        connection: as `django.db.connections[alias]` gives it. It is not opened.

    Raises:
        ConfigurationError: no other process could open it.
    """
    if connection.vendor == "sqlite":
        return _of_file(connection)
    if connection.vendor == "postgresql":
        return _of_postgres(connection.settings_dict)
    raise ConfigurationError(
        f"The database {connection.alias!r} is {connection.display_name}, and jobs live in "
        f"PostgreSQL or SQLite"
    )


def _of_file(connection: Any) -> str:
    name = str(connection.settings_dict["NAME"])
    if connection.is_in_memory_db() or name.startswith("file:"):
        raise ConfigurationError(
            f"The database {connection.alias!r} is {name!r}, which a worker cannot open beside "
            f"Django: give the path of a file"
        )
    return f"sqlite:///{Path(name).absolute()}"


def _of_postgres(database: dict[str, Any]) -> str:
    options = {k: v for k, v in database["OPTIONS"].items() if k not in _DJANGOS and _is_plain(v)}
    if role := database["OPTIONS"].get("assume_role"):
        options["options"] = " ".join(filter(None, [options.get("options"), f"-c role={role}"]))
    host = database["HOST"]
    if host.startswith("/"):  # the folder of a socket, which has no place in front of the path
        options["host"], host = host, ""
    account = quote(database["USER"], safe="")
    if database["PASSWORD"]:
        account += f":{quote(database['PASSWORD'], safe='')}"
    port = f":{database['PORT']}" if database["PORT"] else ""
    place = f"{account}@" if account else ""
    place += f"[{host}]" if ":" in host else host
    query = f"?{urlencode(options, quote_via=quote)}" if options else ""
    return f"postgresql://{place}{port}/{quote(str(database['NAME'] or ''), safe='')}{query}"


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)
