"""Every option has an effect, or is refused: there is a case here for each, or the test says so."""

import inspect
import platform
import re
import tempfile
import threading
from datetime import UTC, datetime, timedelta
from typing import get_type_hints

import pytest
from cryptography.fernet import Fernet

from rotulus import INJECTED, App, Job, Retry, TaskRegistry, __version__, scheduled, task
from rotulus._tasks.options import TaskOptions, UsingOptions
from rotulus.errors import OptionError, RotulusError
from rotulus.testing import SettableClock, drain

pytestmark = pytest.mark.anywhere


@pytest.fixture
def clock():
    """A clock that moves only when it is told to."""
    return SettableClock()


@pytest.fixture
def app(registry, clock):
    """An app in memory, on that clock."""
    made = App("sqlite://", registry=registry, clock=clock)
    yield made
    made.close()


def body(n: int = 0) -> int:
    return n


def failing() -> None:
    raise OSError("no")


def named(app, **options):
    """A task with options."""
    return task("named", registry=app.registry, **options)(body)


def states(*jobs):
    """How jobs stand now."""
    return [str(job.refresh().state) for job in jobs]


# --- of a task -------------------------------------------------------------------------------


def with_tags(app):
    named(app, tags=["a", "b"])
    assert ["named"] == app.registry.list_by_tags(["b"])


def with_retry(app):
    job = task("f", registry=app.registry, retry=Retry(attempts=2))(failing).enqueue()
    drain(app)
    assert ["delayed"] == states(job)


def with_timeout(app):
    @task(registry=app.registry, timeout=0.05)
    async def forever():
        import asyncio

        await asyncio.Event().wait()

    job = forever.enqueue()
    drain(app)
    assert "timeout" == job.refresh().reason


def with_isolation(app):
    import os

    job = task("pid", registry=app.registry, isolation="process")(os.getpid).enqueue()
    drain(app)
    assert os.getpid() != job.result(0)


def with_memory(app):
    @task(registry=app.registry, isolation="process", memory=32)
    def greedy():
        return len(bytes(512 * 1024 * 1024))

    job = greedy.enqueue()
    drain(app)
    assert "MemoryError" == job.refresh().error.type


def with_logs(app):
    @task(registry=app.registry, logs="error")
    def talk(job: Job = INJECTED):
        job.log("a warning", "warning")
        job.log("an error", "error")

    job = talk.enqueue()
    drain(app)
    assert ["an error"] == [line.text for line in job.logs()]


def with_queue(app):
    assert "slow" == named(app, queue="slow").enqueue().queue


def with_priority(app):
    assert 7 == named(app, priority=7).enqueue().priority


def with_key(app):
    keyed = named(app, key="k:{n}")
    assert keyed.enqueue(1).id == keyed.enqueue(1).id != keyed.enqueue(2).id


def with_window(app, clock):
    keyed = named(app, key="k", window=60)
    first = keyed.enqueue()
    drain(app)
    assert first.id == keyed.enqueue().id
    clock.advance(61)
    assert first.id != keyed.enqueue().id


def with_limit(app):
    most_at_once(app, named_waiting(app, limit=1), 1)


def with_limit_key(app):
    most_at_once(app, named_waiting(app, limit=1, limit_key="k:{n}"), 3)


def named_waiting(app, **options):
    """A task whose bodies count how many of them run at once."""
    lock, now, most = threading.Lock(), [0], [0]
    gate = threading.Barrier(3, timeout=0.3)

    @task("waiting", registry=app.registry, **options)
    def waiting(n: int) -> None:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        try:
            gate.wait()
        except threading.BrokenBarrierError:
            pass
        with lock:
            now[0] -= 1

    waiting.function.most = most
    return waiting


def most_at_once(app, waiting, expected, **using):
    """Three jobs of a task run, so many of them at once."""
    for n in range(3):
        waiting.using(**using).enqueue(n)
    drain(app)
    assert [expected] == waiting.function.most


def with_rate(app):
    rated(app, named(app, rate=2), started=2)


def with_per(app, clock):
    rated(app, named(app, rate=1, per=3600), started=1)
    clock.advance(60)
    assert [] == drain(app)


def rated(app, limited, *, started, **using):
    """Three jobs of a task are enqueued, and so many of them are started."""
    jobs = [limited.using(**using).enqueue(n) for n in range(3)]
    drain(app)
    assert started == states(*jobs).count("succeeded")


