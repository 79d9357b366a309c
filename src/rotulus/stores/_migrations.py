"""Migrations: the numbered SQL files that bring the tables of a store up to this version."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from rotulus.errors import SchemaError

_INDEXES = ".indexes.sql"
"""How the names of files end that build indexes."""


class Migration(NamedTuple):
    """One migration: its number, its name (`0001 jobs`) and its SQL.

    `indexes` is SQL that runs after it, outside of its transaction (PostgreSQL only).
    """

    number: int
    name: str
    sql: str
    indexes: str = ""

    @property
    def checksum(self) -> str:
        """The hash of its SQL: an applied migration is this one if it has the same.

        Indexes are not in it: the database itself says which ones it has.
        """
        return hashlib.sha256(self.sql.encode()).hexdigest()


def known_migrations(store: str) -> list[Migration]:
    """Returns the migrations of this version, in order; `store` is the name of its folder."""
    folder = Path(__file__).parent / store / "migrations"
    return [
        Migration(
            int(path.stem[:4]),
            path.stem.replace("_", " ", 1),
            path.read_text(encoding="utf-8"),
            _indexes_of(path),
        )
        for path in sorted(folder.glob("*.sql"))
        if not path.name.endswith(_INDEXES)
    ]


def _indexes_of(path: Path) -> str:
    """Returns the text of the file beside a migration that builds indexes, if there is one."""
    beside = path.with_suffix(_INDEXES)
    return beside.read_text(encoding="utf-8") if beside.exists() else ""


def missing_migrations(store: str, applied: Mapping[int, str], place: str) -> list[Migration]:
    """Returns the migrations that have not been applied.

    Args:
        store: the name of the store's folder.
        applied: the checksums of those that have been, by number.
        place: where the tables are.

    Raises:
        SchemaError: some of them are of a later version, or of another build.
    """
    known = known_migrations(store)
    later = sorted(set(applied) - {migration.number for migration in known})
    if later:
        raise SchemaError(
            f"{place} is from a later version of Rotulus (it has migration {later[-1]:04}, this "
            f"version knows {known[-1].number:04}): upgrade Rotulus, or use another place"
        )
    for migration in known:
        if applied.get(migration.number, migration.checksum) != migration.checksum:
            raise SchemaError(
                f"{place} was made by another build of Rotulus (its migration "
                f"{migration.number:04} is not ours): use the build that made it, or another place"
            )
    return [migration for migration in known if migration.number not in applied]
