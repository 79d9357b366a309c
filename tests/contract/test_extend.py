"""extend: renews what is still running, stores progress, and tells what was lost."""

import pytest

from contract.workbench import OUTCOMES, claims, job_id
from rotulus._jobs.states import Reason
from rotulus.store import Claim, Renewal


def test_a_renewed_lease_lasts_from_now(bench):
    """It can be renewed for ever."""
    job = bench.running()
    for _ in range(5):
        bench.clock.advance(20)
        assert ([], [], [], False) == bench.store.extend(claims([job]), 30.0)

    assert [] == bench.store.rescue(10)


def test_without_a_lease_nothing_is_renewed(bench):
    """It only tells how the claims stand."""
    job = bench.running()
    bench.clock.advance(29)
    assert ([], [], [], False) == bench.store.extend(claims([job]))

    bench.clock.advance(2)
    assert 1 == len(bench.store.rescue(10))


def test_a_claim_that_was_settled_is_lost(bench):
    """So is one of an attempt that there never was."""
    job = bench.ended()
    lost = [Renewal(job.id, 1), Renewal(job.id, 9), Renewal(job_id(0), 1)]

    assert [Claim(*claim[:2]) for claim in lost] == bench.store.extend(lost, 30.0).lost


def test_a_claim_that_was_taken_back_is_lost_also_while_the_job_runs_again(bench):
    """The old attempt's renewal does nothing for the new one."""
    old = bench.running()
    bench.clock.advance(31)
    bench.store.rescue(10)
    [new] = bench.claim(worker="w2", lease=30.0)
    bench.clock.advance(20)

    assert [Claim(old.id, 1)] == bench.store.extend(claims([old]), 30.0).lost
    bench.clock.advance(11)
    assert [new.id] == [job.id for job in bench.store.rescue(10)]


def test_a_claim_that_somebody_cancelled_says_so(bench):
    """It stays renewed until the worker has settled it."""
    job, other = bench.running(), bench.running()
    bench.store.cancel([job.id])

    assert ([], [Claim(job.id, 1)], [], False) == bench.store.extend(claims([job, other]), 30.0)
    assert ([], [Claim(job.id, 1)], [], False) == bench.store.extend(claims([job, other]))


def test_progress_is_stored_with_or_without_a_lease(bench):
    """The last one stands."""
    job = bench.running()
    bench.store.extend([Renewal(job.id, 1, '[1,9,"one"]')])
    assert '[1,9,"one"]' == bench.store.get(job.id).progress

    bench.store.extend([Renewal(job.id, 1, '[2,9,"two"]')], 30.0)
    bench.store.extend(claims([job]), 30.0)
    assert '[2,9,"two"]' == bench.store.get(job.id).progress


def test_progress_of_a_lost_claim_is_not_stored(bench):
    """Progress is fenced like everything a worker writes."""
    job = bench.running()
    bench.store.settle([OUTCOMES["retried now"](job)])
    bench.claim(worker="w2")
    bench.store.extend([Renewal(job.id, 1, '[1,9,"late"]')], 30.0)

    assert bench.store.get(job.id).progress is None


def test_a_worker_is_announced_for_the_length_of_the_lease(bench):
    """Also one that holds nothing."""
    bench.store.extend([], 30.0, bench.worker("w1", ("mail",)))
    [worker] = bench.store.fleet().workers
    assert ("w1", ("mail",), bench.clock.now()) == (worker.name, worker.queues, worker.seen_at)

    bench.clock.advance(31)
    assert [] == bench.store.fleet().workers


def test_a_worker_that_is_announced_again_is_as_it_says_then(bench):
    """It may have more slots by now, and know other tasks."""
    worker = bench.worker()._replace(slots=3, names=("a",))
    bench.store.extend([], 30.0, worker)
    bench.store.extend([], 30.0, worker._replace(slots=7, names=("a", "b")))

    [found] = bench.store.fleet().workers
    assert (7, ("a", "b")) == (found.slots, found.names)


def test_a_worker_tells_what_it_runs_and_its_memory(bench):
    """The memory is that of the last time; a worker of the version before tells none of them."""
    told = bench.worker("w1")._replace(
        version="2026.1", rotulus="0.1.0", python="3.11.2", memory=5 * 2**30
    )
    bench.store.extend([], 30.0, told)
    bench.store.extend([], 30.0, told._replace(memory=6 * 2**30))
    bench.clock.advance(1)
    bench.store.extend([], 30.0, bench.worker("w2"))

    first, second = bench.store.fleet().workers
    assert ("2026.1", "0.1.0", "3.11.2", 6 * 2**30) == first[-4:]
    assert (None, None, None, None) == second[-4:]


def test_a_worker_announced_for_no_time_is_gone(bench):
    """That is how a worker takes its leave."""
    bench.store.extend([], 30.0, bench.worker())
    bench.store.extend([], 0.0, bench.worker())

    assert [] == bench.store.fleet().workers


@pytest.mark.parametrize("lease", [30.0, None])
def test_why_an_attempt_runs_without_a_slot_is_stored_while_it_does(bench, lease):
    """The next renewal without it takes it back."""
    job = bench.running()
    bench.store.extend([Renewal(job.id, 1, reason=Reason.DEFERRED)], lease)
    assert "deferred" == bench.store.get(job.id).reason

    bench.store.extend(claims([job]), 30.0)
    assert bench.store.get(job.id).reason is None
