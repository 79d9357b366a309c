"""prune: deletes jobs that ended long ago, the oldest first, and never a key that is held."""

from datetime import timedelta

from contract.workbench import OUTCOMES
from rotulus._jobs.states import ENDED, State
from rotulus.store import Filter


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


def test_a_run_is_deleted_whole_and_counts_as_one(bench):
    """With parts that ended later or otherwise, and with the parts of those."""
    ids = bench.add_run({"a": [], "b": ["a"]})
    [part] = bench.claim()
    bench.open(part, {"a/0": []})
    bench.work("failed")
    while bench.work():
        pass
    bench.clock.advance(60)

    assert 1 == bench.store.prune(bench.clock.now(), [State.SUCCEEDED], 100)
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
    assert 1 == bench.store.prune(bench.clock.now(), ENDED, 100)
    assert [] == bench.store.find()


def test_runs_and_other_jobs_share_the_limit(bench):
    """The oldest first."""
    first = bench.add_run({"a": []})
    bench.work()
    bench.work()
    bench.clock.advance(1)
    second = bench.ended()
    bench.clock.advance(1)

    assert 1 == bench.store.prune(bench.clock.now(), [State.SUCCEEDED], 1)
    assert [second.id] == [job.id for job in bench.store.find()]
    assert first
