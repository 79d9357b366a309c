"""OpenTelemetry: the spans and metrics of enqueues and attempts, and the context between them."""

import asyncio

import pytest

import rotulus.workflow as wf
from rotulus import Retry, Snooze, task
from rotulus.events import MiddlewareFailed
from rotulus.testing import drain

pytest.importorskip("opentelemetry.sdk", reason="in the environment of the extra test")

from opentelemetry import baggage, context, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import (
    BatchSpanProcessor,
    SimpleSpanProcessor,
    SpanExporter,
    SpanExportResult,
)
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from rotulus.otel import OPT_IN, OpenTelemetry

pytestmark = pytest.mark.anywhere


class Seen:
    """What the SDK exports, in memory."""

    def __init__(self):
        self.exporter, self.reader = InMemorySpanExporter(), InMemoryMetricReader()
        self.tracing = TracerProvider()
        self.tracing.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.metering = MeterProvider([self.reader])

    def middleware(self, **options):
        """A middleware that tells it."""
        given = {"tracer_provider": self.tracing, "meter_provider": self.metering}
        return OpenTelemetry(**given, **options)

    def spans(self):
        """The spans, in the order in which they ended."""
        return list(self.exporter.get_finished_spans())

    def span(self, name):
        """The only span of a name."""
        [found] = [span for span in self.spans() if span.name == name]
        return found

    def points(self):
        """The points of each metric by its name and unit."""
        data = self.reader.get_metrics_data()
        found = data.resource_metrics[0].scope_metrics[0].metrics if data else []
        return {(metric.name, metric.unit): list(metric.data.data_points) for metric in found}


@pytest.fixture
def seen():
    """What is exported in a test."""
    return Seen()


def declare(app, name="t", **options):
    """A task that gives the id of the trace that it runs in."""

    @task(name, registry=app.registry, **options)
    def body() -> str:
        return f"{trace.get_current_span().get_span_context().trace_id:032x}"

    return body


def trace_of(span):
    """The id of a trace, as texts have it."""
    return f"{span.context.trace_id:032x}"


def test_an_attempt_links_to_its_enqueue(app, seen):
    """It begins a trace of its own, in which the body runs; ours are the names of attributes."""
    app.use(seen.middleware())
    job = declare(app).using(queue="mail").enqueue()
    drain(app)

    sent, processed = seen.span("enqueue t"), seen.span("process t")
    assert (SpanKind.PRODUCER, SpanKind.CONSUMER) == (sent.kind, processed.kind)
    assert [sent.context.span_id] == [link.context.span_id for link in processed.links]
    assert processed.parent is None
    assert trace_of(processed) == job.result(0) != trace_of(sent)
    assert trace_of(sent) in job.headers["traceparent"]
    assert {
        "rotulus.task": "t",
        "rotulus.queue": "mail",
        "rotulus.job": job.id,
        "rotulus.existed": False,
    } == dict(sent.attributes)
    assert {
        "rotulus.task": "t",
        "rotulus.queue": "mail",
        "rotulus.job": job.id,
        "rotulus.attempt": 1,
        "rotulus.outcome": "succeeded",
        "rotulus.state": "succeeded",
    } == dict(processed.attributes)
    assert "https://opentelemetry.io/schemas/1.44.0" == sent.instrumentation_scope.schema_url
    assert {} == seen.points()


def test_the_names_for_messaging_are_taken_by_a_variable(app, seen, monkeypatch):
    """Those of the conventions 1.44, and the metrics."""
    monkeypatch.setenv(OPT_IN, "http, messaging")
    app.use(seen.middleware(server=("db", 5432)))
    job = declare(app).enqueue()
    drain(app)

    shared = {
        "messaging.system": "rotulus",
        "messaging.destination.name": "default",
        "messaging.message.id": job.id,
        "messaging.message.body.size": 2,
        "server.address": "db",
        "server.port": 5432,
        "rotulus.task": "t",
    }
    send = {"messaging.operation.type": "send", "messaging.operation.name": "enqueue"}
    process = {"messaging.operation.type": "process", "messaging.operation.name": "process"}
    assert shared | send | {"rotulus.existed": False} == dict(seen.span("enqueue t").attributes)
    ended = {"rotulus.attempt": 1, "rotulus.outcome": "succeeded", "rotulus.state": "succeeded"}
    assert shared | process | ended == dict(seen.span("process t").attributes)

    of_metrics = {name: shared[name] for name in shared if "message." not in name}
    points = seen.points()
    assert {
        ("messaging.client.operation.duration", "s"): of_metrics | send,
        ("messaging.client.sent.messages", "{message}"): of_metrics | send,
        ("messaging.process.duration", "s"): of_metrics | process,
        ("messaging.client.consumed.messages", "{message}"): of_metrics | process,
    } == {metric: dict(point.attributes) for metric, [point] in points.items()}
    assert 1 == points["messaging.client.sent.messages", "{message}"][0].value
    assert 1 == points["messaging.process.duration", "s"][0].count
    assert 10 == points["messaging.process.duration", "s"][0].explicit_bounds[-1]


