"""Rotulus on PostgreSQL."""

import subprocess
import sys

import contender
import ours
import psycopg


def migrate():
    """Make our tables, as users do."""
    command = [sys.executable, "-m", "rotulus", "migrate", "--url", contender.URL]
    told = subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
    if told.returncode:
        sys.exit(told.returncode)


class RotulusOnPostgres(ours.Rotulus):
    """The server's own settings: each commit is on the disk before anybody goes on."""

    def prepare(self):
        migrate()

    def past(self, count):
        self._fill(PAST, count)

    def future(self, count):
        self._fill(FUTURE, count)

    def _fill(self, statement, count):
        with psycopg.connect(contender.URL) as connection:
            connection.execute(statement, (count,))


_ID = "('01900000-0000-7000-8000-' || lpad(to_hex(k), 12, '0'))::uuid"

PAST = f"""
INSERT INTO rotulus_jobs (id, task, queue, priority, state, attempt, created_at, run_at,
  started_at, ended_at, worker, arguments, result)
SELECT {_ID}, 'note', 'default', 0, 'succeeded', 1, at, at, at, at, 'w', '{{"number":1}}', '1'
FROM rotulus_now() AS at, generate_series(1, %s) AS k
"""
"""So many jobs that have ended, and are not old enough to be pruned."""

FUTURE = f"""
INSERT INTO rotulus_jobs (id, task, queue, priority, state, created_at, run_at, arguments)
SELECT {_ID}, 'note', 'default', 0, 'delayed', at, at + 30 * 86400 * 1000000::bigint + k,
  '{{"number":1}}'
FROM rotulus_now() AS at, generate_series(1, %s) AS k
"""
"""So many jobs that are due in thirty days, a microsecond after each other."""


CONTENDER = RotulusOnPostgres()
