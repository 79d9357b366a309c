"""Schedules in the store: added, changed, paused and removed while workers run."""

import asyncio
import random
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from fundamentals.test_scheduling import duty
from rotulus import App, Middleware, TaskRegistry, scheduled, task
from rotulus.errors import (
    ArgumentsError,
    OptionError,
    ScheduleConflictError,
    ScheduleNotFoundError,
    TaskNotFoundError,
    TaskRegistrationError,
)
from rotulus.events import ScheduleSkipped
from rotulus.store import ScheduleEntry
from rotulus.testing import drain
from statement_counter import StatementCounter

pytestmark = pytest.mark.anywhere


@pytest.fixture
def report(registry):
    """A task that needs an argument."""
    seen = []

    @task("report", registry=registry)
    def report(day: int, kind: str = "short"):
        seen.append((day, kind))

    return seen


@pytest.fixture
def fire(still_app, registry, report):
    """Lets so many seconds pass, in the steps of a worker; two duties fire what is due."""
    duties = []

    def pass_by(seconds, step=30):
        if not duties:
            duties.extend(duty(still_app.store, registry, still_app._clock) for _ in range(2))
        for passed in range(0, seconds + 1, step):
            if passed:
                still_app._clock.advance(step)
            for one in duties:
                one.tick(still_app._clock.now())

    return pass_by


def fired(app, name):
    """The instants of a schedule that became jobs, as minutes of their hours, oldest first."""
    return [job.instant.minute for job in reversed(app.jobs(schedule=name, limit=1000))]


def test_an_added_schedule_fires_and_what_is_changed_counts_from_then_on(still_app, fire, report):
    """No worker is started again for it."""
    fire(0)
    added = still_app.schedules.add(
        "early", task="report", cron="*/5 * * * *", arguments={"day": 7}
    )
    assert ("report", "added", "active", 1) == (
        added.task,
        added.origin,
        added.state,
        added.version,
    )
    fire(600)
    assert [5, 10] == fired(still_app, "early")
    still_app.schedules.set("early", cron="*/7 * * * *", arguments={"day": 8, "kind": "long"})
    fire(600)
    assert [5, 10, 14] == fired(still_app, "early")
    still_app.schedules.pause("early")
    fire(600)
    assert [5, 10, 14] == fired(still_app, "early")
    assert ("paused", None) == (
        still_app.schedules.get("early").state,
        still_app.schedules.get("early").next,
    )
    still_app.schedules.resume("early")
    fire(600)
    assert [5, 10, 14, 35] == fired(still_app, "early")
    still_app.schedules.remove("early")
    fire(1200)
    assert [5, 10, 14, 35] == fired(still_app, "early")
    with pytest.raises(ScheduleNotFoundError, match="no schedule 'early'"):
        still_app.schedules.get("early")

    drain(still_app)
    assert [(7, "short"), (7, "short"), (8, "long"), (8, "long")] == report


def test_a_task_has_several_schedules(still_app, fire, report):
    """Each with its own arguments."""
    for day, minutes in ((1, 10), (2, 15)):
        still_app.schedules.add(
            f"every-{minutes}", task="report", every=minutes * 60, arguments={"day": day}
        )
    fire(1800)
    drain(still_app)

    assert [10, 20, 30] == fired(still_app, "every-10")
    assert [15, 30] == fired(still_app, "every-15")
    assert [1, 1, 1, 2, 2] == sorted(day for day, _ in report)
    assert ["every-10", "every-15"] == [one.name for one in still_app.schedules.list()]


