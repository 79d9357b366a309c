"""Debounce: a job that waits is moved by the next one with its key, and takes what that brings."""

import sqlite3
from collections import defaultdict
from datetime import timedelta

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.test_races import race
from contract.workbench import OUTCOMES
from rotulus._jobs.record import micros, moment
from rotulus.store import ClaimFilter, Debounce, Filter


def new(bench, number, wait=30.0, most=None, key="k", task="t", **fields):
    """A debounced job to add."""
    terms = {"delay": wait, "debounce": Debounce(wait, most)}
    return bench.new(task, arguments=numbered(number), key=key, **terms, **fields)


def put_off(bench, number, *args, **fields):
    """What comes of adding a debounced job."""
    return bench.store.add([new(bench, number, *args, **fields)])[0]


def numbered(number):
    """Arguments that say which call they are of."""
    return f'{{"n":{number}}}'


def due_in(bench, job):
    """Seconds from now until a job is due."""
    return (job.run_at - micros(bench.clock.now())) / 1_000_000


def test_a_job_that_waits_is_moved_and_takes_what_is_newer(bench):
    """It keeps its id and its place; it is found by its new labels, and not by the old ones."""
    first = put_off(
        bench, 1, labels='{"page":"1"}', headers='{"trace":"1"}', priority=3, expires=9.0
    )
    bench.clock.advance(20)
    moved = put_off(bench, 2, labels='{"page":"2"}', headers='{"trace":"2"}', expires=60.0)

    assert ("delayed", 30.0) == (moved.state, due_in(bench, moved))
    assert moved == first._replace(
        arguments=numbered(2),
        labels='{"page":"2"}',
        headers='{"trace":"2"}',
        run_at=moved.run_at,
        expires_at=moved.run_at + 60_000_000,
    )
    assert [moved] == bench.store.find()
    assert [moved] == bench.store.find(Filter(labels=["page=2"]))
    assert [] == bench.store.find(Filter(labels=["page=1"]))
    bare = put_off(bench, 3)
    assert (None, None, None) == (bare.labels, bare.headers, bare.expires_at)
    assert [] == bench.store.find(Filter(labels=["page=2"]))


@given(st.lists(st.integers(0, 29), max_size=8), st.none() | st.integers(30, 90))
def test_it_is_due_after_the_last_one_but_not_long_after_the_first(make_bench, gaps, most):
    """Whenever the others come while it waits."""
    bench = make_bench("memory")
    job, began = put_off(bench, 0, 30.0, most), bench.clock.now()
    for number, gap in enumerate(gaps):
        bench.clock.advance(gap)
        moved = put_off(bench, number, 30.0, most)
        latest = began + timedelta(seconds=most or 10_000)
        assert job.id == moved.id
        assert min(bench.clock.now() + timedelta(seconds=30), latest) == moment(moved.run_at)
        assert ("delayed" if moved.run_at > micros(bench.clock.now()) else "queued") == moved.state
        assert numbered(number) == moved.arguments


def test_a_job_that_is_due_waits_again_until_its_time_is_over(bench):
    """Then it stays due, and takes what is newer."""
    job = put_off(bench, 1, 0.0, 60.0)
    assert "queued" == job.state
    bench.clock.advance(30)
    moved = put_off(bench, 2, 30.0, 60.0)
    assert ("delayed", 30.0) == (moved.state, due_in(bench, moved))
    assert [] == bench.claim()
    bench.clock.advance(40)
    moved = put_off(bench, 3, 30.0, 60.0)
    assert ("queued", -10.0) == (moved.state, due_in(bench, moved))

    assert [(job.id, numbered(3))] == [(one.id, one.arguments) for one in bench.claim()]


def test_a_job_that_was_added_as_usual_is_moved_too(bench):
    """And one without debounce moves none."""
    job = bench.add(key="k")
    assert (job.id, "delayed") == (put_off(bench, 1).id, bench.state(job))
    bench.clock.advance(10)
    held = bench.add(key="k", arguments=numbered(2))

    assert (job.id, numbered(1), 20.0) == (held.id, held.arguments, due_in(bench, held))


