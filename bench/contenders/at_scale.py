"""Claims, prunes, retries and cancels of a store that holds very many jobs of one kind.

Each scene fills an empty store with rows, and then times calls of the store, one after the other.
"""

import datetime as dt
import sqlite3
import statistics
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from itertools import count
from typing import NamedTuple

import contender
import psycopg

from rotulus import App, TaskRegistry
from rotulus.store import ClaimFilter

CLAIM, CLAIMS = 100, 40
"""How many jobs a claim asks for, and how many claims are timed."""

MILLION = 1_000_000
FUTURE = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
FAR = "4000000000000000"
DAY = 86_400.0

QUEUED = {"task": "'ours'", "queue": "'q'", "state": "'queued'"}
RUNNING = QUEUED | {"state": "'running'", "attempt": "1", "started_at": "1", "lease_until": FAR}
SUCCEEDED = QUEUED | {"state": "'succeeded'", "attempt": "1", "started_at": "1", "ended_at": "2"}
OURS = ClaimFilter("w", names=["ours"], grace=DAY)


class Rows(NamedTuple):
    """So many rows: their number, and columns as SQL of their number `k`, from 0 on.

    `[...]` in it is the id of the row of that number.
    """

    count: int
    columns: dict[str, str]


class Scene(NamedTuple):
    """What the store holds, and what is timed then.

    Attributes:
        rows: what it is filled with, in order.
        act: times calls of the store; milliseconds by what they are of.
        needs: for each row that another waits for, the number of that one, as SQL of `k`.
    """

    rows: Sequence[Rows]
    act: Callable[..., dict[str, float]]
    needs: tuple[str, str] | None = None


def claims(wanted=OURS, limit=CLAIM):
    """Claims that follow each other."""

    def act(store):
        store.claim(wanted, 1, 3600.0)  # the first one also connects and plans
        taken = [_timed(store.claim, wanted, limit, 3600.0) for _ in range(CLAIMS)]
        return _spread([ms for ms, _ in taken]) | {"jobs": sum(len(found) for _, found in taken)}

    return act


def empty_claims(store):
    """Claims that find nothing; the first one may learn that."""
    store.claim(OURS, CLAIM, 3600.0)
    return _spread([_timed(store.claim, OURS, CLAIM, 3600.0)[0] for _ in range(CLAIMS)])


def prune(store):
    """Prunes until nothing is left: the longest, and all of them."""
    taken = []
    for _ in count():
        taken.append(_timed(store.prune, FUTURE, ["succeeded"], 1000))
        if not taken[-1][1]:
            break
    return {"longest": max(ms for ms, _ in taken), "all": sum(ms for ms, _ in taken)}


def retry_and_cancel(store):
    """Failed branches of a wide run are sent back, and cancelled."""
    ids = [_id(number) for number in range(1, 2501)]
    retried, jobs = _timed(store.retry, ids)
    cancelled, _ = _timed(store.cancel, ids)
    if len(jobs) != len(ids):
        sys.exit(f"{len(jobs)} of {len(ids)} were sent back")
    return {"retry": retried, "cancel": cancelled}


PART = "CASE k % 501 WHEN 0 THEN '' ELSE 's/' || (k % 501) END"

SCENES = {
    "one": Scene([Rows(200_000, QUEUED)], claims(limit=1)),
    "plain": Scene([Rows(200_000, QUEUED)], claims()),
    "tasks": Scene([Rows(200_000, QUEUED | {"task": "'t' || (k % 50)"})], claims(ClaimFilter("w"))),
    "queues": Scene([Rows(200_000, QUEUED | {"queue": "'q' || (k % 1000)"})], claims()),
    "limit_keys": Scene(
        [Rows(200_000, QUEUED | {"limit_key": "'k' || (k % 10000)", "limit_to": "5"})], claims()
    ),
    "beside_limited": Scene(
        [
            Rows(200_000, QUEUED),
            Rows(1000, QUEUED | {"queue": "'other'", "limit_key": "'k' || k", "limit_to": "1"}),
        ],
        claims(OURS._replace(queues=["q"])),
    ),
    "one_key": Scene(
        [
            Rows(100_000, QUEUED | {"limit_key": "'k'", "limit_to": "5", "priority": "1"}),
            Rows(200_000, QUEUED),
        ],
        claims(),
    ),
    "used_up": Scene(
        [
            Rows(50_000, RUNNING | {"limit_key": "'k' || (k % 50000)", "limit_to": "1"}),
            Rows(50_000, QUEUED | {"limit_key": "'k' || (k % 50000)", "limit_to": "1"}),
        ],
        empty_claims,
    ),
    "foreign": Scene(
        [Rows(MILLION, QUEUED | {"task": "'theirs'"}), Rows(10_000, QUEUED)], claims()
    ),
    "prune": Scene(
        [
            Rows(
                501_000, SUCCEEDED | {"run": "[k - k % 501]", "step": PART, "opened": "k % 501 = 0"}
            )
        ],
        prune,
        ("k - k % 501", "k % 501 > 0"),
    ),
    "wide": Scene(
        [
            Rows(
                1, SUCCEEDED | {"state": "'failed'", "run": "[0]", "step": "''", "opened": "k = 0"}
            ),
            Rows(2500, SUCCEEDED | {"state": "'failed'", "run": "[0]", "step": "'s/' || k"}),
            Rows(7500, SUCCEEDED | {"run": "[0]", "step": "'s/' || k"}),
        ],
        retry_and_cancel,
        ("0", "k > 0"),
    ),
}


