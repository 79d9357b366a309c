"""Brings the tables of one PostgreSQL schema up to this version, in steps that only go forward.

All steps that are missing are applied in one transaction, under a lock that others who migrate wait
for. Workers of the version before go on meanwhile: a step adds, and takes nothing away that the
version before still uses.
"""

from rotulus.stores._migrations import Migration, known_migrations, missing_migrations
from rotulus.stores.postgres.ask import Session

_PATIENCE = "10s"
"""How long to wait for tables that are in use: everybody else waits behind us."""

_LEDGER = """
CREATE TABLE IF NOT EXISTS rotulus_migrations (
  number     integer NOT NULL PRIMARY KEY,
  name       text    NOT NULL,
  checksum   text    NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
)"""


def missing(session: Session, schema: str | None, place: str) -> list[Migration]:
    """The steps to apply. Raises `SchemaError` when the tables are from a later version."""
    ledger = f'"{schema}".rotulus_migrations' if schema else "rotulus_migrations"
    if session.value("has_table", name=ledger):
        applied = dict(session.rows("applied_migrations"))
        return missing_migrations("postgres", applied, place)
    return known_migrations("postgres")


def migrate(session: Session, schema: str | None, place: str) -> list[str]:
    """Apply what is missing, inside the caller's transaction; the names of what was applied."""
    session.script("SELECT pg_advisory_xact_lock(hashtext('rotulus migrations'), 0)")
    session.script(f"SET LOCAL lock_timeout = '{_PATIENCE}'; SET LOCAL statement_timeout = 0")
    if schema is not None:
        session.script(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
        session.script(f'SET LOCAL search_path TO "{schema}"')
    # Making it first also lets this session see what the one has made that it waited for: a name
    # that was not there when it was asked for is remembered as not being there.
    session.script(_LEDGER)
    steps = missing(session, schema, place)
    for step in steps:
        session.script(step.sql)
        number = str(step.number)
        session.do("remember_migration", number=number, name=step.name, checksum=step.checksum)
    return [step.name for step in steps]


def script(schema: str | None) -> str:
    """All steps as one script, for those who apply it with other tools."""
    place = f'CREATE SCHEMA IF NOT EXISTS "{schema}";\nSET LOCAL search_path TO "{schema}";'
    parts = ["BEGIN;", *([place] if schema else []), f"{_LEDGER.strip()};"]
    for step in known_migrations("postgres"):
        row = f"({step.number}, '{step.name}', '{step.checksum}')"
        columns = "rotulus_migrations (number, name, checksum)"
        parts.append(f"-- {step.name}\n{step.sql}\nINSERT INTO {columns} VALUES {row};")
    return "\n\n".join([*parts, "COMMIT;", ""])
