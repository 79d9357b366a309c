"""app.queues.demand: how much work there is, and how many workers that asks for."""

import asyncio
from datetime import datetime, timedelta

import pytest

from rotulus import App, QueueInfo, scheduled, task
from rotulus.errors import OptionError
from rotulus.store import ClaimFilter, WorkerInfo
from rotulus.testing import drain


@pytest.fixture
def mail(still_app):
    """A task of a queue."""
    return task(name="mail", queue="post", registry=still_app.registry)(lambda: None)


def announce(app, name, queues=None, slots=4):
    """A worker that is alive."""
    now = app._own.engine.port.now()
    app.store.extend([], 30.0, WorkerInfo(name, "here", 1, queues, slots, now))


def told(app, *queues, **options):
    """Demand in numbers: waiting, soon, running, firing, wanted."""
    found = app.queues.demand(*queues, **options)
    return (found.waiting, found.soon, found.running, found.firing, found.wanted_workers)


def test_nothing_to_do_wants_no_worker(still_app, mail):
    """Also where jobs have ended, or are due later than in a minute."""
    assert (0, 0, 0, 0, 0) == told(still_app)
    mail.enqueue()
    drain(still_app)
    mail.using(delay=61).enqueue()

    assert (0, 0, 0, 0, 0) == told(still_app)
    assert 0.0 == still_app.queues.demand().oldest


def test_what_is_due_or_soon_will_be_wants_workers(still_app, clock, mail):
    """With no worker there is no claim that makes it queued, and it is due all the same."""
    mail.using(delay=100).enqueue()
    mail.using(delay=30).enqueue()
    assert (0, 1, 0, 0, 1) == told(still_app)
    clock.advance(50)
    assert (1, 1, 0, 0, 1) == told(still_app)
    assert 20.0 == still_app.queues.demand().oldest
    assert (1, 1, 0, 0, 2) == told(still_app, slots=1)


def test_jobs_that_run_want_their_workers_too(still_app, mail):
    """As many as have slots for all of it, rounded up."""
    mail.enqueue_many([()] * 7)
    announce(still_app, "w1", slots=4)
    announce(still_app, "w2", slots=2)
    still_app.store.claim(ClaimFilter("w1"), 5, 30.0)
    found = still_app.queues.demand()

    assert (2, 5) == (found.waiting, found.running)
    assert (2, 6, 3) == (found.workers, found.slots, found.wanted_workers)


def test_queues_are_told_apart(still_app, mail):
    """With the workers that serve them; without a name all but the private ones count."""
    other = task(name="other", registry=still_app.registry)(lambda: None)
    mail.enqueue_many([()] * 3)
    other.enqueue()
    other.using(queue="_mine").enqueue()
    announce(still_app, "all")
    announce(still_app, "post", ("post",))
    announce(still_app, "mine", ("_mine",))

    def of(*queues):
        found = still_app.queues.demand(*queues)
        return found.queues, found.waiting, found.workers

    assert (None, 4, 2) == of()
    assert (("post",), 3, 2) == of("post")
    assert (("default", "post"), 4, 2) == of("default", "post", "default")
    assert (("_mine",), 1, 1) == of("_mine")
    assert (("none",), 0, 1) == of("none")


def test_paused_queues_want_nobody(still_app, mail):
    """No worker would take their jobs."""
    mail.enqueue()
    still_app.queues.pause("post")
    assert (0, 0, 0, 0, 0) == told(still_app)
    still_app.queues.resume("post")
    assert (1, 0, 0, 0, 1) == told(still_app)


def test_a_schedule_wants_a_worker_for_its_instants(still_app, clock):
    """A minute before each, and until it was fired: only workers fire schedules."""

    @scheduled("0 0 * * *", name="nightly", registry=still_app.registry)
    def nightly(): ...

    still_app.tick()
    midnight = still_app.schedules.get("nightly").next
    assert (0, 0, 0, 0, 0) == told(still_app)
    clock.set(midnight - timedelta(seconds=60))
    assert (0, 0, 0, 1, 1) == told(still_app)
    assert 0.0 == still_app.schedules.get("nightly").lag
    clock.set(midnight + timedelta(hours=1))
    assert (0, 0, 0, 1, 1) == told(still_app, "default")
    assert 3600.0 == still_app.schedules.get("nightly").lag
    assert 3600.0 == still_app.schedules.list()[0].to_dict()["lag"]
    assert (0, 0, 0, 0, 0) == told(still_app, "other")
    still_app.schedules.pause("nightly")
    assert (0, 0, 0, 0, 0) == told(still_app)
    assert 0.0 == still_app.schedules.get("nightly").lag
    still_app.schedules.resume("nightly")
    clock.advance(86_400)
    assert 1 == still_app.queues.demand().firing
    drain(still_app)
    assert (0, 0, 0, 0, 0) == told(still_app)


@pytest.mark.anywhere
def test_what_waits_is_counted_to_ten_thousand(registry):
    """So that it takes no longer however many jobs there are."""
    add = task(name="add", registry=registry)(lambda: None)
    with App("sqlite://", registry=registry) as app:
        add.enqueue_many([()] * 10_002)
        found = app.queues.demand()

    assert ("10,000+", 1001) == (str(found.waiting), found.wanted_workers)
    assert 10_000 == found.to_dict()["waiting"]


def test_demand_as_data(still_app, mail):
    """For those who read JSON."""
    mail.enqueue()

    assert {
        "queues": ["post"],
        "waiting": 1,
        "soon": 0,
        "oldest_seconds": 0.0,
        "running": 0,
        "firing": 0,
        "workers": 0,
        "slots": 0,
        "wanted_workers": 1,
    } == asyncio.run(still_app.queues.ademand("post")).to_dict()


@pytest.mark.parametrize("wrong", [0, -1, 10_001, 1.5, True, "4"])
def test_a_worker_has_slots(still_app, wrong):
    """From one to ten thousand."""
    with pytest.raises(OptionError, match="slots="):
        still_app.queues.demand(slots=wrong)
    with pytest.raises(OptionError, match="Queue name"):
        still_app.queues.demand("a b")


def test_a_queue_is_told_by_its_name(still_app, mail):
    """Also one in which nothing waits: a queue begins with its first job."""
    mail.enqueue()
    still_app.queues.pause("post")
    found = still_app.queues.get("post")

    assert found == still_app.queues.list()[0] == asyncio.run(still_app.queues.aget("post"))
    assert {"queued": {"count": 1, "exact": True}} == found.to_dict()["jobs"]
    assert datetime.fromisoformat(found.to_dict()["paused_at"]) == found.paused_at
    assert QueueInfo("other", {}, None) == still_app.queues.get("other")
    with pytest.raises(OptionError, match="Queue name"):
        still_app.queues.get("a b")
