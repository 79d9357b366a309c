"""Changes: what is written, in which order, and what becomes of positions."""

import threading
import time

import psycopg
import pytest

from contract.workbench import OUTCOMES
from rotulus.store import StatFilter
from rotulus.store.changes import CHANGES_KEPT
from rotulus.store.stats import MINUTE
from rotulus.stores.shared import changes as shared_changes


def told(bench, after, limit=1000):
    """What has happened since a position, in a few words; and the position by then."""
    found = bench.store.changes.read(after, limit)
    return [(one.kind, one.name, one.what) for one in found]


def enqueued(store):
    """How many new jobs have been counted."""
    wanted = StatFilter(0, 10**17, MINUTE * 1_000_000)
    return sum(stat.count for stat in store.stats.read(wanted) if stat.outcome == "enqueued")


def of(job, *states):
    """The changes of a job."""
    return [("job", job.id, what) for what in states]


def test_the_life_of_a_job_is_told_from_its_add_to_its_end(bench):
    """With its task and its queue."""
    start = bench.store.changes.listen()
    job = bench.add("mail.send", queue="mail")
    [claimed] = bench.claim()
    bench.store.settle([OUTCOMES["succeeded"](claimed)])

    assert of(job, "queued", "running", "succeeded") == told(bench, start)
    assert {("mail.send", "mail")} == {
        (one.task, one.queue) for one in bench.store.changes.read(start, 9)
    }


@pytest.mark.parametrize("how", sorted(OUTCOMES))
def test_every_outcome_is_told(bench, how):
    """In the state that the job has then."""
    start = bench.store.changes.listen()
    job = bench.ended(how)

    assert of(job, "queued", "running", bench.state(job)) == told(bench, start)


def test_a_batch_is_told_in_its_order(bench):
    """Whether it has keys or not, one change for each job."""
    start = bench.store.changes.listen()
    jobs = bench.add_many(5)
    keyed = bench.store.add([bench.new(key=f"k{number}", delay=60.0) for number in range(3)])
    bench.store.add([bench.new(key="k1")])  # is held

    expected = sum([of(job, "queued") for job in jobs], [])
    assert sorted(expected + sum([of(job, "delayed") for job in keyed], [])) == sorted(
        told(bench, start)
    )


def test_a_run_is_told_step_by_step(bench):
    """What is blocked, and what becomes due by the end of a need."""
    start = bench.store.changes.listen()
    run = bench.add_run({"a": (), "b": ("a",)})
    bench.work()

    found = told(bench, start)
    assert {("job", run[""], "blocked"), ("job", run["b"], "blocked")} <= set(found)
    assert [("job", run["a"], what) for what in ("queued", "running", "succeeded")] == [
        one for one in found if one[1] == run["a"]
    ]
    assert ("job", run["b"], "queued") == found[-1] or ("job", run["b"], "queued") == found[-2]


def test_what_operators_do_is_told(bench):
    """Cancel, retry, delete; pauses of queues and of runs."""
    waiting, running, failed = bench.add(queue="x"), bench.running(), bench.ended("failed")
    start = bench.store.changes.listen()
    store = bench.store
    store.cancel([waiting.id, running.id])
    store.retry([failed.id])
    store.delete([waiting.id])
    store.pause(["q"], paused=True)
    store.pause(["q"], paused=True)
    store.pause(["q"], paused=False)
    store.pause((), paused=True, runs=[failed.id])
    store.pause((), paused=False, runs=[failed.id])

    found = told(bench, start)
    assert sorted([*of(waiting, "cancelled"), *of(running, "cancelling")]) == sorted(found[:2])
    queue = [("queue", "q", "paused"), ("queue", "q", "resumed")]
    assert of(waiting, "deleted") == [one for one in found if one[2] == "deleted"]
    assert queue == [one for one in found if one[0] == "queue"]
    assert ["blocked", "queued"] == [what for _, name, what in found if name == failed.id][-2:]


