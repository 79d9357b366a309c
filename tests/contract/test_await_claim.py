"""await_claim: waits for work, and takes it; on PostgreSQL perhaps in the transaction that adds it."""

import random
import threading
import time

import psycopg
import pytest

from contract.conftest import postgres
from contract.test_notify import told
from rotulus.errors import StoreRefusedError
from rotulus.store import ClaimFilter, Filter
from rotulus.stores.postgres import read_address
from rotulus.stores.postgres.adding import Adder
from rotulus.stores.postgres.connection import Connections
from rotulus.stores.postgres.listening import Listener
from rotulus.stores.postgres.offers import Offer, Offers
from rotulus.stores.postgres.work_waiter import WorkWaiter

EVERY_JOB = ClaimFilter("w1")


def await_claim(bench, timeout, *, limit=10, wanted=EVERY_JOB):
    """Wait and take jobs, as worker w1 unless it says otherwise."""
    return bench.store.await_claim(wanted, lambda: limit, 30.0, timeout)


def awaiting(bench, **how):
    """A thread that waits for jobs, and a list that they come into."""
    taken = []
    thread = threading.Thread(target=lambda: taken.extend(await_claim(bench, 30.0, **how)))
    thread.start()
    return thread, taken


def test_what_is_there_is_taken_at_once(bench):
    """As many as the caller can use by then; they run."""
    first, _ = bench.add_many(2)
    [job] = await_claim(bench, 30.0, limit=1)

    assert (first.id, "running", 1, "w1") == (job.id, job.state, job.attempt, job.worker)


def test_nothing_is_taken_where_nothing_comes(bench):
    """The time is over then."""
    assert [] == await_claim(bench, 0.05)


def test_what_is_added_meanwhile_is_taken_once(bench):
    """Whoever claims it, it runs in its first attempt, and nobody else can take it."""
    thread, taken = awaiting(bench)
    added = bench.add()
    thread.join(20)

    assert [(added.id, 1)] == [(job.id, job.attempt) for job in taken]
    assert [] == bench.claim(worker="w2")


def test_a_worker_that_has_no_slot_any_more_takes_nothing(bench):
    """The job is left for others."""
    job = bench.add()

    assert [] == await_claim(bench, 0.05, limit=0)
    assert [job.id] == [one.id for one in bench.claim(worker="w2")]


def test_two_workers_that_wait_share_what_comes(bench):
    """No job is taken twice."""
    first, taken = awaiting(bench, limit=1)
    second, others = awaiting(bench, limit=1, wanted=ClaimFilter("w2"))
    added = bench.add_many(2)
    first.join(20)
    second.join(20)

    assert {job.id for job in added} == {job.id for job in taken + others}


@pytest.fixture(params=[postgres])
def there(request, make_bench):
    """A store on a server."""
    return make_bench(request.param)


@pytest.fixture
def add_beside(there, migrated):
    """Adds jobs beside a worker that waits; gives what was claimed for it."""
    connections = Connections(read_address(migrated()))

    def add(jobs, wanted=EVERY_JOB, limit=10):
        offers = Offers(lambda: None, 10.0)
        offer = Offer(wanted, lambda: limit, 30.0)
        offers.make(offer)
        Adder(connections, offers).add(jobs)
        return [job.id for job in offers.withdraw(offer)]

    yield add
    connections.close()


def test_one_transaction_adds_and_claims(there, add_beside, migrated):
    """Its first row, and what has become of that, have been written by the same one."""
    job = there.new()

    assert [job.id] == add_beside([job])
    with psycopg.connect(migrated()) as connection:
        [written] = connection.execute(WRITTEN).fetchall()
    assert (True, "running", 1) == written


WRITTEN = """
SELECT job.xmin = new.xmin, job.state, job.attempt FROM rotulus_jobs AS job, rotulus_stats_new AS new
"""


def test_the_first_steps_of_a_run_are_claimed_as_well(there, add_beside):
    """Those that need no others."""
    parts = there.parts({"a": [], "b": ["a"], "c": []})
    run = there.new("run", parts=parts)

    assert [parts[0].id, parts[2].id] == add_beside([run])
    assert {"": "blocked", "a": "running", "b": "blocked", "c": "running"} == there.steps(run.id)


def test_jobs_that_are_in_front_come_first(there, add_beside, migrated):
    """The order of claims is what it always is; who is left is told to others."""
    first, last = there.add(), there.new()
    said = told(migrated(), lambda: add_beside([last], limit=1))

    assert (first.id, "") == (there.store.find(Filter(states=["running"]), 2)[0].id, said[0])