def test_what_cannot_be_fired_is_not_added(still_app, report):
    """Told where it is added, with what helps."""
    add = still_app.schedules.add
    add("one", task="report", every=60, arguments={"day": 1})
    for error, said, call in (
        (ArgumentsError, "'day'", lambda: add("two", task="report", every=60)),
        (TaskNotFoundError, "did you mean 'report'", lambda: add("two", task="reprot", every=60)),
        (OptionError, "needs cron=", lambda: add("two", task="report")),
        (OptionError, "one of the two", lambda: add("two", task="report", every=9, cron="@daily")),
        (OptionError, "no time zone", lambda: add("t", task="x", every=9, timezone="Asia/Tokyo")),
        (OptionError, "did you mean 'overlap'", lambda: add("two", task="report", overlaps="skip")),
        (OptionError, "overlap='no'", lambda: add("t", task="report", every=9, overlap="no")),
        (OptionError, "is before start", lambda: add("t", task="x", every=9, **ends_early())),
        (OptionError, "a day", lambda: add("t", task="report", every=9, spread=90_000)),
        (OptionError, "two words", lambda: add("two words", task="report", every=9)),
        (OptionError, "expression", lambda: add("two", task="report", cron="* * *")),
        (ScheduleConflictError, "already", lambda: add("one", task="report", **daily())),
        (ArgumentsError, "'dya'", lambda: still_app.schedules.set("one", arguments={"dya": 1})),
        (OptionError, "did you mean 'cron'", lambda: still_app.schedules.set("one", corn="x")),
        (TaskNotFoundError, "'x'", lambda: still_app.schedules.set("one", task="x")),
        (ScheduleNotFoundError, "'one'", lambda: still_app.schedules.set("noe", every=9)),
    ):
        with pytest.raises(error, match=said):
            call()
    assert ["one"] == [one.name for one in still_app.schedules.list()]


def daily():
    """What a schedule needs."""
    return {"cron": "@daily", "arguments": {"day": 1}}


def ends_early():
    """An end before the start."""
    start = datetime(2026, 1, 2, tzinfo=UTC)
    return {"start": start, "end": start - timedelta(days=1)}


def test_a_version_guards_a_change(still_app, report):
    """Who has not seen the last one changes nothing."""
    first = still_app.schedules.add("one", task="report", **daily())
    still_app.schedules.set("one", cron="@hourly", version=first.version)
    with pytest.raises(ScheduleConflictError, match="not of version 1"):
        still_app.schedules.set("one", cron="@weekly", version=first.version)

    assert "@hourly" == still_app.schedules.get("one").schedule.cron


def test_a_change_that_others_come_before_each_time_says_so(still_app, report):
    """Without a version there is none to tell of; with one, it is told of the version."""
    still_app.schedules.add("one", task="report", **daily())
    hours = iter(range(100))

    class Slow(Mapping):
        """Arguments during whose reading somebody else changes the schedule."""

        def __iter__(self):
            still_app.schedules.set("one", cron=f"{next(hours)} 0 * * *")
            return iter(["day"])

        def __getitem__(self, name):
            return 7

        def __len__(self):
            return 1

    with pytest.raises(ScheduleConflictError, match="by others .* 10 times in a row") as raised:
        still_app.schedules.set("one", arguments=Slow())
    assert "None" not in str(raised.value)
    version = still_app.schedules.get("one").version
    with pytest.raises(ScheduleConflictError, match=f"not of version {version} "):
        still_app.schedules.set("one", arguments=Slow(), version=version)
    assert {"day": 1} == still_app.schedules.get("one").schedule.arguments


def test_a_schedule_can_be_given_a_task_that_only_workers_have(still_app, report):
    """As it can be added: by `unchecked`."""
    still_app.schedules.add("one", task="report", **daily())
    with pytest.raises(TaskNotFoundError, match=r"unchecked=True \(--unchecked\)"):
        still_app.schedules.set("one", task="elsewhere")
    assert "elsewhere" == still_app.schedules.set("one", task="elsewhere", unchecked=True).task
    still_app.schedules.set("one", task="report")
    changed = asyncio.run(still_app.schedules.aset("one", task="elsewhere", unchecked=True))
    assert ("elsewhere", "unknown_task") == (changed.task, changed.state)
    with pytest.raises(ArgumentsError, match="'dya'"):
        still_app.schedules.set("one", task="report", arguments={"dya": 1}, unchecked=True)


