"""Brings the tables of one PostgreSQL schema up to this version, in steps that only go forward.

All steps that are missing are applied in one transaction, under a lock that others who migrate wait
for. Workers of the version before go on meanwhile: a step adds, and takes nothing away that the
version before still uses.
"""

from rotulus.stores._migrations import Migration, known_migrations, missing_migrations
from rotulus.stores.postgres.session import Session

_PATIENCE = "10s"
"""How long to wait for tables that are in use: everybody else waits behind us."""

_LOCK = "SELECT pg_advisory_xact_lock(hashtext('rotulus migrations'), 0)"
"""A migration holds it until the end of the transaction."""

_LEDGER = """
CREATE TABLE IF NOT EXISTS rotulus_migrations (
  number     integer NOT NULL PRIMARY KEY,
  name       text    NOT NULL,
  checksum   text    NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
)"""


_INTO = "INSERT INTO rotulus_migrations (number, name, checksum)"


def missing(session: Session, schema: str | None, place: str) -> list[Migration]:
    """The steps to apply. Raises `SchemaError` when the tables are from a later version."""
    ledger = f'"{schema}".rotulus_migrations' if schema else "rotulus_migrations"
    if session.fetch_value("has_table", name=ledger):
        applied = dict(session.fetch("applied_migrations"))
        return missing_migrations("postgres", applied, place)
    return known_migrations("postgres")


def migrate(session: Session, schema: str | None, place: str) -> list[str]:
    """Apply what is missing, inside the caller's transaction; the names of what was applied."""
    session.run_script(_LOCK)
    session.run_script(f"SET LOCAL lock_timeout = '{_PATIENCE}'; SET LOCAL statement_timeout = 0")
    if schema is not None:
        session.run_script(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
        session.run_script(f'SET LOCAL search_path TO "{schema}"')
    # Making it first also lets this session see what the one has made that it waited for: a name
    # that was not there when it was asked for is remembered as not being there.
    session.run_script(_LEDGER)
    steps = missing(session, schema, place)
    for step in steps:
        session.run_script(step.sql)
        number = str(step.number)
        session.execute("remember_migration", number=number, name=step.name, checksum=step.checksum)
    return [step.name for step in steps]


def script(schema: str | None) -> str:
    """All steps as one script, for those who apply it with other tools."""
    place = f'CREATE SCHEMA IF NOT EXISTS "{schema}";\nSET LOCAL search_path TO "{schema}";'
    parts = ["BEGIN;", *([place] if schema else []), f"{_LEDGER.strip()};"]
    parts += [f"-- {s.name}\n{s.sql}\n{_remember(s)};" for s in known_migrations("postgres")]
    return "\n\n".join([*parts, "COMMIT;", ""])


def step_statements(step: Migration) -> list[str]:
    """One step, part by part, for other tools that have a transaction around it."""
    return [_LOCK, _LEDGER.strip(), step.sql, _remember(step)]


def _remember(step: Migration) -> str:
    row = f"({step.number}, '{step.name}', '{step.checksum}')"
    return f"{_INTO} VALUES {row}"
