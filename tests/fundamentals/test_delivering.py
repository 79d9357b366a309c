"""When and where a job is delivered: queues, delays, priorities, keys, limits, expiry."""

from datetime import UTC, datetime, timedelta

import pytest

from rotulus import App, State, task
from rotulus.errors import OptionError
from rotulus.testing import drain


@pytest.fixture
def order(still_app):
    """What was run, in order."""
    return []


@pytest.fixture
def note(still_app, order):
    """A task that notes that it was run."""

    @task(registry=still_app.registry)
    def note(what: str):
        order.append(what)

    return note


def test_a_delayed_job_runs_when_its_time_has_come(still_app, clock, note, order):
    """In seconds, as a timedelta, or at a moment."""
    note.using(delay=60).enqueue("a")
    note.using(delay=timedelta(minutes=2)).enqueue("b")
    note.using(at=clock.now() + timedelta(minutes=3)).enqueue("c")
    note.enqueue("now")
    seen = []
    for _ in range(4):
        drain(still_app)
        seen.append(list(order))
        clock.advance(60)

    assert [["now"], ["now", "a"], ["now", "a", "b"], ["now", "a", "b", "c"]] == seen


def test_a_moment_needs_a_zone(note):
    """Nobody guesses which."""
    with pytest.raises(OptionError, match="time zone"):
        note.using(at=datetime(2026, 1, 1))


def test_higher_priority_runs_first(still_app, note, order):
    """Within one, first come, first served."""
    for what, priority in (("a", 0), ("b", 5), ("c", 0), ("d", 5)):
        note.using(priority=priority).enqueue(what)
    still_app.run_worker(burst=True, slots=1)

    assert ["b", "d", "a", "c"] == order


def test_a_worker_serves_the_queues_it_is_given(still_app, note, order):
    """All of them, unless given."""
    note.using(queue="mail").enqueue("mail")
    note.enqueue("default")
    still_app.run_worker(burst=True, queues=["mail"])
    assert ["mail"] == order

    still_app.run_worker(burst=True)
    assert ["mail", "default"] == order


def test_a_paused_queue_waits(still_app, note, order):
    """Until it is resumed."""
    still_app.pause("default")
    job = note.enqueue("a")
    drain(still_app)
    assert [] == order
    assert "is paused" in job.why()[0]

    still_app.resume("default")
    drain(still_app)
    assert ["a"] == order


def test_using_leaves_the_task_as_it_is(note):
    """It gives a copy."""
    other = note.using(queue="mail", priority=5)

    assert ("default", 0) == (note.options.queue, note.options.priority)
    assert ("mail", 5) == (other.options.queue, other.options.priority)
    with pytest.raises(OptionError, match="no option 'que'; did you mean 'queue'"):
        note.using(que="mail")


def test_a_key_keeps_a_second_job_away(still_app, note, order):
    """While the first one is live; the first one is what one gets."""
    first = note.using(key="k").enqueue("a")
    assert first == note.using(key="k").enqueue("b")

    drain(still_app)
    note.using(key="k").enqueue("c")
    drain(still_app)
    assert ["a", "c"] == order


def test_a_key_can_be_made_of_arguments(still_app, order):
    """Named in braces, where the task is declared; defaults count."""

    @task(key="welcome:{user}:{locale}", window=3600, registry=still_app.registry)
    def welcome(user: int, locale: str = "en"):
        order.append(user)

    jobs = [welcome.enqueue(7), welcome.enqueue("7", "en"), welcome.enqueue(8)]
    drain(still_app)
    again = welcome.enqueue(7)

    assert jobs[0] == jobs[1] == again
    assert {7, 8} == set(order)
    assert "welcome:7:en" == jobs[0].key


def test_braces_in_a_key_of_one_enqueue_are_just_braces(note):
    """What comes from data is not a template."""
    assert "{what}" == note.using(key="{what}").enqueue("a").key


def test_a_limit_holds_jobs_of_a_key_back(still_app, order):
    """So many at once, in all workers together."""
    most = []

    @task(limit=2, limit_key="tenant:{tenant}", registry=still_app.registry)
    async def crunch(tenant: str):
        running = still_app.jobs(state="running")
        most.append(sum(job.arguments["tenant"] == tenant for job in running))

    crunch.enqueue_many(["a"] * 10 + ["b"] * 10)
    drain(still_app)

    assert 20 == len(most)
    assert 2 == max(most)


def test_the_next_job_of_a_full_key_does_not_wait_to_be_found(tmp_path, registry, monkeypatch):
    """The end of one wakes an idle worker for the next: with looks alone it were minutes."""
    monkeypatch.setattr("rotulus.stores.sqlite.watch._LOOK_EVERY", 5.0)
    app = App(f"sqlite:///{tmp_path / 'jobs.db'}", registry=registry)

    @task(limit=1, registry=registry)
    async def step(number: int):
        if number == 99:
            app.stop()

    jobs = step.enqueue_many(range(100))
    app.run_worker()
    took = jobs[99].refresh().started_at - jobs[0].refresh().started_at
    app.close()

    assert took < timedelta(seconds=60)


def test_a_job_that_expires_is_given_up(still_app, clock, note, order):
    """As dead(expired), without having been run."""
    job = note.using(expires=60).enqueue("a")
    clock.advance(61)
    drain(still_app)

    assert [] == order
    assert (State.DEAD, "expired") == (job.refresh().state, job.refresh().reason)


def test_expiry_counts_from_when_it_is_due(still_app, clock, note, order):
    """A delay does not use it up."""
    note.using(delay=3600, expires=60).enqueue("a")
    clock.advance(3600)
    drain(still_app)

    assert ["a"] == order


def test_by_name_takes_the_same_options(still_app, clock, note, order):
    """Also for a task that is not here."""
    job = still_app.using(unchecked=True, queue="mail", delay=5, key="k").enqueue("elsewhere", 1)

    assert ("mail", State.DELAYED, "k", {"*": [1]}) == (
        job.queue,
        job.state,
        job.key,
        job.arguments,
    )
    still_app.using(priority=3).enqueue("note", "x")
    drain(still_app)
    assert ["x"] == order
    with pytest.raises(OptionError):
        still_app.using(priority="high")


def test_times_are_in_utc(still_app, clock, note):
    """And aware."""
    job = note.enqueue("a")

    assert clock.now() == job.created_at == job.run_at
    assert UTC == job.created_at.tzinfo
    assert job.started_at is job.ended_at is job.instant is None


def test_the_reasons_why_a_job_waits(still_app, clock, note):
    """Each in a sentence."""
    job = note.enqueue("a")
    assert ["No worker is running: start one with 'rotulus worker'."] == job.why()

    later = note.using(delay=3600).enqueue("b")
    assert "It was enqueued for later; it is due in 60 min" in later.why()[0]
    unknown = still_app.using(unchecked=True).enqueue("nobody")
    assert any("No task 'nobody' is registered" in reason for reason in unknown.why())
    drain(still_app)
    assert "It succeeded at" in job.why()[0]
    assert "rotulus retry" in unknown.why()[0]