def with_expires(app, clock):
    job = named(app, expires=10).enqueue()
    clock.advance(11)
    drain(app)
    assert ("dead", "expired") == (*states(job), job.refresh().reason)


def with_labels(app):
    assert {"team": "x"} == named(app, labels={"team": "x"}).enqueue().refresh().labels


def with_result(app):
    def wrong() -> int:
        return "seven"

    jobs = [
        task(name, registry=app.registry, **options)(wrong).enqueue()
        for name, options in (("checked", {}), ("trusted", {"result": "trust"}))
    ]
    drain(app)
    assert ["failed", "succeeded"] == states(*jobs)


TASK = {
    "tags": with_tags,
    "retry": with_retry,
    "timeout": with_timeout,
    "isolation": with_isolation,
    "memory": with_memory,
    "queue": with_queue,
    "priority": with_priority,
    "key": with_key,
    "window": with_window,
    "limit": with_limit,
    "limit_key": with_limit_key,
    "rate": with_rate,
    "per": with_per,
    "expires": with_expires,
    "labels": with_labels,
    "result": with_result,
    "logs": with_logs,
}


# --- of one enqueue --------------------------------------------------------------------------


def using_queue(app):
    assert "other" == named(app, queue="slow").using(queue="other").enqueue().queue


def using_priority(app):
    assert 3 == named(app, priority=7).using(priority=3).enqueue().priority


def using_delay(app, clock):
    job = named(app).using(delay=60).enqueue()
    assert clock.now() + timedelta(seconds=60) == job.run_at


def using_at(app):
    at = datetime(2030, 1, 1, tzinfo=UTC)
    assert at == named(app).using(at=at).enqueue().run_at


def using_expires(app, clock):
    job = named(app).using(expires=10).enqueue()
    clock.advance(11)
    drain(app)
    assert "expired" == job.refresh().reason


def using_key(app):
    keyed = named(app, key="k:{n}").using(key="k:{n}")  # taken as it is
    assert keyed.enqueue(1).id == keyed.enqueue(2).id


def using_window(app):
    keyed = named(app).using(key="k", window=60)
    first = keyed.enqueue()
    drain(app)
    assert first.id == keyed.enqueue().id


def using_debounce(app, clock):
    debounced = named(app).using(key="k", debounce=60)
    first = debounced.enqueue(1)
    clock.advance(50)
    assert first.id == debounced.enqueue(2).id
    clock.advance(50)
    drain(app)
    assert ("delayed", {"n": 2}) == (*states(first), first.refresh().arguments)


def using_max_wait(app, clock):
    debounced = named(app).using(key="k", debounce=60, max_wait=90)
    first = debounced.enqueue(1)
    clock.advance(50)
    debounced.enqueue(2)
    clock.advance(50)
    drain(app)
    assert 2 == first.result(0)


def using_limit(app):
    most_at_once(app, named_waiting(app), 1, limit=1)


def using_limit_key(app):
    most_at_once(app, named_waiting(app, limit_key="k:{n}"), 1, limit=1, limit_key="k")


def using_rate(app):
    rated(app, named(app), started=2, rate=2)


def using_per(app):
    rated(app, named(app), started=1, rate=1, per=3600)


def using_labels(app):
    declared = named(app, labels={"team": "x"})
    job = declared.using(labels={"customer": "7"}).enqueue()
    assert {"customer": "7", "team": "x"} == job.refresh().labels


def using_headers(app):
    job = named(app).using(headers={"traceparent": "00-1"}).enqueue()
    assert {"traceparent": "00-1"} == job.refresh().headers


def using_connection(tmp_path):
    import sqlite3

    app = App(f"sqlite:///{tmp_path}/jobs.db", registry=TaskRegistry())
    app.store.count()
    connection = sqlite3.connect(tmp_path / "jobs.db")
    connection.execute("BEGIN")
    named(app).using(connection=connection).enqueue()
    assert [] == app.jobs()
    connection.commit()
    assert 1 == len(app.jobs())
    connection.close()
    app.close()


def using_group(app):
    @task(registry=app.registry)
    def report(outcomes: list) -> int:
        return len(outcomes)

    with app.group("g", then=report) as group:
        assert group.id == named(app).using(group=group).enqueue().run
    drain(app)
    assert 1 == group.job.result(0)


USING = {
    "queue": using_queue,
    "priority": using_priority,
    "delay": using_delay,
    "at": using_at,
    "expires": using_expires,
    "key": using_key,
    "window": using_window,
    "debounce": using_debounce,
    "max_wait": using_max_wait,
    "limit": using_limit,
    "limit_key": using_limit_key,
    "rate": using_rate,
    "per": using_per,
    "labels": using_labels,
    "headers": using_headers,
    "connection": using_connection,
    "group": using_group,
}


