"""`rotulus.metrics`: what Prometheus reads, from statistics that a restart does not set back."""

import asyncio
import sqlite3
from datetime import timedelta
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from rotulus import App, Retry, TaskRegistry, scheduled, task
from rotulus.errors import StoreError
from rotulus.events import JobsPruned, LeaseLost, OutcomeRefused, StoreFailed
from rotulus.metrics import MEDIA_TYPE, Metric, Metrics, Sample, write_metrics
from rotulus.store import ClaimFilter, WorkerInfo
from rotulus.testing import SettableClock, drain


def samples(text):
    """What Prometheus's own parser reads: the values, by name and labels."""
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in found
            found[key] = sample.value
    return found


def value(text, name, **labels):
    """One value."""
    return samples(text).get((name, frozenset(labels.items())))


@pytest.fixture
def tasks(still_app, clock):
    """A task that takes its time, and one that fails."""

    @task(registry=still_app.registry, name="mail.send", queue="mail")
    def takes(seconds: float):
        clock.advance(seconds)

    @task(registry=still_app.registry, retry=Retry(attempts=2, delay=0, jitter=False))
    def fails():
        raise ValueError("no")

    return takes, fails


def test_every_metric_is_as_it_was_counted(still_app, tasks):
    """With its type, its help and its labels."""
    takes, fails = tasks
    for seconds in (0.02, 2, 20):
        takes.enqueue(seconds)
        drain(still_app)
    fails.enqueue()
    drain(still_app)
    still_app.queues.pause("mail")
    text = Metrics(still_app).text()
    kinds = {family.name: family.type for family in text_string_to_metric_families(text)}

    assert 3 == value(text, "rotulus_jobs_enqueued_total", task="mail.send", queue="mail")
    mail = {"task": "mail.send", "queue": "mail"}
    assert 3 == value(text, "rotulus_attempts_total", **mail, outcome="succeeded")
    fail = {"task": "fails", "queue": "default"}
    assert 1 == value(text, "rotulus_attempts_total", **fail, outcome="failed")
    assert 1 == value(text, "rotulus_attempts_total", **fail, outcome="retried")
    name = "rotulus_attempt_duration_seconds"
    buckets = [value(text, f"{name}_bucket", task="mail.send", le=le) for le in ("0.01", "0.025")]
    assert [0, 1] == buckets
    assert [2, 3] == [
        value(text, f"{name}_bucket", task="mail.send", le=le) for le in ("10", "+Inf")
    ]
    assert (3, 22.02) == (
        value(text, f"{name}_count", task="mail.send"),
        value(text, f"{name}_sum", task="mail.send"),
    )
    assert 3 == value(text, "rotulus_wait_seconds_count", queue="mail")
    assert (1, 0) == tuple(
        value(text, "rotulus_queue_paused", queue=queue) for queue in ("mail", "default")
    )
    for state in ("busy", "idle"):
        assert 0 == value(text, "rotulus_workers", state=state)
    assert 0 == value(text, "rotulus_queue_workers", queue="mail")
    assert ("counter", "histogram", "histogram", "gauge") == (
        kinds["rotulus_attempts"],
        kinds[name],
        kinds["rotulus_wait_seconds"],
        kinds["rotulus_workers"],
    )


def test_jobs_that_wait_and_run_are_counted(still_app, tasks):
    """In each queue and state, 0 too; those that have ended are told by counters."""
    takes, _ = tasks
    takes.enqueue(0)
    drain(still_app)
    for delay in (0, 60):
        takes.using(delay=delay).enqueue(0)
    text = Metrics(still_app).text()
    found = {
        dict(labels)["state"]: count
        for (name, labels), count in samples(text).items()
        if name == "rotulus_jobs"
    }

    assert {"queued": 1, "delayed": 1, "blocked": 0, "running": 0} == found


def test_the_age_of_what_waits_is_told(still_app, clock, tasks):
    """For each queue, and 0 where nothing waits: an alarm compares it with a number."""
    takes, fails = tasks
    fails.enqueue()
    drain(still_app)
    takes.enqueue(0)
    clock.advance(300)
    text = Metrics(still_app).text()

    ages = [value(text, "rotulus_queue_oldest_seconds", queue=name) for name in ("mail", "default")]
    assert [300, 0] == ages


def test_workers_and_their_slots_are_told_by_what_they_do(still_app, clock, tasks):
    """And how many serve each queue, 0 too: an alarm looks for that."""
    tasks[0].enqueue_many([(0,)] * 5)
    for name, queues, slots in (("w1", ("mail",), 3), ("w2", None, 4), ("w3", ("x",), 2)):
        still_app.store.extend([], 30.0, WorkerInfo(name, "h", 1, queues, slots, clock.now()))
    still_app.store.claim(ClaimFilter("w1"), 4, 30.0)
    still_app.queues.pause("alone")
    text = Metrics(still_app).text()

    def by_state(name, *states):
        return [value(text, name, state=state) for state in states]

    assert [1, 2] == by_state("rotulus_workers", "busy", "idle")
    assert [3, 6] == by_state("rotulus_slots", "busy", "free")
    served = [value(text, "rotulus_queue_workers", queue=name) for name in ("mail", "alone")]
    assert [2, 1] == served