@pytest.mark.parametrize("how", ["running", *sorted(OUTCOMES)])
def test_a_job_that_has_begun_lets_go_of_its_key(bench, how):
    """Whatever its window; it goes on, and the newer one holds the key."""
    job = bench.running(key="k", window=600.0)
    if how != "running":
        assert [] == bench.store.settle([OUTCOMES[how](job)])
    before = bench.store.get(job.id)
    newer = put_off(bench, 2)

    assert job.id != newer.id
    assert before == bench.store.get(job.id)
    assert newer == put_off(bench, 2) == bench.add(key="k", arguments=numbered(3))
    if how == "running":
        assert [] == bench.store.settle([OUTCOMES["succeeded"](job)])


def test_a_job_that_was_cancelled_before_it_began_lets_go_of_its_key(bench):
    """And when it is sent back, the newer one has the key."""
    job = put_off(bench, 1, window=600.0)
    bench.store.cancel([job.id])
    newer = put_off(bench, 2)

    assert job.id != newer.id
    assert [] == bench.store.retry([job.id])


def test_a_run_that_has_begun_lets_go_of_its_key(bench):
    """Though there was no attempt: its parts are there."""
    run = bench.add_run({"a": []}, key="k")
    newer = put_off(bench, 1, task="run")

    assert newer.id != run[""]
    assert {"": "blocked", "a": "queued"} == bench.steps(run[""])


def test_the_job_of_another_task_is_left_alone(bench):
    """It holds the key, as ever, whether it runs or not."""
    job = bench.add("other", key="k", priority=9)
    assert job == put_off(bench, 1)
    [running] = bench.claim()

    assert running == put_off(bench, 2)
    assert 1 == len(bench.store.find())


def test_of_several_in_one_call_the_last_one_counts(bench):
    """Whether the first of them is new, moved, or lets go; others are added beside them."""
    plain = bench.new()
    added = bench.store.add(
        [new(bench, 1), plain, new(bench, 2), new(bench, 3, key="l"), new(bench, 4)]
    )
    assert [numbered(4), "{}", numbered(4), numbered(3), numbered(4)] == [
        job.arguments for job in added
    ]
    assert added[0] == added[2] == added[4]
    assert 3 == len(bench.store.find())

    bench.clock.advance(5)
    again = bench.store.add([new(bench, 5, key="l"), new(bench, 6), new(bench, 7)])
    assert [(added[3].id, numbered(5)), *[(added[0].id, numbered(7))] * 2] == [
        (job.id, job.arguments) for job in again
    ]
    assert {30.0} == {due_in(bench, job) for job in again}

    bench.clock.advance(30)
    assert 3 == len(bench.claim())
    newer = bench.store.add([new(bench, 8), new(bench, 9)])
    assert {numbered(9)} == {job.arguments for job in newer}
    assert newer[0].id == newer[1].id != added[0].id


def test_an_add_that_is_repeated_takes_no_key_from_its_own_job(bench):
    """The answer may have been lost, and the job may run by now."""
    job = new(bench, 1, 0.0)
    bench.store.add([job])
    [running] = bench.claim()

    assert [running] == bench.store.add([job])
    assert job.id == bench.add(key="k").id


def test_a_paused_job_takes_what_is_newer_and_stays_blocked(bench):
    """It is due in its time once it is resumed."""
    job = put_off(bench, 1)
    bench.store.pause((), paused=True, runs=[job.id])
    bench.clock.advance(10)
    moved = put_off(bench, 2)
    assert ("blocked", numbered(2)) == (moved.state, moved.arguments)
    bench.store.pause((), paused=False, runs=[job.id])
    resumed = bench.store.get(job.id)

    assert ("delayed", 30.0) == (resumed.state, due_in(bench, resumed))


def test_each_move_is_told(bench):
    """As the state that the job has then, also when it had it before."""
    job = put_off(bench, 1, 30.0, 40.0)
    start = bench.store.changes.listen()
    put_off(bench, 2, 30.0, 40.0)
    bench.clock.advance(50)
    put_off(bench, 3, 30.0, 40.0)
    put_off(bench, 4, 30.0, 40.0)

    told = [(one.name, one.what) for one in bench.store.changes.read(start, 9)]
    assert [(job.id, "delayed"), (job.id, "queued"), (job.id, "queued")] == told


