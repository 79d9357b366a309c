"""What is logged about jobs: by Rotulus, and by their tasks."""

import asyncio
import gc
import json
import logging
import logging.config
import weakref

import pytest

import rotulus.workflow as wf
from rotulus import JobLogFilter, Retry, task
from rotulus._engine.duties import Prune, Recount, Rescue
from rotulus._engine.scheduling import Scheduling
from rotulus._supervisor.proc import Recycling
from rotulus.cli.logs import JsonFormatter, LineFormatter
from rotulus.events import AttemptFailed, DutyFailed, StoreFailed, StoreRecovered
from rotulus.testing import drain

FIELDS = ("job", "task", "attempt", "run", "step")


@pytest.fixture
def records():
    """What is logged, and the job it is about, as a handler with the filter sees it."""

    class Keep(logging.Handler):
        def __init__(self):
            super().__init__()
            self.kept = []

        def emit(self, record):
            self.kept.append(record)

    handler = Keep()
    handler.addFilter(JobLogFilter())
    root, ours = logging.getLogger(), logging.getLogger("rotulus")
    before = root.level, ours.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield handler.kept
    root.removeHandler(handler)
    root.setLevel(before[0])
    ours.setLevel(before[1])
    ours.disabled = False


@pytest.fixture
def parse(registry):
    """A task that fails two libraries deep, in code of its own."""

    @task(name="parse", registry=registry)
    def parse(text: str):
        return json.loads(text)

    return parse


def about(record):
    """The job that a record carries."""
    return tuple(getattr(record, name) for name in FIELDS)


def last(records, logger="rotulus"):
    """The last record of a logger that is about an attempt."""
    return [r for r in records if r.name == logger and getattr(r, "job", None)][-1]


def test_a_failure_is_logged_with_its_traceback(app, records, parse):
    """The frames of the task's own code; those of libraries are counted."""
    job = parse.enqueue("{")
    drain(app)
    record = last(records)

    assert (logging.ERROR, job.id) == (record.levelno, record.rotulus["job"])
    assert "return json.loads(text)" in record.exc_text
    assert "    ... 3 frames in json" in record.exc_text.replace("  ...", "    ...")
    assert "raw_decode" not in record.exc_text
    assert "raw_decode" in record.rotulus["traceback"]
    assert record.exc_text.endswith("JSONDecodeError: " + str(record.exc_info[1]))


def test_a_failure_is_logged_as_an_exception(app, records, parse):
    """So that whatever collects exceptions sees it, from the task's first frame on."""
    parse.enqueue("{")
    drain(app)
    kind, error, trace = last(records).exc_info

    assert (json.JSONDecodeError, kind) == (kind, type(error))
    assert "parse" == trace.tb_frame.f_code.co_name


def test_a_failure_that_is_retried_is_logged_as_one(app, records, registry):
    """As a warning, with the same traceback."""

    @task(retry=Retry(attempts=2, delay=60), registry=registry)
    async def fail():
        raise LookupError("gone")

    fail.enqueue()
    drain(app)
    record = last(records)

    assert (logging.WARNING, "retried") == (record.levelno, record.rotulus["outcome"])
    assert 'raise LookupError("gone")' in record.exc_text
    assert LookupError is record.exc_info[0]


def test_a_failure_of_an_isolated_task_is_logged_as_text(app, records, registry):
    """The exception itself never leaves its process."""

    @task(isolation="process", registry=registry)
    def fail():
        raise LookupError("gone")

    fail.enqueue()
    drain(app)
    record = last(records)

    assert record.exc_info is None
    assert 'raise LookupError("gone")' in record.exc_text


