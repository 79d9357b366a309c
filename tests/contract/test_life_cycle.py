"""The life of a job, explored whole: every order of events that two workers can bring about.

The product's own SQL runs here, on one job in SQLite's memory, from every state that can be
reached, with workers that die, clocks that move, leases that run out, people who cancel and
retry, and answers that get lost after the commit. Each claim has a ghost number that the store
does not know; a write that is accepted from any claim but the last one is a violation.
"""

import contextlib
import json
import sqlite3
from collections import deque
from typing import NamedTuple

import pytest

from rotulus._jobs.states import ENDED, MOVES, State
from rotulus.stores._columns import DebouncedRow, OutcomeRow
from rotulus.stores._migrations import known_migrations
from rotulus.stores.sqlite.session import STATEMENTS

pytestmark = pytest.mark.anywhere

NOW, LEASE, BOOT = 1_000, 2, "boot"
MOST_LOSSES = 2
COLUMNS = (
    "state, attempt, failures, losses, releases, lease_until, run_at, cancel_requested, boot, "
    "paused, worker, ended_at"
)
ERROR = '["Error","no",""]'

NOTHING = dict.fromkeys(("failed", "lost", "released"), 0) | dict.fromkeys(
    ("result", "error", "delay", "until", "progress", "fingerprint")
)
LOST = {"error": ERROR, "fingerprint": None}
SAID = {
    "fail": NOTHING | {"state": "failed", "reason": "error", "error": ERROR, "failed": 1},
    "skip": NOTHING | {"state": "skipped", "reason": "trigger"},
    "retry": NOTHING | {"state": "queued", "reason": "retry", "delay": 1, "failed": 1},
    "release": NOTHING | {"state": "queued", "reason": "shutdown", "delay": 0, "released": 1},
    "succeed": NOTHING | {"state": "succeeded", "reason": None},
}
"""What a worker says in a row of outcomes."""


PROMOTED = (State.DELAYED, State.QUEUED)
PROMOTED_AND_CLAIMED = (State.DELAYED, State.RUNNING)
"""A claim makes a delayed job queued and takes it at once, so two moves are seen as one."""


class World(NamedTuple):
    """Everything there is: the row, what each worker thinks it holds, and the ghost."""

    row: tuple
    held: tuple
    claims: int
    retried: bool
    pauses: int


class Violation(AssertionError):
    """Something that must never happen."""


