"""claim: no more jobs of a key are started within a window than its rate allows."""

import pytest

from contract.test_wait import waiting
from contract.workbench import OUTCOMES
from rotulus._jobs.record import micros
from rotulus.store import ClaimFilter

HOUR = {"limit_key": "k", "rate_to": 3, "rate_per": 3600.0}
"""Three an hour."""


def started(bench, **how):
    """How many jobs a claim gets; they end at once."""
    jobs = bench.claim(**how)
    bench.store.settle([OUTCOMES["succeeded"](job) for job in jobs])
    return len(jobs)


def test_no_more_than_the_rate_is_started_within_the_window(bench):
    """The others of the key wait, also when the started ones have ended; other jobs do not."""
    bench.add_many(5, **HOUR)
    bench.add("free")

    assert 4 == started(bench)
    assert 0 == started(bench)


def test_a_start_counts_until_the_window_is_over(bench):
    """And not a microsecond longer."""
    bench.add_many(5, **HOUR)
    started(bench)
    bench.clock.advance(3599.999999)
    assert 0 == started(bench)

    bench.clock.advance(0.000001)
    assert 2 == started(bench)


def test_the_window_slides(bench):
    """It holds for every hour, not for those of the clock: each start makes room by itself."""
    bench.add_many(20, **HOUR)
    seen = []
    for _ in range(12):
        seen.append(started(bench, limit=1))
        bench.clock.advance(600)

    assert [1, 1, 1, 0, 0, 0] * 2 == seen


def test_in_no_window_there_are_more_than_the_rate(bench):
    """Whenever somebody looks."""
    bench.add_many(200, limit_key="k", rate_to=7, rate_per=10.0)
    starts = []
    for step in (0.4, 3.1, 0.01, 2.2, 0.9, 5.0, 0.3, 0.3) * 5:
        starts += [job.started_at for job in bench.claim(4)]
        bench.clock.advance(step)

    assert len(starts) > 20
    assert all(late - early >= 10_000_000 for early, late in zip(starts, starts[7:], strict=False))


def test_each_key_has_a_window_of_its_own(bench):
    """One that is used up does not hold up the others."""
    for key in ("a", "b"):
        bench.add_many(5, limit_key=key, rate_to=2, rate_per=60.0)

    assert 4 == started(bench)
    bench.add("c", limit_key="c", rate_to=1, rate_per=60.0)
    assert 1 == started(bench)


def test_a_rate_holds_for_all_clients(shared):
    """Each sees what the others have started."""
    other = shared.open_another()
    shared.add_many(5, **HOUR)

    assert 2 == len(shared.claim(2))
    assert 1 == len(other.claim(ClaimFilter("w2"), 9, 30.0))
    assert [] == shared.claim()


def test_every_attempt_is_a_start(bench):
    """Whatever becomes of it: it may have called what the rate protects."""
    bench.add(**HOUR)
    for how in ("retried now", "released", "retried now"):
        [job] = bench.claim()
        bench.store.settle([OUTCOMES[how](job)])

    assert [] == bench.claim()
    bench.clock.advance(3600)
    assert 1 == len(bench.claim())


def test_a_lost_attempt_was_a_start(bench):
    """Also of a job that was lost twice, which is claimed in another way."""
    bench.add(**HOUR)
    for _ in range(2):
        bench.claim(worker="victim")
        bench.store.rescue(worker="victim")
        bench.clock.advance(60)
    fresh = bench.add(**HOUR)
    [suspect] = bench.claim(1)
    bench.store.settle([OUTCOMES["succeeded"](suspect)])

    assert suspect.id != fresh.id
    assert [] == bench.claim()


def test_a_job_that_was_lost_twice_waits_for_its_rate(bench):
    """It keeps to every rule."""
    bench.add(limit_key="k", rate_to=2, rate_per=3600.0)
    for _ in range(2):
        bench.claim(worker="victim")
        bench.store.rescue(worker="victim")
        bench.clock.advance(60)
    assert [] == bench.claim()

    bench.clock.advance(3600)
    assert 1 == len(bench.claim())


def test_a_rate_and_a_limit_hold_together(bench):
    """Whichever leaves less room."""
    bench.add_many(9, **HOUR, limit_to=2)
    first = bench.claim()
    assert 2 == len(first)
    assert [] == bench.claim()

    bench.store.settle([OUTCOMES["succeeded"](job) for job in first])
    assert 1 == len(bench.claim())
    bench.clock.advance(3600)
    assert 1 == len(bench.claim())


