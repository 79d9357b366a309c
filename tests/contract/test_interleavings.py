"""Two calls at the same moment: what comes of them is what comes of one after the other."""

import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import product

import psycopg
import pytest

from contract.workbench import OUTCOMES, Workbench, claims
from rotulus._jobs.outcome import opened
from rotulus._jobs.states import ENDED
from rotulus.store import Filter
from rotulus.stores.postgres import PostgresStore, read_address
from rotulus.stores.postgres.session import Session
from rotulus.stores.shared import actions, skipping

pytestmark = pytest.mark.anywhere

COMMITS_SLOWLY = """
CREATE FUNCTION wait_for_the_test() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF current_setting('test.slow', true) = 'on' THEN
    PERFORM pg_advisory_xact_lock_shared(1);
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER wait_for_the_test AFTER INSERT OR UPDATE OR DELETE ON rotulus_jobs
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait_for_the_test()
"""
"""What a session has changed waits, with `test.slow`, before it is committed, for the test."""

WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


class Clients:
    """Two clients of a database, one of which commits when it is told to."""

    def __init__(self, url):
        self._control = psycopg.connect(url, autocommit=True)
        slow = f"{url}{'&' if '?' in url else '?'}options=-c%20test.slow%3Don"
        self.slow = PostgresStore(read_address(slow))
        self.quick = PostgresStore(read_address(url))
        self.quick.migrate()
        self._control.execute(COMMITS_SLOWLY)
        self.bench = Workbench(self.quick, None, None)

    def close(self):
        self.slow.close()
        self.quick.close()
        self._control.close()

    @contextmanager
    def nothing_is_committed(self):
        self._control.execute("SELECT pg_advisory_lock(1)")
        yield
        self._control.execute("SELECT pg_advisory_unlock(1)")

    def go(self, act, store, others):
        """Do something in a thread, which ends or waits for a lock, as so many others do."""
        call = Call(act, store)
        while call.is_alive() and self._control.execute(WAITING).fetchone()[0] <= others:
            call.join(0.001)
        return call

    def both(self, first, second):
        """Do both; the second is begun when the first has done all but commit."""
        with self.nothing_is_committed():
            one = self.go(first, self.slow, 0)
            other = self.go(second, self.quick, int(one.is_alive()))
        one.end()
        other.end()


class Call(threading.Thread):
    """A call in a thread of its own."""

    def __init__(self, act, store):
        super().__init__()
        self._act, self._store, self._error = act, store, None
        self.start()

    def run(self):
        try:
            self._act(self._store)
        except BaseException as error:
            self._error = error

    def end(self):
        self.join(30)
        if self._error is not None:
            raise self._error


@pytest.fixture(scope="module")
def clients(postgres):
    """Two clients of a database of their own."""
    with postgres.database() as url:
        made = Clients(url)
        yield made
        made.close()


class Scene:
    """A run of two steps, `b` after `a`, and what of it is claimed."""

    def __init__(self, bench, name):
        self.bench = bench
        bench.store.prune(datetime.now(UTC) + timedelta(days=1), ENDED, 1000)
        self.ids = bench.add_run({"a": [], "b": ["a"]})
        self.jobs = {job.step: job for job in bench.store.find(Filter(run=self.ids[""]))}
        getattr(self, name)()

    def take(self):
        self.jobs |= {job.step: job for job in self.bench.claim()}

    def a_waits(self):
        pass

    def a_runs(self):
        self.take()

    def a_runs_and_b_is_cancelled(self):
        self.take()
        self.bench.store.cancel([self.ids["b"]])

    def b_waits_for_a_again(self):
        self.take()
        self.bench.store.settle([OUTCOMES["succeeded"](self.jobs["a"])])
        self.take()
        self.bench.store.retry([self.ids["a"]], "{}")
        self.take()

    def all_ended(self):
        self.take()
        self.bench.store.cancel([self.ids[""]])
        self.bench.store.settle([OUTCOMES["cancelled"](self.jobs["a"])])

    def outcome(self, how, step):
        return OUTCOMES[how](self.jobs[step])

    def opened(self):
        job = self.jobs["a"]
        part = self.bench.new(step="a/0", workflow="w")
        return opened(job.id, job.attempt, [part])

    def end(self):
        """How all of it stands, when what is due has been claimed; then make room for others."""
        self.take()
        run, store = self.ids[""], self.bench.store
        jobs = {job.step: job for job in store.find(Filter(run=run), 100)}
        store.pause([], paused=False, runs=[run])
        while any(job.ended_at is None for job in store.find(Filter(run=run), 100)):
            store.cancel([run])
            store.rescue(worker="w1")
        return {step: tuple(getattr(job, name) for name in SHOWN) for step, job in jobs.items()}


SHOWN = (
    *("state", "attempt", "failures", "losses", "releases", "reason"),
    *("waits_for", "opened", "paused", "cancel_requested"),
)
SCENES = ["a_waits", "a_runs", "a_runs_and_b_is_cancelled", "b_waits_for_a_again", "all_ended"]