class Explorer:
    """Runs statements from any state of the row, and keeps the books."""

    most_claims = 3
    most_pauses = 1

    def __init__(self, statements):
        self.sql = statements
        self.moves = set()
        self.db = sqlite3.connect(":memory:", isolation_level=None)
        for step in known_migrations("sqlite"):
            self.db.executescript(step.sql)
        self.db.execute(
            "INSERT INTO rotulus_jobs (id, task, queue, priority, state, created_at, run_at, "
            "arguments) VALUES ('j', 't', 'q', 0, 'queued', 0, ?, '{}')",
            (NOW,),
        )

    def close(self):
        """Forget the row."""
        self.db.close()

    def load(self, row):
        """Make the row what it was; times are kept as distances from now."""
        state, attempt, failures, losses, releases, lease, run_at, cancel, paused = row
        self.db.execute(
            "UPDATE rotulus_jobs SET state = ?, attempt = ?, failures = ?, losses = ?, "
            "releases = ?, lease_until = ?, run_at = ?, cancel_requested = ?, boot = ?, "
            "paused = ?, ended_at = ?, worker = NULL",
            (
                state,
                attempt,
                failures,
                losses,
                releases,
                None if lease is None else NOW + lease,
                NOW + run_at,
                cancel,
                None if lease is None else BOOT,
                paused,
                NOW if state in ENDED else None,
            ),
        )

    def dump(self):
        """The row as it is now, with distances cut to what makes a difference."""
        row = self.db.execute(f"SELECT {COLUMNS} FROM rotulus_jobs").fetchone()
        state, attempt, failures, losses, releases, lease, run_at, cancel, _, paused, *_ = row
        lease = None if lease is None else max(-1, lease - NOW)
        return (
            state,
            attempt,
            min(failures, 2),
            losses,
            min(releases, 1),
            lease,
            min(1, max(0, run_at - NOW)),
            cancel,
            paused,
        )

    def do(self, name, **parameters):
        """Run one statement; whether it changed the row."""
        before = self.db.total_changes
        answer = self.db.execute(self.sql[name], parameters).fetchone()
        return self.db.total_changes > before, answer and answer[0]

    def claim(self, worker):
        """What the store does to claim; the attempt, if there was something."""
        self.do("promote", now=NOW, limit=9)
        wanted = {"queues": None, "names": None, "worker": worker, "grace": None}
        present = {"now": NOW, "clock": NOW, "boot": BOOT}
        _, chosen = self.do("choose", **wanted, **present, limit=1)
        if chosen == "[]":
            return None
        until = NOW + LEASE
        self.do("claim", chosen=chosen, worker=worker, boot=BOOT, lease_until=until, now=NOW)
        return self.db.execute("SELECT attempt FROM rotulus_jobs").fetchone()[0]

    def write(self, how, attempt):
        """What a worker does with a job it holds."""
        if how == "extend":
            claims = json.dumps([["j", attempt, None, None]])
            return self.do("extend", claims=claims, lease_until=NOW + LEASE)[0]
        if how == "succeed":
            return self.do("succeed", outcomes=json.dumps([["j", attempt, "1", None]]), now=NOW)[0]
        outcome = OutcomeRow(id="j", attempt=attempt, **SAID[how])
        return self.do("settle", outcomes=json.dumps([outcome]), now=NOW)[0]

    def rescue(self):
        """What the store does to rescue."""
        _, claims = self.do("expired", boot=BOOT, clock=NOW, limit=9)
        if claims == "[]":
            return False
        self.do("rescue", claims=claims, now=NOW, max_losses=MOST_LOSSES, **LOST)
        return True

    def open(self, attempt):
        """What the store does with an attempt that adds parts, and in this case none."""
        if self.dump()[7]:
            return self.write("release", attempt)  # one that is cancelled adds nothing
        how = {"id": "j", "attempt": attempt, "reason": "opened", "progress": None}
        return self.do("open", **how, waits_for=0, now=NOW)[1] is not None

    def retry(self, any_end):
        """What the store does to send a job back."""
        _, found = self.do("retryable", ids='["j"]', any_end=any_end)
        if not found:
            return False
        self.do("retry", back="[1]", ids='["j"]', arguments=None, now=NOW)
        return self.do("count_needs", jobs="[1]")[0]

    def skip(self):
        """What the store does to skip a step."""
        return self.do("skip", jobs="[1]", now=NOW)[0]

    def pause(self, how):
        """What the store does to pause a run, or to resume it."""
        return self.do(how, runs='["j"]', now=NOW)[0]

    def debounce(self):
        """What the store does to a job when another one with its key is debounced."""
        newer = DebouncedRow("j", "{}", None, None, wait=1, most=None, expires=None)
        return self.do("move_debounced", debounced=json.dumps([newer]), now=NOW)[0]

    def steps(self, world):
        """Every world that can come next."""
        row = world.row
        lease = None if row[5] is None else max(-1, row[5] - 1)
        yield world._replace(row=(*row[:5], lease, max(0, row[6] - 1), *row[7:]))
        for slot in (0, 1):
            yield from self.worker_steps(world, slot)
        self.load(row)
        if self.rescue():
            yield self.after(world)
        self.load(row)
        if self.do("cancel", ids='["j"]', now=NOW)[0]:
            yield self.after(world)
        self.load(row)
        if self.skip():
            yield self.after(world, operator=True)
        self.load(row)
        if self.debounce():
            yield self.after(world)
        for any_end in (False, True):
            self.load(row)
            if not world.retried and self.retry(any_end):
                yield self.after(world, operator=True)._replace(retried=True)
        how = "resume_runs" if row[-1] else "pause_runs"
        self.load(row)
        if (row[-1] or world.pauses < self.most_pauses) and self.pause(how):
            yield self.after(world)._replace(pauses=world.pauses + (how == "pause_runs"))

    def worker_steps(self, world, slot):
        """What one worker can do, or have happen to it."""

        def holding(claim):
            return tuple(claim if i == slot else held for i, held in enumerate(world.held))

        if world.held[slot] is None:
            if world.claims < self.most_claims:
                self.load(world.row)
                attempt = self.claim(f"w{slot}")
                if attempt is not None:
                    number = world.claims + 1
                    next_world = self.after(world, claimed=True)
                    yield next_world._replace(held=holding((attempt, number)), claims=number)
            return
        attempt, number = world.held[slot]
        yield world._replace(held=holding(None))  # it dies
        for how in ("extend", "succeed", "fail", "skip", "retry", "release", "open"):
            self.load(world.row)
            accepted = self.open(attempt) if how == "open" else self.write(how, attempt)
            if accepted and (number != world.claims or world.row[0] != "running"):
                raise Violation(
                    f"{how} of claim {number} was accepted, claim {world.claims} was last"
                )
            after = self.after(world)
            keeps = how == "extend" and accepted
            yield after if keeps else after._replace(held=holding(None))
            if accepted:
                yield after  # the answer was lost: it may try again

    def after(self, world, *, claimed=False, operator=False):
        """The world after a statement, once it has been looked at."""
        row = self.dump()
        before, now = State(world.row[0]), State(row[0])
        if row[1] != world.row[1] + claimed:
            raise Violation(f"attempt went from {world.row[1]} to {row[1]}")
        if before in ENDED and now != before and not operator:
            raise Violation(f"a job that was {before} became {now}")
        if row[-1] and now in (State.QUEUED, State.DELAYED):
            raise Violation(f"a paused job is {now}")
        if now is not before:
            self.moves.add((before, now))
        return world._replace(row=row)


