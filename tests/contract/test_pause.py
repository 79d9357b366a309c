"""pause: queues whose jobs can be added and not claimed, until they are resumed."""

import pytest

from contract.workbench import OUTCOMES
from rotulus._jobs.record import moment


def test_a_resumed_queue_is_claimed_again(bench):
    """What was added meanwhile is there."""
    bench.store.pause(["x"], paused=True)
    job = bench.add(queue="x")
    assert [] == bench.claim()

    bench.store.pause(["x"], paused=False)
    assert [job.id] == [claimed.id for claimed in bench.claim()]


def test_running_jobs_of_a_paused_queue_run_on(bench):
    """Pausing stops claims, nothing else."""
    job = bench.running(queue="x")
    bench.store.pause(["x"], paused=True)

    assert "running" == bench.state(job)


def test_pausing_twice_keeps_the_first_moment(bench):
    """The queue is paused since then."""
    since = bench.clock.now()
    bench.store.pause(["x"], paused=True)
    bench.clock.advance(60)
    bench.store.pause(["x", "y"], paused=True)

    assert since == bench.store.fleet().paused["x"]


def test_resuming_what_is_not_paused_does_nothing(bench):
    """Also twice."""
    bench.store.pause(["x"], paused=False)
    bench.store.pause(["x"], paused=False)

    assert {} == bench.store.fleet().paused


def test_a_queue_can_be_paused_before_it_has_a_job(bench):
    """Pausing is about the name."""
    bench.store.pause(["later"], paused=True)
    bench.add(queue="later")

    assert [] == bench.claim()


def test_what_waits_in_a_paused_run_is_blocked_until_it_is_resumed(bench):
    """Queued and delayed jobs alike, and nobody else's."""
    ids = bench.add_run({"a": [], "b": ["a"]})
    late = bench.add_run({"a": []}, of={"delay": 60.0})
    other = bench.add()
    runs = [ids[""], late[""]]
    bench.store.pause([], paused=True, runs=runs)

    assert [other.id] == [job.id for job in bench.claim()]
    assert {"blocked"} == set(bench.steps(ids[""]).values()) | set(bench.steps(late[""]).values())
    bench.store.pause([], paused=False, runs=runs)
    assert {"": "blocked", "a": "queued", "b": "blocked"} == bench.steps(ids[""])
    assert {"": "blocked", "a": "delayed"} == bench.steps(late[""])


def test_a_running_part_of_a_paused_run_runs_on_and_nothing_follows(bench):
    """Until the run is resumed."""
    ids = bench.add_run({"a": [], "b": ["a"]})
    [part] = bench.claim()
    bench.store.pause([], paused=True, runs=[ids[""]])
    bench.store.settle([OUTCOMES["succeeded"](part)])
    assert ({"": 1, "a": 0, "b": 0}, []) == (bench.waits(ids[""]), bench.work())

    bench.store.pause([], paused=False, runs=[ids[""]])
    assert [["b"], [""]] == [bench.work(), bench.work()]


@pytest.mark.parametrize("how", ["retried", "retried now", "released", "lost"])
def test_what_is_sent_back_in_a_paused_run_is_blocked(bench, how):
    """It goes on when the run does."""
    ids = bench.add_run({"a": []})
    [part] = bench.claim()
    bench.store.pause([], paused=True, runs=[ids[""]])
    bench.store.settle([OUTCOMES[how](part)])
    assert {"": "blocked", "a": "blocked"} == bench.steps(ids[""])

    bench.store.pause([], paused=False, runs=[ids[""]])
    bench.clock.advance(10)
    assert ["a"] == bench.work()


def test_what_is_lost_in_a_paused_run_is_blocked(bench):
    """Also after its worker has died."""
    ids = bench.add_run({"a": []})
    bench.claim()
    bench.store.pause([], paused=True, runs=[ids[""]])
    bench.store.rescue(worker="w1")

    assert {"": "blocked", "a": "blocked"} == bench.steps(ids[""])


def test_what_is_retried_in_a_paused_run_is_blocked(bench):
    """Sending back is not resuming."""
    ids = bench.add_run({"a": []})
    bench.work("failed")
    bench.work("failed")
    bench.store.pause([], paused=True, runs=[ids[""]])
    bench.store.retry([ids[""]])

    assert {"": "blocked", "a": "blocked"} == bench.steps(ids[""])


def test_parts_that_are_added_to_a_paused_run_are_blocked(bench):
    """By a part that ran already."""
    ids = bench.add_run({"a": []})
    [part] = bench.claim()
    bench.store.pause([], paused=True, runs=[ids[""]])
    bench.open(part, {"a/0": [], "a/1": ["a/0"]})

    assert {"blocked"} == set(bench.steps(ids[""]).values())
    bench.store.pause([], paused=False, runs=[ids[""]])
    assert [["a/0"], ["a/1"], ["a"], [""]] == [bench.work() for _ in range(4)]


def test_a_job_is_paused_before_it_is_opened(bench):
    """It becomes a paused run: nobody need know whether a worker has looked at it yet."""
    waiting, running = bench.add(), bench.running()
    bench.store.pause([], paused=True, runs=[waiting.id, running.id])
    bench.open(running, {"x": []})

    assert ["blocked", "blocked"] == [bench.state(waiting), bench.state(running)]
    assert {"": "blocked", "x": "blocked"} == bench.steps(running.id)
    bench.store.pause([], paused=False, runs=[waiting.id, running.id])
    assert [None, "x"] == sorted(bench.work(), key=str)


def test_a_job_has_not_been_due_while_its_run_was_paused(bench):
    """It does not expire meanwhile."""
    ids = bench.add_run({"a": []}, of={"expires": 10.0})
    bench.store.pause([], paused=True, runs=[ids[""]])
    bench.clock.advance(60)
    bench.store.pause([], paused=False, runs=[ids[""]])
    record = bench.store.get(ids["a"])

    assert bench.clock.now() == moment(record.run_at) == moment(record.expires_at - 10_000_000)


def test_a_run_is_paused_and_resumed_as_often_as_one_likes(bench):
    """Twice the same is the same as once; who is not there is left out."""
    ids = bench.add_run({"a": []})
    for paused in (True, True, False, False):
        bench.store.pause([], paused=paused, runs=[ids[""], "nobody"])

    assert {"": "blocked", "a": "queued"} == bench.steps(ids[""])
    assert [["a"], [""]] == [bench.work(), bench.work()]
