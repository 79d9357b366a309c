"""Compares the rights of the user of a database with those that the scripts of grants give."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from rotulus.store import Rights
from rotulus.stores.postgres.grants import grants
from rotulus.stores.shared.session import Session

_GRANT = re.compile(r"^GRANT (?P<rights>[^;]*?)\s+ON\s+(?P<tables>[^;]*?)\s+TO\s", re.MULTILINE)
_RIGHT = re.compile(r"(?P<right>[A-Z]+)(?:\s*\((?P<columns>[^)]*)\))?")


class Right(NamedTuple):
    """A right that a role needs.

    Attributes:
        table: the table, with its schema if that is not the first one on the search path.
        right: such as `SELECT`.
        column: the column; "": all of them.
    """

    table: str
    right: str
    column: str


def needed(script: str) -> list[Right]:
    """Returns the rights on tables that a script of grants gives."""
    return list(dict.fromkeys(_read(script)))


def _read(script: str) -> Iterator[Right]:
    for grant in _GRANT.finditer(script):
        if grant["tables"].startswith("SCHEMA"):
            continue
        tables = [table.strip() for table in grant["tables"].split(",")]
        for right in _RIGHT.finditer(grant["rights"]):
            columns = (right["columns"] or "").split(",")
            for column in columns:
                yield from (Right(table, right["right"], column.strip()) for table in tables)


def read_rights(session: Session, schema: str | None) -> Rights:
    """Returns what the user may do. See `Queries.rights`.

    Args:
        session: the connection of the user.
        schema: the schema of the tables; None: the first one on the search path.
    """
    wanted = {role: needed(script) for role, script in grants(schema).items()}
    names = {" ".join(right) for rights in wanted.values() for right in rights}
    found = session.fetch("rights_of_user", names=sorted(names))
    held = {name for name, holds in found if holds}
    missing = {
        role: [_told(right) for right in rights if " ".join(right) not in held]
        for role, rights in wanted.items()
    }
    [(user, owner)] = session.fetch("user_of_store")
    return Rights(user, bool(owner), missing)


def _told(right: Right) -> str:
    """Returns a right as `GRANT` takes it."""
    columns = f" ({right.column})" if right.column else ""
    return f"{right.right}{columns} ON {right.table}"
