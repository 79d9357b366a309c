"""The stores: one folder for each database, all of them held to `rotulus.store`."""

from pathlib import Path
from typing import NamedTuple


class MigrationScript(NamedTuple):
    """One step of a store's tables: `0001 jobs`, and its SQL."""

    name: str
    sql: str


def migration_scripts(store: str) -> list[MigrationScript]:
    """The steps of a store's tables, in order; `store` is the name of its folder."""
    folder = Path(__file__).parent / store / "migrations"
    return [
        MigrationScript(path.stem.replace("_", " ", 1), path.read_text(encoding="utf-8"))
        for path in sorted(folder.glob("*.sql"))
    ]