def test_what_is_lost_and_what_is_pruned_is_told(bench):
    """By whoever notices it."""
    start = bench.store.changes.listen()
    job = bench.running(priority=5)
    bench.clock.advance(60)
    bench.store.rescue()
    [again] = bench.claim()
    bench.store.settle([OUTCOMES["succeeded"](again)])
    bench.clock.advance(60)
    bench.store.prune(bench.clock.now(), ["succeeded"], 10)

    states = ("queued", "running", "queued", "running", "succeeded", "deleted")
    assert of(job, *states) == told(bench, start)


def test_workers_and_schedules_are_told(bench):
    """When they are seen first, and not at each renewal."""
    start = bench.store.changes.listen()
    for _ in range(2):
        bench.store.extend([], 30.0, bench.worker("w7"))

    assert [("worker", "w7", "started")] == told(bench, start)


def test_nothing_is_written_where_nobody_listens(bench):
    """And who begins to listen is told that there was something before."""
    job = bench.ended()
    start = bench.store.changes.listen()

    assert [] == told(bench, start)
    assert [("reset", "", "reset")] == told(bench, start - 1)
    assert [("reset", "", "reset")] == told(bench, start + 1000)
    assert bench.state(job)


def test_who_goes_on_after_a_position_misses_nothing_and_hears_nothing_twice(bench):
    """Page by page."""
    start = position = bench.store.changes.listen()
    bench.add_many(7)
    pages = []
    while page := bench.store.changes.read(position, 3):
        pages += page
        position = page[-1].position

    assert list(range(start + 1, start + 8)) == [one.position for one in pages]


def test_another_listener_changes_nothing_for_the_first(shared):
    """There is one list of changes, and it goes on."""
    start = shared.store.changes.listen()
    shared.add()
    shared.open_another().changes.listen()
    shared.add()

    assert ["queued", "queued"] == [what for _, _, what in told(shared, start)]


def test_changes_end_when_nobody_has_listened_for_long(bench):
    """Ten minutes; then positions are too old."""
    start = bench.store.changes.listen()
    bench.add()
    bench.clock.advance(CHANGES_KEPT - 1)
    bench.store.changes.prune()
    bench.add()
    assert "queued" == told(bench, start)[-1][2]

    bench.clock.advance(2)
    bench.store.changes.prune()
    bench.add()
    last = bench.store.changes.read(start, 1000)[-1].position
    again = bench.store.changes.listen()

    assert last + 1 == again
    assert [("reset", "", "reset")] == told(bench, last)


def test_what_is_settled_is_counted_right_though_changes_are_written(bench):
    """Refused outcomes are refused, and new jobs are counted once."""
    bench.store.changes.listen()
    jobs = bench.add_many(2)
    first, second = bench.claim()
    bench.store.settle([OUTCOMES["succeeded"](first)])
    refused = bench.store.settle([OUTCOMES["succeeded"](one) for one in (first, second)])

    assert [first.id] == [claim.id for claim in refused]
    assert ["succeeded"] * 2 == [bench.state(job) for job in jobs]

    known = [bench.new(), bench.new()]
    bench.store.add(known[:1])
    assert [job.id for job in known] == [job.id for job in bench.store.add(known)]
    assert 4 == enqueued(bench.store)


@pytest.mark.anywhere
def test_a_transaction_that_commits_late_is_not_passed_over(make_bench, migrated):
    """It noted its change first; another one commits before it, and is read; then it is read."""
    bench, url = make_bench("postgres"), migrated("postgres")
    start = bench.store.changes.listen()
    with psycopg.connect(url) as slow:
        late = bench.store.add([bench.new()], slow)[0]
        early = bench.add()
        [first] = bench.store.changes.read(start, 10)
        assert early.id == first.name
        assert [] == bench.store.changes.read(first.position, 10)
    [second] = bench.store.changes.read(first.position, 10)

    assert late.id == second.name
    assert first.position + 1 == second.position


