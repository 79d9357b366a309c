"""No queue at all: what the same rows cost through psycopg, one statement after the other.

It claims 500 rows and settles 500 rows on one connection, in the tables of Rotulus, with plans
that are pinned: two commits for 500 jobs. It validates nothing, renews nothing, and looks after
nothing.
"""

import json
import signal
import sys
import time
import uuid

import contender
import psycopg
from postgres_rotulus import migrate


class Limit(contender.Contender):
    """Raw SQL of the same shape."""

    def prepare(self):
        migrate()

    def open(self):
        self._connection = psycopg.connect(contender.URL, autocommit=True, prepare_threshold=0)

    def enqueue(self, number):
        self._connection.execute(ADD_ONE, (_id(), json.dumps({"number": number})))

    def enqueue_many(self, numbers):
        arguments = [json.dumps({"number": number}) for number in numbers]
        self._connection.execute(ADD, ([_id() for _ in numbers], arguments))

    def work(self):
        signal.signal(signal.SIGTERM, lambda *_: sys.exit())
        self.open()
        for setting in PIN:
            self._connection.execute(setting)
        cursor = self._connection.cursor(binary=True)
        while True:
            claimed = cursor.execute(CLAIM).fetchall()
            if claimed:
                done = [(job, attempt, _run(arguments)) for job, attempt, arguments in claimed]
                cursor.execute(SETTLE, [list(column) for column in zip(*done, strict=True)])
            else:
                time.sleep(0.005)

    def left(self):
        return self._connection.execute(LEFT).fetchone()[0]


def _run(arguments):
    number = json.loads(arguments)["number"]
    contender.mark(number)
    return json.dumps(number)


def _id():
    """A UUID of version 7, more or less: the milliseconds first, and the rest random."""
    milliseconds = int(time.time() * 1000)
    return uuid.UUID(int=milliseconds << 80 | 7 << 76 | uuid.uuid4().int & (1 << 76) - 1)


PIN = (
    "SET jit = off",
    "SET plan_cache_mode = force_generic_plan",
    "SET enable_seqscan = off",
    "SET enable_hashjoin = off",
    "SET enable_mergejoin = off",
)

ADD_ONE = """
INSERT INTO rotulus_jobs (id, task, queue, priority, state, created_at, run_at, arguments)
VALUES (%s, 'note', 'default', 0, 'queued', rotulus_now(), rotulus_now(), %s)
"""

ADD = """
INSERT INTO rotulus_jobs (id, task, queue, priority, state, created_at, run_at, arguments)
SELECT given.id, 'note', 'default', 0, 'queued', now, now, given.arguments
FROM rotulus_now() AS now, unnest(%s::uuid[], %s::text[]) AS given (id, arguments)
"""

CLAIM = """
WITH next AS (
  SELECT id FROM rotulus_jobs
  WHERE queue = 'default' AND state = 'queued' AND limit_key IS NULL AND losses < 2
  ORDER BY priority DESC, seq LIMIT 500 FOR UPDATE SKIP LOCKED)
UPDATE rotulus_jobs AS job SET state = 'running', attempt = attempt + 1, worker = 'limit',
  started_at = rotulus_now(), lease_until = rotulus_now() + 30000000
FROM next WHERE job.id = next.id RETURNING job.id, job.attempt, job.arguments
"""

SETTLE = """
UPDATE rotulus_jobs AS job SET state = 'succeeded', result = done.result,
  ended_at = rotulus_now(), lease_until = NULL
FROM unnest(%s::uuid[], %s::int[], %s::text[]) AS done (id, attempt, result)
WHERE job.id = done.id AND job.attempt = done.attempt AND job.state || '' = 'running'
"""
"""The state is put together, so that no plan reads the index of running rows for each of them."""

LEFT = "SELECT EXISTS (SELECT FROM rotulus_jobs WHERE state IN ('queued', 'running'))"


CONTENDER = Limit()