# --- of a schedule ---------------------------------------------------------------------------


def fired(app, clock, seconds=60, **options):
    """What a schedule has fired after so many seconds."""
    options.setdefault("cron", None if "every" in options else "* * * * *")
    scheduled(name="timed", registry=app.registry, **options)(body)
    drain(app)
    clock.advance(seconds)
    drain(app)
    return app.jobs(schedule="timed")


def scheduled_cron(app, clock):
    assert [] == fired(app, clock, cron="0 3 * * *")


def scheduled_name(app):
    assert "x" == scheduled("* * * * *", "x", registry=app.registry)(body).name


def scheduled_every(app, clock):
    assert 1 == len(fired(app, clock, seconds=20, every=20))


def scheduled_timezone(app):
    zoned = scheduled("0 3 * * *", registry=app.registry, timezone="Asia/Tokyo")(body)
    assert 18 == zoned.schedule.next(datetime(2026, 1, 1, tzinfo=UTC))[0].astimezone(UTC).hour


def scheduled_missed(app, clock):
    assert 3 == len(fired(app, clock, seconds=600, missed="all(3)"))


def scheduled_overlap(app, clock):
    assert 1 == len(fired(app, clock, seconds=600, missed="all(3)", overlap="skip"))


def scheduled_start(app, clock):
    start = clock.now() + timedelta(minutes=8)
    assert 3 == len(fired(app, clock, seconds=600, missed="all(9)", start=start))


def scheduled_end(app, clock):
    end = clock.now() + timedelta(minutes=2)
    assert 2 == len(fired(app, clock, seconds=600, missed="all(9)", end=end))


def scheduled_spread(app, clock):
    jobs = fired(app, clock, seconds=600, missed="all(9)", spread=30)
    assert {0} != {(job.run_at - job.instant).microseconds for job in jobs}


def scheduled_arguments(app):
    @scheduled("@daily", registry=app.registry, arguments={"depth": 3})
    def sweep(depth: int): ...

    assert {"depth": 3} == app.schedules.run_now("sweep").arguments


def scheduled_registry(app):
    other = TaskRegistry()
    scheduled("* * * * *", registry=other)(body)
    assert (["body"], []) == (other.list_all(), app.registry.list_all())


def scheduled_key():
    with pytest.raises(OptionError, match="the key of a firing is its task and its instant"):
        scheduled("* * * * *", registry=TaskRegistry(), key="k")


def scheduled_window():
    with pytest.raises(OptionError, match="window=5.*the key of a firing"):
        scheduled("* * * * *", registry=TaskRegistry(), window=5)


def scheduled_queue(app, clock):
    assert ["slow"] == [job.queue for job in fired(app, clock, queue="slow")]


def scheduled_priority(app, clock):
    assert [7] == [job.priority for job in fired(app, clock, priority=7)]


def scheduled_limit(app, clock):
    assert 1 == fired(app, clock, limit=1)[0].record.limit_to


def scheduled_rate(app, clock):
    assert 2 == fired(app, clock, rate=2)[0].record.rate_to


def scheduled_per(app, clock):
    assert 5_000_000 == fired(app, clock, rate=2, per=5)[0].record.rate_per


def scheduled_limit_key(app, clock):
    assert "k" == fired(app, clock, limit=1, limit_key="k")[0].record.limit_key


def scheduled_expires(app, clock):
    assert fired(app, clock, expires=5)[0].record.expires_at is not None


def scheduled_labels(app, clock):
    assert [{"team": "x"}] == [job.labels for job in fired(app, clock, labels={"team": "x"})]


SCHEDULED = {
    "cron": scheduled_cron,
    "name": scheduled_name,
    "every": scheduled_every,
    "timezone": scheduled_timezone,
    "missed": scheduled_missed,
    "overlap": scheduled_overlap,
    "start": scheduled_start,
    "end": scheduled_end,
    "spread": scheduled_spread,
    "arguments": scheduled_arguments,
    "registry": scheduled_registry,
    "key": scheduled_key,
    "window": scheduled_window,
    "queue": scheduled_queue,
    "priority": scheduled_priority,
    "limit": scheduled_limit,
    "rate": scheduled_rate,
    "per": scheduled_per,
    "limit_key": scheduled_limit_key,
    "expires": scheduled_expires,
    "labels": scheduled_labels,
}

