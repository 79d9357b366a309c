"""OpenTelemetry: spans and metrics of enqueues and attempts, and the context between them.

It needs the extra `otel`. A program hands `OpenTelemetry` to its app, beside the SDK that it has
set up as usual:

    from rotulus.otel import OpenTelemetry

    app.use(OpenTelemetry())
"""

import os
from collections.abc import Collection, Generator, Mapping
from contextlib import contextmanager
from time import perf_counter
from typing import Any, NamedTuple

from opentelemetry import baggage, context, metrics, propagate, trace
from opentelemetry.context import Context
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import Link, Span, SpanKind, StatusCode, TracerProvider

from rotulus import EnqueueCall, Job, Middleware, PendingJob, Retry, RunningAttempt, __version__
from rotulus.errors import OptionError

__all__ = ["OpenTelemetry"]

SCHEMA = "https://opentelemetry.io/schemas/1.44.0"
"""The version of the semantic conventions whose names are used."""

OPT_IN = "OTEL_SEMCONV_STABILITY_OPT_IN"
"""The variable by which a program takes names of conventions that are not stable yet."""

Attributes = dict[str, Any]

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
"""The bounds that the conventions advise for the histograms, in seconds."""

_FLUSH_MILLISECONDS = 5000
"""How long an export may hold up the outcome of an isolated attempt."""

_ENDED_BADLY = frozenset({"failed", "dead"})


class OpenTelemetry(Middleware):
    """Traces and measures each enqueue and each attempt of an app.

    The context of the caller travels in the headers of the job, in the form of the propagator that
    is set globally. So a body knows the trace that has enqueued its job, and a job that the body
    enqueues knows the attempt.

    Spans have attributes of ours, such as `rotulus.task`. The names that OpenTelemetry has for
    messaging (1.44) may still change. A program takes these, and the metrics, by setting the
    variable `OTEL_SEMCONV_STABILITY_OPT_IN` to `messaging`, or by `messaging=True`.

    Args:
        messaging: whether the names for messaging are used; unless given, the variable decides.
        parent: whether the span of an attempt is a child of the span of its enqueue. Otherwise it
            begins a trace of its own, and links to that one, as the conventions have it.
        create_spans: whether each job of an `enqueue_many` has a span of its own.
        baggage: the keys of the baggage that travel with a job. Everybody who may read the
            database can read them.
        server: the address and the port of the database, for the attributes `server.address` and
            `server.port`, if they are wanted.
        tracer_provider: gives the tracer; the global one unless given.
        meter_provider: gives the meter; the global one unless given.
    """

    def __init__(
        self,
        *,
        messaging: bool | None = None,
        parent: bool = False,
        create_spans: bool = True,
        baggage: Collection[str] = (),
        server: tuple[str, int] | None = None,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
    ) -> None:
        self._names = _Names(_opted_in() if messaging is None else messaging, server)
        self._parent = parent
        self._create_spans = create_spans
        self._baggage = frozenset(baggage)
        self._providers = tracer_provider, meter_provider
        self._tracer = trace.get_tracer("rotulus", __version__, tracer_provider, SCHEMA)
        self._meters = _Meters.of(meter_provider) if self._names.messaging else None

    @contextmanager
    def around_enqueue(self, call: EnqueueCall) -> Generator[None, None, None]:
        """A span of the call, whose context the jobs have in their headers."""
        attributes = self._names.of_send(call)
        many = len(call.jobs) > 1
        links = [self._create(job) for job in call.jobs] if many and self._create_spans else []
        began = perf_counter()
        with self._tracer.start_as_current_span(
            _span_name("enqueue", {job.task for job in call.jobs}),
            kind=SpanKind.CLIENT if links else SpanKind.PRODUCER,
            attributes=attributes,
            links=links,
        ) as span:
            if not links:
                for job in call.jobs:
                    self._carry(job, span)
            yield
            error = _note_error(span, call.exception)
            if not many and call.added:
                span.set_attributes(self._names.of_added(call.added[0]))
        if self._meters is not None:
            self._meters.sent(attributes, error, perf_counter() - began, len(call.added))

    def _create(self, job: PendingJob) -> Link:
        """Put the context of a span of its own into one of many jobs; returns a link to it."""
        attributes = self._names.of_pending(job, "create", "create")
        span = self._tracer.start_span(
            _span_name("create", {job.task}), kind=SpanKind.PRODUCER, attributes=attributes
        )
        self._carry(job, span)
        span.end()
        return Link(span.get_span_context())

    def _carry(self, job: PendingJob, span: Span) -> None:
        """Give a job the context of the span that it is enqueued in, as far as there is room."""
        for keys in dict.fromkeys((self._baggage, frozenset[str]())):
            try:
                job.add_headers(_carried(span, keys))
            except OptionError as error:  # its headers are full, which is no error of the enqueue
                span.add_event("rotulus.context_left_out", {"rotulus.reason": str(error)})
            else:
                return

    @contextmanager
    def around_attempt(self, attempt: RunningAttempt) -> Generator[None, None, None]:
        """A span of the attempt, in whose context the body runs."""
        sent = propagate.extract(attempt.job.headers, Context())
        span_sent = trace.get_current_span(sent).get_span_context()
        links = [Link(span_sent)] if span_sent.is_valid and not self._parent else []
        attributes = self._names.of_attempt(attempt.job)
        began = perf_counter()
        span = self._tracer.start_span(
            _span_name("process", {attempt.job.task}),
            context=sent if self._parent else trace.set_span_in_context(trace.INVALID_SPAN, sent),
            kind=SpanKind.CONSUMER,
            attributes=attributes,
            links=links,
        )
        token = context.attach(trace.set_span_in_context(span, sent))
        try:
            yield
        finally:
            context.detach(token)
            error = _note_failure(span, attempt)
            span.set_attributes(
                {"rotulus.outcome": attempt.outcome, "rotulus.state": str(attempt.state)}
            )
            span.end()
        if self._meters is not None:
            self._meters.processed(attributes, error, perf_counter() - began)
        if attempt.isolated:
            self._flush()

    def _flush(self) -> None:
        """Have the SDK export what it has kept in this process, which may end now."""
        tracing, metering = self._providers
        for provider in (
            tracing or trace.get_tracer_provider(),
            metering or metrics.get_meter_provider(),
        ):
            flush = getattr(provider, "force_flush", None)  # the API has none
            if flush is not None:
                flush(_FLUSH_MILLISECONDS)


