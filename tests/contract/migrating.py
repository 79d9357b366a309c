"""Programs that migrate, and are killed at a statement: run as `python -m contract.migrating`."""

import json
import os
import signal
import sqlite3
import sys
from time import sleep

import psycopg

from rotulus.stores.postgres import indexes
from rotulus.stores.postgres import migrate as on_postgres
from rotulus.stores.postgres.session import Session, statements_in
from rotulus.stores.sqlite import migrate as on_sqlite


class Killed:
    """Kills this process before a statement that changes tables; counts those that do."""

    def __init__(self, at):
        self.at = at
        self.count = 0

    def __call__(self, statement):
        """Count one."""
        if statement.split(None, 1)[0].upper() in ("SELECT", "WITH", "SET", "BEGIN"):
            return
        self.count += 1
        if self.count == self.at:
            os.kill(os.getpid(), signal.SIGKILL)


def migrate_server(url, killed):
    """Bring a PostgreSQL database up to this version."""
    with psycopg.connect(url, autocommit=True) as connection:

        def execute(statement, parameters):
            text = statement.decode()
            killed(_without_comments(text))
            if parameters:
                return connection.execute(statement, parameters)
            return connection.execute(text.replace("%%", "%"), prepare=False)

        session = Session(execute, statements_in(None))
        with connection.transaction():
            applied = on_postgres.migrate(session, None, url)
        indexes.build_indexes(session, None, sleep, lambda _line: None)
        return applied


def migrate_file(path, killed):
    """Bring a file up to this version."""

    class Connection(sqlite3.Connection):
        def execute(self, sql, *parameters):
            killed(_without_comments(sql))
            return super().execute(sql, *parameters)

    connection = sqlite3.connect(path, isolation_level=None, timeout=60.0, factory=Connection)
    connection.execute("BEGIN IMMEDIATE")
    applied = on_sqlite.migrate(connection, path, 0)
    killed("COMMIT")
    connection.execute("COMMIT")
    connection.close()
    return applied


def _without_comments(text):
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("--")]
    return "\n".join(lines) or "SELECT"


if __name__ == "__main__":
    place, number = sys.argv[1], Killed(int(sys.argv[2]))
    if place.startswith("sqlite:///"):
        names = migrate_file(place.removeprefix("sqlite:///"), number)
    else:
        names = migrate_server(place, number)
    print(json.dumps([names, number.count]))