OF_THE_TASK_ALONE = {"tags", "retry", "timeout", "isolation", "memory", "result", "logs"}
"""What says nothing of deliveries; `TASK` has its cases, however a job came about."""


# --- of an app -------------------------------------------------------------------------------


def with_app(case, **options):
    """An app with options, as long as a case."""
    app = App(**{"url": "sqlite://", "registry": TaskRegistry(), **options})
    try:
        case(app)
    finally:
        app.close()


def app_url(tmp_path):
    with_app(lambda app: app.store.count(), url=f"sqlite:///{tmp_path}/here.db")
    assert (tmp_path / "here.db").exists()


def app_registry():
    registry = TaskRegistry()
    with_app(lambda made: made.registry is registry or pytest.fail(), registry=registry)


def app_retry():
    def case(app):
        job = task("f", registry=app.registry)(failing).enqueue()
        drain(app)
        assert ["delayed"] == states(job)

    with_app(case, retry=Retry(attempts=2))


def lost_after(seconds, clock, app, **options):
    """A worker that hangs for so long has lost its job."""
    lost = []

    @task("hangs", registry=app.registry)
    def hangs() -> None:
        clock.advance(seconds)
        lost.extend(app.store.rescue())

    hangs.enqueue()
    app.run_worker(burst=True, **options)
    return bool(lost)


def app_lease(clock):
    def case(app):
        assert not lost_after(4, clock, app)

    with_app(case, lease=5, clock=clock)
    with_app(lambda app: lost_after(6, clock, app) or pytest.fail(), lease=5, clock=clock)


def kept(option, body, **options):
    """Jobs that have ended are pruned once their time is over."""
    clock = SettableClock()

    def case(app):
        job = task("f", registry=app.registry)(body).enqueue()
        drain(app)
        clock.advance(3600)
        [prune] = [d for d in app._own.worker_runs.duties(app.store) if d.name == "prune"]
        prune.tick(clock.now())
        assert [] == app.jobs(key=None, limit=5) or pytest.fail(f"{option}: {job.id} is there")

    with_app(case, clock=clock, **options)


def app_keep():
    kept("keep", body, keep=timedelta(minutes=5))
    kept("keep", body, keep=timedelta(0))


def app_keep_failed():
    kept("keep_failed", failing, keep_failed=timedelta(minutes=5))


def app_keep_stats(clock):
    def case(app):
        named(app).enqueue()
        clock.advance(4 * 86_400)
        [fold] = [d for d in app._own.worker_runs.duties(app.store) if d.name == "fold_stats"]
        fold.tick(clock.now())
        fold.tick(clock.now())
        assert 0 == app.stats.totals(since=timedelta(days=9))[0].enqueued

    with_app(case, clock=clock, keep_stats=timedelta(days=3))


def app_keep_logs():
    def case(app):
        @task(registry=app.registry)
        def talk(job: Job = INJECTED):
            job.log("a warning", "warning")
            job.log("an error", "error")

        job = talk.enqueue()
        drain(app)
        assert ["an error"] == [line.text for line in job.logs()]

    with_app(case, keep_logs="error")


def app_max_bytes():
    def case(app):
        with pytest.raises(Exception, match="20"):
            task("f", registry=app.registry)(print).enqueue("x" * 50)

    with_app(case, max_bytes=20)


def app_unknown_grace(clock):
    def case(app):
        app.using().enqueue("elsewhere")
        drain(app)
        assert ["queued"] == [str(job.state) for job in app.jobs()]

    with_app(case, unknown_grace=60, clock=clock)


def app_like(app):
    def case(made):
        assert made.registry is app.registry

    with_app(case, like=app, registry=None)


def app_replaces(app):
    def case(made):
        job = named(made).enqueue()
        assert [job.id] == [one.id for one in app.jobs()]

    with_app(case, replaces=app, registry=None)
    assert [] == app.jobs()


def app_store_of(app):
    def case(made):
        job = named(made).enqueue()
        assert [job.id] == [one.id for one in app.jobs()]
        assert app.store is made.store

    with_app(case, store_of=app, url=None)
    assert 1 == len(app.jobs())
    for wrong in ({}, {"registry": app.registry}, {"registry": TaskRegistry(), "url": "sqlite://"}):
        with pytest.raises(OptionError, match="store_of"):
            App(store_of=app, **wrong)