def _carried(span: Span, keys: Collection[str]) -> dict[str, str]:
    """Returns the headers of a job that is enqueued in a span, with the baggage of some keys."""
    around = trace.set_span_in_context(span)
    for key in baggage.get_all(around):
        if key not in keys:
            around = baggage.remove_baggage(key, around)
    headers: dict[str, str] = {}
    propagate.inject(headers, around)
    return headers


class _Names(NamedTuple):
    """The names of attributes.

    Attributes:
        messaging: whether those of the conventions for messaging are used.
        server: the address and the port of the database.
    """

    messaging: bool
    server: tuple[str, int] | None

    def of_send(self, call: EnqueueCall) -> Attributes:
        """Of a call that stores jobs."""
        first = call.jobs[0]
        if len(call.jobs) == 1:
            return self.of_pending(first, "send", "enqueue")
        tasks, queues = {job.task for job in call.jobs}, {job.queue for job in call.jobs}
        found = self._of("send", "enqueue", queues.pop() if len(queues) == 1 else None)
        if len(tasks) == 1:
            found["rotulus.task"] = first.task
        name = "messaging.batch.message_count" if self.messaging else "rotulus.jobs"
        return found | {name: len(call.jobs)}

    def of_pending(self, job: PendingJob, kind: str, operation: str) -> Attributes:
        """Of a job that is about to be stored."""
        about = {"rotulus.task": job.task} | self._identity(job.id, None, job.size)
        return self._of(kind, operation, job.queue) | about

    def of_added(self, job: Job[Any]) -> Attributes:
        """Of a job that is stored: of the holder of its key, if it has not been added."""
        return self._identity(job.id, job.run, None) | {"rotulus.existed": job.existed}

    def of_attempt(self, job: Job[Any]) -> Attributes:
        """Of an attempt of a job."""
        size = len(job.record.arguments.encode()) if self.messaging else None
        about = {
            "rotulus.task": job.task,
            "rotulus.attempt": job.attempt,
            "rotulus.workflow": job.record.workflow,
            "rotulus.step": job.step or None,
            "rotulus.schedule": job.schedule,
        }
        known = {name: value for name, value in about.items() if value is not None}
        identity = self._identity(job.id, job.run, size)
        return self._of("process", "process", job.queue) | identity | known

    def _of(self, kind: str, operation: str, queue: str | None) -> Attributes:
        found: Attributes = {}
        if self.server is not None:
            found["server.address"], found["server.port"] = self.server
        if not self.messaging:
            return found if queue is None else found | {"rotulus.queue": queue}
        found["messaging.system"] = "rotulus"
        found["messaging.operation.type"], found["messaging.operation.name"] = kind, operation
        return found if queue is None else found | {"messaging.destination.name": queue}

    def _identity(self, job: str, run: str | None, size: int | None) -> Attributes:
        if not self.messaging:
            return {"rotulus.job": job} | ({} if run is None else {"rotulus.run": run})
        found: Attributes = {"messaging.message.id": job}
        if run is not None:
            found["messaging.message.conversation_id"] = run
        return found if size is None else found | {"messaging.message.body.size": size}


