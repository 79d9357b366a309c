"""edit: a job that waits gets other arguments, another priority, another moment."""

from datetime import timedelta

import pytest

from contract.workbench import ERROR, OUTCOMES
from rotulus._jobs.outcome import retried
from rotulus._jobs.record import micros
from rotulus.store import Edit, Filter, Terms


def test_a_waiting_job_is_changed(bench):
    """What is not given stays."""
    job = bench.add(arguments='{"a":1}', priority=1, labels='{"customer":"7"}', key="k")
    first = bench.store.edit(job, Edit(arguments='{"a":2}'))
    second = bench.store.edit(first, Edit(priority=5))

    assert job._replace(arguments='{"a":2}') == first
    assert first._replace(priority=5) == second
    stored = bench.store.get(job.id)
    assert second == stored._replace(history=None)


def test_a_job_is_due_at_another_moment(bench):
    """Later, and then at once; an earlier moment than now is now."""
    job = bench.add()
    later = bench.store.edit(job, Edit(delay=60.0))
    assert ("delayed", job.run_at + 60_000_000) == (later.state, later.run_at)
    assert [] == bench.claim()
    bench.clock.advance(10.0)
    at = bench.clock.now() + timedelta(seconds=5)
    sooner = bench.store.edit(later, Edit(at=at))
    assert ("delayed", micros(at)) == (sooner.state, sooner.run_at)
    past = bench.store.edit(sooner, Edit(at=bench.clock.now() - timedelta(days=1)))
    assert ("queued", micros(bench.clock.now())) == (past.state, past.run_at)
    assert [job.id] == [one.id for one in bench.claim()]


def test_a_job_expires_as_long_after_it_is_due_as_before(bench):
    """Whichever way it is moved."""
    job = bench.add(expires=30.0)
    moved = bench.store.edit(job, Edit(delay=60.0))
    assert 30_000_000 == moved.expires_at - moved.run_at
    assert job.expires_at == bench.store.edit(moved, Edit(delay=0.0)).expires_at
    assert bench.add()._replace(expires_at=None).expires_at is None


def test_jobs_are_claimed_by_their_new_priority(bench):
    """Also those that share a limit."""
    first, second = bench.add_many(2, limit_key="k", limit_to=1)
    bench.store.edit(second, Edit(priority=7))

    assert [second.id] == [job.id for job in bench.claim()]
    assert "queued" == bench.state(first)


@pytest.mark.parametrize("how", sorted(OUTCOMES))
def test_what_has_begun_stays_as_it_is(bench, how):
    """Running, or ended; a job that was sent back waits again."""
    waiting = bench.add(priority=1_000_000)
    [running] = bench.claim(1)
    assert None is bench.store.edit(waiting, Edit(priority=5))
    assert None is bench.store.edit(running, Edit(priority=5))
    bench.store.settle([OUTCOMES[how](running)])
    settled = bench.store.get(waiting.id)

    assert (settled.ended_at is None) == (bench.store.edit(settled, Edit(priority=5)) is not None)


def test_a_job_that_waits_for_its_retry_is_changed(bench):
    """It may be due sooner, with other arguments."""
    job = bench.running()
    bench.store.settle([retried(job.id, job.attempt, ERROR, 600.0)])
    waiting = bench.store.get(job.id)
    edited = bench.store.edit(waiting, Edit(arguments='{"a":2}', delay=0.0))

    assert ("queued", "retry", 1, 1) == (
        edited.state,
        edited.reason,
        edited.attempt,
        edited.failures,
    )
    assert ['{"a":2}'] == [one.arguments for one in bench.claim()]


@pytest.mark.parametrize(
    "other", [Edit(arguments="[]"), Edit(priority=3), Edit(delay=9.0)], ids=["args", "prio", "due"]
)
def test_of_two_that_saw_the_same_one_changes_it(shared, other):
    """The other one is told, and nothing of it is stored."""
    job, second = shared.add(), shared.open_another()
    assert shared.store.edit(job, other) is not None

    assert None is second.edit(job, Edit(arguments='{"mine":1}', priority=9, delay=60.0))
    now = second.get(job.id)
    assert ("{}" if other.arguments is None else "[]") == now.arguments
    assert 9 != now.priority


def test_a_step_of_a_run_is_changed_and_a_run_that_has_begun_is_not(bench):
    """A step that waits for others goes on waiting, until a moment of its own."""
    run = bench.add_run({"a": [], "b": ["a"]})
    head, step = (bench.store.get(run[name]) for name in ("", "b"))

    assert None is bench.store.edit(head, Edit(priority=5))
    moved = bench.store.edit(step, Edit(priority=5, delay=60.0))
    assert ("blocked", 5) == (moved.state, moved.priority)
    assert ["a"] == bench.work()
    assert "delayed" == bench.state(step)
    bench.clock.advance(61.0)
    assert ["b"] == bench.work()


def test_a_paused_run_stays_blocked(bench):
    """Also when a job of it is to be due now."""
    job = bench.add()
    bench.store.pause((), paused=True, runs=[job.id])
    edited = bench.store.edit(bench.store.get(job.id), Edit(delay=0.0))

    assert "blocked" == edited.state
    bench.store.pause((), paused=False, runs=[job.id])
    assert [job.id] == [one.id for one in bench.claim()]


def test_a_carried_job_is_published_when_it_is_due(bench):
    """Not before."""
    job = bench.store.add([bench.new()._replace(terms=Terms("t", carried=True))])[0]
    bench.store.edit(job, Edit(delay=60.0))

    assert [] == bench.store.outbox.take("default", 10, 3.0, 9.0)
    bench.clock.advance(61.0)
    assert [job.id] == [one.id for one in bench.store.outbox.take("default", 10, 3.0, 9.0)]


def test_what_is_not_there_is_not_changed(bench):
    """Nor is what was deleted meanwhile."""
    job = bench.ended()
    bench.store.delete([job.id])

    assert None is bench.store.edit(job, Edit(priority=5))
    assert [] == bench.store.find(Filter())


def test_those_who_listen_are_told(bench):
    """As of any change of a job."""
    job, position = bench.add(), bench.store.changes.listen()
    bench.store.edit(job, Edit(delay=60.0))
    changes = bench.store.changes.read(position, 100)

    assert [(job.id, "delayed")] == [(one.name, one.what) for one in changes]
