"""Rotulus on a SQLite file."""

import sqlite3

import contender
import ours


class RotulusOnSqlite(ours.Rotulus):
    """Each commit is on the disk before anybody goes on."""

    def past(self, count):
        with sqlite3.connect(contender.URL.removeprefix("sqlite:///")) as connection:
            connection.execute(PAST, (count,))
            connection.commit()
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # not while it is measured


PAST = """
WITH RECURSIVE n (k, i) AS (
  SELECT 1, strftime('%s') * 1000000 UNION ALL SELECT k + 1, i + 1 FROM n WHERE k < ?)
INSERT INTO rotulus_jobs (id, task, queue, priority, state, attempt, created_at, run_at,
  started_at, ended_at, worker, arguments, result)
SELECT printf('01900000-0000-7000-8000-%012x', k), 'note', 'default', 0, 'succeeded', 1, i, i,
  i, i, 'w', '{"number":1}', '1' FROM n
"""
"""So many jobs that have ended, and are not old enough to be pruned."""


CONTENDER = RotulusOnSqlite()
