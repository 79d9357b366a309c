"""Clients released by a barrier at the same moment: exactly one of them wins."""

import threading
from collections import Counter

import pytest

from contract.workbench import OUTCOMES, claims
from rotulus.store import Wanted

CLIENTS = 6


def race(bench, act):
    """What each of several clients got, all of them acting at once on stores of their own."""
    barrier = threading.Barrier(CLIENTS)
    answers = [None] * CLIENTS

    def run(number, store):
        barrier.wait()
        try:
            answers[number] = act(number, store)
        except BaseException as error:
            answers[number] = error

    stores = [bench.open_another() for _ in range(CLIENTS)]
    threads = [threading.Thread(target=run, args=item) for item in enumerate(stores)]
    [thread.start() for thread in threads]
    [thread.join(60) for thread in threads]
    assert not [answer for answer in answers if isinstance(answer, BaseException)]
    return answers


def test_each_job_is_claimed_by_one_client(shared):
    """Whoever is first has it; together they have all."""
    jobs = shared.add_many(300)

    def take(number, store):
        taken = []
        while batch := store.claim(Wanted(f"w{number}"), 7, 30.0):
            taken += [job.id for job in batch]
        return taken

    counts = Counter(job for taken in race(shared, take) for job in taken)
    assert {job.id: 1 for job in jobs} == counts


def test_a_limit_holds_between_clients(shared):
    """No two of them see the same room."""
    for _ in range(20):
        shared.add(limit_key="k", limit_to=2)
    taken = race(shared, lambda n, store: len(store.claim(Wanted(f"w{n}"), 5, 30.0)))

    assert 2 == sum(taken)


def test_a_rate_holds_between_clients(shared):
    """However many of them claim, in however many rounds."""
    shared.add_many(60, limit_key="k", rate_to=7, rate_per=60.0)
    rounds = []
    for _ in range(3):
        taken = race(shared, lambda n, store: len(store.claim(Wanted(f"w{n}"), 3, 30.0)))
        rounds.append(sum(taken))
        shared.clock.advance(60)

    assert [7, 7, 7] == rounds


def test_a_rate_holds_between_clients_while_time_goes_on(shared):
    """In no window there are more starts, as they were written down."""
    shared.add_many(200, limit_key="k", rate_to=5, rate_per=1.0)

    def take(number, store):
        starts = []
        for _ in range(60):
            starts += [job.started_at for job in store.claim(Wanted(f"w{number}"), 3, 30.0)]
            if number == 0:
                shared.clock.advance(0.2)
        return starts

    starts = sorted(start for taken in race(shared, take) for start in taken)
    assert 50 < len(starts) <= 65
    assert [] == [(a, b) for a, b in zip(starts, starts[5:], strict=False) if b - a < 1_000_000]


def test_a_key_is_given_to_one_client(shared):
    """The others get its holder."""
    jobs = [shared.new(key="k") for _ in range(CLIENTS)]
    held = race(shared, lambda number, store: store.add([jobs[number]])[0].id)

    assert 1 == len(set(held))
    assert 1 == len(shared.store.find())


@pytest.mark.parametrize("how", ["succeeded", "failed", "retried now", "released", "lost"])
def test_one_outcome_of_an_attempt_is_taken(shared, how):
    """Also when all say the same."""
    job = shared.running()
    refused = race(shared, lambda _, store: store.settle([OUTCOMES[how](job)]))

    assert CLIENTS - 1 == sum(map(len, refused))


def test_a_rescue_and_a_renewal_do_not_both_win(shared):
    """A job is either kept or taken back, and its worker is told which."""
    for _ in range(30):
        job = shared.running()
        shared.clock.advance(31)

        def act(number, store, job=job):
            if number % 2:
                return len(store.rescue(10))
            return len(store.extend(claims([job]), 30.0).lost) * 10

        answers = race(shared, act)
        record = shared.store.get(job.id)
        taken_back = sum(answer for answer in answers if answer < 10)
        assert taken_back == record.losses == (record.state == "queued")
        shared.store.cancel([job.id])
        shared.store.release("w1")


def test_a_loss_is_counted_once(shared):
    """However many clients look for it."""
    jobs = shared.add_many(10)
    shared.claim()
    shared.clock.advance(31)
    race(shared, lambda _, store: store.rescue(100))

    assert {1} == {shared.store.get(job.id).losses for job in jobs}


def test_many_threads_of_one_client_share_commits(shared):
    """Each of them has its own job when its own add has returned."""
    store = shared.store
    barrier = threading.Barrier(20)
    missing = []

    def add(number):
        barrier.wait()
        for _ in range(10):
            [record] = store.add([shared.new(f"t{number}")])
            if store.get(record.id) is None:
                missing.append(record.id)

    threads = [threading.Thread(target=add, args=(n,)) for n in range(20)]
    [thread.start() for thread in threads]
    [thread.join(60) for thread in threads]

    assert [] == missing
    assert 200 == len(store.find(limit=1000))


def test_a_write_that_fails_does_not_fail_those_it_shared_a_commit_with(shared):
    """Only its own changes are undone."""
    store = shared.store
    barrier = threading.Barrier(10)
    answers = []

    def add(number):
        barrier.wait()
        for _ in range(10):
            job = shared.new()
            try:
                store.add([job._replace(queue=None) if number % 2 else job])
                answers.append(("added", job.id))
            except Exception:
                answers.append(("failed", job.id))

    threads = [threading.Thread(target=add, args=(n,)) for n in range(10)]
    [thread.start() for thread in threads]
    [thread.join(60) for thread in threads]

    assert Counter(added=50, failed=50) == Counter(how for how, _ in answers)
    assert {job for how, job in answers if how == "added"} == {
        record.id for record in store.find(limit=1000)
    }
