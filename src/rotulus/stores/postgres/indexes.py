"""Builds the indexes of the migrations on PostgreSQL while the table of jobs is in use.

`CREATE INDEX` keeps everybody from writing as long as it takes: seconds for each million jobs, and
no lease is renewed meanwhile. `CREATE INDEX CONCURRENTLY` keeps nobody, but cannot be in a
transaction. So the indexes follow the migration, one statement at a time.

The system tables say what is left to do, and no table of ours: so a process may be killed at any
statement, and whatever comes next goes on from there. An index whose build was killed is INVALID:
it is dropped, and built again. No statement of this version is wrong without one of these indexes,
only slower; none of them may be UNIQUE.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from psycopg import errors as pg

from rotulus.errors import StoreError
from rotulus.stores import _migrations
from rotulus.stores.postgres.session import Session, in_schema
from rotulus.stores.postgres.translate import CONTENDED

_CHANGE = re.compile(r"(?:CREATE|DROP) INDEX CONCURRENTLY IF (?:NOT )?EXISTS (\w+)\s*([^;]*);")

_AGAIN = (*CONTENDED, pg.LockNotAvailable)
"""Two that build on one table may wait for each other, until the server ends one of them."""

_TRIES = 20
"""How often that may happen; each index is dropped and built once, beside that."""

_PAUSE = 1.0
"""Seconds before another look at what others build."""

_DROP_INVALID = """\
DO $$
BEGIN
  PERFORM set_config('lock_timeout', '2s', true);
  IF EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass('{name}') AND NOT indisvalid) THEN
    EXECUTE 'DROP INDEX {name}';
  END IF;
END $$"""
"""For scripts, which cannot look: what a killed attempt has left."""

Tell = Callable[[str], object]
"""Shows how far it is."""


class IndexChange(NamedTuple):
    """An index to build, or to drop.

    Attributes:
        name: its name.
        definition: what stands behind the name: `ON table (...) WHERE ...`; empty: it is dropped.
    """

    name: str
    definition: str

    def sql(self, schema: str | None, *, drop: bool = False) -> str:
        """Returns the statement that does it, or one that drops the index all the same."""
        if drop or not self.definition:
            return f"DROP INDEX CONCURRENTLY IF EXISTS {in_schema(self.name, schema)}"
        definition = in_schema(self.definition, schema)
        return f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {self.name} {definition}"

    def is_done(self, there: Mapping[str, bool]) -> bool:
        """Returns whether it is done; `there` are the indexes, and whether each is valid."""
        return there.get(self.name, False) if self.definition else self.name not in there


def index_changes() -> list[IndexChange]:
    """Returns what all migrations do to indexes, in order; of an index, what is done to it last."""
    changes: dict[str, IndexChange] = {}
    for migration in _migrations.known_migrations("postgres"):
        for name, definition in _CHANGE.findall(migration.indexes):
            changes.pop(name, None)
            changes[name] = IndexChange(name, definition.strip())
    return list(changes.values())


def unfinished(session: Session) -> list[str]:
    """Returns a line for each index to build or to drop, and one for what is being built now."""
    left = _left(index_changes(), session)[0]
    if not left:
        return []
    builds = session.fetch("indexes_in_progress")
    now = [f"one is being built now ({phase}, {percent} %)" for phase, percent in builds]
    return [f"{c.name} is not {'built' if c.definition else 'dropped'} yet" for c in left] + now


def build_indexes(
    session: Session, schema: str | None, pause: Callable[[float], object], tell: Tell
) -> None:
    """Build what is to be built, and drop what is to be dropped; nothing if all is done.

    Args:
        session: statements outside of a transaction.
        schema: where the tables are; None: the first place on the search path.
        pause: sleeps for some seconds.
        tell: is given a line before each statement.

    Raises:
        StoreError: something else has the name of an index.
    """
    changes = index_changes()
    failure: Exception | None = None
    for _ in range(2 * len(changes) + _TRIES):
        left, there = _left(changes, session)
        if not left:
            return
        if _has_waited(session, pause, tell):
            continue
        statement = left[0].sql(schema, drop=left[0].name in there)
        tell(f"{len(changes) - len(left) + 1} of {len(changes)}: {_in_short(statement)}")
        try:
            session.run_script(statement)
        except Exception as error:
            if not isinstance(error.__cause__ or error, _AGAIN):
                raise
            failure = error
            pause(_PAUSE)
    first = unfinished(session)[0]
    raise failure or StoreError(f"{first}: is there something else of that name?")


def _has_waited(session: Session, pause: Callable[[float], object], tell: Tell) -> bool:
    """Wait while others build, such as the server for a killed process; whether any did."""
    waited = False
    while builds := session.fetch("indexes_in_progress"):
        if not waited:
            tell(f"waiting for an index that is being built ({builds[0][1]} % of the table)")
        waited = True
        pause(_PAUSE)
    return waited


def index_statements(schema: str | None) -> list[str]:
    """Returns all that is done to indexes, statement by statement, for tools of others."""
    statements: list[str] = []
    for change in index_changes():
        if change.definition:
            statements.append(_DROP_INVALID.format(name=in_schema(change.name, schema)))
        statements.append(change.sql(schema))
    return statements


def _left(
    changes: Sequence[IndexChange], session: Session
) -> tuple[list[IndexChange], Mapping[str, bool]]:
    """Returns what is to be done, and which of the indexes there are, valid or not."""
    if not changes:
        return [], {}
    there = dict(session.fetch("indexes_there", names=[change.name for change in changes]))
    return [change for change in changes if not change.is_done(there)], there


def _in_short(statement: str) -> str:
    """Returns a statement as it may be shown: without the condition."""
    return " ".join(statement.partition("WHERE")[0].split())
