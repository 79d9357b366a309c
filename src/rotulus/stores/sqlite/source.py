"""Where the calls of a SQLite store run: on connections of ours, or on those of its callers."""

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol, TypeVar

from rotulus.stores.sqlite.commit import GroupCommit
from rotulus.stores.sqlite.connection import Connections

T = TypeVar("T")


class Reads(Protocol):
    """Connections to read with."""

    @property
    def in_memory(self) -> bool:
        """Whether there is only one connection, as there is no file."""
        ...

    def reading(self) -> AbstractContextManager[sqlite3.Connection]:
        """A connection to read with, or what runs statements as one does."""
        ...

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        ...

    def close(self) -> None:
        """Close what is open. Nobody may write meanwhile."""
        ...


class Writes(Protocol):
    """Runs writes in transactions."""

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open in this thread that the caller will end."""
        ...

    def run(self, work: Callable[[sqlite3.Connection], T], *, alone: bool = False) -> T:
        """Do the work inside a transaction, and return once it is committed.

        On the connection of a caller that has a transaction open: once it is done there.

        Args:
            work: what to do.
            alone: whether it is one statement, which happens whole or not at all by itself.
        """
        ...

    def after_commit(self, function: Callable[[], object]) -> None:
        """Call a function once what the caller has written is committed."""
        ...

    def alone(self, function: Callable[[], object]) -> None:
        """Run a function while nothing is being written."""
        ...


class Source(Reads, Writes, Protocol):
    """Connections of callers, which read and write. The tables are theirs to migrate, too."""

    @property
    def url(self) -> str:
        """The name of the store."""
        ...


def ends(path: str, synchronous: str, source: Source | None) -> tuple[Reads, Writes]:
    """What a store reads with, and what it writes with."""
    if source is not None:
        return source, source
    connections = Connections(path, synchronous)
    return connections, GroupCommit(connections)