def app_log_arguments():
    def case(app, shown):
        with pytest.raises(RotulusError) as caught:
            named(app).enqueue("hunter2")
        assert shown is ("hunter2" in str(caught.value))

    with_app(lambda app: case(app, shown=False))
    with_app(lambda app: case(app, shown=True), log_arguments=True)


def app_scheduler():
    class Elsewhere:
        def __init__(self):
            self.names = []

        def add(self, task):
            self.names.append(task.name)

        def remove(self, name): ...

    registry, elsewhere = TaskRegistry(), Elsewhere()
    scheduled("* * * * *", "timed", registry=registry)(body)
    with_app(lambda app: app.check(), registry=registry, scheduler=elsewhere)
    assert ["timed"] == elsewhere.names


def app_environment():
    def case(app):
        assert "staging" == app.settings["environment"].value

    with_app(case, environment="staging")


def app_trace_url():
    template = "https://traces.example/trace/{trace_id}"

    def case(app):
        assert template == app.settings["trace_url"].value

    with_app(case, trace_url=template)
    for wrong, why in {
        "https://traces.example/": "no {trace_id} behind its host",
        "https://{trace_id}.example/": "no {trace_id} behind its host",
        "javascript:alert('{trace_id}')": "does not begin with https://",
        "https:///{trace_id}": "does not begin with https://",
        "ftp://traces.example/{trace_id}": "does not begin with https://",
        "//traces.example/{trace_id}": "does not begin with https://",
        "https://traces.example:port/{trace_id}": "does not begin with https://",
        "https://traces.example:99999/{trace_id}": "does not begin with https://",
        "https://traces\\evil.example/{trace_id}": "does not begin with https://",
        "https://[::1/{trace_id}": "does not begin with https://",
        "https://ada:hush@traces.example/{trace_id}": "has a user in it",
        "https://traces.example/ {trace_id}": "visible ASCII",
    }.items():
        with pytest.raises(OptionError, match=re.escape(why)) as caught:
            App("sqlite://", registry=TaskRegistry(), trace_url=wrong)
        assert "hush" not in str(caught.value)


def app_cipher():
    registry = TaskRegistry()
    work = task("named", registry=registry)(body)

    def case(app):
        assert {"n": 3} == work.enqueue(3).arguments

    def without_it(app):
        [job] = app.jobs()
        assert ["$cipher"] == list(job.arguments)

    with tempfile.TemporaryDirectory() as folder:
        place = {"url": f"sqlite:///{folder}/jobs.db", "registry": registry}
        with_app(case, cipher=Fernet(Fernet.generate_key()), **place)
        with_app(without_it, **place)


def app_mask():
    def case(app):
        shown = app.masking.data({"pin": "a", "password": "b"})
        assert {"pin": "***", "password": "b"} == shown

    with_app(case, mask=["pin"])


def app_version():
    def case(app):
        """A worker tells it when it announces itself, which is soon after it has begun."""
        told = []

        @task("look", registry=app.registry)
        def look() -> None:
            while not (alive := app.workers.list()):
                threading.Event().wait(0.01)
            told.extend(alive)

        look.enqueue()
        app.run_worker(burst=True)
        [worker] = told
        assert ("2026.11.3", __version__) == (worker.version, worker.rotulus)
        assert platform.python_version() == worker.python
        assert worker.memory is None or worker.memory > 10_000_000

    with_app(case, version="2026.11.3")
    with pytest.raises(OptionError, match=r"version = 'two words' is not allowed"):
        with_app(case, version="two words")


def app_webhook_networks():
    receiver = {"url": "http://10.1.2.3/hook", "events": "job.failed"}
    with_app(lambda app: app.webhooks.add("here", **receiver), webhook_networks=["10.1.0.0/16"])
    with pytest.raises(OptionError):
        with_app(lambda app: app.webhooks.add("here", **receiver))


def app_clock(clock):
    def case(app):
        assert clock.now() == named(app).enqueue().created_at

    with_app(case, clock=clock)


APP = {
    "url": app_url,
    "registry": app_registry,
    "retry": app_retry,
    "lease": app_lease,
    "keep": app_keep,
    "keep_failed": app_keep_failed,
    "keep_stats": app_keep_stats,
    "keep_logs": app_keep_logs,
    "max_bytes": app_max_bytes,
    "unknown_grace": app_unknown_grace,
    "like": app_like,
    "replaces": app_replaces,
    "store_of": app_store_of,
    "log_arguments": app_log_arguments,
    "environment": app_environment,
    "trace_url": app_trace_url,
    "version": app_version,
    "mask": app_mask,
    "cipher": app_cipher,
    "webhook_networks": app_webhook_networks,
    "scheduler": app_scheduler,
    "clock": app_clock,
}


