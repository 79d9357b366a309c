"""Errors of a database in our own words, with advice."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from rotulus.errors import (
    SchemaError,
    StoreBusyError,
    StoreError,
    StoreFullError,
    StoreReadOnlyError,
    StoreRefusedError,
    StoreUnavailableError,
)

_BY_CODE: tuple[tuple[tuple[str, ...], type[StoreError], str], ...] = (
    (
        ("SQLITE_BUSY", "SQLITE_LOCKED", "57014", "55P03", "40"),
        StoreBusyError,
        "somebody else held it for too long. If it is a session of yours, commit that first",
    ),
    (("SQLITE_FULL", "53100"), StoreFullError, "free some space on its disk"),
    (("SQLITE_READONLY", "25006"), StoreReadOnlyError, "make it writable"),
    (("42501",), StoreReadOnlyError, "grant its role what is missing"),
    (("SQLITE_CONSTRAINT", "SQLITE_TOOBIG", "22", "23", "54000"), StoreRefusedError, ""),
    (("42P01", "3F000"), SchemaError, "call 'await database.init()' first"),
    (("SQLITE_NOTADB",), StoreUnavailableError, "give the name of another file"),
)
"""The beginnings of codes of SQLite and PostgreSQL, each with our error and its advice."""


@contextmanager
def translated(
    shown: str, kinds: tuple[type[BaseException], ...] = (SQLAlchemyError,)
) -> Generator[None, None, None]:
    """Raise the errors of SQLAlchemy as ours.

    Args:
        shown: the URL of the database, without its password.
        kinds: the classes of the errors.
    """
    try:
        yield
    except kinds as error:
        raise translate(error, shown) from error


def translate(error: BaseException, shown: str) -> StoreError:
    """Returns our error for an error of SQLAlchemy or of a driver."""
    if isinstance(error, PoolTimeoutError):
        return StoreBusyError(f"{shown} has no free connection: too many sessions are open")
    origin = error.orig if isinstance(error, DBAPIError) and error.orig else error
    said = " ".join(str(origin).split()).partition(" Is the server running")[0]
    if "no such table" in said:
        return SchemaError(f"{shown}: {said}; call 'await database.init()' first")
    code = str(getattr(origin, "sqlite_errorname", None) or getattr(origin, "sqlstate", None) or "")
    for beginnings, kind, advice in _BY_CODE:
        if code.startswith(beginnings):
            return kind(f"{shown}: {said}" + (f"; {advice}" if advice else ""))
    return StoreUnavailableError(f"Cannot use {shown}: {said}{_advice(code, said, shown)}")


def _advice(code: str, said: str, shown: str) -> str:
    if code.startswith("SQLITE_CANTOPEN"):
        folder = Path(shown.partition(":///")[2]).parent
        if not folder.is_dir():
            return f"; the folder {folder} does not exist"
        user = os.getuid() if hasattr(os, "getuid") else "of this process"
        return f"; make {folder} readable and writable for user {user}"
    return next((advice for word, advice in _WORDS.items() if word in said), "")


_WORDS = {
    "password": "; check the user and the password in the URL",
    "does not exist": "; create it (createdb, createuser), or name another one in the URL",
    "refused": "; is the server running there, and does it listen on that port?",
    "resolve": "; check the host in the URL",
    "connection slots": "; raise max_connections, or connect through a pooler with ?listen=false",
    "timeout expired": "; nobody answers there: check host and port, and firewalls on the way",
}
"""Advice by the text of the message."""
