"""A PostgreSQL server whose time a test decides."""

import psycopg

from rotulus._jobs.record import micros
from rotulus.testing import SettableClock

_USED = """
SELECT relname FROM pg_class
WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
  AND starts_with(relname, 'rotulus_') AND relname <> 'rotulus_migrations'
  AND pg_relation_size(oid) > 0
"""


def empty(url):
    """Forget everything that is in the tables of a database.

    Only tables that have been written are emptied: with its indexes, a table takes milliseconds.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        _empty(connection)


def _empty(connection):
    used = [name for (name,) in connection.execute(_USED)]
    if used:
        connection.execute(f"TRUNCATE {', '.join(used)} RESTART IDENTITY")


class ServerClock(SettableClock):
    """The clock that the statements of the store read; made anew, it empties the tables."""

    def __init__(self, url):
        super().__init__()
        self._connection = psycopg.connect(url, autocommit=True)
        _empty(self._connection)
        self._tell()

    def __del__(self):
        self.close()

    def close(self):
        """Let go of the server."""
        self._connection.close()

    @staticmethod
    def install(url):
        """Let the statements of a database read the time of the test."""
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE clock (at bigint)")
            connection.execute("INSERT INTO clock VALUES (0)")
            connection.execute(
                "CREATE OR REPLACE FUNCTION rotulus_now() RETURNS bigint LANGUAGE sql VOLATILE AS "
                "'SELECT at FROM clock'"
            )

    def advance(self, seconds):
        """Move on."""
        super().advance(seconds)
        self._tell()

    def set(self, now):
        """Set it, forward or back."""
        super().set(now)
        self._tell()

    def _tell(self):
        self._connection.execute("UPDATE clock SET at = %s", (micros(self.now()),))
