"""The life of a job, explored whole over the SQL of PostgreSQL: see test_life_cycle.py."""

import psycopg
import pytest

from contract.test_life_cycle import (
    ERROR,
    LEASE,
    MOST_LOSSES,
    NOW,
    PROMOTED,
    PROMOTED_AND_CLAIMED,
    Explorer,
    Violation,
    explore,
)
from rotulus._jobs.record import JobRecord, moment
from rotulus._jobs.states import ENDED, MOVES
from rotulus.stores.postgres.ask import Session, prepared
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
            self.session.rows(name, ids=f"{{{JOB}}}")
            return self.version() != before, None

        def open(self, attempt):
            self.session.rows("hold", ids=f"{{{JOB}}}")
            if not self.session.rows("running", ids=f"{{{JOB}}}", attempts=f"{{{attempt}}}"):
                return False
            if self.dump()[7]:
                return self.write("release", attempt)  # it is cancelled, as this would be
            self.session.rows("open", id=JOB, reason="opened", progress=None, waits_for="0")
            return True

        def retry(self, anew):
            if not self.session.rows("retryable", ids=f"{{{JOB}}}", anew=str(anew)):
                return False
            same = {"ids": f"{{{JOB}}}", "after": f"{{{JOB}}}", "arguments": None}
            self.session.do("retry", **same)
            return self.session.do("count_needs", ids=f"{{{JOB}}}") > 0

        def pause(self, how):
            return self.session.do(how, runs=f"{{{JOB}}}") > 0

        def claim(self, worker):
            self.session.value("promote", limit="9")
            wanted = {"queues": None, "names": None, "grace": None, "worker": worker}
            found = self.session.rows("claim", **wanted, limit="1", lease=str(LEASE))
            return JobRecord._make(found[0][:-1]).attempt if found else None

        def write(self, how, attempt):
            before = self.version()
            self.say(how, {"ids": f"{{{JOB}}}", "attempts": f"{{{attempt}}}"})
            return self.version() != before

        def version(self):
            return self.db.execute("SELECT xmin FROM rotulus_jobs").fetchone()

        def say(self, how, own):
            if how == "extend":
                told = {"progresses": "{NULL}", "reasons": "{NULL}"}
                self.session.rows("renew", **own, **told, lease=str(LEASE))
                return
            if how == "succeed":
                told = self.session.rows("succeed", **own, results="{1}", progresses="{NULL}")
                if (None, 0) not in told:
                    return
            state, reason, delay, failed = {
                "succeed": ("succeeded", "NULL", "NULL", 0),
                "fail": ("failed", "error", "NULL", 1),
                "skip": ("skipped", "trigger", "NULL", 0),
                "retry": ("queued", "retry", "1", 1),
                "release": ("queued", "shutdown", "0", 0),
            }[how]
            told = {"states": state, "reasons": reason, "delays": delay, "failures": failed}
            told |= {"releases": int(how == "release"), "losses": 0}
            told |= dict.fromkeys(("results", "errors", "moments", "progresses"), "NULL")
            settle = {name: f"{{{value}}}" for name, value in told.items()}
            if (None, 0) in self.session.rows("settle", **own, **settle, locked="false"):
                self.session.rows("hold", **own)
                self.session.rows("settle", **own, **settle, locked="true")

        def reclaim(self):
            found = self.session.rows("expired", limit="9")
            if not found:
                return False
            most = str(MOST_LOSSES)
            self.session.rows("reclaim", ids=f"{{{JOB}}}", max_losses=most, error=ERROR)
            return True

    return PostgresExplorer


def statements(name=None, piece="", instead=""):
    """The statements, in one of them a piece replaced."""
    made = dict(prepared(None))
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


@pytest.mark.parametrize("name", ["renew", "succeed", "settle"])
def test_a_missing_attempt_in_the_fence_is_found(explorer_of, name):
    """Without it, the outcome of an old attempt is taken for that of the new one."""
    claim = "claim" if name == "renew" else "outcome"

    with pytest.raises(Violation, match="was accepted"):
        explore(statements(name, f"AND job.attempt = {claim}.attempt "), explorer_of)


@pytest.mark.parametrize("name", ["succeed", "settle"])
def test_a_missing_state_in_the_fence_is_found(explorer_of, name):
    """Without it, a job ends twice."""
    with pytest.raises(Violation):
        explore(statements(name, "AND job.state || '' = 'running'"), explorer_of)


def test_a_release_that_gives_the_attempt_back_is_found(explorer_of):
    """A token that is used twice fences nothing."""
    lowered = "SET attempt = job.attempt - fate.release, state = CASE WHEN fate"

    with pytest.raises(Violation, match="attempt went from"):
        explore(statements("settle", "SET state = CASE WHEN fate", lowered), explorer_of)


@pytest.mark.parametrize("name", ["settle", "reclaim"])
def test_a_pause_that_is_forgotten_is_found(explorer_of, name):
    """What goes back in a paused run would be claimed."""
    with pytest.raises(Violation, match="a paused job is"):
        explore(statements(name, "job.paused OR "), explorer_of)
