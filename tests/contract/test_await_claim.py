"""await_claim: waits for work, and takes it; on PostgreSQL perhaps in the transaction that adds it."""

import threading

import psycopg
import pytest

from contract.conftest import postgres
from contract.test_notify import told
from rotulus.errors import StoreRefusedError
from rotulus.store import ClaimFilter, Filter
from rotulus.stores.postgres import read_address
from rotulus.stores.postgres.adding import Adder
from rotulus.stores.postgres.connection import Connections
from rotulus.stores.postgres.offers import Offer, Offers

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