def test_each_job_has_its_own_rate(bench):
    """Also where those of one key differ: one that allows more may go where another may not."""
    bench.add("few", limit_key="k", rate_to=1, rate_per=60.0)
    assert 1 == started(bench)
    bench.add("more", limit_key="k", rate_to=2, rate_per=60.0)
    assert 1 == started(bench)
    bench.add("more", limit_key="k", rate_to=2, rate_per=60.0)

    assert 0 == started(bench)


def test_a_start_counts_for_the_window_of_its_own_job(bench):
    """An hour for one that has three an hour, a minute for one that has one a minute."""
    bench.add(limit_key="k", rate_to=1, rate_per=60.0)
    started(bench)
    bench.add(**HOUR)
    started(bench)
    bench.clock.advance(60)
    bench.add_many(3, **HOUR)

    assert 2 == started(bench)


def test_a_rate_follows_priority(bench):
    """Of one key, the most urgent goes first."""
    bench.add("low", limit_key="k", rate_to=1, rate_per=60.0)
    bench.add("high", limit_key="k", rate_to=1, rate_per=60.0, priority=5)

    assert ["high"] == [job.task for job in bench.claim()]


def test_a_delayed_or_paused_job_uses_nothing_of_the_rate(bench):
    """Only what is started counts."""
    bench.add("later", limit_key="k", rate_to=1, rate_per=60.0, delay=30.0)
    bench.add("paused", limit_key="k", rate_to=1, rate_per=60.0, queue="x")
    bench.add("now", limit_key="k", rate_to=1, rate_per=60.0)
    bench.store.pause(["x"], paused=True)

    assert ["now"] == [job.task for job in bench.claim()]


def test_what_counts_is_kept_however_often_old_jobs_are_pruned(bench):
    """The job may be gone; its start is not."""
    bench.add_many(5, **HOUR)
    started(bench)
    bench.clock.advance(60)
    assert 3 == bench.store.prune(bench.clock.now(), ["succeeded"], 100)

    assert 0 == started(bench)
    bench.clock.advance(3540)
    bench.store.prune(bench.clock.now(), ["succeeded"], 100)
    assert 2 == started(bench)


def test_a_job_tells_its_rate(bench):
    """The window in whole microseconds."""
    job = bench.add(limit_key="k", rate_to=3, rate_per=0.5)

    assert ("k", 3, 500_000) == (job.limit_key, job.rate_to, job.rate_per)
    assert job == bench.store.get(job.id)._replace(history=None)


def test_a_job_that_waits_for_its_rate_tells_when_it_has_room(bench):
    """Nothing when there is room, or when it does not wait."""
    jobs = bench.add_many(4, **HOUR)
    assert bench.store.get(jobs[3].id).opens_at is None
    first = bench.clock.now()
    bench.claim(1)
    bench.clock.advance(60)
    bench.claim(2)

    opens_at = bench.store.get(jobs[3].id).opens_at
    assert micros(first) + 3_600_000_000 == opens_at
    assert bench.store.get(jobs[0].id).opens_at is None
    bench.clock.advance(3540)
    assert bench.store.get(jobs[3].id).opens_at is None


def test_no_work_is_told_of_while_a_rate_allows_none(bench):
    """Until the window opens."""
    bench.add_many(4, **HOUR)
    started(bench)
    assert bench.wait(0.05) is False

    bench.clock.advance(3600)
    assert bench.wait(30.0) is True


def test_who_waits_is_woken_when_the_window_opens(bench):
    """Nobody has to ring for that."""
    bench.add_many(4, **HOUR)
    started(bench)
    thread, answers = waiting(bench)
    bench.clock.advance(3599)
    assert [] == answers

    bench.clock.advance(1)
    thread.join(20)
    assert [True] == answers


@pytest.mark.parametrize("keys", [0, 40])
def test_a_job_without_room_by_its_own_terms_holds_up_nobody_behind_it(bench, keys):
    """Though the first job of the key, which has room, is in a queue that is not wanted."""
    for number in range(keys):
        bench.add_many(2, limit_key=f"k{number}", limit_to=1)
    assert keys == len(bench.claim(keys + 1))
    bench.add_many(4, limit_key="k", limit_to=5)
    assert 4 == len(bench.claim(5))
    bench.add(queue="elsewhere", limit_key="k", limit_to=5)
    bench.add_many(3, queue="here", limit_key="k", limit_to=2)
    last = bench.add(queue="here", limit_key="k", limit_to=5)
    wanted = ClaimFilter("w", queues=("here",))

    assert bench.store.wait(wanted, 0.0)
    assert [last.id] == [job.id for job in bench.store.claim(wanted, 1, 30.0)]
    assert not bench.store.wait(wanted, 0.0)
    assert [] == bench.store.claim(wanted, 1, 30.0)
