"""Rotulus on a SQLite file, with the settings it comes with."""

import sqlite3

import contender

from rotulus import App, TaskRegistry, task

registry = TaskRegistry()
app = App(f"sqlite:///{contender.RUN / 'rotulus.db'}", registry=registry)


@task(registry=registry)
async def note(number: int) -> int:
    """The job."""
    contender.mark(number)
    return number


class Rotulus(contender.Contender):
    """Coroutines; results and all rows are kept."""

    def prepare(self):
        app.store.fleet()

    def open(self):
        app.store.fleet()

    def enqueue(self, number):
        note.enqueue(number)

    def enqueue_many(self, numbers):
        note.enqueue_many(numbers)

    def work(self):
        app.run_worker()

    def left(self):
        return len(app.jobs(state=("queued", "running", "delayed"), limit=1))

    def past(self, count):
        with sqlite3.connect(contender.RUN / "rotulus.db") as connection:
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


if __name__ == "__main__":
    contender.main(Rotulus())
