"""Eight threads do whatever comes to the same runs; then every counter is counted again.

Thirty seconds a store; `--stress-seconds 3600` goes on for as long, `--stress-seed` begins where
another one began.
"""

import random
import threading
import time
import traceback
from datetime import UTC, datetime, timedelta

import pytest

from contract.test_races import assert_whole
from contract.workbench import ERROR, Workbench
from rotulus._jobs import outcome as outcomes
from rotulus._jobs.states import ENDED, Reason
from rotulus._text.ids import Ids
from rotulus.store import (
    ENQUEUED,
    ClaimFilter,
    Debounce,
    Filter,
    NewJob,
    Renewal,
    StatFilter,
    Terms,
)
from rotulus.store.stats import ALL_TIMES
from rotulus.stores.postgres import PostgresStore, read_address
from rotulus.stores.sqlite import SqliteStore

pytestmark = pytest.mark.anywhere

THREADS = 8
ROUND = 2.0
"""Seconds after which all of them stop, and everything is counted again."""

RUNS = 4
MOST_STEPS = 7


def a_run(chance):
    """A run of some steps, each of which needs some of those before it."""
    steps = []
    for number in range(chance.randint(1, MOST_STEPS)):
        needs = chance.sample(steps, min(len(steps), chance.choice([0, 1, 1, 2, 3])))
        needs = [step.id for step in needs]
        steps.append(NewJob(new_id(), "{}", TERMS, step=f"s{number}", workflow="w", needs=needs))
    return NewJob(new_id(), "{}", TERMS, parts=steps)


TERMS = Terms("t")
new_id = Ids(lambda: datetime.now(UTC), random.SystemRandom())


class Hand(threading.Thread):
    """One of those who act, each with random numbers of its own."""

    def __init__(self, number, store, chance, runs, until):
        super().__init__()
        self.name = f"w{number}"
        self.store, self.chance, self.runs, self.until = store, chance, runs, until
        self.done, self.ended, self.error = [], 0, None

    def run(self):
        acts = [getattr(self, name) for name, often in OFTEN.items() for _ in range(often)]
        try:
            while time.monotonic() < self.until:
                act = self.chance.choice(acts)
                self.done.append(act.__name__)
                act()
        except BaseException as error:
            self.error = error

    def told(self):
        """What went wrong, and where; nothing if all went well."""
        return "".join(traceback.format_exception(self.error)) if self.error else ""

    def some(self):
        """A run, some of its jobs, or all of them."""
        jobs = self.chance.choice(self.runs)
        return self.chance.sample(jobs, self.chance.choice([1, 1, 1, 2, len(jobs)]) % len(jobs) + 1)

    def add(self):
        job = a_run(self.chance)
        self.runs[self.chance.randrange(RUNS)] = [job.id, *(part.id for part in job.parts)]
        for _ in range(self.chance.choice([1, 1, 2])):
            self.store.add([job])

    def add_debounced(self):
        """One that may move another one, which takes its labels."""
        terms = TERMS._replace(delay=0.01, debounce=Debounce(0.01, 0.1))
        key, label = self.chance.choice("kl"), self.chance.choice("123")
        [job] = self.store.add([NewJob(new_id(), "{}", terms, key, labels=f'{{"n":"{label}"}}')])
        self.runs[self.chance.randrange(RUNS)] = [job.id]

    def fill_group(self):
        """Open a group, or go on with it; it may stay open."""
        head = self.store.groups.open(NewJob(new_id(), "{}", TERMS, self.chance.choice("gh")))
        members = [NewJob(new_id(), "{}", TERMS) for _ in range(self.chance.randint(1, 3))]
        added = self.store.groups.add(head.id, members) or []
        self.runs[self.chance.randrange(RUNS)] = [head.id, *(member.id for member in added)]
        if self.chance.random() < 0.5:
            self.store.groups.close(head.id)

    def delete(self):
        self.store.delete(self.some())

    def reprioritise(self):
        self.store.reprioritise(self.some(), self.chance.randint(-1, 1))

    def fold(self):
        self.store.stats.fold(0, 1e9)

    def work(self):
        lease = self.chance.choice([0.001, 30.0])
        jobs = self.store.claim(ClaimFilter(self.name), self.chance.randint(1, 5), lease)
        while jobs:
            self.store.extend([Renewal(job.id, job.attempt) for job in jobs], 30.0)
            ended = [self.outcome(job) for job in jobs if self.chance.random() > 0.1]
            self.ended += len(ended)
            if self.chance.random() < 0.5:
                self.ended -= len(self.store.settle(ended))
                return
            done = self.store.settle_and_claim(ended, ClaimFilter(self.name), 5, 30.0)
            jobs = done.jobs
            self.ended -= len(done.refused)

    def outcome(self, job):
        how = self.chance.choice(
            ["succeeded"] * 6 + ["failed", "retried", "released", "skipped", "cancelled", "opened"]
        )
        own = {
            "succeeded": ('"done"',),
            "failed": (Reason.ERROR, ERROR),
            "retried": (ERROR, self.chance.choice([0.0, 0.01])),
            "skipped": (Reason.TRIGGER,),
            "opened": (self.parts_of(job) if not job.opened else [],),
        }
        return getattr(outcomes, how)(job.id, job.attempt, *own.get(how, ()))

    def parts_of(self, job):
        """Parts that a job finds out it has."""
        within = f"{job.step}/" if job.step else ""
        return [part._replace(step=within + part.step) for part in a_run(self.chance).parts]

    def cancel(self):
        self.store.cancel(self.some())

    def retry(self):
        self.store.retry(self.some())

    def replay(self):
        self.store.retry(self.some()[:1], '{"again": true}')

    def cancel_and_retry(self):
        ids = self.some()
        self.store.cancel(ids)
        self.store.retry(ids)

    def pause(self):
        self.store.pause([], self.chance.random() < 0.5, self.some()[:1])

    def prune(self):
        self.store.prune(datetime.now(UTC), ENDED, self.chance.choice([1, 10]))

    def rescue(self):
        worker = self.chance.choice([None, f"w{self.chance.randrange(THREADS)}"])
        self.ended += len(self.store.rescue(100, worker))


