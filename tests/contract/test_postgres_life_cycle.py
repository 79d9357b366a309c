"""The life of a job, explored whole over the SQL of PostgreSQL: see test_life_cycle.py."""

import psycopg
import pytest

from contract.test_life_cycle import (
    LEASE,
    LOST,
    MOST_LOSSES,
    NOW,
    PROMOTED,
    PROMOTED_AND_CLAIMED,
    SAID,
    Explorer,
    Violation,
    explore,
)
from rotulus._jobs.record import moment
from rotulus._jobs.states import ENDED, MOVES
from rotulus.store import Claim, Renewal
from rotulus.stores._columns import DebouncedRow, OutcomeRow, SuccessRow
from rotulus.stores.postgres import rows
from rotulus.stores.postgres.session import Session, statements_in
from server_clock import ServerClock

pytestmark = pytest.mark.anywhere

JOB = "00000000-0000-7000-8000-000000000001"
COLUMNS = (
    "state, attempt, failures, losses, releases, lease_until, run_at, cancel_requested, paused"
)


@pytest.fixture(scope="module")
def explorer_of(migrated):
    """Makes explorers of one row on a server."""
    url = migrated()

    class PostgresExplorer(Explorer):
        most_claims = 2  # each world costs some round trips

        def __init__(self, statements):
            self.moves = set()
            self.clock = ServerClock(url)
            self.clock.set(moment(NOW))
            self.db = psycopg.connect(url, autocommit=True, prepare_threshold=0)
            self.session = Session(self.db.execute, statements)
            self.db.execute(
                "INSERT INTO rotulus_jobs (id, task, queue, priority, state, created_at, run_at, "
                "arguments) VALUES (%s, 't', 'q', 0, 'queued', 0, %s, '{}')",
                (JOB, NOW),
            )

        def load(self, row):
            state, attempt, _failures, _losses, _releases, lease, run_at, _cancel, _paused = row
            until = None if lease is None else NOW + lease
            ended = NOW if state in ENDED else None
            run = JOB if attempt == 1 else None  # what is in a run is settled in another way
            self.db.execute(
                f"UPDATE rotulus_jobs SET ({COLUMNS}, ended_at, worker, run) = "
                "(%s, %s, %s, %s, %s, %s, %s, %s::boolean, %s::boolean, %s, NULL, %s)",
                (*row[:5], until, NOW + run_at, *row[7:], ended, run),
            )

        def dump(self):
            row = self.db.execute(f"SELECT {COLUMNS} FROM rotulus_jobs").fetchone()
            state, attempt, failures, losses, releases, lease, run_at, cancel, paused = row
            lease = None if lease is None else max(-1, lease - NOW)
            due = min(1, max(0, run_at - NOW))
            counts = min(failures, 2), losses, min(releases, 1)
            return state, attempt, *counts, lease, due, cancel, paused

        def do(self, name, **parameters):
            before = self.version()
            self.session.fetch(name, ids=f"{{{JOB}}}")
            return self.version() != before, None

        def open(self, attempt):
            self.session.fetch("lock_with_dependants", ids=f"{{{JOB}}}")
            if not self.session.fetch("running", **rows.many("claim", [Claim(JOB, attempt)])):
                return False
            if self.dump()[7]:
                return self.write("release", attempt)  # it is cancelled, as this would be
            self.session.fetch("open", id=JOB, reason="opened", progress=None, waits_for="0")
            return True

        def retry(self, any_end):
            if not self.session.fetch("retryable", ids=f"{{{JOB}}}", any_end=str(any_end)):
                return False
            same = {"ids": f"{{{JOB}}}", "back": f"{{{JOB}}}", "arguments": None}
            self.session.execute("retry", **same)
            return self.session.execute("count_needs", jobs=f"{{{JOB}}}") > 0

        def skip(self):
            return self.session.execute("skip", jobs=f"{{{JOB}}}") > 0

        def pause(self, how):
            return self.session.execute(how, runs=f"{{{JOB}}}") > 0

        def debounce(self):
            newer = DebouncedRow(JOB, "{}", None, None, wait=1, most=None, expires=None)
            return self.session.execute("move_debounced", **rows.many("debounced", [newer])) > 0

        def claim(self, worker):
            self.session.fetch_value("promote", limit="9")
            wanted = {"queues": None, "names": None, "grace": None, "worker": worker}
            wanted["few_queues"] = "8"
            found = self.session.fetch("claim", **wanted, limit="1", lease=str(LEASE))
            jobs, _ = rows.claimed(found)
            return jobs[0].attempt if jobs else None

        def write(self, how, attempt):
            before = self.version()
            self.say(how, attempt)
            return self.version() != before

        def version(self):
            return self.db.execute("SELECT xmin FROM rotulus_jobs").fetchone()

        def say(self, how, attempt):
            if how == "extend":
                renewal = rows.many("renewal", [Renewal(JOB, attempt)])
                self.session.fetch("extend", **renewal, lease=str(LEASE))
                return
            if how == "succeed":
                success = rows.many("success", [SuccessRow(JOB, attempt, "1", None)])
                if (None, 0) not in self.session.fetch("succeed", **success):
                    return
            row = OutcomeRow(id=JOB, attempt=attempt, **SAID[how])
            outcome = rows.many("outcome", [row])
            if (None, 0) in self.session.fetch("settle", **outcome, locked="false"):
                self.session.fetch("lock_with_dependants", ids=f"{{{JOB}}}")
                self.session.fetch("settle", **outcome, locked="true")

        def rescue(self):
            found = self.session.fetch("expired", limit="9")
            if not found:
                return False
            most = str(MOST_LOSSES)
            self.session.fetch("rescue", ids=f"{{{JOB}}}", max_losses=most, **LOST)
            return True

    return PostgresExplorer