def test_a_declared_schedule_is_paused_and_run_and_edited_in_code(still_app, fire, registry):
    """Also before any worker has begun."""
    scheduled("*/5 * * * *", "sweep", registry=registry)(lambda: 1)
    still_app.schedules.pause("sweep")
    fire(600)
    assert [] == still_app.jobs()
    job = still_app.schedules.run_now("sweep")
    assert ("sweep", "sweep", None, None) == (job.task, job.schedule, job.instant, job.key)
    drain(still_app)
    assert 1 == job.refresh().result(0)
    for verb, call in (
        ("change", lambda: still_app.schedules.set("sweep", cron="@daily")),
        ("remove", lambda: still_app.schedules.remove("sweep")),
    ):
        with pytest.raises(ScheduleConflictError, match=f"declared in code .*: {verb} it there"):
            call()
    with pytest.raises(ScheduleConflictError, match="already"):
        still_app.schedules.add("sweep", task="sweep", cron="@daily")

    still_app.schedules.resume("sweep")
    fire(300)
    assert [None, 15] == [job.instant and job.instant.minute for job in reversed(still_app.jobs())]
    [shown] = still_app.schedules.list()
    assert ("code", "active", 20) == (shown.origin, shown.state, shown.next.minute)
    assert shown.last.id == still_app.jobs()[0].id


def test_what_the_code_declares_no_more_is_retired(still_app, fire, clock):
    """It does not fire, is shown so, and can be removed."""
    other = TaskRegistry()
    scheduled("*/5 * * * *", "old", registry=other)(lambda: 1)
    duty(still_app.store, other, clock).tick(clock.now())
    assert "active" == still_app.schedules.get("old").state  # another program has it, it seems
    with pytest.raises(ScheduleConflictError, match="declared in code: remove"):
        still_app.schedules.remove("old")
    fire(600)

    assert [] == still_app.jobs()
    assert ("retired", None) == (
        still_app.schedules.get("old").state,
        still_app.schedules.get("old").next,
    )
    still_app.schedules.remove("old")
    assert [] == still_app.schedules.list()


def test_a_task_that_is_scheduled_no_more_does_not_fire(still_app, fire, registry):
    """Though it is there, and its row is."""
    still_app.store.schedules.declare([ScheduleEntry("report", "* * * * *", "UTC")])
    fire(600)

    assert [] == still_app.jobs()


def test_a_schedule_whose_task_nobody_knows_is_shown_so(still_app, fire, registry):
    """It fires nothing; when a program comes that knows the task, it does."""
    still_app.schedules.add("ghost", task="nobody", every=300, unchecked=True)
    fire(600)
    [shown] = still_app.schedules.list()
    assert ("unknown_task", "nobody", None) == (shown.state, shown.task, shown.next)
    assert [] == still_app.jobs()
    with pytest.raises(TaskNotFoundError, match="'nobody'"):
        still_app.schedules.run_now("ghost")

    other = TaskRegistry()
    task("nobody", registry=other)(lambda: 1)
    duty(still_app.store, other, still_app._clock).tick(still_app._clock.now())
    assert [10] == fired(still_app, "ghost")  # the latest that was missed


def test_arguments_of_a_declared_schedule(registry):
    """Checked like a call, when the app boots."""

    def app_of(arguments):
        made = TaskRegistry()

        @scheduled(every=60, registry=made, arguments=arguments)
        def sweep(depth: int): ...

        return App("sqlite://", registry=made)

    for arguments, said in (({}, "needs 'depth'"), ({"depth": "x"}, "depth"), ({"d": 1}, "depth")):
        app = app_of(arguments)
        with pytest.raises(TaskRegistrationError, match=said):
            app.check()
        app.close()
    app = app_of({"depth": 3})
    app.check()
    assert {"depth": 3} == app.schedules.run_now("sweep").arguments
    app.close()


