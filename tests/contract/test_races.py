"""Clients released by a barrier at the same moment: exactly one of them wins."""

import threading
import time
from collections import Counter

import pytest

from contract.workbench import OUTCOMES, claims
from rotulus._jobs.outcome import opened
from rotulus.store import ClaimFilter, Filter
from rotulus.stores.postgres import claiming
from rotulus.stores.sqlite import choosing

CLIENTS = 6


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """A claim looks at its keys to the end, however busy the machine is."""
    monkeypatch.setattr(claiming, "LONGEST", 60.0)
    monkeypatch.setattr(choosing, "LONGEST", 60.0)


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


@pytest.mark.parametrize(("queues", "limit"), [(1, 7), (50, 1), (50, 60)])
def test_each_job_is_claimed_by_one_client(shared, queues, limit):
    """Whoever is first has it; together they have all, and no claim is empty before that."""
    jobs = [shared.add(queue=f"q{number % queues}") for number in range(300)]

    def take(number, store):
        taken = []
        while batch := store.claim(ClaimFilter(f"w{number}"), limit, 30.0):
            taken += [job.id for job in batch]
        return taken

    counts = Counter(job for taken in race(shared, take) for job in taken)
    assert {job.id: 1 for job in jobs} == counts


def test_a_limit_holds_between_clients(shared):
    """No two of them see the same room."""
    for _ in range(20):
        shared.add(limit_key="k", limit_to=2)
    taken = race(shared, lambda n, store: len(store.claim(ClaimFilter(f"w{n}"), 5, 30.0)))

    assert 2 == sum(taken)


def test_a_rate_holds_between_clients(shared):
    """However many of them claim, in however many rounds."""
    shared.add_many(60, limit_key="k", rate_to=7, rate_per=60.0)
    rounds = []
    for _ in range(3):
        taken = race(shared, lambda n, store: len(store.claim(ClaimFilter(f"w{n}"), 3, 30.0)))
        rounds.append(sum(taken))
        shared.clock.advance(60)

    assert [7, 7, 7] == rounds


def test_a_rate_holds_between_clients_while_time_goes_on(shared):
    """In no window there are more starts, as they were written down."""
    shared.add_many(200, limit_key="k", rate_to=5, rate_per=1.0)

    def take(number, store):
        starts = []
        for _ in range(60):
            starts += [job.started_at for job in store.claim(ClaimFilter(f"w{number}"), 3, 30.0)]
            if number == 0:
                shared.clock.advance(0.2)
        return starts

    starts = sorted(start for taken in race(shared, take) for start in taken)
    shared.clock.advance(1.0)
    last = [job.started_at for job in shared.store.claim(ClaimFilter("last"), 10, 30.0)]
    starts += last
    assert 5 == len(last)
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
        shared.store.rescue(worker="w1")


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


def test_many_threads_share_commits_also_with_parts(shared):
    """Each job has its own parts, and of those with one key one has any."""
    store = shared.store
    barrier = threading.Barrier(12)
    made = [
        [
            shared.new(
                "run", parts=shared.parts({"a": [], "b": ["a"]}), key="k" if n % 3 == 0 else None
            )
            if n % 2
            else shared.new()
            for _ in range(5)
        ]
        for n in range(12)
    ]

    def add(number):
        barrier.wait()
        for job in made[number]:
            store.add([job])

    threads = [threading.Thread(target=add, args=(n,)) for n in range(12)]
    [thread.start() for thread in threads]
    [thread.join(60) for thread in threads]

    runs = {job.run for job in store.find(Filter(step="b"), 1000)}
    assert 4 * 5 + 1 == len(runs)
    for run in runs:
        assert {"": "blocked", "a": "queued", "b": "blocked"} == shared.steps(run)


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


def in_shares(jobs):
    """Jobs for each client, as evenly as can be, each in an order of its own."""
    return [jobs[n::CLIENTS][:: 1 if n % 2 else -1] for n in range(CLIENTS)]


