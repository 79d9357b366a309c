"""Migrations: the steps by which the tables of a store become those of this version."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from rotulus.errors import SchemaError


class Migration(NamedTuple):
    """One step: its number, its name (`0001 jobs`) and its SQL."""

    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """What tells whether an applied step was this one."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def known_migrations(store: str) -> list[Migration]:
    """The steps of this version, in order; `store` is the name of its folder."""
    folder = Path(__file__).parent / store / "migrations"
    return [
        Migration(
            int(path.stem[:4]), path.stem.replace("_", " ", 1), path.read_text(encoding="utf-8")
        )
        for path in sorted(folder.glob("*.sql"))
    ]


def missing_migrations(store: str, applied: Mapping[int, str], place: str) -> list[Migration]:
    """The steps that have not been applied.

    Args:
        store: the name of the store's folder.
        applied: the checksums of those that have been, by number.
        place: where the tables are.

    Raises:
        SchemaError: some of them are of a later version, or of another build.
    """
    known = known_migrations(store)
    later = sorted(set(applied) - {step.number for step in known})
    if later:
        raise SchemaError(
            f"{place} is from a later version of Rotulus (it has migration {later[-1]:04}, this "
            f"version knows {known[-1].number:04}): upgrade Rotulus, or use another place"
        )
    for step in known:
        if applied.get(step.number, step.checksum) != step.checksum:
            raise SchemaError(
                f"{place} was made by another build of Rotulus (its migration {step.number:04} "
                f"is not ours): use the build that made it, or another place"
            )
    return [step for step in known if step.number not in applied]
