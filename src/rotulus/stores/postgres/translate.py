"""Says in our own words what goes wrong with a PostgreSQL database, and what to do about it."""

from collections.abc import Generator
from contextlib import contextmanager

import psycopg
from psycopg import errors as pg

from rotulus.errors import (
    SchemaError,
    StoreBusyError,
    StoreCapacityError,
    StoreError,
    StoreFullError,
    StoreReadOnlyError,
    StoreRefusedError,
    StoreUnavailableError,
)

LOST = (psycopg.OperationalError, psycopg.InterfaceError, pg.ReadOnlySqlTransaction)
"""What may mean that a connection is of no use any more."""

USELESS = ("08", "57P", "25006")
"""How the codes begin that do mean it: it is broken, or leads to a server that only reads."""

CONTENDED = (pg.DeadlockDetected, pg.SerializationFailure, pg.UniqueViolation)
"""What another transaction brought about: the same again will do."""


@contextmanager
def translated(url: str) -> Generator[None, None, None]:
    """Raise the driver's errors as ours."""
    try:
        yield
    except psycopg.Error as error:
        raise translate(error, url) from error


def translate(error: psycopg.Error, url: str) -> StoreError:
    """Our error for one of the driver's, in one line."""
    said = " ".join((error.diag.message_primary or str(error)).split())
    what = said.partition(" Is the server running")[0]  # we ask that ourselves, below
    match error:
        case pg.UndefinedTable() | pg.InvalidSchemaName() | pg.UndefinedFunction():
            return SchemaError(
                f"{url} has no tables of Rotulus yet: run 'rotulus migrate' ({what})"
            )
        case pg.UndefinedColumn():
            return SchemaError(
                f"The tables in {url} are of an older version: run 'rotulus migrate'"
            )
        case pg.InsufficientPrivilege():
            return StoreReadOnlyError(
                f"The role of {url} lacks a right: {what}; 'rotulus migrate --grants "
                f"worker' (or producer, viewer) prints what to grant it. Pausing, "
                f"cancelling, retrying and migrating is for the owner of the tables"
            )
        case pg.ReadOnlySqlTransaction():
            return StoreReadOnlyError(f"{url} only reads: connect to the primary server ({what})")
        case (
            psycopg.DataError()
            | psycopg.IntegrityError()
            | pg.RaiseException()
            | pg.ProgramLimitExceeded()  # too long for an index, or at all
        ):
            return StoreRefusedError(f"{url} does not take what was to be written: {what}")
        case pg.DiskFull():
            return StoreFullError(f"No room left on the server of {url}: {what}")
        case pg.QueryCanceled() | pg.LockNotAvailable() | pg.DeadlockDetected():
            return StoreBusyError(f"{url} did not answer in time: {what}; try again")
        case _:
            kind = StoreCapacityError if _is_full(error, what) else StoreUnavailableError
            return kind(f"Cannot use {url}: {what}{_advice(error, what)}")


def _is_full(error: psycopg.Error, what: str) -> bool:
    """Whether the server, or a pooler before it, has no connection left."""
    # Before a session exists the server's code is not known to the driver: only the words are.
    return isinstance(error, pg.TooManyConnections) or any(words in what for words in _FULL)


def _advice(error: psycopg.Error, what: str) -> str:
    match error:
        case pg.InvalidCatalogName():
            return "; create the database, or name another one in the URL"
        case pg.InvalidPassword() | pg.InvalidAuthorizationSpecification():
            return "; check the user and the password in the URL"
        case _:
            pass
    if _is_full(error, what):
        return "; raise max_connections, or connect through a pooler with ?listen=false"
    for words, advice in _WORDS.items():
        if words in what:
            return advice
    return ""


_FULL = ("connection slots", "too many", "couldn't get a connection", "no more connections allowed")
"""What PostgreSQL says then, and what poolers say."""

_WORDS = {
    "prepared statement": "; behind a transaction pooler, add ?listen=false to the URL",
    "does not exist": "; create it (createdb, createuser), or name another one in the URL",
    "invalid URI query parameter": "; Rotulus knows schema, listen and deadline, and libpq its own "
    "words, such as sslmode",
    "password": "; check the user and the password in the URL",
    "refused": "; is the server running there, and does it listen on that port?",
    "resolve": "; check the host in the URL",
    "timeout expired": "; nobody answers there: check host and port, and firewalls on the way",
    "unsupported startup parameter": "; behind a transaction pooler, add ?listen=false to the URL",
}
"""Advice by what the message says."""