class AtScale(contender.Contender, ABC):
    """The store of an app, filled by statements of its own."""

    def prepare(self):
        self._store().migrate()

    def scene(self, name):
        """Fill the store, and time what the scene is about."""
        chosen = SCENES[name]
        self._fill(chosen)
        return chosen.act(self._store())

    def _store(self):
        return App(contender.URL, registry=TaskRegistry()).store

    def _fill(self, scene):
        begun = 0
        statements = []
        for rows in scene.rows:
            statements.append(self.insert(rows, begun))
            begun += rows.count
        if scene.needs:
            job, where = scene.needs
            statements.append(self.insert_needs(begun, job, where))
        self.execute(statements)

    @abstractmethod
    def insert(self, rows, begun):
        """The statement that adds rows, the first of which has this number."""

    @abstractmethod
    def insert_needs(self, total, job, where):
        """The statement that says what waits for what."""

    @abstractmethod
    def execute(self, statements):
        """Run statements, and leave the store as it is after a while."""


class OnPostgres(AtScale):
    """In a database."""

    def insert(self, rows, begun):
        columns = {"priority": "0", "created_at": "1", "run_at": "1", "arguments": "'{}'"}
        columns |= {"id": "[k]"} | rows.columns
        return (
            f"INSERT INTO rotulus_jobs ({', '.join(columns)}) SELECT "
            f"{self._with_ids(', '.join(columns.values()))} "
            f"FROM generate_series({begun}, {begun + rows.count - 1}) AS k"
        )

    def insert_needs(self, total, job, where):
        pair = self._with_ids(f"[k], [{job}]")
        return (
            f"INSERT INTO rotulus_needs (need, job, part) SELECT {pair}, true "
            f"FROM generate_series(0, {total - 1}) AS k WHERE {where}"
        )

    def _with_ids(self, text):
        text = text.replace("[", "('01900000-0000-7000-8000-' || lpad(to_hex(")
        return text.replace("]", "), 12, '0'))::uuid")

    def execute(self, statements):
        with psycopg.connect(contender.URL, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)
            connection.execute("VACUUM ANALYZE")


class OnSqlite(AtScale):
    """In a file."""

    def insert(self, rows, begun):
        columns = {"priority": "0", "created_at": "1", "run_at": "1", "arguments": "'{}'"}
        columns |= {"id": "[k]", "seq": "k + 1"} | rows.columns
        if "lease_until" in columns:
            columns["boot"] = "'bench'"
        return (
            f"{self._numbers(begun, begun + rows.count - 1)} "
            f"INSERT INTO rotulus_jobs ({', '.join(columns)}) "
            f"SELECT {self._with_ids(', '.join(columns.values()))} FROM n"
        )

    def insert_needs(self, total, job, where):
        return (
            f"{self._numbers(0, total - 1)} INSERT INTO rotulus_needs (need, job, part) "
            f"SELECT k + 1, {job} + 1, 1 FROM n WHERE {where}"
        )

    def _numbers(self, first, last):
        following = f"SELECT k + 1 FROM n WHERE k < {last}"
        return f"WITH RECURSIVE n (k) AS (SELECT {first} UNION ALL {following})"

    def _with_ids(self, text):
        text = text.replace("[", "printf('01900000-0000-7000-8000-%012x', ")
        return text.replace("]", ")")

    def execute(self, statements):
        with sqlite3.connect(contender.URL.removeprefix("sqlite:///")) as connection:
            for statement in statements:
                connection.execute(statement)
            connection.commit()
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _id(number):
    return f"01900000-0000-7000-8000-{number:012x}"


def _timed(call, *arguments):
    began = time.perf_counter()
    answer = call(*arguments)
    return (time.perf_counter() - began) * 1000, answer


def _spread(ms):
    return {"p50": statistics.median(ms), "p99": sorted(ms)[int(len(ms) * 0.99)]}


CONTENDER = (OnSqlite if contender.URL.startswith("sqlite") else OnPostgres)()