def test_nobody_is_told_of_work_that_has_been_taken(there, add_beside, migrated):
    """Workers elsewhere sleep on."""
    assert [] == told(migrated(), lambda: add_beside([there.new()]))


@pytest.mark.parametrize(
    "wanted",
    [ClaimFilter("w1", queues=["other"]), ClaimFilter("w1", names=["other"])],
    ids=["queue", "task"],
)
def test_what_a_worker_would_not_take_is_no_reason_to_claim_for_it(there, add_beside, wanted):
    """It waits on."""
    there.add(queue="other", task="other")

    assert [] == add_beside([there.new()], wanted)


@pytest.mark.parametrize(
    "terms", [{"delay": 60.0}, {"limit_key": "k", "limit_to": 1}, {"key": "k"}]
)
def test_jobs_of_another_kind_are_claimed_as_usual(there, add_beside, terms):
    """Those that are not due, that have limits, or whose add may wait for others."""
    assert [] == add_beside([there.new(**terms)])


def test_a_job_that_cannot_be_added_leaves_the_worker_without_any(there, add_beside):
    """Neither is anything claimed."""
    other = there.add()
    with pytest.raises(StoreRefusedError):
        add_beside([there.new(arguments="\0")])

    assert "queued" == there.state(other)


def test_jobs_that_were_claimed_for_a_worker_begin_though_its_own_look_fails(there, migrated):
    """They run already: nobody else would begin them before their lease is over."""
    with (
        psycopg.connect(migrated(), autocommit=True) as admin,
        psycopg.connect(migrated()) as holder,
    ):
        holder.execute("LOCK TABLE rotulus_pauses IN ACCESS EXCLUSIVE MODE")
        worker, taken = awaiting(there)
        [look] = kept_waiting(admin, 1)
        adding = threading.Thread(target=there.add)
        adding.start()
        kept_waiting(admin, 2)
        admin.execute("SELECT pg_cancel_backend(%s)", [look])
        holder.rollback()
        adding.join(20)
        worker.join(20)

    assert [1] == [job.attempt for job in taken]


def kept_waiting(admin, count):
    """The processes of a server that wait for a lock, once there are so many."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        found = admin.execute(WAITING).fetchall()
        if len(found) >= count:
            return [pid for (pid,) in found]
    raise AssertionError(f"never did {count} processes wait")


WAITING = """
SELECT pid FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'rotulus' AND wait_event_type = 'Lock'
"""


@pytest.mark.parametrize("queues", [None, ["default"]])
def test_a_worker_that_has_been_given_jobs_does_not_look_for_more(queues):
    """There is no server here: a look would raise."""
    address = read_address("postgresql://nobody@127.0.0.1:1/none")
    waiter = WorkWaiter(
        Connections(address), Listener(address, None, random.random), ClaimFilter("w1", queues)
    )

    assert waiter.wait(time.monotonic() + 30, random.random, lambda: True)


class Repeating(Connections):
    """Connections where the answer to each commit is lost, and all is done once more."""

    def run(self, work, **how):
        super().run(work, **how)
        return super().run(work, **how)


def test_a_worker_gets_what_was_claimed_by_a_commit_whose_answer_was_lost(there, migrated):
    """As far as it runs still, and no more than it has slots for."""
    connections = Repeating(read_address(migrated()))
    offers, offer = Offers(lambda: None, 10.0), Offer(EVERY_JOB, lambda: 2, 30.0)
    offers.make(offer)
    jobs = [there.new() for _ in range(3)]
    Adder(connections, offers).add(jobs)
    connections.close()

    assert [job.id for job in jobs[:2]] == [job.id for job in offers.withdraw(offer)]
    assert ["running", "running", "queued"] == [there.state(job) for job in jobs]


def test_after_a_claim_that_brought_nothing_adds_do_not_claim_for_a_while(there, migrated):
    """As where a queue is paused, and a worker waits all the time."""
    there.store.pause(["default"], paused=True)
    connections = Connections(read_address(migrated()))
    offers = Offers(lambda: None, 10.0)
    adder = Adder(connections, offers)
    answered = []
    for _ in range(2):
        offer = Offer(EVERY_JOB, lambda: 1, 30.0)
        offers.make(offer)
        adder.add([there.new()])
        answered.append(offer.answered.is_set())
        assert [] == offers.withdraw(offer)
    connections.close()

    assert [True, False] == answered
