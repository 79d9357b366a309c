"""The database of a service: sessions of SQLAlchemy, for any event loop."""

import asyncio
import os
import sqlite3
import weakref
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from importlib import import_module
from typing import Any, NamedTuple, Self

from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool
from sqlalchemy.util import await_only

from rotulus._concurrency.pool import off_loop
from rotulus._forking import follow_forks
from rotulus.errors import ConfigurationError, OptionError, StoreClosedError, StoreUnavailableError
from rotulus.service.database_address import Address, read_address
from rotulus.service.database_deadline import answered_within
from rotulus.service.database_errors import translated
from rotulus.service.database_sqlite import drop_spoilt, open_tuned, watch_file
from rotulus.service.tables import Base

_INIT_LOCK = 0x726F74756C7573
"""The advisory lock of PostgreSQL under which tables are made, by one process at a time."""

_CLOSE_TIMEOUT = 5.0
"""Seconds for another event loop to close its engine."""

_KEY = "rotulus.database"
"""The key in `session.info` of the database that made the session."""

_LEFT_BEHIND: list[object] = []
"""Engines of a parent process, which a forked child must neither use nor close."""


class _Opened(NamedTuple):
    """The engine of one event loop, and the generator that closes it when the loop ends."""

    engine: AsyncEngine
    closing: AsyncGenerator[None, None]


_Engines = dict[asyncio.AbstractEventLoop, _Opened]


class Database:
    """Makes sessions of SQLAlchemy on one database.

    It may be used from several event loops at once: of requests, and of workers in threads of the
    same process. Each loop has an engine of its own, which is closed when the loop ends. A forked
    child has engines of its own, too.

    On SQLite, foreign keys are enforced and a file is in WAL mode; a writer waits for another one
    for 10 seconds. The same file may hold the jobs of an `App`.

    On PostgreSQL a session may wait for a long statement as long as the server is there. When the
    server has not answered for 15 seconds (`?deadline=`), its connections are closed.

    Args:
        url: an App's URL, `sqlite:///jobs.db`, `sqlite://` (in memory) or
            `postgresql://user@host/database`; or SQLAlchemy's, with an async driver named.
            `?schema=jobs` is searched before `public`.

    Raises:
        OptionError: it is no URL of a database.
        ConfigurationError: the driver is not installed; the message says what to install.
    """

    def __init__(self, url: str) -> None:
        self._address = read_address(url)
        self._closed = False
        self._made = 0
        """The number of tables at the last `init`: a further call costs nothing."""
        self._out_of_reach = False
        self._close_kept: weakref.finalize[Any, Any] | None = None
        if self._address.in_memory:
            self._keep(str(self._address.file))
        self._engines: _Engines = {}
        follow_forks(self._forked)

    def _keep(self, uri: str) -> None:
        """Hold a database in memory open: it is gone with its last connection."""
        connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
        self._close_kept = weakref.finalize(self, connection.close)

    def _forked(self) -> None:
        """In a forked child: begin anew, as connections belong to the process that opened them."""
        _LEFT_BEHIND.append(list(self._engines.values()))
        self._engines = {}
        if self._close_kept is not None:
            _LEFT_BEHIND.append(self._close_kept.detach())
            self._out_of_reach = True

    @property
    def url(self) -> str:
        """The address, for people: SQLAlchemy's URL without the password."""
        return self._address.shown

    def __repr__(self) -> str:
        return f"Database({self.url!r})"

    @property
    def engine(self) -> AsyncEngine:
        """Returns the engine of the running event loop.

        Raises:
            StoreClosedError: after `dispose`.
            StoreUnavailableError: the database is in memory, and this process was forked.
        """
        self._check()
        loop = asyncio.get_running_loop()
        opened = self._engines.get(loop)
        return opened.engine if opened is not None else self._open(loop)

    def _open(self, loop: asyncio.AbstractEventLoop) -> AsyncEngine:
        for other in [loop for loop in list(self._engines) if loop.is_closed()]:
            self._engines.pop(other, None)  # it ended without a word
        engine = _make_engine(self._address)
        closing = _closing(engine, loop, self._engines)
        # As far as its yield: from now on the loop closes it before it ends.
        with suppress(StopIteration):
            anext(closing).__await__().send(None)
        self._engines[loop] = _Opened(engine, closing)
        return engine

    def _check(self) -> None:
        if self._closed:
            raise StoreClosedError(f"The database {self.url} is closed: make a new one")
        if self._out_of_reach:
            raise StoreUnavailableError(
                "A database in memory belongs to the process that made it, and this process was "
                "forked from that: use a file, such as sqlite:///service.db"
            )

    @asynccontextmanager
    async def session(self) -> AsyncGenerator[AsyncSession, None]:
        """Returns a fresh session, closed at the end of the block.

        It connects when it is first used. Nothing is committed unless you do: `await
        session.commit()`. Objects stay readable after a commit.

        Raises:
            StoreClosedError: after `dispose`.
            StoreUnavailableError: at its first use, if the database cannot be reached; the message
                names the database.
        """
        made = AsyncSession(self.engine, expire_on_commit=False, info={_KEY: self})
        async with made as session:
            yield session

    @asynccontextmanager
    async def bounded_session(self) -> AsyncGenerator[AsyncSession, None]:
        """Returns a session for a call of the service itself, with a deadline for the server.

        The deadline stands in the URL: `?deadline=5`, 15 seconds unless given.

        Raises:
            StoreClosedError: after `dispose`.
        """
        with answered_within(self._address.deadline):
            async with self.session() as session:
                yield session

    async def init(self) -> None:
        """Make the tables that are missing: those of a service, and all others of `Base`.

        It may be called again, and from several processes at once.

        Raises:
            StoreError: the database cannot be reached, opened or written; the message names it.
        """
        engine, tables = self.engine, len(Base.metadata.tables)
        if self._made == tables:
            return
        with translated(self.url), answered_within(self._address.deadline):
            async with engine.connect() as connection:
                await self._lock_tables(connection)
                await connection.run_sync(Base.metadata.create_all)
                await connection.commit()
        self._made = tables

    async def _lock_tables(self, connection: AsyncConnection) -> None:
        """Keep other processes from making tables, until the end of the transaction."""
        if self._address.file is not None:
            await connection.exec_driver_sql("BEGIN IMMEDIATE")
            return
        await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _INIT_LOCK})
        if self._address.schema is not None:
            quoted = connection.dialect.identifier_preparer.quote(self._address.schema)
            await connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {quoted}"))

    async def dispose(self) -> None:
        """Close the database for good. Open sessions end when they are closed.

        A database in memory is gone then.
        """
        self._closed = True
        for loop, opened in list(self._engines.items()):
            await _dispose(opened.engine, loop)
        self._engines.clear()
        if self._close_kept is not None:
            self._close_kept()