@pytest.mark.parametrize("kind", ["plain", "coroutine", "timed"])
def test_nothing_keeps_what_a_failed_task_referred_to(app, records, registry, kind):
    """It is free as soon as the end has been told, without a look for cycles."""

    class Big:
        pass

    kept = []
    logging.getLogger("rotulus").setLevel(logging.CRITICAL + 1)  # handlers of pytest keep records

    def fail():
        big = Big()
        kept.append(weakref.ref(big))
        raise LookupError(str(big))

    async def fail_async():
        fail()

    body = fail if kind == "plain" else fail_async
    task(name="fail", timeout=60 if kind == "timed" else None, registry=registry)(body)
    told = []
    app.events.subscribe(lambda event: told.append(type(event.error)), AttemptFailed)
    app.enqueue("fail")
    gc.collect()
    gc.disable()
    try:
        drain(app)
        assert ([LookupError], [None]) == (told, [ref() for ref in kept])
    finally:
        gc.enable()


def test_steps_are_logged_with_their_run(go, build, records):
    """In the line, and in its data."""
    with build():

        @wf.task(id="load")
        def load(context):
            raise LookupError("gone")

    run = go()
    [record] = [r for r in records if r.rotulus.get("step") == "load"]

    assert f"(step load of run {run.id})" in record.getMessage()
    assert (run.id, "load") == (record.run, record.step) == about(record)[3:]


def bodies(registry, log):
    """Tasks of every kind that log a line."""

    @task(registry=registry)
    def plain():
        log.info("from plain")

    @task(timeout=60, registry=registry)
    def timed():
        log.info("from timed")

    @task(registry=registry)
    async def coroutine():
        await asyncio.sleep(0)
        await asyncio.create_task(later())

    async def later():
        await asyncio.sleep(0)
        await asyncio.to_thread(log.info, "from coroutine")

    return [plain, timed, coroutine]


def test_what_a_task_logs_carries_its_job(app, records, registry):
    """Also in a thread or an asyncio task that the body starts; and outside there is none."""
    log = logging.getLogger("shop")
    jobs = [body.enqueue() for body in bodies(registry, log)]
    drain(app)
    log.info("outside")
    *inside, outside = [r for r in records if r.name == "shop"]

    assert sorted((job.id, job.task, 1, None, None) for job in jobs) == sorted(map(about, inside))
    assert (None,) * 5 == about(outside)


def test_what_a_step_logs_carries_its_run(go, build, records):
    """And which step it is, also in a branch."""
    log = logging.getLogger("shop")
    with build():

        @wf.task(id="list")
        def many(context):
            context.set("files", ["a", "b"])
            return context

        @wf.task(id="parse", dependencies=["list"], for_each="files")
        def parse(context):
            log.info("parsing")

    run = go()
    seen = {(r.run, r.step) for r in records if r.name == "shop"}

    assert {(run.id, "parse/0"), (run.id, "parse/1")} == seen


def test_what_an_isolated_task_logs_carries_its_job(tmp_path, app, registry):
    """The filter goes with the handler into its process."""
    handler = logging.FileHandler(tmp_path / "log")
    handler.setFormatter(logging.Formatter("%(message)s by %(task)s %(job)s"))
    handler.addFilter(JobLogFilter())
    log = logging.getLogger("shop")
    log.addHandler(handler)

    @task(isolation="process", registry=registry)
    def apart():
        log.warning("made")

    try:
        job = apart.enqueue()
        drain(app)
    finally:
        log.removeHandler(handler)
        handler.close()

    assert f"made by apart {job.id}\n" == (tmp_path / "log").read_text()


def test_the_filter_leaves_what_a_record_has(records):
    """What somebody says with `extra=` is theirs."""
    logging.getLogger("shop").info("hello", extra={"job": "mine"})

    assert ("mine", None) == about(records[-1])[:2]


def test_the_filter_is_named_in_a_configuration(app, registry, capsys):
    """As the guide shows it."""
    log = logging.getLogger("shop.named")
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "filters": {"job": {"()": "rotulus.JobLogFilter"}},
            "formatters": {"job": {"format": "%(task)s: %(message)s"}},
            "handlers": {
                "out": {
                    "class": "logging.StreamHandler",
                    "stream": "ext://sys.stdout",
                    "filters": ["job"],
                    "formatter": "job",
                }
            },
            "loggers": {"shop.named": {"handlers": ["out"], "level": "INFO", "propagate": False}},
        }
    )

    @task(registry=registry)
    def speak():
        log.info("hello")

    speak.enqueue()
    drain(app)
    assert "speak: hello\n" == capsys.readouterr().out