def test_the_lag_of_schedules_is_told(still_app, clock):
    """Of each that is active; 0 as long as its instants are fired."""

    @scheduled("*/5 * * * *", name="often", registry=still_app.registry)
    def often(): ...

    @scheduled("0 0 1 1 *", name="held", registry=still_app.registry)
    def held(): ...

    still_app.schedules.pause("held")
    still_app.tick()
    text = Metrics(still_app).text()
    assert 0 == value(text, "rotulus_schedule_lag_seconds", schedule="often")
    assert value(text, "rotulus_schedule_lag_seconds", schedule="held") is None
    clock.advance(660)
    lag = value(Metrics(still_app).text(), "rotulus_schedule_lag_seconds", schedule="often")
    assert 300 < lag <= 660
    assert {"often": lag} == still_app.stats.lags() == asyncio.run(still_app.stats.alags())


def test_what_runs_with_a_key_of_limits_is_told_of_those_that_are_asked_for(still_app, clock):
    """Keys may be as many as customers: none is told by itself."""
    call = task(name="call", limit=2, limit_key="api", registry=still_app.registry)(lambda: None)
    call.enqueue_many([()] * 5)
    still_app.store.claim(ClaimFilter("w1"), 4, 30.0)

    assert "limit_held" not in Metrics(still_app).text()
    text = Metrics(still_app, limit_keys=["api", "none"]).text()
    held = [value(text, "rotulus_limit_held", limit_key=key) for key in ("api", "none")]
    assert [2, 0] == held


def test_what_goes_wrong_in_this_process_is_counted(still_app):
    """From now on; a series is there before it counts anything, or its increase would be missed."""
    metrics = Metrics(still_app)

    def counted():
        text = metrics.text()
        plain = ("leases_lost", "outcomes_refused", "pruned")
        return (
            *(value(text, f"rotulus_{name}_total") for name in plain),
            value(text, "rotulus_store_errors_total", call="settle"),
            value(text, "rotulus_store_errors_total", call="odd"),
        )

    assert (0, 0, 0, 0, None) == counted()
    for event in (
        LeaseLost("a", 1),
        OutcomeRefused("a", 1),
        OutcomeRefused("b", 1),
        JobsPruned(7),
        StoreFailed("settle", StoreError("away")),
        StoreFailed("odd", StoreError("away")),
    ):
        still_app.events.emit(event)
    assert (1, 2, 7, 1, 1) == counted()


@pytest.mark.anywhere
def test_what_waits_is_counted_to_ten_thousand(registry):
    """So that a scrape takes no longer however many jobs there are."""
    add = task(name="add", registry=registry)(lambda: None)
    with App("sqlite://", registry=registry) as app:
        add.enqueue_many([()] * 10_002)
        text = Metrics(app).text()

    assert 10_000 == value(text, "rotulus_jobs", queue="default", state="queued")


def test_an_app_in_which_nothing_happened(still_app):
    """Has metrics without values, which is valid."""
    assert {
        "rotulus_workers",
        "rotulus_slots",
        "rotulus_build_info",
        "rotulus_leases_lost_total",
        "rotulus_outcomes_refused_total",
        "rotulus_pruned_total",
        "rotulus_store_errors_total",
    } == {name for name, _ in samples(Metrics(still_app).text())}


def test_a_restart_loses_nothing(still_app, clock, tasks):
    """Another process tells the same, and what was read before is not counted again."""
    takes, _ = tasks
    before = Metrics(still_app)
    for hours in range(4):
        takes.enqueue(1.0)
        drain(still_app)
        clock.advance(3600 * hours)
        assert before.text() == Metrics(still_app).text()
    assert 4 == value(before.text(), "rotulus_jobs_enqueued_total", task="mail.send", queue="mail")