def test_a_schedule_that_skips_leaves_out_what_would_overlap(still_app, fire, report):
    """Until the job has ended; it is told, and nothing is made up for."""
    told = []
    still_app.schedules.add("slow", task="report", every=60, overlap="skip", arguments={"day": 1})
    still_app.events.subscribe(told.append, ScheduleSkipped)
    fire(300)
    assert [1] == fired(still_app, "slow")
    drain(still_app)
    fire(0)
    assert [1] == fired(still_app, "slow")
    fire(60)
    assert [1, 6] == fired(still_app, "slow")
    still_app.schedules.set("slow", overlap="allow")
    fire(60)
    assert [1, 6, 7] == fired(still_app, "slow")


def test_a_clock_that_was_ahead_silences_no_schedule_that_was_changed_meanwhile(
    still_app, fire, clock
):
    """Added, changed or resumed in the future, it fires from the moment at which that is over."""
    every = {"task": "report", "every": 60, "arguments": {"day": 1}}
    for name in ("changed", "resumed"):
        still_app.schedules.add(name, **every)
    fire(0)
    clock.advance(3 * 86_400)
    still_app.schedules.add("added", **every)
    still_app.schedules.add("skips", overlap="skip", **every)
    still_app.schedules.set("changed", every=120)
    still_app.schedules.pause("resumed")
    still_app.schedules.resume("resumed")
    fire(0)
    clock.advance(-3 * 86_400)
    fire(300)

    assert [1, 2, 3, 4, 5] == fired(still_app, "added") == fired(still_app, "resumed")
    assert [2, 4] == fired(still_app, "changed")
    assert [1] == fired(still_app, "skips")


def test_start_and_end_bound_a_schedule(still_app, fire, clock):
    """An interval is counted from its start."""
    begin = clock.now()
    start, end = begin + timedelta(seconds=630), begin + timedelta(seconds=1200)
    still_app.schedules.add(
        "bounded", task="report", every=240, start=start, end=end, arguments={"day": 1}
    )
    fire(1800)
    instants = [job.instant - begin for job in reversed(still_app.jobs(schedule="bounded"))]

    assert [630, 870, 1110] == [at.seconds for at in instants]
    assert ("ended", None) == (
        still_app.schedules.get("bounded").state,
        still_app.schedules.get("bounded").next,
    )


def test_jobs_are_spread_after_their_instants(still_app, fire, report):
    """Each by what its schedule and instant say, so that all processes agree."""
    names = [f"s{number}" for number in range(20)]
    for name in names:
        still_app.schedules.add(
            name, task="report", cron="10 * * * *", spread=60, arguments={"day": 1}
        )
    fire(600)
    jobs = [still_app.jobs(schedule=name)[0] for name in names]
    delays = {(job.run_at - job.instant).total_seconds() for job in jobs}

    assert len(delays) > 10
    assert all(0 <= delay < 60 for delay in delays)
    assert {"delayed", "queued"} >= {str(job.state) for job in jobs}


def test_backfill_fills_what_is_missing(still_app, fire, report, clock):
    """After a dry run, and not twice."""
    begin = clock.now()
    still_app.schedules.add("hourly", task="report", cron="0 * * * *", arguments={"day": 1})
    still_app.schedules.pause("hourly")
    clock.advance(6 * 3600)
    still_app.schedules.resume("hourly")
    fire(3600)
    assert 1 == len(still_app.jobs())

    def fill(**how):
        found = still_app.schedules.backfill("hourly", begin, **how)
        return [at.hour for at in found]

    assert [0, 1, 2, 3, 4, 5, 6] == fill(dry_run=True)
    assert 1 == len(still_app.jobs())
    assert [0, 1] == fill(until=begin + timedelta(hours=2))
    assert [2, 3, 4, 5, 6] == fill()
    assert list(range(8)) == sorted(job.instant.hour for job in still_app.jobs())
    assert [] == fill() == fill(dry_run=True)
    still_app.schedules.add("later", task="report", cron="0 * * * *", arguments={"day": 1})
    back = still_app.schedules.backfill
    assert [3, 4] == [at.hour for at in back("later", timedelta(hours=4), 2 * 3600)]
    assert [5, 6] == [at.hour for at in back("later", 4 * 3600, timedelta(seconds=1))]
    for said, since, until in (
        ("time that is over", 0, None),
        ("time that is over", 60, 120),
        ("since=-1", -1, None),
        ("until='now'", 60, "now"),
        ("time that is over", begin, clock.now() + timedelta(hours=1)),
        ("time that is over", clock.now(), begin),
        ("more than 10,000", begin - timedelta(days=3650), None),
        ("time zone", datetime(2026, 1, 1), None),
    ):
        with pytest.raises(OptionError, match=said):
            still_app.schedules.backfill("hourly", since, until)