# --- of a worker -----------------------------------------------------------------------------


def worker_queues(app):
    one, other = (named(app).using(queue=queue).enqueue() for queue in ("one", "other"))
    app.run_worker(queues=["one"], burst=True)
    assert ["succeeded", "queued"] == states(one, other)


def worker_slots(app):
    waiting = named_waiting(app)
    for n in range(3):
        waiting.enqueue(n)
    app.run_worker(slots=2, burst=True)
    assert [2] == waiting.function.most


def worker_lease(app, clock):
    assert lost_after(6, clock, app, lease=5)


def worker_drain(app):
    """Nothing is left of the time to finish, so what runs is given back."""
    begun = threading.Event()

    @task(registry=app.registry)
    async def endless():
        import asyncio

        begun.set()
        app.stop()
        await asyncio.Event().wait()

    job = endless.enqueue()
    app.run_worker(drain=0)
    assert begun.is_set()
    assert ("queued", 1) == (*states(job), job.refresh().record.releases)


def worker_burst(app):
    app.run_worker(burst=True)


def worker_name(app):
    job = named(app).enqueue()
    app.run_worker(name="ada", burst=True)
    assert "ada" == job.refresh().worker


def worker_schedules(app, clock):
    scheduled("* * * * *", "timed", registry=app.registry)(body)
    app.run_worker(burst=True)
    clock.advance(60)
    app.run_worker(burst=True, schedules=False)
    assert [] == app.jobs()
    app.run_worker(burst=True)
    assert 1 == len(app.jobs())


def worker_recycle_jobs(app):
    jobs = [named(app).enqueue() for _ in range(3)]
    app.run_worker(slots=1, recycle_jobs=1)
    assert {"succeeded", "queued"} == set(states(*jobs))


def worker_recycle_memory():
    def case(app):
        job = named(app).enqueue()
        app.run_worker(recycle_memory=1)  # it has more than that already
        assert ["succeeded"] == states(job)

    with_app(case)


WORKER = {
    "queues": worker_queues,
    "slots": worker_slots,
    "lease": worker_lease,
    "drain": worker_drain,
    "burst": worker_burst,
    "name": worker_name,
    "schedules": worker_schedules,
    "recycle_jobs": worker_recycle_jobs,
    "recycle_memory": worker_recycle_memory,
}


# --- the test --------------------------------------------------------------------------------

CASES = [
    *(pytest.param(case, id=f"@task({name}=)") for name, case in TASK.items()),
    *(pytest.param(case, id=f"using({name}=)") for name, case in USING.items()),
    *(pytest.param(case, id=f"@scheduled({name}=)") for name, case in SCHEDULED.items()),
    *(pytest.param(case, id=f"App({name}=)") for name, case in APP.items()),
    *(pytest.param(case, id=f"run_worker({name}=)") for name, case in WORKER.items()),
]


@pytest.mark.parametrize("case", CASES)
def test_an_option_has_an_effect(case, request):
    """One that the case sees; or it is refused."""
    fixtures = inspect.signature(case).parameters
    case(**{name: request.getfixturevalue(name) for name in fixtures})


def test_no_option_is_left_out():
    """Who adds an option adds a case, and so shows what the option is good for."""
    assert set(TASK) == set(get_type_hints(TaskOptions))
    assert set(USING) == set(get_type_hints(UsingOptions))
    own = set(inspect.signature(scheduled).parameters) - {"options"}
    assert set(SCHEDULED) == (own | set(get_type_hints(TaskOptions))) - OF_THE_TASK_ALONE
    assert set(APP) == set(inspect.signature(App.__init__).parameters) - {"self"}
    # `parent` is between a supervisor and its processes, which have tests of their own.
    assert set(WORKER) == set(inspect.signature(App.run_worker).parameters) - {"self", "parent"}


@pytest.mark.parametrize("where", ["task", "scheduled", "using", "app.using"])
def test_an_option_that_is_none_is_refused(where, app):
    """With the one that was meant."""
    declare = {
        "task": lambda: task(registry=app.registry, priorty=1)(body),
        "scheduled": lambda: scheduled("* * * * *", registry=app.registry, priorty=1)(body),
        "using": lambda: named(app).using(priorty=1),
        "app.using": lambda: app.using(priorty=1).enqueue("x"),
    }
    with pytest.raises(OptionError, match="no option 'priorty'; did you mean 'priority'"):
        declare[where]()