@pytest.mark.anywhere
@settings(max_examples=10)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 40 * 86_400)), max_size=8))
def test_no_counter_ever_goes_back(steps):
    """Whatever is pruned and folded, and however long nobody asks: Prometheus would see a restart."""
    clock = SettableClock()
    app = App("sqlite://", registry=TaskRegistry(), clock=clock, keep_stats=timedelta(days=30))

    @task(registry=app.registry)
    def work(): ...

    [fold] = [duty for duty in app._own.worker_runs.duties(app.store) if duty.name == "fold_stats"]
    kept, last = Metrics(app), {}
    for jobs, seconds in [*steps, (1, 100 * 86_400), (1, 0)]:
        if jobs:
            work.enqueue_many([()] * jobs)
            drain(app)
        clock.advance(seconds)
        fold.tick(clock.now())
        kept._read_at = float("-inf")
        text = kept.text()
        found = samples(text)
        assert text == Metrics(app).text()
        assert [] == [name for name, before in last.items() if found[name] < before]
        last = found
    added = sum(jobs for jobs, _ in steps) + 2
    assert added == value(text, "rotulus_jobs_enqueued_total", task="work", queue="default")
    app.close()


def test_only_what_is_new_is_read_again(still_app, clock, tasks):
    """Old statistics are read once an hour: a scrape takes as long as the last minutes are."""
    takes, _ = tasks
    takes.enqueue(1.0)
    drain(still_app)
    clock.advance(3600)
    metrics = Metrics(still_app)
    first = metrics.text()
    takes.enqueue(1.0)
    drain(still_app)
    until = metrics._known_until
    second = metrics.text()

    count = {"task": "mail.send", "queue": "mail"}
    assert [1, 2] == [value(t, "rotulus_jobs_enqueued_total", **count) for t in (first, second)]
    assert until == metrics._known_until > 0
    assert [1] == [total.stat.count for total in metrics._known if total.stat.outcome == "enqueued"]


@pytest.mark.parametrize(
    "odd", ['a"b\\c\nd', "\\", "\\n", "", " ", "\r", "\u2028", "ü\U0001f389", '{a="b"} 1 # HELP m']
)
def test_texts_are_escaped(odd):
    """Quotes, backslashes and line breaks, in values of labels and in what a metric is for."""
    text = write_metrics([Metric("m", odd, [Sample(1.5, {"l": odd}), Sample(2)])])

    assert {("m", frozenset({("l", odd)})): 1.5, ("m", frozenset()): 2.0} == samples(text)
    [family] = text_string_to_metric_families(text)
    assert odd.strip() == family.documentation.strip()


def test_values_are_as_prometheus_writes_them():
    """Also those that are no numbers."""
    values = [float("inf"), float("-inf"), float("nan"), 2**70, True]
    text = write_metrics([Metric(f"m{n}", "x", [Sample(v)]) for n, v in enumerate(values)])

    written = [line.split()[1] for line in text.splitlines() if not line.startswith("#")]
    assert ["+Inf", "-Inf", "NaN", "1.1805916207174113e+21", "1.0"] == written


def asked(application, method="GET"):
    """The status and the body of an answer of a WSGI application, which is checked."""
    environ = {"REQUEST_METHOD": method, "QUERY_STRING": ""}
    setup_testing_defaults(environ)
    told = []
    answer = validator(application)(environ, lambda *args: told.append(args))
    body = b"".join(answer)
    answer.close()
    return told[0][0], dict(told[0][1]), body.decode()


def test_a_wsgi_application(still_app, tasks):
    """Answers a GET, as the protocol wants it."""
    tasks[0].enqueue(0)
    metrics = Metrics(still_app)
    status, headers, body = asked(metrics.wsgi)

    assert ("200 OK", MEDIA_TYPE) == (status, headers["Content-Type"])
    assert metrics.text() == body
    assert "" == asked(metrics.wsgi, "HEAD")[2]
    assert "405 Method Not Allowed" == asked(metrics.wsgi, "POST")[0]


def test_an_asgi_application(still_app, tasks):
    """With a life of its own, or mounted."""
    tasks[0].enqueue(0)
    metrics = Metrics(still_app)
    with TestClient(metrics.asgi) as client:
        answer = client.get("/metrics")
        assert (200, MEDIA_TYPE) == (answer.status_code, answer.headers["content-type"])
        assert metrics.text() == answer.text
        assert 405 == client.post("/metrics").status_code
        assert b"" == client.head("/metrics").content


def test_a_store_that_cannot_be_read(registry):
    """It is told with 503, and works again afterwards."""
    app = App("sqlite:///jobs.db", registry=registry)
    metrics = Metrics(app)
    assert "200 OK" == asked(metrics.wsgi)[0]
    connection = sqlite3.connect("jobs.db")
    connection.execute("ALTER TABLE rotulus_stats RENAME TO elsewhere")
    assert "503 Service Unavailable" == asked(metrics.wsgi)[0]
    assert "503 Service Unavailable" == asked(metrics.wsgi)[0]
    connection.execute("ALTER TABLE elsewhere RENAME TO rotulus_stats")
    connection.close()
    status, _, body = asked(metrics.wsgi)
    assert "200 OK" == status
    assert 2 == value(body, "rotulus_store_errors_total", call="metrics")
    app.close()