class _Meters(NamedTuple):
    """The metrics that the conventions have for messaging."""

    operation_duration: metrics.Histogram
    process_duration: metrics.Histogram
    sent_messages: metrics.Counter
    consumed_messages: metrics.Counter

    @classmethod
    def of(cls, provider: MeterProvider | None) -> "_Meters":
        """Those of a provider."""
        meter = metrics.get_meter("rotulus", __version__, provider, SCHEMA)

        def histogram(name: str, what: str) -> metrics.Histogram:
            return meter.create_histogram(
                name, "s", what, explicit_bucket_boundaries_advisory=_SECONDS
            )

        return cls(
            histogram("messaging.client.operation.duration", "Duration of an enqueue."),
            histogram("messaging.process.duration", "Duration of an attempt."),
            meter.create_counter("messaging.client.sent.messages", "{message}", "Jobs enqueued."),
            meter.create_counter(
                "messaging.client.consumed.messages", "{message}", "Attempts of jobs."
            ),
        )

    def sent(self, attributes: Attributes, error: str | None, seconds: float, jobs: int) -> None:
        """Measure a call that stores jobs."""
        told = _of_metrics(attributes, error)
        self.operation_duration.record(seconds, told)
        if jobs:
            self.sent_messages.add(jobs, told)

    def processed(self, attributes: Attributes, error: str | None, seconds: float) -> None:
        """Measure an attempt."""
        told = _of_metrics(attributes, error)
        self.process_duration.record(seconds, told)
        self.consumed_messages.add(1, told)


_OF_METRICS = (
    "messaging.system",
    "messaging.operation.type",
    "messaging.operation.name",
    "messaging.destination.name",
    "server.address",
    "server.port",
    "rotulus.task",
)
"""Attributes of few values."""


def _of_metrics(attributes: Mapping[str, Any], error: str | None) -> Attributes:
    told = {name: attributes[name] for name in _OF_METRICS if name in attributes}
    return told if error is None else told | {"error.type": error}


def _opted_in() -> bool:
    names = os.environ.get(OPT_IN, "").split(",")
    return bool({"messaging", "messaging/dup"} & {name.strip() for name in names})


def _span_name(operation: str, tasks: set[str]) -> str:
    return f"{operation} {tasks.pop()}" if len(tasks) == 1 else operation


def _note_failure(span: Span, attempt: RunningAttempt) -> str | None:
    """Note on a span how an attempt has failed, if it has; returns the type of the error."""
    if isinstance(attempt.exception, Retry):
        return None  # the task has asked for it
    if attempt.exception is None and attempt.outcome in _ENDED_BADLY:
        error = attempt.reason or attempt.outcome
        span.set_attribute("error.type", error)
        span.set_status(StatusCode.ERROR, error)
        return error
    return _note_error(span, attempt.exception)


def _note_error(span: Span, error: BaseException | None) -> str | None:
    """Note an exception on a span, if there is one; returns its type."""
    if error is None:
        return None
    kind = type(error).__qualname__
    try:
        text = str(error)
        span.record_exception(error)
    except Exception as problem:  # noqa: BLE001 - __str__ is the exception's own code
        text = f"<its __str__ raised {type(problem).__name__}>"
        span.add_event("exception", {"exception.type": kind, "exception.message": text})
    span.set_attribute("error.type", kind)
    span.set_status(StatusCode.ERROR, f"{kind}: {text}")
    return kind