def test_a_configuration_does_not_silence_failures(app, records, parse):
    """`dictConfig` disables loggers that it does not name, unless somebody thinks of that."""
    root = logging.getLogger()
    handlers, loggers = root.handlers[:], logging.Logger.manager.loggerDict.values()
    able = [log for log in loggers if isinstance(log, logging.Logger) and not log.disabled]
    logging.config.dictConfig({"version": 1, "root": {"level": "INFO"}})
    root.handlers[:] = handlers
    assert logging.getLogger("rotulus").disabled
    for log in able:
        log.disabled = log.name == "rotulus"

    job = parse.enqueue("{")
    drain(app)
    assert job.id == last(records).job


def test_the_level_counts_when_a_line_is_logged(app, records, parse):
    """Not when the app was made."""
    logging.getLogger("rotulus").setLevel(logging.INFO)
    parse.enqueue("1")
    drain(app)
    assert [] == [r for r in records if r.getMessage().startswith("succeeded")]

    logging.getLogger("rotulus").setLevel(logging.DEBUG)
    job = parse.enqueue("1")
    drain(app)
    assert ("succeeded", job.id) == (last(records).rotulus["outcome"], last(records).job)


def test_a_line_says_its_zone_and_its_job(records, app, registry):
    """And the lines of a traceback cannot be taken for lines of the log."""
    log = logging.getLogger("shop")

    @task(registry=registry)
    def fail():
        log.info("about to")
        raise LookupError("gone\n02:00:00+00:00 succeeded fail")

    job = fail.enqueue()
    drain(app)
    plain, full = (LineFormatter(full=full, colours=False) for full in (False, True))
    said = plain.format(last(records, "shop"))
    failed = plain.format(last(records)).splitlines()

    assert said[8:].startswith(("+", "-"))
    assert said[14:] == f" shop: fail {job.id}: about to"
    assert [] == [line for line in failed[1:] if not line.startswith("  ")]
    assert failed == full.format(last(records)).splitlines()


def test_a_json_line_has_the_job_and_the_traceback(records, app, parse):
    """Folded, or full."""
    job = parse.enqueue("{")
    drain(app)
    folded, full = (
        json.loads(JsonFormatter(full=full).format(last(records))) for full in (False, True)
    )

    assert (job.id, "parse", 1, None, None) == tuple(folded[name] for name in FIELDS)
    assert "raw_decode" not in folded["exception"]
    assert "raw_decode" in full["exception"]
    assert "traceback" not in folded


def test_failures_of_the_store_are_told_in_plain_words(app, records):
    """And which process could not do what."""
    app.events.emit(StoreFailed("claim", OSError("no disk")))
    app.events.emit(StoreRecovered("claim"))
    failed, recovered = [r.getMessage() for r in records[-2:]]

    assert failed.startswith("process ")
    assert failed.endswith(" could not claim jobs: no disk; trying again")
    assert recovered.endswith(" can claim jobs again: the store works")


@pytest.mark.parametrize("duty", [Scheduling, Rescue, Recount, Prune, Recycling])
def test_each_duty_is_told_in_plain_words(app, records, duty):
    """Its name alone says little to somebody who reads a log."""
    app.events.emit(DutyFailed(duty.name, OSError("no disk")))

    assert "do its" not in records[-1].getMessage()


def test_a_schedule_that_cannot_be_fired_is_named(app, records):
    """It is one of several."""
    app.events.emit(DutyFailed("schedule tidy", OSError("no disk")))

    assert " could not fire schedule 'tidy': OSError('no disk')" in records[-1].getMessage()