def test_no_middleware_surrounds_what_a_schedule_stores(still_app, fire, report):
    """However it is fired: nobody enqueues it."""
    calls = []

    class Noted(Middleware):
        def around_enqueue(self, call):
            calls.append(call)

    still_app.use(Noted())
    still_app.schedules.add("often", task="report", every=60, arguments={"day": 1})
    fire(60)
    still_app.schedules.run_now("often")
    assert 10 == len(still_app.schedules.backfill("often", 600))

    assert 12 == still_app.jobs.count(schedule="often")
    assert [] == calls


def test_backfill_reads_the_jobs_of_its_time(still_app, fire, report, clock, monkeypatch):
    """And of a day before, however many older ones are kept."""
    still_app.schedules.add("hourly", task="report", cron="0 * * * *", arguments={"day": 1})
    fire(72 * 3600, step=3600)
    read, records = [], still_app.store.records

    def counted(ids):
        read.extend(ids)
        return records(ids)

    monkeypatch.setattr(still_app.store, "records", counted)

    assert [] == still_app.schedules.backfill("hourly", clock.now() - timedelta(hours=2))
    assert 24 < len(read) < 30
    assert 72 == len(still_app.jobs(schedule="hourly"))


UNREADABLE = {
    "timezone": "Mars/Olympus",
    "cron": "at dawn",
    "missed": "most",
    "overlap": "queue",
    "spread": 10**15,
}


@pytest.mark.parametrize("field", UNREADABLE)
def test_a_schedule_that_cannot_be_read_here_is_shown_and_can_be_stopped(
    still_app, fire, report, field
):
    """Beside the others; it fires nothing, and can be paused, mended and removed."""
    entry = ScheduleEntry("odd", "*/5 * * * *", "UTC", "report", '{"day": 1}')
    still_app.store.schedules.add(entry._replace(**{field: UNREADABLE[field]}))
    still_app.schedules.add("even", task="report", cron="*/5 * * * *", arguments={"day": 1})
    fire(300)
    even, odd = still_app.schedules.list()

    assert (0, 1) == tuple(len(still_app.jobs(schedule=name)) for name in ("odd", "even"))
    assert ("unreadable", None, "report") == (odd.state, odd.next, odd.task)
    assert ("active", False) == (even.state, even.next is None)
    assert odd.to_dict() == still_app.schedules.get("odd").to_dict()
    assert ("unreadable", True) == ((shown := still_app.schedules.pause("odd")).state, shown.paused)
    with pytest.raises(OptionError) as told:
        still_app.schedules.set("odd", arguments={"day": 2})
    assert odd.schedule.explain() == str(told.value)
    mended = {"timezone": "UTC", "cron": "0 * * * *", "missed": "skip", "overlap": "allow"}
    good = {**mended, "spread": 1}[field]
    assert "paused" == still_app.schedules.set("odd", **{field: good}).state
    still_app.schedules.remove("odd")
    still_app.store.schedules.add(entry._replace(**{field: UNREADABLE[field]}))
    still_app.schedules.remove("odd")
    assert ["even"] == [one.name for one in still_app.schedules.list()]