@pytest.mark.parametrize("kind", ["function", "coroutine"])
def test_the_context_travels_on_to_child_jobs(app, seen, kind):
    """From the caller to the body, and to the jobs that the body enqueues."""
    app.use(seen.middleware(parent=True))
    child = declare(app, "child")

    if kind == "function":

        @task(registry=app.registry)
        def parent() -> str:
            return child.enqueue().id
    else:

        @task(registry=app.registry)
        async def parent() -> str:
            await asyncio.sleep(0)
            return (await child.aenqueue()).id

    with seen.tracing.get_tracer("test").start_as_current_span("request") as request:
        job = parent.enqueue()
    drain(app)

    chain = ["enqueue parent", "process parent", "enqueue child", "process child"]
    spans = [seen.span(name) for name in chain]
    ids = [request.context.span_id, *(span.context.span_id for span in spans)]
    assert ids[:-1] == [span.parent.span_id for span in spans]
    assert {request.context.trace_id} == {span.context.trace_id for span in spans}
    assert trace_of(spans[0]) == app.get(job.result(0)).result(0)


def test_many_jobs_have_a_span_each_and_one_for_all(app, seen):
    """The one for all links to the others, and says how many; the jobs carry their own."""
    app.use(seen.middleware(messaging=True))
    jobs = declare(app).enqueue_many([(), (), ()])

    created = [span for span in seen.spans() if span.name == "create t"]
    sent = seen.span("enqueue t")
    assert [job.id for job in jobs] == [s.attributes["messaging.message.id"] for s in created]
    assert {SpanKind.PRODUCER} == {span.kind for span in created}
    assert ["create"] * 3 == [s.attributes["messaging.operation.type"] for s in created]
    assert [s.context.span_id for s in created] == [link.context.span_id for link in sent.links]
    assert (SpanKind.CLIENT, 3) == (sent.kind, sent.attributes["messaging.batch.message_count"])
    carried = [job.headers["traceparent"].split("-")[2] for job in jobs]
    assert [f"{span.context.span_id:016x}" for span in created] == carried
    assert 3 == seen.points()["messaging.client.sent.messages", "{message}"][0].value


def test_spans_of_many_jobs_can_be_left_out(app, seen):
    """Then all carry the context of the call."""
    app.use(seen.middleware(create_spans=False))
    jobs = declare(app).enqueue_many([(), ()])

    [sent] = seen.spans()
    assert (SpanKind.PRODUCER, 2) == (sent.kind, sent.attributes["rotulus.jobs"])
    assert {f"{sent.context.span_id:016x}"} == {
        job.headers["traceparent"].split("-")[2] for job in jobs
    }


def test_a_failure_is_on_the_span_and_in_the_metrics(app, seen):
    """The exception with its type, at each attempt."""
    app.use(seen.middleware(messaging=True))

    @task(registry=app.registry)
    def fails():
        raise ValueError("no")

    fails.enqueue()
    drain(app)

    span = seen.span("process fails")
    assert (StatusCode.ERROR, "ValueError: no") == (
        span.status.status_code,
        span.status.description,
    )
    assert ("ValueError", "failed") == (
        span.attributes["error.type"],
        span.attributes["rotulus.outcome"],
    )
    assert ["exception"] == [event.name for event in span.events]
    [point] = seen.points()["messaging.process.duration", "s"]
    assert "ValueError" == point.attributes["error.type"]


def test_an_exception_without_a_text_is_on_the_span_that_ends_all_the_same(app, seen):
    """Its text is code of the task, and may raise."""
    app.use(seen.middleware(messaging=True))

    class Mute(Exception):
        def __str__(self):
            raise KeyError("no text")

    @task(registry=app.registry)
    def fails():
        raise Mute

    fails.enqueue()
    drain(app)

    span, said = seen.span("process fails"), "<its __str__ raised KeyError>"
    assert f"{Mute.__qualname__}: {said}" == span.status.description
    assert ("failed", Mute.__qualname__) == (
        span.attributes["rotulus.outcome"],
        span.attributes["error.type"],
    )
    [event] = span.events
    assert ("exception", said) == (event.name, event.attributes["exception.message"])
    assert seen.points()["messaging.process.duration", "s"]


@pytest.mark.parametrize("asked", [Retry(attempts=2, delay=60), Snooze(60)])
def test_what_a_task_asks_for_is_no_failure(app, seen, asked):
    """Another attempt, or a later one."""
    app.use(seen.middleware())

    @task(registry=app.registry)
    def asks():
        raise asked

    asks.enqueue()
    drain(app)

    span = seen.span("process asks")
    assert StatusCode.UNSET == span.status.status_code
    assert "error.type" not in span.attributes


