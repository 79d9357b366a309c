"""prune: deletes jobs that ended long ago, the oldest first, and never a key that is held."""

from datetime import timedelta

from contract.workbench import OUTCOMES
from rotulus._jobs.states import ENDED, State


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