ACTIONS = {
    "a succeeds": lambda scene, store: store.settle([scene.outcome("succeeded", "a")]),
    "a fails": lambda scene, store: store.settle([scene.outcome("failed", "a")]),
    "a goes back": lambda scene, store: store.settle([scene.outcome("released", "a")]),
    "a opens": lambda scene, store: store.settle([scene.opened()]),
    "b succeeds": lambda scene, store: store.settle([scene.outcome("succeeded", "b")]),
    "b goes back": lambda scene, store: store.settle([scene.outcome("retried", "b")]),
    "both succeed": lambda scene, store: store.settle(
        [scene.outcome("succeeded", step) for step in "ba"]
    ),
    "cancel b": lambda scene, store: store.cancel([scene.ids["b"]]),
    "cancel": lambda scene, store: store.cancel([scene.ids[""]]),
    "retry b": lambda scene, store: store.retry([scene.ids["b"]]),
    "retry": lambda scene, store: store.retry([scene.ids[""]]),
    "replay a": lambda scene, store: store.retry([scene.ids["a"]], "{}"),
    "skip a": lambda scene, store: store.skip(scene.ids["a"]),
    "skip b": lambda scene, store: store.skip(scene.ids["b"]),
    "pause": lambda scene, store: store.pause([], True, [scene.ids[""]]),
    "resume": lambda scene, store: store.pause([], False, [scene.ids[""]]),
    "rescue": lambda scene, store: store.rescue(worker="w1"),
    "claim": lambda scene, store: scene.bench.__class__(store, None, None).claim(),
    "extend": lambda scene, store: store.extend(claims(scene.jobs.values()), 30.0),
    "prune": lambda _, store: store.prune(datetime.now(UTC) + timedelta(1), ENDED, 1000),
}

LEAVES_WHAT_IS_IN_USE = {"prune", "extend"}
"""What waits for nobody: a row that another one changes is passed over."""


class InTurn(dict):
    """How a scene ends after some actions, one after the other."""

    def __init__(self, clients, name):
        self._clients, self._name = clients, name

    def __missing__(self, actions):
        scene = Scene(self._clients.bench, self._name)
        for action in actions:
            ACTIONS[action](scene, self._clients.quick)
        self[actions] = scene.end()
        return self[actions]


@pytest.fixture
def pairs(stress_seconds, stress_random):
    """Pairs of actions: once those that are chosen, and a share of the others; or all."""
    every = list(product(ACTIONS, ACTIONS))
    return every if stress_seconds > 30 else [*CHOSEN, *stress_random.sample(every, 50)]


CHOSEN = [
    ("retry b", "a succeeds"),
    ("b goes back", "a succeeds"),
    ("rescue", "a succeeds"),
    ("skip a", "claim"),
    ("claim", "skip a"),
    ("rescue", "skip a"),
    ("a fails", "skip b"),
]


@pytest.mark.parametrize("name", SCENES)
def test_two_calls_at_the_same_moment_come_to_what_one_after_the_other_does(clients, name, pairs):
    """Whichever they are, and whatever the one reads before the other commits."""
    in_turn = InTurn(clients, name)
    wrong = []
    for first, second in pairs:
        scene = Scene(clients.bench, name)
        clients.both(partial(ACTIONS[first], scene), partial(ACTIONS[second], scene))
        ended = scene.end()
        possible = [in_turn[first, second], in_turn[second, first]]
        if second in LEAVES_WHAT_IS_IN_USE:
            possible.append(in_turn[first,])
        if ended not in possible:
            wrong.append((first, second, ended, possible))

    assert [] == wrong


class CommitsAfterTheLock(Session):
    """The statements of an action; somebody else commits as soon as the first one has locked."""

    def __init__(self, session, commit):
        self._session, self._commit = session, commit

    def fetch(self, name, /, **parameters):
        found = self._session.fetch(name, **parameters)
        if name == "lock_runs":
            self._commit()
        return found

    def execute(self, name, /, **parameters):
        return self._session.execute(name, **parameters)


@pytest.mark.parametrize("act", ["cancel", "retry", "replay", "skip", "pause"])
def test_what_is_added_after_the_lock_is_left_alone(database, act):
    """It is not locked, so nobody may decide about it: not about the head alone, nor its parts."""
    store = PostgresStore(read_address(database))
    store.migrate()
    bench = Workbench(store, None, None)
    part = bench.new(step="a", workflow="w")
    head = bench.new(parts=[part])
    acts = {
        "cancel": lambda session: actions.cancel(session, [head.id]),
        "retry": lambda session: actions.retry(session, [head.id], None),
        "replay": lambda session: actions.retry(session, [head.id], "{}"),
        "skip": lambda session: skipping.skip(session, part.id, dry_run=False),
        "pause": lambda session: actions.pause(session, [], [head.id], paused=True),
    }
    with psycopg.connect(database) as adding:
        store.add([head], adding)
        store._run(
            lambda session: acts[act](CommitsAfterTheLock(session, adding.commit)), atomic=True
        )

    assert ["blocked", "queued"] == [store.get(job.id).state for job in (head, part)]
    assert not store.get(head.id).paused
    store.close()


READS_THE_TIME_SLOWLY = """
CREATE OR REPLACE FUNCTION rotulus_now() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
  IF current_setting('test.slow', true) = 'on' THEN
    PERFORM pg_advisory_xact_lock_shared(1);
  END IF;
  RETURN (extract(epoch FROM clock_timestamp()) * 1000000)::bigint;
END $$
"""
"""A statement waits, with `test.slow`, for the test, when it knows already what it will see."""


def test_a_job_that_is_sent_back_while_somebody_looks_at_its_entry_is_published(postgres):
    """Who looks has seen it ended, and must not forget what there is to publish by now."""
    with postgres.database() as url:
        clients = Clients(url)
        clients._control.execute(READS_THE_TIME_SLOWLY)
        store, taken = clients.quick, []

        def take(store):
            taken.extend(job.id for job in store.outbox.take("_out", 10, 30.0, 600.0))

        job = clients.bench.add(queue="_out", carried=True)
        store.cancel([job.id])
        with clients.nothing_is_committed():
            looking = clients.go(take, clients.slow, 0)
            assert looking.is_alive()
            store.retry([job.id])
            store.outbox.republish([job.id])
        looking.end()
        take(store)

        assert [job.id] == taken
        clients.close()
