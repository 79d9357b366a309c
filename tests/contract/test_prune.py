"""prune: deletes jobs that ended long ago, the oldest first, and never a key that is held."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from contract.workbench import OUTCOMES
from rotulus._engine.duties import Prune
from rotulus._jobs.states import ENDED, State
from rotulus.errors import StoreBusyError
from rotulus.events import Events, JobsPruned
from rotulus.store import ClaimFilter, Filter
from rotulus.stores.postgres import PostgresStore, read_address


def test_what_ended_before_a_moment_is_deleted(bench):
    """With its earlier attempts; what ended later stays."""
    job = bench.running()
    bench.store.settle([OUTCOMES["retried now"](job)])
    [again] = bench.claim()
    bench.store.settle([OUTCOMES["succeeded"](again)])
    bench.clock.advance(60)
    young = bench.ended()
    pruned = bench.store.prune(bench.clock.now() - timedelta(seconds=30), ENDED, 100)

    assert 1 == pruned
    assert bench.store.get(job.id) is None
    assert "succeeded" == bench.state(young)


def test_what_has_not_ended_is_never_deleted(bench):
    """However old it is."""
    jobs = [bench.running(), bench.add(), bench.add(delay=1e6)]
    bench.clock.advance(1e5)

    assert 0 == bench.store.prune(bench.clock.now(), ENDED, 100)
    assert 3 == len(bench.store.find())
    assert jobs


def test_only_the_states_asked_for_are_deleted(bench):
    """What failed can be kept longer than what succeeded."""
    failed, succeeded = bench.ended("failed"), bench.ended("succeeded")
    bench.clock.advance(60)
    bench.store.prune(bench.clock.now(), [State.SUCCEEDED], 100)

    assert bench.store.get(succeeded.id) is None
    assert "failed" == bench.state(failed)


def test_a_job_whose_key_is_held_stays(bench):
    """It is what keeps the key from being used again."""
    job = bench.ended("succeeded", key="k", window=100.0)
    bench.clock.advance(60)
    assert 0 == bench.store.prune(bench.clock.now(), ENDED, 100)

    bench.clock.advance(60)
    assert 1 == bench.store.prune(bench.clock.now(), ENDED, 100)
    assert bench.store.get(job.id) is None


def test_at_most_the_limit_is_deleted_the_oldest_first(bench):
    """The rest goes with the next calls."""
    jobs = []
    for _ in range(5):
        jobs.append(bench.ended())
        bench.clock.advance(1)

    assert 2 == bench.store.prune(bench.clock.now(), ENDED, 2)
    assert [job.id for job in reversed(jobs[2:])] == [job.id for job in bench.store.find()]
    assert [2, 1, 0] == [bench.store.prune(bench.clock.now(), ENDED, 2) for _ in range(3)]


def test_a_run_is_deleted_whole_and_all_of_it_counts(bench):
    """With parts that ended later or otherwise, and with the parts of those."""
    ids = bench.add_run({"a": [], "b": ["a"]})
    [part] = bench.claim()
    bench.open(part, {"a/0": []})
    bench.work("failed")
    while bench.work():
        pass
    bench.clock.advance(60)

    assert 4 == bench.store.prune(bench.clock.now(), [State.SUCCEEDED], 100)
    assert [] == bench.store.find()
    assert [] == bench.store.find(Filter(needed_by=[ids[""]]))


def test_a_part_is_not_deleted_without_its_run(bench):
    """Its result may be needed."""
    bench.add_run({"a": [], "b": ["a"]})
    bench.work()
    bench.clock.advance(60)

    assert 0 == bench.store.prune(bench.clock.now(), ENDED, 100)
    assert 3 == len(bench.store.find())


def test_a_run_with_a_part_that_runs_still_stays(bench):
    """Its worker has not heard yet that it is cancelled."""
    ids = bench.add_run({"a": []})
    [part] = bench.claim()
    bench.store.cancel([ids[""]])
    bench.clock.advance(60)
    assert 0 == bench.store.prune(bench.clock.now(), ENDED, 100)

    bench.store.settle([OUTCOMES["cancelled"](part)])
    assert 2 == bench.store.prune(bench.clock.now(), ENDED, 100)
    assert [] == bench.store.find()


def test_runs_and_other_jobs_share_the_limit(bench):
    """The oldest first."""
    first = bench.add_run({"a": []})
    bench.work()
    bench.work()
    bench.clock.advance(1)
    second = bench.ended()
    bench.clock.advance(1)

    assert 2 == bench.store.prune(bench.clock.now(), [State.SUCCEEDED], 1)
    assert [second.id] == [job.id for job in bench.store.find()]
    assert first


def test_a_limit_of_jobs_holds_for_runs_but_for_the_last(bench):
    """So a call takes about as long, however wide runs are; what is left goes with the next calls."""
    for _ in range(3):
        bench.add_run({str(part): [] for part in range(10)})
        bench.work()
        bench.work()
    bench.clock.advance(60)

    pruned = [bench.store.prune(bench.clock.now(), ENDED, 15) for _ in range(3)]
    assert [22, 11, 0] == pruned


def test_the_limit_holds_for_all_states_together(bench):
    """Not for each of them."""
    for how in ("succeeded", "failed", "cancelled") * 2:
        bench.ended(how)
    bench.clock.advance(60)

    assert [4, 2, 0] == [bench.store.prune(bench.clock.now(), ENDED, 4) for _ in range(3)]


def test_batches_shrink_when_the_store_takes_too_long_and_grow_again(database, make_bench):
    """A batch that never comes to its end would be tried for ever."""
    bench = make_bench("postgres")
    store = PostgresStore(read_address(database))
    store.migrate()
    events, pruned = Events(), []
    events.subscribe(lambda event: pruned.append(event.jobs), JobsPruned)
    hurried = PostgresStore(read_address(f"{database}?deadline=2"))
    duty = Prune(hurried, {State.SUCCEEDED: timedelta(0)}, events)
    run = bench.new("run", parts=bench.parts({"a": []}))
    store.add([run, *(bench.new() for _ in range(700))])
    while jobs := store.claim(ClaimFilter("w"), 500, 30.0):
        store.settle([OUTCOMES["succeeded"](job) for job in jobs])
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    with psycopg.connect(database) as somebody:
        somebody.execute("SELECT FROM rotulus_jobs WHERE step = 'a' FOR UPDATE")
        with pytest.raises(StoreBusyError):
            duty.tick(tomorrow)

    assert [] == pruned
    assert [0.0, 60.0] == [duty.tick(tomorrow) for _ in range(2)]
    assert pruned[0] in (250, 251)
    assert 702 == sum(pruned)
    store.close()
    hurried.close()