def database_of(session: AsyncSession) -> Database | None:
    """Returns the database that made a session; None: the session was made in another way."""
    return session.info.get(_KEY)


class SqliteDatabaseBuilder:
    """Makes a `Database` on SQLite: `SqliteDatabaseBuilder().in_memory().build()`.

    Args:
        url: the address; `in_memory` and `from_file` set it.
    """

    def __init__(self, url: str | None = None) -> None:
        self._url = url

    @classmethod
    def in_memory(cls) -> Self:
        """Returns a database in the memory of this process, gone with its last connection."""
        return cls("sqlite://")

    @classmethod
    def from_file(cls, path: "str | os.PathLike[str]") -> Self:
        """Returns a database in a file, which is made if it is not there.

        Raises:
            OptionError: the path has a `?`, which a URL cannot hold.
        """
        if "?" in os.fspath(path):
            raise OptionError(f"{os.fspath(path)!r} has a '?': give the file another name")
        return cls(f"sqlite:///{os.fspath(path)}")

    def build(self) -> Database:
        """Returns the database; nothing is read or written yet.

        Raises:
            ConfigurationError: neither `in_memory` nor `from_file` was called.
        """
        if self._url is None:
            raise ConfigurationError("Where is it? Call in_memory() or from_file(path) first")
        return Database(self._url)


async def _closing(
    engine: AsyncEngine, loop: asyncio.AbstractEventLoop, engines: _Engines
) -> AsyncGenerator[None, None]:
    """Closes an engine when the generator is closed: event loops do that before they end."""
    try:
        yield
    finally:
        engines.pop(loop, None)
        await engine.dispose()


async def _dispose(engine: AsyncEngine, loop: asyncio.AbstractEventLoop) -> None:
    """Close an engine on the loop that its connections belong to."""
    if loop is asyncio.get_running_loop():
        await engine.dispose()
    elif loop.is_running():
        closing = asyncio.run_coroutine_threadsafe(engine.dispose(), loop)
        with suppress(TimeoutError):  # the loop is stopping, and closes its engine itself
            await asyncio.wait_for(asyncio.wrap_future(closing), _CLOSE_TIMEOUT)


def _make_engine(address: Address) -> AsyncEngine:
    engine = create_async_engine(
        address.url,
        connect_args=_arguments(address),
        pool_timeout=address.deadline,
        poolclass=AsyncAdaptedQueuePool,
        pool_pre_ping=address.file is None,  # a server may have been restarted
        hide_parameters=True,  # errors are logged, and data must not be
    )

    def connect(dialect: Any, _record: Any, args: Any, kwargs: Any) -> Any:
        with translated(address.shown, (dialect.dbapi.Error, sqlite3.Error, OSError)):
            if address.file is not None:
                kwargs = {**kwargs, "factory": _opened_before(address)}
            return dialect.connect(*args, **kwargs)

    if address.file is not None and not address.in_memory:
        watch_file(engine.sync_engine, address.file)
    event.listen(engine.sync_engine, "do_connect", connect)
    if address.file is not None:
        event.listen(engine.sync_engine, "handle_error", drop_spoilt)
    if address.schema is not None:
        _look_first_in(engine, address.schema)
    return engine


def _arguments(address: Address) -> dict[str, Any]:
    """Arguments of the driver beside the URL. The URL goes first."""
    if not address.is_watched:
        return address.arguments
    ours = import_module("rotulus.service.database_postgres")  # its driver is optional
    kept = {name: value for name, value in ours.KEEPALIVES.items() if name not in address.url.query}
    return {**kept, **address.arguments, "async_creator_fn": ours.connector(address.deadline)}


def _opened_before(address: Address) -> Callable[..., sqlite3.Connection]:
    """Returns a function that the driver calls for a connection: the connection is open already.

    If the driver itself fails to open a connection, it leaves a thread behind that calls a closed
    loop.
    """
    opened = await_only(off_loop(open_tuned, address))
    return lambda *_, **__: opened


def _look_first_in(engine: AsyncEngine, schema: str) -> None:
    quoted = engine.dialect.identifier_preparer.quote(schema)

    def look(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute(f"SET search_path TO {quoted}, public")
        cursor.close()
        connection.commit()

    event.listen(engine.sync_engine, "connect", look)
