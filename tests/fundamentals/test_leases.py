"""A worker and the clocks: what is its own, for how long, and whether it is worth starting."""

import threading
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from rotulus import INJECTED, App, Job, State, task
from rotulus._time.clock import SystemClock
from rotulus.events import LeaseLost
from rotulus.testing import drain


class Wrong(SystemClock):
    """A clock of a machine that nobody has set."""

    def __init__(self, days):
        self.days = days

    def now(self):
        return datetime.now(UTC) + timedelta(days=self.days)


@pytest.mark.anywhere
@pytest.mark.parametrize("days", [-3, 3])
def test_whether_a_job_has_expired_is_for_the_server_to_say(migrated, registry, days):
    """A worker whose clock is wrong gives up nothing, and keeps nothing."""
    url = migrated(clock=False)

    @task(registry=registry)
    def body(): ...

    right = App(url, registry=registry)
    fresh = body.using(expires=3600).enqueue()
    stale = body.using(expires=0.01).enqueue()
    right.close()
    with psycopg.connect(url) as connection:
        connection.execute("SELECT pg_sleep(0.05)")
    with App(url, registry=registry, clock=Wrong(days)) as wrong:
        drain(wrong)
        found = [wrong.get(fresh.id), wrong.get(stale.id)]

    assert [("succeeded", None), ("dead", "expired")] == [(j.state, j.reason) for j in found]


@pytest.mark.parametrize("isolation", [None, "process"])
def test_a_job_that_waited_here_for_too_long_has_expired(app, isolation):
    """What counts is when its body would begin, not when it was claimed."""
    begun, over = threading.Event(), threading.Event()

    @task(registry=app.registry)
    async def rude():
        begun.set()
        over.wait(30)

    @task(registry=app.registry, isolation=isolation)
    async def late(): ...

    rude.enqueue()
    job = late.using(expires=0.5).enqueue()
    thread = threading.Thread(target=app.run_worker, kwargs={"burst": True, "slots": 2})
    thread.start()
    begun.wait(20)
    threading.Timer(1.0, over.set).start()
    thread.join(30)

    assert (State.DEAD, "expired") == (job.refresh().state, job.refresh().reason)


def test_a_lease_counts_from_when_it_was_asked_for(app, monkeypatch):
    """The answer took so long that others may have the job: its body is told to stop at once."""
    claim, extend = app.store.claim, app.store.extend
    lost, away = [], threading.Event()

    def slowly(*arguments):
        found = claim(*arguments)
        if found:
            away.wait(1.7)
        return found

    def unreachable(renewals, *arguments):
        if renewals:
            raise OSError("unreachable")
        return extend(renewals, *arguments)

    monkeypatch.setattr(app.store, "claim", slowly)
    monkeypatch.setattr(app.store, "extend", unreachable)
    told = threading.Event()

    def note(event):
        lost.append(event)
        told.set()

    app.events.subscribe(note, LeaseLost)

    @task(registry=app.registry)
    def body():
        told.wait(0.7)
        return bool(lost)

    job = body.enqueue()
    thread = threading.Thread(target=app.run_worker, kwargs={"lease": 2.0, "drain": 1})
    thread.start()
    found = told.wait(10)
    app.stop()
    thread.join(20)

    assert found
    assert [job.id] == [event.job_id for event in lost]


@pytest.mark.anywhere
def test_progress_that_a_locked_row_kept_away_is_stored_in_the_end(migrated, registry):
    """A renewal passes over the row of a job that a transaction has in hand."""
    url = migrated(clock=False)
    app = App(url, registry=registry)
    looked = threading.Semaphore(0)
    extend = app.store.extend

    def counted(*given):
        found = extend(*given)
        if found.passed_over:
            looked.release()
        return found

    app.store.extend = counted

    @task(registry=registry)
    def body(job: Job = INJECTED):
        with psycopg.connect(url) as connection:
            connection.execute("SELECT FROM rotulus_jobs WHERE id = %s FOR UPDATE", (job.id,))
            job.progress(2, 8)
            assert looked.acquire(timeout=20)

    job = body.enqueue()
    drain(app)

    found = app.get(job.id)
    assert ("succeeded", (2, 8)) == (found.state, found.reached and found.reached[:2])
    app.close()