def test_a_worker_that_runs_sees_changes(tmp_path, registry):
    """Without being started again: it fires what was added, and nothing after a pause."""
    ran = threading.Semaphore(0)
    task("tick", registry=registry)(ran.release)
    app = App("sqlite:///jobs.db", registry=registry)
    worker = threading.Thread(target=lambda: app.run_worker(drain=5))
    worker.start()
    app.schedules.add("often", task="tick", every=1, missed="all(100)")
    for _ in range(3):
        assert ran.acquire(timeout=30)
    paused = app.schedules.pause("often")
    app.schedules.add("other", task="tick", every=1)
    while not app.jobs(schedule="other", limit=1):
        assert ran.acquire(timeout=30)
    app.stop()
    worker.join(30)
    instants = [job.instant for job in app.jobs(schedule="often")]

    assert len(instants) == len(set(instants)) >= 3
    assert all(at <= paused.paused_at for at in instants)
    app.close()


KINDS = ["*/2 * * * *", "*/3 * * * *", "*/7 * * * *", 30, 90, 150]


class Model:
    """A schedule by brute force: every second is looked at."""

    def __init__(self, kind, missed, at):
        self.kind, self.missed, self.paused = kind, missed, False
        self.pending, self.fired, self.seen = [], [], at

    def matches(self, second):
        """Whether it is due at that second."""
        if isinstance(self.kind, int):
            return second % self.kind == 0
        return second % 60 == 0 and second // 60 % 60 % int(self.kind[2]) == 0

    def wait(self, now):
        """Time has passed."""
        if not self.paused:
            self.pending += [s for s in range(self.seen + 1, now + 1) if self.matches(s)]
        self.seen = now

    def fire(self, now):
        """Somebody has looked."""
        if self.missed == "skip":
            self.fired += [s for s in self.pending[-1:] if now - s <= 60]
        else:
            self.fired += self.pending[-(1 if self.missed == "latest" else 50) :]
        self.pending = []

    def restart(self):
        """It counts from now on."""
        self.pending = []


@pytest.mark.parametrize("seed", range(3))
def test_schedules_against_an_oracle(still_app, registry, report, clock, seed):
    """Edits, pauses, removals, and processes that are killed or look too late, at random."""
    chance = random.Random(seed)
    names = [f"s{number}" for number in range(4)]
    models, gone = {}, []
    fresh = lambda: duty(still_app.store, registry, clock)  # noqa: E731
    processes = [fresh() for _ in range(3)]

    def now():
        return int(clock.now().timestamp())

    def options():
        kind, missed = chance.choice(KINDS), chance.choice(["latest", "skip", "all(50)"])
        times = {"every": kind} if isinstance(kind, int) else {"cron": kind}
        return kind, missed, {**times, "missed": missed}

    for _ in range(200):
        clock.advance(chance.choice([1, 10, 30, 61, 200]))
        for model in models.values():
            model.wait(now())
        name, schedules = chance.choice(names), still_app.schedules
        model, dice = models.get(name), chance.random()
        if model is None:
            kind, missed, given = options()
            schedules.add(name, task="report", arguments={"day": 1}, **given)
            models[name] = Model(kind, missed, now())
        elif dice < 0.05:
            schedules.remove(name)
            gone.append((name, models.pop(name)))
        elif dice < 0.2:
            (schedules.resume if model.paused else schedules.pause)(name)
            model.paused = not model.paused
            model.restart()
        elif dice < 0.3:
            kind, missed, given = options()
            schedules.set(name, **given)
            if kind != model.kind:
                model.restart()
            model.kind, model.missed = kind, missed
        elif dice < 0.35:
            schedules.set(name, arguments={"day": chance.randrange(100)})
        looking = [number for number in range(3) if chance.random() < 0.3]
        for number in looking:
            if chance.random() < 0.2:
                processes[number] = fresh()
            processes[number].tick(clock.now())
        if looking:
            for model in models.values():
                model.fire(now())

    expected = {name: [] for name in names}
    for name, model in [*gone, *models.items()]:
        expected[name] += model.fired
    for name in names:
        jobs = still_app.jobs(schedule=name, limit=10_000)
        assert sorted(expected[name]) == sorted(int(job.instant.timestamp()) for job in jobs)