def test_needs_that_end_at_the_same_moment_are_all_counted(shared):
    """Whoever waits for them is due once, and nobody waits for each other."""
    needs = {f"n{i}": [] for i in range(24)}
    later = {f"l{i}": list(needs) for i in range(6)}
    for _ in range(15):
        ids = shared.add_run({**needs, **later})
        shares = in_shares(shared.claim(24))

        def settle(number, store, shares=shares):
            for job in shares[number]:
                store.settle([OUTCOMES["succeeded" if number % 2 else "failed"](job)])
            return store.claim(ClaimFilter(f"w{number}"), 6, 30.0)

        claimed = [job for taken in race(shared, settle) for job in taken]
        claimed += shared.claim()
        assert sorted(later) == sorted(job.step for job in claimed)
        assert {"": 6} | dict.fromkeys([*needs, *later], 0) == shared.waits(ids[""])
        shared.store.settle([OUTCOMES["succeeded"](job) for job in claimed])
        assert [""] == shared.work()


def test_batches_that_end_needs_of_the_same_jobs_do_not_wait_in_a_ring(shared):
    """In whatever order their outcomes stand."""
    needs = {f"n{i}": [] for i in range(60)}
    later = {f"l{i}": list(needs) for i in range(10)}
    took = []
    for _ in range(10):
        shared.add_run({**needs, **later})
        shares = in_shares(shared.claim(60))
        began = time.monotonic()
        race(
            shared,
            lambda n, store, s=shares: store.settle([OUTCOMES["succeeded"](j) for j in s[n]]),
        )
        took.append(time.monotonic() - began)
        assert [sorted(later), [""]] == [sorted(shared.work()), shared.work()]

    assert sorted(took)[4] < 1.0, "the server looks for a ring when a second is over"


def test_people_and_workers_act_on_one_run_at_the_same_moment(shared):
    """Whatever comes of it, everybody waits for just those that have not ended."""
    shape = {"a": [], "b": [], "c": ["a", "b"], "d": ["c"], "e": ["c"]}
    for _ in range(15):
        ids = shared.add_run(shape)

        def act(number, store, run=ids[""], ids=ids):
            for _ in range(4):
                if number == 0:
                    store.cancel([ids["c"]])
                elif number == 1:
                    store.retry([ids["c"], ids["a"]])
                elif number == 2:
                    store.pause([], paused=True, runs=[run])
                    store.pause([], paused=False, runs=[run])
                else:
                    how = "failed" if number == 3 else "succeeded"
                    jobs = store.claim(ClaimFilter(f"w{number}"), 2, 30.0)
                    store.settle([OUTCOMES[how](job) for job in jobs])

        race(shared, act)
        assert_whole(shared, ids[""])
        while shared.work():
            pass
        assert {"succeeded", "failed", "cancelled"} >= set(shared.steps(ids[""]).values())


def assert_whole(bench, run):
    """Who waits for how many is told right, and who waits for none is not blocked."""
    jobs = bench.store.find(Filter(run=run), 1000)
    for job in jobs:
        needs = bench.store.find(Filter(needed_by=[job.id]), 1000)
        waits = 0 if job.ended_at else sum(need.ended_at is None for need in needs)
        assert waits == job.waits_for
        if job.state != "running" and not job.ended_at:
            assert (job.state == "blocked") == bool(job.waits_for or job.paused)


def test_a_run_is_cancelled_with_parts_that_are_added_at_the_same_moment(shared):
    """None of them goes on by itself."""
    for _ in range(15):
        ids = shared.add_run({f"s{i}": [] for i in range(CLIENTS)})
        jobs = {job.step: job for job in shared.claim()}
        parts = {step: shared.parts({f"{step}/0": [], f"{step}/1": []}) for step in jobs}

        def act(number, store, run=ids[""], jobs=jobs, parts=parts):
            if number == 0:
                return store.cancel([run])
            job = jobs[f"s{number}"]
            return store.settle([opened(job.id, job.attempt, parts[job.step])])

        race(shared, act)
        assert {"cancelled", "running"} >= set(shared.steps(ids[""]).values())
        assert [] == shared.work()
        shared.store.settle([OUTCOMES["cancelled"](job) for job in jobs.values()])
