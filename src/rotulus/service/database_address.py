"""The address of a database: the parts of an App's URL, or of SQLAlchemy's."""

import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from rotulus._text.urls import SYNCHRONOUS, check_store_url, without_password
from rotulus.errors import ConfigurationError, OptionError

_MEMORY = ("", ":memory:")
_OPTIONS_OF_APPS = ("schema", "listen", "deadline")

DEADLINE = 15.0
"""Seconds for a server to answer a call of a service, unless the URL says otherwise."""


_CONNECTING = 5.0
"""Seconds for a server to accept a connection, if there are as many."""


@dataclass(frozen=True, slots=True)
class Address:
    """The arguments for a connection of SQLAlchemy.

    Attributes:
        url: for an engine, with the password.
        shown: the same for people, without it.
        file: the file of SQLite, or the URI of a database in memory; None: a server.
        in_memory: whether the database is SQLite's, in memory.
        synchronous: the `synchronous` setting of SQLite.
        schema: the first schema of the search path of PostgreSQL.
        arguments: further arguments for the driver.
        deadline: seconds for a server to answer a call of a service.
    """

    url: URL
    shown: str
    file: str | None = None
    in_memory: bool = False
    synchronous: str = "FULL"
    schema: str | None = None
    arguments: dict[str, Any] = field(default_factory=dict[str, Any])
    deadline: float = DEADLINE

    @property
    def is_watched(self) -> bool:
        """Whether the connections are of our own class, as those of psycopg are."""
        return self.url.get_driver_name() == "psycopg"


def read_address(url: str) -> Address:
    """Returns the parts of a URL.

    A URL is `sqlite:///jobs.db`, `sqlite://` or `postgresql://user@host/database`. It may name a
    driver, as in SQLAlchemy: `postgresql+asyncpg://...`.

    Raises:
        OptionError: it is no URL of a database.
        ConfigurationError: a package for it is not installed.
    """
    scheme, mark, rest = url.partition("://")
    dialect, _, driver = scheme.partition("+")
    try:
        if driver and dialect == "sqlite" and rest.partition("?")[0] == "/:memory:":
            rest = ""
        check_store_url(f"{dialect}{mark}{rest}")
    except ValueError as error:
        raise OptionError(f"{without_password(url)} is not allowed: {error}") from None
    address = _file(rest) if dialect == "sqlite" else _server(f"postgresql{mark}{rest}", driver)
    _insist_on_driver(address)
    return address


def _file(rest: str) -> Address:
    place, _, query = rest.partition("?")
    synchronous = SYNCHRONOUS[query.lower()]
    name = place.removeprefix("/")
    if name in _MEMORY:
        # Of SQLite's ways to share a database in memory, this one makes a writer wait for another.
        uri = f"file:/rotulus-{secrets.token_hex(8)}?vfs=memdb"
        database, _, vfs = uri.partition("?vfs=")
        made = URL.create("sqlite+aiosqlite", database=database, query={"vfs": vfs, "uri": "true"})
        return Address(made, "sqlite+aiosqlite:///:memory:", uri, in_memory=True)
    path = str(Path(name).absolute())
    made = URL.create("sqlite+aiosqlite", database=path)
    return Address(made, f"sqlite+aiosqlite:///{path}", path, synchronous=synchronous)


def _server(url: str, driver: str) -> Address:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise OptionError(
            f"{without_password(url)} cannot be read: write postgresql://user@host/database, and "
            f"in the user and the password %40 for @, %3A for :, %2F for /"
        ) from None
    parsed = parsed.set(drivername=f"postgresql+{driver or 'psycopg'}")
    ours = {name: str(value) for name, value in parsed.query.items() if name in _OPTIONS_OF_APPS}
    deadline = float(ours.get("deadline", DEADLINE))
    arguments: dict[str, Any] = {}
    if parsed.get_driver_name() == "psycopg":
        # A whole number, two at least: libpq takes no other.
        arguments["connect_timeout"] = max(2, round(min(_CONNECTING, deadline)))
        if ours.get("listen", "true").lower() in ("false", "0"):
            arguments["prepare_threshold"] = None  # a transaction pooler knows no such statements
    parsed = parsed.difference_update_query(_OPTIONS_OF_APPS)
    shown = without_password(parsed.render_as_string(hide_password=False))
    schema = ours.get("schema")
    return Address(parsed, shown, schema=schema, arguments=arguments, deadline=deadline)


def _insist_on_driver(address: Address) -> None:
    try:
        address.url.get_dialect().import_dbapi()
    except NoSuchModuleError:
        raise OptionError(
            f"{address.shown}: SQLAlchemy has no driver {address.url.drivername!r}: write "
            f"postgresql:// or sqlite://"
        ) from None
    except ModuleNotFoundError as error:
        extras = {"aiosqlite": "'rotulus[service]'", "psycopg": "'rotulus[postgres]'"}
        name = error.name or "its driver"
        raise ConfigurationError(
            f"A database at {address.shown} needs {name}: pip install {extras.get(name, name)}"
        ) from None
