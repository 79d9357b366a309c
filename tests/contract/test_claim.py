"""claim: due jobs become running, higher priority first, with a new attempt and a lease."""

import pytest

from contract.workbench import OUTCOMES, claims
from rotulus._jobs.record import micros


def test_a_claimed_job_is_running(bench):
    """It has a worker, a start, and attempt 1."""
    added = bench.add()
    [job] = bench.claim(worker="w7")

    assert (added.id, "running", 1, "w7") == (job.id, job.state, job.attempt, job.worker)
    assert micros(bench.clock.now()) == job.started_at


def test_a_job_is_claimed_once(bench):
    """What is running is not claimed again."""
    bench.add()
    bench.claim()

    assert [] == bench.claim(worker="w2")


def test_nothing_is_claimed_where_nothing_waits(bench):
    """An empty store gives an empty list."""
    assert [] == bench.claim()


def test_higher_priority_comes_first_then_the_order_of_adding(bench):
    """Within a priority, first come, first served."""
    names = ["a", "b", "c", "d", "e"]
    for name, priority in zip(names, [0, 5, 0, -1, 5], strict=True):
        bench.add(name, priority=priority)

    assert ["b", "e", "a", "c", "d"] == [job.task for job in bench.claim()]


def test_order_holds_across_queues_and_calls(bench):
    """Several queues are one line when they are claimed together."""
    for number in range(10):
        bench.add(f"t{number}", queue=f"q{number % 3}", priority=number % 2)
    first, rest = bench.claim(4), bench.claim()

    odd, even = [f"t{n}" for n in range(1, 10, 2)], [f"t{n}" for n in range(0, 10, 2)]
    assert odd + even == [job.task for job in [*first, *rest]]


