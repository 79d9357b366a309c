"""Processes killed with SIGKILL: nothing is lost, nothing ends twice, the file is whole."""

import random
import signal
import time

import pytest

from crash.stores import on_both
from rotulus.store import ClaimFilter


@pytest.mark.parametrize("task", ["work", "awork"])
def test_a_worker_killed_between_claim_and_settle_loses_nothing(factory, task):
    """Another one takes over as soon as it looks, long before the lease is over."""
    jobs = factory.add(task, 8, seconds=0.3)
    victim = factory.start("--slots", "4")
    factory.began(3)
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    killed = time.monotonic()
    factory.start("--slots", "4")
    factory.all_ended(25)

    assert time.monotonic() - killed < 25  # the lease is 30 seconds
    assert {"succeeded": 8} == factory.states()
    assert list(range(8)) == [job.result(0) for job in jobs]
    assert [] == factory.books()
    assert [("ok",)] == factory.integrity()


def test_a_living_worker_takes_over_from_a_dead_one(factory):
    """In about a second."""
    factory.add("awork", 4, seconds=0.2)
    victim = factory.start("--slots", "4", "--name", "victim")
    factory.began(4)
    factory.start("--slots", "4", "--name", "heir")
    factory.until(lambda: len(factory.app.store.fleet().workers) == 2)
    jobs = factory.add("work", 2, seconds=30)
    factory.until(lambda: len(factory.app.jobs(state="running", task="work")) == 2)
    held = [job for job in factory.app.jobs(task="work") if job.worker == "victim"]
    victim.send_signal(signal.SIGKILL)
    died = time.monotonic()
    factory.until(lambda: all(job.refresh().attempt == 2 for job in held), 20)

    assert time.monotonic() - died < 10
    assert {"heir"} >= {job.refresh().worker for job in held}
    assert 2 == len(jobs)


@on_both
def test_a_task_that_kills_its_worker_is_given_up(factory):
    """After three losses, as dead(crash_loop); its neighbours are run."""
    poison = factory.app.enqueue("poison")
    jobs = factory.add("awork", 3, seconds=0)
    while not poison.refresh().state.ended:
        worker = factory.start(lease=1)
        factory.until(lambda w=worker: w.poll() is not None or poison.refresh().state.ended)
    factory.all_ended()
    poison = poison.refresh()

    assert ("dead", "crash_loop", 3) == (poison.state, poison.reason, poison.record.losses)
    assert [0, 1, 2] == [job.result(20) for job in jobs]
    assert 3 == sum(line[1] == "poison" for line in factory.ledger())


def test_kill_soup(factory):
    """Workers killed at random moments again and again, while jobs fail and succeed."""
    chance = random.Random(20261120)
    workers = [factory.start("--slots", "8") for _ in range(2)]
    for _ in range(10):
        factory.add("awork", 30, seconds=0.05)
        factory.add("work", 10, seconds=0.1)
        factory.add("flaky", 20)
        factory.app.store.wait(ClaimFilter(queues=["nobody serves this"]), chance.uniform(0.3, 0.9))
        victim = chance.randrange(2)
        workers[victim].send_signal(signal.SIGKILL)
        workers[victim].wait()
        workers[victim] = factory.start("--slots", "8")
        assert [("ok",)] == factory.integrity()
    factory.all_ended(120)
    dead = factory.app.jobs(state="dead", limit=1000)

    assert 600 == sum(factory.states().values())
    assert {"succeeded", "dead"} >= set(factory.states())
    assert {"crash_loop"} >= {job.reason for job in dead}
    assert len(dead) < 20, "only what was hit three times"
    assert [] == factory.books()
    assert [("ok",)] == factory.integrity()


def test_a_producer_killed_inside_a_transaction_adds_all_or_none(factory):
    """Half a batch is never seen."""
    chance = random.Random(7)
    for _ in range(6):
        before = len(factory.app.jobs(limit=10_000))
        producer = factory.run(
            "print('go', flush=True)\n"
            "for _ in range(10_000): app.registry.get('awork').enqueue_many("
            "[{'number': n, 'seconds': 0} for n in range(100)])",
            stdout=-1,
        )
        producer.stdout.readline()
        factory.app.store.wait(
            ClaimFilter(queues=["nobody serves this"]), chance.uniform(0.05, 0.4)
        )
        producer.send_signal(signal.SIGKILL)
        producer.wait()
        producer.stdout.close()
        added = factory.app.store.count()[0].jobs - before if factory.app.store.count() else 0

        assert 0 == added % 100
        assert [("ok",)] == factory.integrity()
        factory.app.store.cancel(
            [job.id for job in factory.app.jobs(limit=100_000, state="queued")]
        )
        factory.app.store.prune(_tomorrow(), {"cancelled"}, 1_000_000)


FILL = """
import itertools
with app.group("g", then=gather) as group:
    for number in itertools.count({first}):
        awork.using(group=group).enqueue(number, 0)
        mark("added", "awork", number, 0, os.getpid())
"""


@on_both
def test_a_group_is_whole_whoever_is_killed_while_it_is_filled(factory):
    """The next producer goes on; the callback gets each job that was added, once."""
    for first in (0, 10_000):  # what is lost three times is given up
        enough = len(_added(factory)) + 20
        killed = factory.run(FILL.format(first=first)), factory.start("--lease", "3")
        factory.until(lambda e=enough: len(_added(factory)) >= e)
        for process in killed:
            process.send_signal(signal.SIGKILL)
            process.wait()
    callback = factory.app.group("g").close()
    factory.start()
    numbers, added = callback.result(60), _added(factory)

    assert sorted(numbers) == numbers
    assert set(added) <= set(numbers)
    assert len(numbers) <= len(added) + 2, "one of each producer was added, and not told"
    assert {"succeeded": len(numbers) + 1} == factory.states()
    assert 1 == sum(line[1] == "gather" for line in factory.ledger())
    assert [] == factory.books()


def _added(factory):
    """The numbers of the jobs of a group that its producers know of."""
    return [int(line[2]) for line in factory.ledger() if line[0] == "added"]


def _tomorrow():
    from datetime import UTC, datetime, timedelta

    return datetime.now(UTC) + timedelta(days=1)


@on_both
def test_a_stopped_worker_that_wakes_up_is_refused(factory):
    """SIGSTOP past the lease, another worker's outcome, SIGCONT: the late outcome changes nothing."""
    [job] = factory.add("awork", 1, seconds=4.0)
    asleep = factory.start("--lease", "0.6", "--name", "asleep")
    factory.began(1)
    factory.stop(asleep.pid)
    factory.until(lambda: factory.app.store.rescue(10) or job.refresh().attempt > 1, 20)
    factory.start("--lease", "30", "--name", "awake")
    job.result(30)
    before = factory.app.get(job.id).record
    asleep.send_signal(signal.SIGCONT)
    factory.until(lambda: "refused" in factory.logs() or "lost" in factory.logs(), 20)
    asleep.send_signal(signal.SIGTERM)
    asleep.wait(20)

    assert before == factory.app.get(job.id).record
    assert ("awake", 2) == (before.worker, before.attempt)