OFTEN = {
    "work": 12,
    "add": 2,
    "add_debounced": 2,
    "fill_group": 1,
    "cancel": 2,
    "retry": 3,
    "replay": 1,
    "cancel_and_retry": 2,
    "pause": 2,
    "prune": 1,
    "rescue": 3,
    "delete": 1,
    "reprioritise": 1,
    "fold": 1,
}


def one_round(stores, chance):
    """All do what comes for a while; then all of it is whole, and comes to an end."""
    bench = Workbench(stores[0], None, None)
    counted = attempts(stores[0])
    runs = []
    for _ in range(RUNS):
        job = a_run(chance)
        stores[0].add([job])
        runs.append([job.id, *(part.id for part in job.parts)])
    until = time.monotonic() + ROUND
    hands = [
        Hand(n, stores[n % len(stores)], random.Random(chance.random()), runs, until)
        for n in range(THREADS)
    ]
    [hand.start() for hand in hands]
    [hand.join(60) for hand in hands]

    assert "" == "".join(hand.told() for hand in hands)
    jobs = stores[0].find(limit=100_000)
    for run in {job.run for job in jobs if job.run}:
        assert_whole(bench, run)
    ended = sum(hand.ended for hand in hands) + finish(stores[0], jobs)
    assert ended == attempts(stores[0]) - counted
    return sum(len(hand.done) for hand in hands)


def attempts(store):
    """How many attempts have been counted."""
    found = store.stats.read(StatFilter(0, 2**62, ALL_TIMES, times=False))
    return sum(stat.count for stat in found if stat.outcome != ENQUEUED)


def finish(store, jobs):
    """Let all that is left go on to its end; how many attempts have ended for that."""
    ended = 0
    store.pause([], False, {job.run or job.id for job in jobs})
    for head in {job.run for job in jobs if job.run}:
        store.groups.close(head)
    for number in range(THREADS):
        ended += len(store.rescue(10_000, f"w{number}"))
    while left := store.claim(ClaimFilter("last"), 1000, 30.0) or later(store):
        settled = [outcomes.succeeded(job.id, job.attempt, "null") for job in left]
        ended += len(left) - len(store.settle(settled))
    assert [] == [job for job in store.find(limit=100_000) if job.ended_at is None]
    store.prune(datetime.now(UTC) + timedelta(days=1), ENDED, 100_000)
    assert [] == store.find(limit=1)
    return ended


def later(store):
    """What is due at a later moment, cancelled."""
    return store.cancel([job.id for job in store.find(Filter(states=["delayed"]), 100_000)])


@pytest.fixture(params=["file", "postgres"])
def stores(request, tmp_path):
    """Four clients of a store, for two threads each."""
    if request.param == "file":
        path = str(tmp_path / "jobs.db")
        made = [SqliteStore(path, synchronous="NORMAL") for _ in range(4)]
    else:
        address = read_address(request.getfixturevalue("database"))
        made = [PostgresStore(address) for _ in range(4)]
    made[0].migrate()
    yield made
    for store in made:
        store.close()


def test_whatever_comes_at_the_same_time_everybody_waits_for_what_has_not_ended(
    stores, stress_random, stress_seconds
):
    """Nothing raises, nothing waits for nothing, every run ends, every attempt is counted once."""
    end = time.monotonic() + stress_seconds
    done = rounds = 0
    while time.monotonic() < end:
        done += one_round(stores, stress_random)
        rounds += 1
    print(f"{done} actions in {rounds} rounds")

    assert done > 50 * rounds
