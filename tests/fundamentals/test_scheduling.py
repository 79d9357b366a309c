"""Scheduled tasks: each instant becomes one job, however many processes schedule."""

import random
import threading
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from rotulus import App, State, TaskRegistry, scheduled
from rotulus._engine.job_factory import JobFactory, Parts
from rotulus._engine.outbox_relay import OutboxRelay
from rotulus._engine.scheduling import LOOK_EVERY, Scheduling
from rotulus._tasks.injection import Injector
from rotulus._tasks.plan import Plans
from rotulus._text.ids import Ids
from rotulus.errors import StoreUnavailableError
from rotulus.events import DutyFailed, Events, ScheduleFired
from rotulus.store import ScheduleEntry
from rotulus.stores.postgres import PostgresStore, read_address
from rotulus.stores.sqlite import SqliteStore
from rotulus.testing import SettableClock, drain


def duty(store, registry, clock, events=None):
    """The duty of one process."""
    ids = Ids(clock.now, random.Random(7))
    plans = Plans(Injector())
    events = events or Events()
    outbox_relay = OutboxRelay(lambda: store, registry, events, clock.monotonic, random.random)
    job_factory = JobFactory(plans, ids, Parts(ids, plans, 1024), outbox_relay, 1024)
    return Scheduling(store, job_factory, list(registry), events)


@pytest.fixture
def ticks(registry):
    """A task each minute."""
    ran = []

    @scheduled("* * * * *", "ticks", registry=registry)
    def ticks():
        ran.append(1)

    return ran