@pytest.mark.anywhere
def test_readers_and_writers_that_race_lose_nothing(make_bench, migrated):
    """Many transactions, some of which stay open; each reader reads each change once, in order."""
    bench, url = make_bench("postgres"), migrated("postgres")
    start = bench.store.changes.listen()
    heard = [[], []]

    def write():
        store = bench.open_another()
        with psycopg.connect(url) as slow:
            for _ in range(40):
                store.add([bench.new()], slow)
                store.add([bench.new()])
                slow.commit()

    def read(mine):
        store, position = bench.open_another(), start
        patience = time.monotonic() + 60
        while len(mine) < 240 and time.monotonic() < patience:
            # Nothing may be read while the other reader places what has happened.
            mine += store.changes.read(position, 7)
            position = mine[-1].position if mine else start

    writers = [threading.Thread(target=write) for _ in range(3)]
    readers = [threading.Thread(target=read, args=(mine,)) for mine in heard]
    for thread in [*writers, *readers]:
        thread.start()
    for thread in [*writers, *readers]:
        thread.join()

    jobs = {job.id for job in bench.store.find(limit=1000)}
    assert 240 == len(jobs)
    for mine in heard:
        assert jobs == {one.name for one in mine}
        assert list(range(start + 1, start + 241)) == [one.position for one in mine]


@pytest.mark.anywhere
def test_a_transaction_that_began_before_anybody_listened_is_told_by_a_reset(make_bench, migrated):
    """When it is over: nobody can see before that what it has done."""
    bench, url = make_bench("postgres"), migrated("postgres")
    with psycopg.connect(url) as slow:
        bench.store.add([bench.new()], slow)
        start = bench.store.changes.listen()
        assert [] == told(bench, start)
    assert [("reset", "", "reset")] == told(bench, start)


NO_MORE_THAN_TEN = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT count(*) FROM gone) > 10 THEN
    RAISE 'too many at once';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER refuse AFTER DELETE ON rotulus_changes_new REFERENCING OLD TABLE AS gone
FOR EACH STATEMENT EXECUTE FUNCTION refuse();
CREATE TRIGGER refuse AFTER DELETE ON rotulus_changes REFERENCING OLD TABLE AS gone
FOR EACH STATEMENT EXECUTE FUNCTION refuse()
"""
"""A statement that moves or deletes a whole backlog fails, as one does that takes too long."""


@pytest.fixture
def portions(make_bench, migrated, monkeypatch):
    """A store on PostgreSQL that moves ten changes at once."""
    monkeypatch.setattr(shared_changes, "_PORTION", 10)
    bench, url = make_bench("postgres"), migrated("postgres")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(NO_MORE_THAN_TEN)
        yield bench
        connection.execute("DROP FUNCTION refuse() CASCADE")


@pytest.mark.anywhere
def test_a_backlog_is_read_in_portions(portions):
    """All of it by one read, in its order."""
    start = portions.store.changes.listen()
    jobs = portions.add_many(35)

    found = portions.store.changes.read(start, 1000)
    assert [job.id for job in jobs] == [one.name for one in found]
    assert list(range(start + 1, start + 36)) == [one.position for one in found]


@pytest.mark.anywhere
def test_a_backlog_that_nobody_reads_gets_its_positions_and_is_pruned_in_portions(portions):
    """By one call of the duty; a listener that comes back can tell that it has missed it."""
    start = portions.store.changes.listen()
    portions.add_many(30)
    portions.store.changes.prune()
    portions.clock.advance(CHANGES_KEPT - 1)
    portions.store.changes.listen()
    portions.clock.advance(2)
    portions.store.changes.prune()
    last = portions.store.changes.read(start, 1000)

    assert [("reset", start + 30)] == [(one.kind, one.position) for one in last]


@pytest.mark.anywhere
def test_a_backlog_of_which_nobody_wants_to_know_is_forgotten(portions, migrated):
    """In portions, when nobody has listened for long; it costs no later listener anything."""
    start = portions.store.changes.listen()
    portions.add_many(35)
    portions.clock.advance(CHANGES_KEPT + 1)
    portions.store.changes.prune()

    with psycopg.connect(migrated("postgres")) as connection:
        left = connection.execute("SELECT count(*) FROM rotulus_changes_new").fetchone()
        assert (0,) == left
    assert [] == portions.store.changes.read(start, 1000)
    assert start + 1 == portions.store.changes.listen()
    assert [("reset", "", "reset")] == told(portions, start)