def test_a_list_takes_as_many_statements_however_many_schedules_there_are(
    monkeypatch, registry, report
):
    """Of those that have fired, those that have not, and those whose last job is gone."""
    counter = StatementCounter(monkeypatch)
    with App("sqlite://", registry=registry) as app:
        counts = set()
        for number in range(9):
            name = f"report-{number}"
            app.schedules.add(name, task="report", cron="@daily", arguments={"day": 1})
            jobs = [app.schedules.run_now(name) for _ in range(number % 3)]
            if number % 3 == 2:
                jobs[-1].cancel()
                app.jobs.delete(jobs.pop().id)
            if number >= 2:
                counter.said.clear()
                shown = app.schedules.list()
                counts.add(len(counter.said))
            if number == 8:
                last = {one.name: one.last for one in shown}
                assert (None, jobs[-1]) == (last["report-0"], last["report-8"])
                assert "report-1" == last["report-1"].schedule

    assert 1 == len(counts)


def test_several_are_removed_together_or_none(still_app, report):
    """One that cannot be is told before any of them goes."""
    for name in ("one", "two"):
        still_app.schedules.add(name, task="report", every=60, arguments={"day": 1})
    with pytest.raises(ScheduleNotFoundError):
        still_app.schedules.remove("one", "none")
    with pytest.raises(OptionError, match="which schedules"):
        still_app.schedules.remove()
    assert ["one", "two"] == [one.name for one in still_app.schedules.list()]
    still_app.schedules.remove("one", "two")
    assert [] == still_app.schedules.list()


def test_the_next_instants_of_a_schedule_are_told(still_app, clock, registry, report):
    """In its own zone, also where clocks change, and while it is paused; the spread is not in them."""
    scheduled("0 8 * * *", "daily", timezone="Europe/London", registry=registry)(lambda: None)
    still_app.schedules.add(
        "late", task="report", cron="30 1 * * *", timezone="Europe/London", arguments={"day": 1}
    )
    still_app.schedules.add("often", task="report", every=90, spread=60, arguments={"day": 1})
    before = datetime(2026, 10, 24, 12, tzinfo=UTC)

    def at(name, *asked):
        return [one.isoformat() for one in still_app.schedules.instants(name, *asked)]

    assert ["2026-10-25T01:30:00+01:00", "2026-10-26T01:30:00+00:00"] == at("late", 2, before)
    assert ["2026-10-25T08:00:00+00:00"] == at("daily", 1, before)
    assert ["2026-10-24T12:01:30+00:00", "2026-10-24T12:03:00+00:00"] == at("often", 2, before)
    now = still_app._clock.now()
    assert 5 == len([one for one in still_app.schedules.instants("late") if one > now])
    still_app.schedules.pause("late")
    assert 5 == len(at("late"))
    still_app.schedules.set("late", end=before + timedelta(days=1))
    assert ["2026-10-25T01:30:00+01:00"] == at("late", 5, before)
    assert at("late", 1, before) == [
        one.isoformat() for one in asyncio.run(still_app.schedules.ainstants("late", 1, before))
    ]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"count": 0}, "count=0 is not allowed: give a whole number from 1 to 1,000"),
        ({"count": 1001}, "count=1001 is not allowed"),
        ({"count": True}, "count=True is not allowed"),
        ({"after": datetime(2026, 1, 1)}, "give a datetime with a time zone"),
        ({"after": "now"}, "after='now' is not allowed"),
    ],
)
def test_instants_that_cannot_be_told_are_refused(still_app, report, asked, said):
    """With what is allowed."""
    still_app.schedules.add("one", task="report", every=60, arguments={"day": 1})

    with pytest.raises(OptionError, match=said):
        still_app.schedules.instants("one", **asked)
    with pytest.raises(
        ScheduleNotFoundError, match="There is no schedule 'on' .*did you mean 'one'"
    ):
        still_app.schedules.instants("on")
