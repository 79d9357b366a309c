"""Rates: so many starts of a key within a window, in all workers together."""

import time
from datetime import timedelta

import pytest

from rotulus import App, task
from rotulus.errors import OptionError
from rotulus.events import AttemptStarted
from rotulus.testing import drain


@pytest.fixture
def calls(still_app, clock):
    """Who was called when, in seconds since the test began."""
    return []


@pytest.fixture
def call(still_app, clock, calls):
    """A task that may be called three times a minute for each customer."""
    begin = clock.now()

    @task(rate=3, per=60, limit_key="api:{customer}", registry=still_app.registry)
    def call(customer: str):
        calls.append((customer, (clock.now() - begin).total_seconds()))

    return call


def test_a_rate_holds_jobs_of_a_key_back(still_app, clock, call, calls):
    """Each customer has a window of its own, and what waits goes on when it opens."""
    call.enqueue_many(["a"] * 7 + ["b"] * 2)
    for _ in range(4):
        drain(still_app)
        clock.advance(40)

    assert [("a", 0.0)] * 3 + [("a", 80.0)] * 3 == [c for c in calls if c[0] == "a"]
    assert [("b", 0.0)] * 2 == [c for c in calls if c[0] == "b"]


def test_without_a_limit_key_the_jobs_of_the_task_share_the_rate(still_app, clock):
    """And without `per` it is so many a second."""
    ran = []

    @task(rate=2, registry=still_app.registry)
    def tick(number: int):
        ran.append(number)

    tick.enqueue_many(range(5))
    seen = []
    for _ in range(4):
        drain(still_app)
        seen.append(len(ran))
        clock.advance(0.5)

    assert [2, 2, 4, 4] == seen


def test_one_enqueue_can_have_a_rate_of_its_own(still_app, clock, call, calls):
    """Or none; `per` may be a timedelta."""
    slow = call.using(rate=1, per=timedelta(hours=1), limit_key="slow")
    [slow.enqueue("c") for _ in range(3)]
    call.using(rate=None).enqueue_many(["free"] * 5)
    drain(still_app)
    clock.advance(3599)
    drain(still_app)

    assert 1 == sum(who == "c" for who, _ in calls)
    assert 5 == sum(who == "free" for who, _ in calls)
    clock.advance(1)
    drain(still_app)
    assert 2 == sum(who == "c" for who, _ in calls)


def test_by_name_takes_a_rate(still_app, registry):
    """Also for a task that is not here; it is the limit_key unless one is given."""
    job = still_app.using(rate=5, per=2.5).enqueue("elsewhere", 1)

    assert ("elsewhere", 5, 2_500_000) == (
        job.record.limit_key,
        job.record.rate_to,
        job.record.rate_per,
    )


@pytest.mark.parametrize("rate", [0, -1, 1.5, "3", True])
def test_a_rate_is_a_whole_number(still_app, rate):
    """From one."""
    with pytest.raises(OptionError, match="rate=.* is not allowed: give a whole number"):
        task("t", rate=rate, registry=still_app.registry)(print)


@pytest.mark.parametrize("per", [0, -1, 1e-7, 4e-7, "1", float("nan"), timedelta(0)])
def test_a_window_has_a_length(still_app, per):
    """More than nothing."""
    with pytest.raises(OptionError, match="per=.* is not allowed"):
        task("t", rate=1, per=per, registry=still_app.registry)(print)
    with pytest.raises(OptionError, match="per=.* is not allowed"):
        still_app.using(rate=1, per=per)
    with pytest.raises(OptionError, match="per=.* is not allowed"):
        still_app.limits.set("k", rate=1, per=per)


def test_a_window_without_a_rate_is_a_mistake(still_app, call):
    """On the line where it stands."""
    with pytest.raises(OptionError, match="per=60 is the window of a rate: give rate= as well"):
        task("t", per=60, registry=still_app.registry)(print)
    with pytest.raises(OptionError, match="give rate="):
        still_app.using(per=60)
    assert 10.0 == call.using(per=10).options.per


def test_why_says_when_the_next_start_is_possible(still_app, clock, call):
    """As long as the rate is what it waits for."""
    jobs = call.enqueue_many(["a"] * 4)
    assert not any("rate" in reason for reason in jobs[3].why())
    drain(still_app)
    clock.advance(20)

    assert (
        "3 jobs with limit_key 'api:a' were started within the last 60 s, and that is its rate; "
        "the next start is possible in 40 s, at 2026-01-01 00:01:00Z."
    ) in jobs[3].why()
    clock.advance(40)
    assert not any("rate" in reason for reason in jobs[3].why())


def test_an_idle_worker_starts_what_waits_when_its_window_opens(tmp_path, registry):
    """Soon after, and without looking all the time meanwhile."""
    app = App(f"sqlite:///{tmp_path / 'jobs.db'}", registry=registry)
    starts = []

    @task(rate=2, per=0.5, registry=registry)
    async def tick(number: int):
        if number == 5:
            app.stop()

    tick.enqueue_many(range(6))
    app.events.subscribe(lambda event: starts.append(event.job.started_at), AttemptStarted)
    used = time.process_time()
    app.run_worker()
    used = time.process_time() - used
    app.close()

    gaps = [(late - early) / 1e6 for early, late in zip(starts, starts[2:], strict=False)]
    assert 4 == len(gaps)
    assert all(0.5 <= gap < 2.0 for gap in gaps)
    assert used < 0.5