def explore(statements, kind=Explorer):
    """Every world that can be reached, and those from which no end can be."""
    with contextlib.closing(kind(statements)) as explorer:
        came_from = worlds(explorer)
    good = deque(world for world in came_from if world.row[0] in ENDED)
    reached = set(good)
    while good:
        for world in came_from[good.popleft()]:
            if world not in reached:
                reached.add(world)
                good.append(world)
    return explorer, set(came_from), set(came_from) - reached


def worlds(explorer):
    """Every world that can be reached, and from which ones."""
    start = World(explorer.dump(), (None, None), 0, retried=False, pauses=0)
    came_from = {start: []}
    line = deque([start])
    while line:
        world = line.popleft()
        for next_world in explorer.steps(world):
            if next_world not in came_from:
                came_from[next_world] = []
                line.append(next_world)
            came_from[next_world].append(world)
    return came_from


def without(name, piece):
    """The statements, one of them without a piece."""
    assert piece in STATEMENTS[name]
    return {**STATEMENTS, name: STATEMENTS[name].replace(piece, "")}


@pytest.fixture(scope="module")
def explored():
    """What exploring the product's statements finds."""
    return explore(STATEMENTS)


def test_no_order_of_events_breaks_a_rule(explored):
    """No stale write is accepted, no ended job moves, no attempt is lowered."""
    _, worlds, _ = explored

    assert len(worlds) > 5_000


def test_an_end_can_be_reached_from_everywhere(explored):
    """Nothing is ever stuck."""
    _, _, stuck = explored

    assert set() == stuck


def test_exactly_the_legal_moves_are_seen(explored):
    """All of them, and no other."""
    explorer, _, _ = explored
    legal = {(a, b) for a, later in MOVES.items() for b in later}

    assert legal - {PROMOTED} | {PROMOTED_AND_CLAIMED} == explorer.moves


@pytest.mark.parametrize("name", ["extend", "succeed", "settle"])
def test_a_missing_attempt_in_the_fence_is_found(name):
    """Without it, the outcome of an old attempt is taken for that of the new one."""
    claim = "claim" if name == "extend" else "outcome"

    with pytest.raises(Violation, match="was accepted"):
        explore(without(name, f"AND job.attempt = {claim}.attempt "))


@pytest.mark.parametrize("name", ["succeed", "settle"])
def test_a_missing_state_in_the_fence_is_found(name):
    """Without it, a job ends twice."""
    with pytest.raises(Violation):
        explore(without(name, "AND +job.state = 'running'"))


def test_a_release_that_gives_the_attempt_back_is_found():
    """A token that is used twice fences nothing."""
    lowered = STATEMENTS["settle"].replace(
        "SET state = CASE",
        "SET attempt = job.attempt - outcome.released, state = CASE",
    )

    with pytest.raises(Violation, match="attempt went from"):
        explore({**STATEMENTS, "settle": lowered})


@pytest.mark.parametrize("name", ["settle", "rescue"])
def test_a_pause_that_is_forgotten_is_found(name):
    """What goes back in a paused run would be claimed."""
    with pytest.raises(Violation, match="a paused job is"):
        explore(without(name, "job.paused OR "))