def test_an_enqueue_that_stores_nothing_is_a_failure(app, seen):
    """With what the store raised."""
    app.use(seen.middleware(messaging=True))
    declared = declare(app)
    app.store.close()
    with pytest.raises(Exception, match="closed"):
        declared.enqueue()

    span = seen.span("enqueue t")
    assert ("StoreClosedError", StatusCode.ERROR) == (
        span.attributes["error.type"],
        span.status.status_code,
    )
    assert [("messaging.client.operation.duration", "s")] == list(seen.points())


def test_only_the_baggage_that_is_named_travels(app, seen):
    """The database keeps it where others may read it."""
    app.use(seen.middleware(baggage=["tenant"]))

    @task(registry=app.registry)
    def body() -> dict:
        return dict(baggage.get_all())

    token = context.attach(baggage.set_baggage("tenant", "7", baggage.set_baggage("secret", "x")))
    try:
        job = body.enqueue()
    finally:
        context.detach(token)
    drain(app)

    assert "tenant=7" == job.headers["baggage"]
    assert {"tenant": "7"} == job.result(0)


@pytest.mark.parametrize(
    ("header", "tenant", "carried"),
    [(10, 10, {"traceparent", "baggage"}), (10, 4000, {"traceparent"}), (4070, 10, set())],
)
@pytest.mark.parametrize("many", [False, True])
def test_a_context_for_which_headers_have_no_room_is_left_out(
    app, seen, header, tenant, carried, many
):
    """The baggage first; the jobs are stored, and the enqueue is no failure."""
    app.use(seen.middleware(baggage=["tenant"], messaging=True))
    failed = []
    app.events.subscribe(failed.append, MiddlewareFailed)
    declared = declare(app).using(headers={"x": "y" * header})
    token = context.attach(baggage.set_baggage("tenant", "a" * tenant))
    jobs = declared.enqueue_many([(), ()]) if many else [declared.enqueue()]
    context.detach(token)

    assert [carried | {"x"}] * len(jobs) == [set(job.headers) for job in jobs]
    assert [] == failed
    assert {StatusCode.UNSET} == {span.status.status_code for span in seen.spans()}
    told = [event.name for span in seen.spans() for event in span.events]
    left_out = 2 - len(carried)
    assert ["rotulus.context_left_out"] * left_out * len(jobs) == told
    [point] = seen.points()["messaging.client.sent.messages", "{message}"]
    assert len(jobs) == point.value
    assert "error.type" not in point.attributes


def test_steps_link_to_the_enqueue_of_their_run(app, seen, build):
    """Each with the workflow and its place in the run."""
    app.use(seen.middleware())
    with build("flow"):

        @wf.task(id="one")
        def one(context):
            return None

    run = app.enqueue("flow")
    drain(app)

    sent, step = seen.span("enqueue flow"), seen.span("process flow.one")
    assert [sent.context.span_id] == [link.context.span_id for link in step.links]
    assert {"rotulus.workflow": "flow", "rotulus.step": "one", "rotulus.run": run.id}.items() <= (
        dict(step.attributes).items()
    )


def test_a_job_that_held_the_key_is_named(app, seen):
    """And that it was there."""
    app.use(seen.middleware())
    keyed = declare(app, key="k")
    first = keyed.enqueue()
    keyed.enqueue()

    again = seen.spans()[-1]
    assert (first.id, True) == (
        again.attributes["rotulus.job"],
        again.attributes["rotulus.existed"],
    )


class Lines(SpanExporter):
    """Writes the names of spans into a file."""

    def __init__(self, path):
        self.path = path

    def export(self, spans):
        with self.path.open("a") as lines:
            lines.writelines(f"{span.name}\n" for span in spans)
        return SpanExportResult.SUCCESS


def test_the_spans_of_an_isolated_attempt_are_exported_before_its_process_ends(app, tmp_path):
    """Also by a processor that exports now and then."""
    tracing = TracerProvider()
    exporter = Lines(tmp_path / "spans")
    tracing.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=3_600_000))
    app.use(OpenTelemetry(tracer_provider=tracing))
    job = declare(app, isolation="process").enqueue()
    drain(app)

    assert "succeeded" == job.refresh().state
    assert ["process t"] == exporter.path.read_text().splitlines()
    tracing.shutdown()
    assert ["process t", "enqueue t"] == exporter.path.read_text().splitlines()


def test_without_an_sdk_nothing_is_carried(app):
    """The API alone makes no spans, and invents no context."""
    app.use(OpenTelemetry(tracer_provider=trace.NoOpTracerProvider()))
    job = declare(app).enqueue()
    drain(app)

    assert {} == job.headers
    assert "0" * 32 == job.result(0)