def test_order_holds_among_many_queues(bench):
    """However many have jobs waiting, and however often they are claimed from."""
    added = [
        bench.add(queue=f"q{number * 7 % 30}", priority=number // 100 % 2) for number in range(300)
    ]
    expected = [job.id for job in sorted(added, key=lambda job: -job.priority)]
    claimed = [job.id for limit in (60, 60, 1, 60, 200) for job in bench.claim(limit)]

    assert expected == claimed


def test_a_queue_is_left_out_as_soon_as_it_is_paused_among_many(bench):
    """Also by a claim that goes on where the one before has ended."""
    for number in range(400):
        bench.add(queue=f"q{number % 20}")
    bench.claim(60)
    bench.store.pause(["q3"], paused=True)
    claimed = bench.claim(60) + bench.claim(400)

    assert 400 - 60 - 17 == len(claimed)
    assert "q3" not in {job.queue for job in claimed}


def test_at_most_the_limit_is_claimed(bench):
    """A worker gets no more than it asked for."""
    bench.add_many(5)

    assert 3 == len(bench.claim(3))


def test_only_the_queues_asked_for_are_claimed(bench):
    """None stands for all queues."""
    bench.add("a", queue="x")
    bench.add("b", queue="y")

    assert [] == bench.claim(queues=["z"])
    assert ["b"] == [job.task for job in bench.claim(queues=["y", "z"])]
    assert ["a"] == [job.task for job in bench.claim(queues=None)]


@pytest.mark.parametrize("kind", ["plain", "limited", "lost"])
def test_a_private_queue_is_claimed_only_by_those_who_name_it(bench, kind):
    """Whatever its jobs are like: nor is anybody else told that there is work."""
    limits = {"limit_key": "k", "limit_to": 5} if kind == "limited" else {}
    bench.add("own", queue="_own", **limits)
    if kind == "lost":
        for _ in range(2):
            bench.claim(queues=["_own"], lease=1.0)
            bench.clock.advance(2)
            bench.store.rescue()
            bench.clock.advance(10)

    assert [] == bench.claim(queues=None) == bench.claim(queues=["own", "a"])
    assert not bench.wait(0.0) or bench.claim() == []
    assert not bench.wait(0.0)
    assert bench.wait(0.0, queues=["_own"])
    assert ["own"] == [job.task for job in bench.claim(queues=["a", "_own"])]


def test_only_the_names_asked_for_are_claimed(bench):
    """A worker can leave alone what it does not know."""
    bench.add("old")
    bench.add("new")

    assert ["old"] == [job.task for job in bench.claim(names=["old", "older"])]
    assert ["new"] == [job.task for job in bench.claim(names=None)]


def test_a_delayed_job_is_claimed_when_its_time_has_come(bench):
    """Not a second earlier."""
    bench.add(delay=60.0)
    bench.clock.advance(59)
    assert [] == bench.claim()

    bench.clock.advance(1)
    assert 1 == len(bench.claim())


def test_a_delayed_job_of_high_priority_does_not_hold_up_others(bench):
    """What is not due yet is not in the line at all."""
    bench.add("later", delay=60.0, priority=9)
    bench.add("now")

    assert ["now"] == [job.task for job in bench.claim()]


def test_a_paused_queue_is_left_out_and_others_are_not(bench):
    """Pausing holds for every claim, also one that names the queue."""
    bench.add("a", queue="x")
    bench.add("b", queue="y")
    bench.store.pause(["x"], paused=True)

    assert ["b"] == [job.task for job in bench.claim()]
    assert [] == bench.claim(queues=["x"])


def test_an_attempt_is_never_given_out_twice(bench):
    """Each claim of a job has a number of its own, whatever ended the one before."""
    job = bench.add()
    seen = []
    for how in ("retried now", "released", "retried now"):
        [claimed] = bench.claim()
        seen.append(claimed.attempt)
        bench.store.settle([OUTCOMES[how](claimed)])
    bench.claim(lease=5.0)
    bench.clock.advance(6)
    bench.store.rescue(10)
    seen.append(bench.store.get(job.id).attempt)
    seen += [claimed.attempt for claimed in bench.claim()]

    assert [1, 2, 3, 4, 5] == seen


@pytest.mark.parametrize("limit_to", [1, 2, 3])
def test_no_more_than_the_limit_of_a_key_runs_at_once(bench, limit_to):
    """The others of the key wait, and other jobs do not."""
    for number in range(5):
        bench.add(f"k{number}", limit_key="k", limit_to=limit_to)
    bench.add("free")

    assert {*(f"k{n}" for n in range(limit_to)), "free"} == {job.task for job in bench.claim()}
    assert [] == bench.claim()


def test_a_key_has_room_again_when_one_of_its_jobs_ends(bench):
    """The next one follows, in order."""
    for number in range(3):
        bench.add(f"k{number}", limit_key="k", limit_to=1)
    order = []
    for _ in range(3):
        [job] = bench.claim()
        order.append(job.task)
        bench.store.settle([OUTCOMES["succeeded"](job)])

    assert ["k0", "k1", "k2"] == order


def test_a_key_has_room_again_however_many_others_have(bench):
    """Keys of which no job waits come in front of it."""
    for number in range(40):
        bench.add(limit_key=f"k{number}", limit_to=1)
    running = bench.claim()
    waiting = bench.add(limit_key="k39", limit_to=1)
    assert [] == bench.claim()
    for job in running:
        bench.store.settle([OUTCOMES["succeeded"](job)])

    assert [waiting.id] == [job.id for job in bench.claim(1)]


def test_a_key_at_its_limit_does_not_hold_up_other_keys(bench):
    """A long line behind one key is walked past."""
    for number in range(50):
        bench.add(f"a{number}", limit_key="a", limit_to=1, priority=9)
    bench.add("b0", limit_key="b", limit_to=1)

    assert ["a0", "b0"] == [job.task for job in bench.claim()]


def test_a_delayed_or_paused_job_takes_no_room_of_its_key(bench):
    """Only running jobs count."""
    bench.add("later", limit_key="k", limit_to=1, delay=60.0)
    bench.add("paused", limit_key="k", limit_to=1, queue="x")
    bench.add("now", limit_key="k", limit_to=1)
    bench.store.pause(["x"], paused=True)

    assert ["now"] == [job.task for job in bench.claim()]


def test_a_limit_follows_priority(bench):
    """Of one key, the most urgent goes first."""
    bench.add("low", limit_key="k", limit_to=1)
    bench.add("high", limit_key="k", limit_to=1, priority=5)

    assert ["high"] == [job.task for job in bench.claim()]


def test_the_lease_starts_with_the_claim(bench):
    """It can be rescued when the lease is over, and not before."""
    bench.add()
    bench.claim(lease=10.0)
    bench.clock.advance(9.9)
    assert [] == bench.store.rescue(10)

    bench.clock.advance(0.2)
    assert 1 == len(bench.store.rescue(10))


def test_a_claim_clears_what_the_last_attempt_left(bench):
    """A running job shows no reason and no progress of an earlier attempt."""
    job = bench.running()
    bench.store.extend([claims([job])[0]._replace(progress='[1,2,""]')])
    bench.store.settle([OUTCOMES["retried now"](job)])
    [again] = bench.claim()

    assert (None, None) == (again.reason, again.progress)


def twice_lost(bench, count, **fields):
    """Jobs whose worker died twice, due again."""
    jobs = bench.add_many(count, **fields)
    for _ in range(2):
        bench.claim(worker="victim")
        bench.store.rescue(worker="victim")
        bench.clock.advance(60)
    return jobs


def test_of_jobs_that_were_lost_twice_a_worker_gets_one_at_a_time(bench):
    """One of them may be what kills workers."""
    twice_lost(bench, 3)
    bench.add("fresh")
    first = bench.claim(worker="w1")
    second = bench.claim(worker="w2")

    assert [["fresh", "t"], ["t"]] == [sorted(job.task for job in jobs) for jobs in (first, second)]
    assert [] == bench.claim(worker="w1")
    [suspect] = [job for job in first if job.task == "t"]
    bench.store.settle([OUTCOMES["succeeded"](suspect)])
    assert 1 == len(bench.claim(worker="w1"))


def test_a_job_that_was_lost_twice_keeps_to_every_other_rule(bench):
    """Queues, pauses, names and limits hold for it."""
    twice_lost(bench, 1, queue="x", limit_key="k", limit_to=1)
    assert [] == bench.claim(queues=["y"])
    assert [] == bench.claim(names=["other"])
    bench.store.pause(["x"], paused=True)
    assert [] == bench.claim()

    bench.store.pause(["x"], paused=False)
    bench.add("other", limit_key="k", limit_to=1)
    [other] = bench.claim(names=["other"])
    assert [] == bench.claim()
    bench.store.settle([OUTCOMES["succeeded"](other)])
    assert ["t"] == [job.task for job in bench.claim()]


def test_a_job_that_was_lost_twice_counts_for_its_limit(bench):
    """It is not taken beside another one of its key."""
    twice_lost(bench, 1, limit_key="k", limit_to=1)
    bench.add("fresh", limit_key="k", limit_to=1, priority=5)

    assert 1 == len(bench.claim())


def test_a_job_of_a_high_priority_does_not_wait_for_thousands_that_are_due(bench):
    """Though they were due before it."""
    bench.add_many(1500, delay=1.0)
    urgent = bench.add(delay=2.0, priority=5)
    later = bench.add(delay=90.0, priority=9)
    bench.clock.advance(60)

    assert [urgent.id] == [job.id for job in bench.claim(1)]
    assert 1500 == sum(len(bench.claim(1000)) for _ in range(3))
    assert "delayed" == bench.state(later)