def test_a_carried_job_is_published_when_it_is_due_then(bench):
    """Once more, if it has been already."""
    job = put_off(bench, 1, carried=True)
    bench.store.outbox.published([job.id], 600.0, taken=False)
    bench.clock.advance(10)
    moved = put_off(bench, 2, carried=True)

    assert (moment(moved.run_at), None, 0) == bench.store.outbox.entry(job.id)


def test_a_job_that_is_put_off_makes_room_for_others_of_its_limit(bench):
    """They are claimed while it waits, and it is claimed after them."""
    limits = {"limit_key": "l", "limit_to": 1}
    first = put_off(bench, 1, 0.0, **limits)
    put_off(bench, 2, **limits)
    other = bench.add(**limits)
    [taken] = bench.claim()
    assert other.id == taken.id
    bench.clock.advance(31)
    assert [] == bench.claim()
    bench.store.settle([OUTCOMES["succeeded"](taken)])

    assert [(first.id, numbered(2))] == [(job.id, job.arguments) for job in bench.claim()]


@pytest.mark.parametrize("commits", [False, True])
def test_a_move_belongs_to_the_transaction_of_its_caller(shared, commits, tmp_path, migrated):
    """Nobody sees it before the commit, and never if there is none."""
    job = put_off(shared, 1, labels='{"page":"1"}')
    is_file = shared.store.url.startswith("sqlite")
    connect = sqlite3.connect if is_file else psycopg.connect
    connection = connect(tmp_path / "jobs.db" if is_file else migrated("postgres"))
    [moved] = shared.store.add([new(shared, 2, 60.0)], connection)
    assert (job.id, 60.0, numbered(2)) == (moved.id, due_in(shared, moved), moved.arguments)
    assert job == shared.store.get(job.id)._replace(history=None)
    connection.commit() if commits else connection.rollback()
    connection.close()

    assert (moved if commits else job) == shared.store.get(job.id)._replace(history=None)
    assert (not commits) == bool(shared.store.find(Filter(labels=["page=1"])))


def test_no_enqueue_is_lost_while_others_are_made_and_jobs_are_claimed(shared):
    """Each moves a job that waits, or adds one; a job never changes once it is claimed."""
    rounds = 25
    calls = {
        (client, number): new(shared, client * 1000 + number, 0.0)
        for client in range(6)
        for number in range(rounds)
    }

    def act(client, store):
        if client % 2:
            claimed = []
            for _ in range(2 * rounds):
                claimed += store.claim(ClaimFilter(f"w{client}"), 5, 30.0)
            return claimed
        return [store.add([calls[client, number]])[0] for number in range(rounds)]

    answers = race(shared, act)
    added = [job for client in (0, 2, 4) for job in answers[client]]
    claimed = [job for client in (1, 3, 5) for job in answers[client]] + shared.claim()

    mine = [calls[client, number].arguments for client in (0, 2, 4) for number in range(rounds)]
    assert mine == [job.arguments for job in added]  # each was there when its add was committed
    taken = {job.id: job.arguments for job in claimed}
    assert len(taken) == len(claimed) == len(shared.store.find(limit=1000))
    brought = defaultdict(set)
    for job in added:
        brought[job.id].add(job.arguments)
    assert brought.keys() == taken.keys()
    assert [] == [job for job, arguments in taken.items() if arguments not in brought[job]]
    assert [] == [one for one in shared.store.find(limit=1000) if one.arguments != taken[one.id]]


def test_clients_that_move_several_jobs_at_once_do_not_wait_for_each_other_for_ever(shared):
    """In whatever order they name them."""
    shared.store.add([new(shared, 0, key=key) for key in "abcd"])
    orders = ["abcd", "dcba", "bdac", "cadb", "acbd", "dbca"]
    batches = [
        [[new(shared, client, key=key) for key in order] for _ in range(10)]
        for client, order in enumerate(orders)
    ]
    race(shared, lambda client, store: [store.add(batch) for batch in batches[client]])

    assert 4 == len(shared.store.find())
    assert 1 == len({job.arguments for job in shared.store.find()})