def instants(store):
    """The instants that became jobs, in order, as minutes after midnight."""
    found = sorted(job.instant for job in store.find(limit=10_000))
    return [at // 60_000_000 - found[0] // 60_000_000 for at in found]


def test_an_instant_becomes_a_job_when_it_comes(still_app, clock, ticks):
    """With the instant on it, and not before."""
    fire = duty(still_app.store, still_app.registry, clock)
    fire.tick(clock.now())  # the first round only remembers since when
    assert [] == still_app.jobs()

    clock.advance(30)
    assert LOOK_EVERY == fire.tick(clock.now())
    clock.advance(30)
    fire.tick(clock.now())
    [job] = still_app.jobs(schedule="ticks")

    assert (clock.now(), "ticks@2026-01-01T00:01Z") == (job.instant, job.key)
    drain(still_app)
    assert [1] == ticks


def test_a_round_says_when_the_next_one_is_due(still_app, clock, registry):
    """The soonest of all schedules, and never more than two seconds: something may be changed."""
    scheduled("30 0 * * *", "daily", registry=registry)(lambda: None)
    fire = duty(still_app.store, registry, clock)

    assert fire.tick(clock.now()) <= 2
    clock.advance(30 * 60 - 1)
    assert 1 == fire.tick(clock.now())


def test_a_second_scheduler_fires_nothing_twice(shared_file, ticks, registry):
    """Nor does one that was restarted."""
    store, other, clock = shared_file
    first = duty(store, registry, clock)
    first.tick(clock.now())
    for _ in range(5):
        clock.advance(60)
        first.tick(clock.now())
        duty(other, registry, clock).tick(clock.now())

    assert [0, 1, 2, 3, 4] == instants(store)


@pytest.fixture
def shared_file(tmp_path):
    """Two stores of one file, and their clock."""
    clock = SettableClock()
    stores = [SqliteStore(str(tmp_path / "jobs.db"), clock=clock) for _ in range(2)]
    stores[0].migrate()
    yield *stores, clock
    [store.close() for store in stores]


@pytest.fixture(params=["file", pytest.param("postgres", marks=pytest.mark.anywhere)])
def open_store(request, tmp_path):
    """Opens the same store again and again, for somebody with a clock."""
    if request.param == "file":
        path = str(tmp_path / "jobs.db")
        return lambda clock: SqliteStore(path, synchronous="NORMAL", clock=clock)
    url = request.getfixturevalue("database")
    return lambda _clock: PostgresStore(read_address(url))  # the server has the clock


def test_many_schedulers_at_once_fire_each_instant_once(open_store):
    """Eight of them, each with a clock that is a little off, for a hundred minutes."""
    registry = TaskRegistry()
    scheduled("* * * * *", "ticks", missed="all(10)", registry=registry)(lambda: None)
    start = datetime.now(UTC).replace(second=0, microsecond=0)
    base = open_store(SettableClock(start))
    base.migrate()
    base.schedules.declare([ScheduleEntry("ticks", "* * * * *", "UTC")])
    barrier = threading.Barrier(8)
    errors = []

    def process(number):
        clock = SettableClock(start + timedelta(seconds=number / 4))
        store = open_store(clock)
        fire = duty(store, registry, clock)
        chance = random.Random(number)
        try:
            for _ in range(100):
                barrier.wait(60)
                clock.advance(60)
                if chance.random() < 0.7:  # it misses some rounds, and catches up
                    fire.tick(clock.now())
        except BaseException as error:
            errors.append(error)
            barrier.abort()
        store.close()

    threads = [threading.Thread(target=process, args=(number,)) for number in range(8)]
    [thread.start() for thread in threads]
    [thread.join(120) for thread in threads]
    counts = Counter(job.instant for job in base.find(limit=10_000))
    base.close()

    assert [] == errors
    assert {1} == set(counts.values())
    assert len(counts) >= 99


@pytest.mark.parametrize(
    ("missed", "expected"), [("latest", 1), ("skip", 1), ("all(3)", 3), ("all(500)", 120)]
)
def test_after_two_hours_of_nothing(still_app, clock, registry, missed, expected):
    """The policy says how many of the missed instants are made up for."""
    scheduled("* * * * *", "ticks", missed=missed, registry=registry)(lambda: None)
    duty(still_app.store, registry, clock).tick(clock.now())
    clock.advance(2 * 3600)
    duty(still_app.store, registry, clock).tick(clock.now())

    assert expected == len(still_app.jobs(limit=1000))


def test_a_paused_scheduler_that_wakes_up_fires_nothing_again(shared_file, registry):
    """It looks back over what others have done meanwhile."""
    scheduled("* * * * *", "ticks", missed="all(100)", registry=registry)(lambda: None)
    store, other, clock = shared_file
    awake, asleep = duty(store, registry, clock), duty(other, registry, clock)
    awake.tick(clock.now())
    asleep.tick(clock.now())
    for _ in range(10):
        clock.advance(60)
        awake.tick(clock.now())
    asleep.tick(clock.now())

    assert list(range(10)) == instants(store)


def test_what_was_pruned_is_not_fired_again(still_app, clock, registry):
    """A fired instant is kept for longer than anybody looks back."""
    from rotulus._jobs.states import ENDED

    scheduled("0 * * * *", "hourly", missed="all(1000)", registry=registry)(lambda: None)
    fire = duty(still_app.store, registry, clock)
    fire.tick(clock.now())
    for _ in range(24 * 10):
        clock.advance(3600)
        fire.tick(clock.now())
        drain(still_app)
        still_app.store.prune(clock.now(), ENDED, 1000)
    before = len(still_app.jobs(limit=1000))
    duty(still_app.store, registry, clock).tick(clock.now())

    assert before == len(still_app.jobs(limit=1000))
    assert before >= 24 * 7


def test_a_changed_schedule_does_not_fire_for_the_past(still_app, clock):
    """No instant fires under both."""

    def fire_with(cron):
        registry = TaskRegistry()
        scheduled(cron, "ticks", missed="all(100)", registry=registry)(lambda: None)
        fire = duty(still_app.store, registry, clock)
        fire.tick(clock.now())
        return fire

    fire = fire_with("*/10 * * * *")
    clock.advance(3600)
    fire.tick(clock.now())
    assert 6 == len(still_app.jobs())
    fire_with("* * * * *")

    assert 6 == len(still_app.jobs())


def test_a_clock_that_goes_back_fires_nothing_again(still_app, clock, ticks):
    """And goes on when it has caught up."""
    fire = duty(still_app.store, still_app.registry, clock)
    fire.tick(clock.now())
    start = clock.now()
    for minutes in (1, 2, 3, 1, 2, 3, 4):
        clock.set(start + timedelta(minutes=minutes))
        fire.tick(clock.now())

    assert [0, 1, 2, 3] == instants(still_app.store)


def test_a_fired_job_is_a_job_like_any_other(still_app, clock, registry):
    """With the options of its task, and an event that tells of it."""
    fired = []
    scheduled("* * * * *", "ticks", queue="cron", priority=7, registry=registry)(lambda: None)
    events = Events()
    events.subscribe(fired.append, ScheduleFired)
    fire = duty(still_app.store, registry, clock, events)
    fire.tick(clock.now())
    clock.advance(60)
    fire.tick(clock.now())
    [job] = still_app.jobs()

    assert ("cron", 7, {}, State.QUEUED) == (
        job.queue,
        job.record.priority,
        job.arguments,
        job.state,
    )
    assert [("ticks", clock.now(), job.id)] == [
        (event.schedule, event.instant, event.job_id) for event in fired
    ]


def test_a_store_that_fails_loses_no_instant(still_app, clock, ticks):
    """The round is repeated until it works."""
    fire = duty(still_app.store, still_app.registry, clock)
    fire.tick(clock.now())
    clock.advance(60)

    def fail(*_):
        raise StoreUnavailableError("nobody answers")

    working = fire._store
    kept = {name: getattr(working.schedules, name) for name in ("declare", "changed")}
    schedules = SimpleNamespace(fire=fail, **kept)
    fire._store = SimpleNamespace(schedules=schedules)
    with pytest.raises(StoreUnavailableError):
        fire.tick(clock.now())
    fire._store = working
    clock.advance(5)
    fire.tick(clock.now())

    assert 1 == len(still_app.jobs())


def test_a_schedule_that_cannot_fire_does_not_stop_the_others(still_app, clock, registry, ticks):
    """It is told by name, and tried again: no instant of it is lost when it can fire."""
    told = []

    @scheduled("* * * * *", "first", registry=registry, limit=1, limit_key="{place}")
    def first(place="here"): ...

    fire = duty(still_app.store, TaskRegistry(), clock, still_app.events)
    still_app.events.subscribe(told.append, DutyFailed)
    fire._tasks = {"first": first, "ticks": registry.get("ticks")}
    fire.tick(clock.now())
    plans = fire._job_factory._plans
    whole = plans.of(first)
    [place] = [key for key, plan in plans._plans.items() if plan is whole]
    # A key can have 400 characters.
    plans._plans[place] = replace(whole, defaults={"place": "x" * 1000})
    clock.advance(60)
    fire.tick(clock.now())

    assert ["ticks"] == [job.task for job in still_app.jobs()]
    assert ["schedule first"] == [event.duty for event in told]

    plans._plans[place] = whole
    clock.advance(30)
    fire.tick(clock.now())
    assert {"ticks", "first"} == {job.task for job in still_app.jobs()}


@pytest.mark.parametrize("days", [1, 3, 30])
def test_a_clock_that_was_ahead_silences_no_schedule(still_app, clock, ticks, days):
    """Once it is right again each minute fires, and what has fired does not fire twice."""
    fire = duty(still_app.store, still_app.registry, clock)
    begin = clock.now()
    fire.tick(begin)
    clock.advance(60)
    fire.tick(clock.now())
    fire.tick(clock.now() + timedelta(days=days))
    for _ in range(5):
        clock.advance(60)
        fire.tick(clock.now())

    fired = [job.instant for job in still_app.jobs(schedule="ticks")]
    minutes = sorted((at - begin) // timedelta(minutes=1) for at in fired)
    assert [1, 2, 3, 4, 5, 6, days * 1440 + 1] == minutes


def test_an_interval_fires_at_its_multiples(still_app, clock, registry):
    """The same instants in all processes, to the second."""

    @scheduled(every=90, registry=registry)
    def often(): ...

    one, other = (duty(still_app.store, registry, clock) for _ in range(2))
    for fire in (one, other):
        fire.tick(clock.now())
    for _ in range(6):
        clock.advance(45)
        one.tick(clock.now())
        assert 0 < other.tick(clock.now()) <= 30

    assert ["00:01:30", "00:03", "00:04:30"] == [
        job.key.partition("T")[2].rstrip("Z") for job in reversed(still_app.jobs(task="often"))
    ]


def test_a_worker_fires_schedules_by_itself(tmp_path, registry):
    """Without anything else running."""
    fired = threading.Event()
    clock = SettableClock(datetime(2026, 1, 1, 0, 0, 30, tzinfo=UTC))
    scheduled("* * * * *", registry=registry)(fired.set)
    app = App("sqlite:///jobs.db", registry=registry, clock=clock)
    app.store.schedules.declare([ScheduleEntry("set", "* * * * *", "UTC")])
    clock.advance(30)
    worker = threading.Thread(target=lambda: app.run_worker(drain=5))
    worker.start()
    assert fired.wait(20)
    app.stop()
    worker.join(20)
    app.close()


def test_a_burst_runs_what_it_has_fired(still_app, clock):
    """Nobody else may come before the next one."""
    runs = []

    @scheduled(cron="* * * * *", registry=still_app.registry)
    def tick():
        runs.append(1)

    still_app.run_worker(burst=True)
    for minute in range(1, 6):
        clock.advance(60)
        still_app.run_worker(burst=True)
        assert minute == len(runs)