def statements(name=None, piece="", instead=""):
    """The statements, in one of them a piece replaced."""
    made = dict(statements_in(None))
    if name is not None:
        text = made[name].decode()
        assert piece in text
        made[name] = text.replace(piece, instead).encode()
    return made


def test_no_order_of_events_breaks_a_rule(explorer_of):
    """Nothing stale is accepted, nothing is ever stuck, and exactly the legal moves are seen."""
    explorer, worlds, stuck = explore(statements(), explorer_of)
    legal = {(a, b) for a, later in MOVES.items() for b in later}

    assert len(worlds) > 1_000
    assert set() == stuck
    assert legal - {PROMOTED} | {PROMOTED_AND_CLAIMED} == explorer.moves


@pytest.mark.parametrize("name", ["extend", "succeed", "settle"])
def test_a_missing_attempt_in_the_fence_is_found(explorer_of, name):
    """Without it, the outcome of an old attempt is taken for that of the new one."""
    claim = "renewal" if name == "extend" else "outcome"

    with pytest.raises(Violation, match="was accepted"):
        explore(statements(name, f"AND job.attempt = {claim}.attempt "), explorer_of)


@pytest.mark.parametrize("name", ["succeed", "settle"])
def test_a_missing_state_in_the_fence_is_found(explorer_of, name):
    """Without it, a job ends twice."""
    with pytest.raises(Violation):
        explore(statements(name, "AND job.state || '' = 'running'"), explorer_of)


def test_a_release_that_gives_the_attempt_back_is_found(explorer_of):
    """A token that is used twice fences nothing."""
    lowered = "SET attempt = job.attempt - fate.released, state = CASE WHEN fate"

    with pytest.raises(Violation, match="attempt went from"):
        explore(statements("settle", "SET state = CASE WHEN fate", lowered), explorer_of)


@pytest.mark.parametrize("name", ["settle", "rescue"])
def test_a_pause_that_is_forgotten_is_found(explorer_of, name):
    """What goes back in a paused run would be claimed."""
    with pytest.raises(Violation, match="a paused job is"):
        explore(statements(name, "job.paused OR "), explorer_of)
