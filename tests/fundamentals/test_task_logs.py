"""What tasks log is kept with their attempts, however their bodies run, and fails no job."""

import asyncio
import logging
import os
import signal
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from rotulus import INJECTED, App, Job, Middleware, Retry, Snooze, TaskRegistry, task
from rotulus._engine.log_capture import capturing
from rotulus._jobs.current import CURRENT
from rotulus.errors import JobNotFoundError, JobNotRunningError, OptionError
from rotulus.events import LogsNotKept, StoreRecovered
from rotulus.testing import SettableClock, drain, make_job

logger = logging.getLogger("tests.task_logs")


@pytest.fixture(autouse=True)
def everything_is_heard():
    """The logger of these tests lets everything pass, and nothing of it goes elsewhere."""
    before = logger.level, logger.propagate
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    yield
    logger.level, logger.propagate = before


def said(job, **where):
    """The lines of a job: attempt, level, logger and text."""
    return [
        (line.attempt, line.level, line.logger.removeprefix("tests."), line.text)
        for line in job.logs(**where)
    ]


BODIES = {}


def body(function):
    """One of the bodies that say the same."""
    BODIES[function.__name__] = function
    return function


@body
def in_a_thread(app):
    @task(registry=app.registry)
    def talk(name: str, job: Job = INJECTED):
        logger.info("hello %s", name)
        job.log(["own"], "error")

    return talk


@body
def in_a_thread_with_a_timeout(app):
    @task(registry=app.registry, timeout=60)
    def talk(name: str, job: Job = INJECTED):
        logger.info("hello %s", name)
        job.log(["own"], "error")

    return talk


@body
def on_the_loop(app):
    @task(registry=app.registry)
    async def talk(name: str, job: Job = INJECTED):
        logger.info("hello %s", name)
        await asyncio.sleep(0)
        job.log(["own"], "error")

    return talk


@body
def in_an_asyncio_task_of_its_own(app):
    @task(registry=app.registry, timeout=60)
    async def talk(name: str, job: Job = INJECTED):
        async def inner():
            logger.info("hello %s", name)

        await asyncio.create_task(inner())
        job.log(["own"], "error")

    return talk


@body
def in_a_process(app):
    @task(registry=app.registry, isolation="process")
    def talk(name: str, job: Job = INJECTED):
        logger.info("hello %s", name)
        job.log(["own"], "error")

    return talk


@body
def in_a_process_on_a_loop(app):
    @task(registry=app.registry, isolation="process")
    async def talk(name: str, job: Job = INJECTED):
        logger.info("hello %s", name)
        await asyncio.sleep(0)
        job.log(["own"], "error")

    return talk


WORKING = {"worker": lambda app, job: drain(app), "alone": lambda app, job: app.jobs.run(job.id)}


@pytest.mark.parametrize("by", WORKING)
@pytest.mark.parametrize("kind", BODIES)
def test_a_task_logs(app, kind, by):
    """In a thread, on the loop and in a process, for a worker and for a single attempt."""
    talk = BODIES[kind](app)
    job, silent = talk.enqueue("you"), talk.enqueue("me")
    app.cancel(silent.id)
    WORKING[by](app, job)

    expected = [(1, "info", "task_logs", "hello you"), (1, "error", "", "['own']")]
    assert expected == said(job)
    assert expected == said(app.get(job.id))
    assert [] == silent.logs()
    assert "succeeded" == job.refresh().state


def test_attempts_keep_their_lines_apart(app):
    """Also those that were snoozed or failed; what was raised is no line."""

    @task(registry=app.registry, retry=Retry(attempts=5, delay=0, jitter=False))
    def talk(job: Job = INJECTED):
        logger.warning("attempt %d", job.attempt)
        if job.attempt == 1:
            raise ValueError("no")
        if job.attempt == 2:
            raise Snooze(0)

    job = talk.enqueue()
    drain(app)

    lines = [(n, "warning", "task_logs", f"attempt {n}") for n in (1, 2, 3)]
    assert lines == said(job)
    assert lines[1:2] == said(job, attempt=2)
    assert lines[2:] == said(job, after=job.logs()[1].cursor)
    assert lines[:1] == said(job, limit=1)
    assert [] == said(job, level="error")


def test_steps_and_middleware_log_too(app, build):
    """A step is a job, and what surrounds an attempt is part of it."""

    class Loud(Middleware):
        def around_attempt(self, attempt):
            logger.info("around %s", attempt.job.step)

    app.use(Loud())

    @task(registry=app.registry)
    def inside():
        logger.info("inside")

    with build() as builder:
        builder.add_task(inside, id="a")
    job = app.enqueue("flow")
    drain(app)
    step = app.runs.step(job.id, "a").job

    assert ["around a", "inside"] == [line.text for line in step.logs()]


def test_a_level_is_that_of_the_app_or_of_the_task():
    """What is below it is not kept; off is off, unless a task says otherwise."""

    def kept(keep, logs):
        app = App("sqlite://", registry=TaskRegistry(), keep_logs=keep)

        @task(registry=app.registry, logs=logs)
        def talk(job: Job = INJECTED):
            for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR):
                logger.log(level, "x")
            job.log("y", "debug")

        job = talk.enqueue()
        drain(app)
        found = "".join(line.level[0] for line in job.logs())
        app.close()
        return found

    assert "iwe" == kept(None, True)
    assert "diwed" == kept("debug", True)
    assert "e" == kept("error", True)
    assert "" == kept("off", True)
    assert "" == kept("debug", False)
    assert "we" == kept("off", "warning")
    assert "diwed" == kept(None, "debug")


@pytest.mark.parametrize("wrong", ["loud", 20, None, "off", "critical"])
def test_a_task_has_a_level_that_there_is(registry, wrong):
    """Or none, or that of the app."""
    with pytest.raises(OptionError, match="choose the least level"):
        task(registry=registry, logs=wrong)(print)


def test_the_framework_and_others_are_not_heard(app):
    """Its own lines are about the job, and not of it; nor is what is logged outside of it."""

    @task(registry=app.registry)
    def talk():
        logging.getLogger("rotulus").warning("ours")
        logging.getLogger("rotulus.anything").warning("ours")
        thread = threading.Thread(target=logger.info, args=("of a thread of its own",))
        thread.start()
        thread.join()
        logger.info("mine")

    job = talk.enqueue()
    logger.info("before")
    drain(app)

    assert [(1, "info", "task_logs", "mine")] == said(job)


def test_logging_is_left_as_it_was(app):
    """No handler, no level, and the factory of records is what it was."""

    @task(registry=app.registry)
    def talk():
        seen.append((list(logging.getLogger().handlers), logging.getLogger().level))

    seen = []
    before = list(logging.getLogger().handlers), logging.getLogger().level
    factory = logging.getLogRecordFactory()
    talk.enqueue()
    drain(app)
    app.jobs.run(talk.enqueue().id)

    assert [before, before] == seen
    assert logging.getLogRecordFactory() is factory


def test_a_factory_that_others_put_around_ours_stays(app):
    """And a line is kept once, whatever is put around what."""

    def theirs(*args, **kwargs):
        record = inner(*args, **kwargs)
        record.theirs = True
        return record

    @task(registry=app.registry)
    def talk():
        nonlocal inner
        if inner is None:
            inner = logging.getLogRecordFactory()
            logging.setLogRecordFactory(theirs)
        logger.info("once")

    inner, before = None, logging.getLogRecordFactory()
    try:
        jobs = [talk.enqueue(), talk.enqueue()]
        for job in jobs:
            app.jobs.run(job.id)
        assert logging.getLogRecordFactory() is theirs
        assert [["once"], ["once"]] == [[line.text for line in job.logs()] for job in jobs]
    finally:
        logging.setLogRecordFactory(before)


def test_lines_can_be_read_while_the_task_runs(app):
    """About a second later."""
    may_end = threading.Event()

    @task(registry=app.registry)
    def talk():
        logger.info("begun")
        may_end.wait(30)
        logger.info("ended")

    job = talk.enqueue()
    worker = threading.Thread(target=drain, args=(app,))
    worker.start()
    try:
        while not (lines := job.logs()):
            job.refresh()
        assert "running" == job.refresh().state
    finally:
        may_end.set()
        worker.join()
    assert ["begun"] == [line.text for line in lines]
    assert ["ended"] == [line.text for line in job.logs(after=lines[-1].cursor)]


def hold(app, place):
    """Have the table of lines be out of reach; returns what puts it back."""
    if place == "sqlite":
        connection = sqlite3.connect("jobs.db")
        connection.execute("ALTER TABLE rotulus_logs RENAME TO elsewhere")

        def put_back():
            connection.execute("ALTER TABLE elsewhere RENAME TO rotulus_logs")
            connection.close()

        return put_back
    connection = psycopg.connect(place)
    connection.execute("LOCK TABLE rotulus_logs IN ACCESS EXCLUSIVE MODE")
    return connection.close


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.anywhere)])
def held(request, registry):
    """An app whose table of lines is out of reach, and what puts it back."""
    if request.param == "sqlite":
        url = place = "sqlite:///jobs.db"
        place = "sqlite"
    else:
        place = request.getfixturevalue("migrated")(clock=False)
        url = f"{place}{'&' if '?' in place else '?'}deadline=1"
    clock = SettableClock()
    app = App(url, registry=registry, clock=clock)
    app.jobs.count()
    yield app, clock, lambda: hold(app, place)
    app.close()


@pytest.mark.parametrize("by", WORKING)
def test_lines_that_cannot_be_written_fail_no_job(held, by):
    """It is told once, and that it works again."""
    app, clock, hold_now = held
    told = []
    app.events.subscribe(told.append, LogsNotKept, StoreRecovered)

    @task(registry=app.registry)
    def talk(name: str) -> str:
        logger.info("hello %s", name)
        return name

    lost = [talk.enqueue("you") for _ in range(3)]
    put_back = hold_now()
    try:
        for job in lost:
            WORKING[by](app, job)
    finally:
        put_back()
    assert ["you"] * 3 == [job.result(0) for job in lost]
    assert [] == [line for job in lost for line in job.logs()]
    assert 1 == [type(event) for event in told].count(LogsNotKept)

    told.clear()
    clock.advance(10)
    job = talk.enqueue("me")
    WORKING[by](app, job)
    if by == "alone":  # a worker is a new one each time
        assert [StoreRecovered] == [type(event) for event in told]
    assert ["hello me"] == [line.text for line in job.logs()]


def test_a_line_that_cannot_be_formatted_fails_no_job(app, monkeypatch):
    """The text of a value is code of the task."""
    monkeypatch.setattr(logger, "handlers", [logging.NullHandler()])  # those of pytest raise

    class Hostile:
        def __repr__(self):
            raise KeyError("no")

    @task(registry=app.registry)
    def talk() -> str:
        logger.info("%s", Hostile())
        logger.info("%d", "x")
        return "done"

    job = talk.enqueue()
    drain(app)

    assert "done" == job.result(0)
    assert all("could not be formatted" in line.text for line in job.logs())
    assert 2 == len(job.logs())


def test_a_body_that_goes_on_after_its_end_says_nothing_more(app):
    """A plain function cannot be stopped: its attempt is over, and so are its lines."""
    may_go_on, said_more = threading.Event(), threading.Event()

    @task(registry=app.registry, timeout=0.05)
    def talk():
        logger.info("begun")
        may_go_on.wait(30)
        logger.info("too late")
        said_more.set()

    job = talk.enqueue()
    drain(app)
    may_go_on.set()
    said_more.wait(30)
    drain(app)

    assert "failed" == job.refresh().state
    assert ["begun"] == [line.text for line in job.logs()]


def test_a_process_that_dies_has_said_what_it_sent(app):
    """Its lines come twice a second, and are there though it has no outcome."""

    @task(registry=app.registry, isolation="process", timeout=1.5)
    def talk():
        logger.info("begun")
        while True:
            pass

    job = talk.enqueue()
    drain(app)

    assert "failed" == job.refresh().state
    assert ["begun"] == [line.text for line in job.logs()]


def test_lines_that_are_asked_for_wrongly(app):
    """With what has to be given instead."""

    @task(registry=app.registry)
    def talk(): ...

    job = talk.enqueue()
    for wrong in (
        {"level": "loud"},
        {"attempt": -1},
        {"attempt": True},
        {"after": "x"},
        {"after": 7},
        {"after": "1:2:3"},
        {"limit": -1},
    ):
        with pytest.raises(OptionError):
            job.logs(**wrong)
    with pytest.raises(JobNotFoundError):
        app.jobs.logs("00000000-0000-7000-8000-000000000000")
    with pytest.raises(JobNotRunningError):
        job.log("not its task")
    assert [] == job.logs(after="99999999999999999999:1")


def test_the_job_of_a_test_keeps_its_lines():
    """With their levels; another level is refused."""
    job = make_job()
    job.log("one")
    job.log(2, "warning")

    assert [("info", "one"), ("warning", "2")] == [(line.level, line.text) for line in job.logs()]
    assert "2" == job.logs()[1].to_dict()["text"]
    with pytest.raises(OptionError, match="did you mean 'warning'"):
        job.log("three", "warnin")


def test_the_job_of_a_test_gives_the_lines_that_are_wanted():
    """By the same filters as a job of a store, with the same errors."""
    job = make_job(attempt=2)
    for text, level in (("one", "info"), ("two", "warning"), ("three", "error")):
        job.log(text, level)

    def texts(**wanted):
        return [line.text for line in job.logs(**wanted)]

    assert ["two", "three"] == texts(level="warning")
    assert ["two", "three"] == texts(after=job.logs()[0].cursor)
    assert ["one"] == texts(limit=1)
    assert 3 == len(texts(attempt=2))
    assert [] == texts(attempt=1)
    for wrong in ({"level": "warn"}, {"after": "x"}, {"limit": -1}, {"attempt": "1"}):
        with pytest.raises(OptionError, match=next(iter(wrong))):
            job.logs(**wrong)


def forked(child):
    """The exit code of a function in a forked child, which is killed if it hangs."""
    pid = os.fork()
    if pid == 0:
        signal.alarm(20)
        code = 1
        try:
            code = 0 if child() else 1
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_a_process_that_a_body_forks_is_not_heard_and_does_not_hang(app):
    """Nobody stores its lines, and a thread of the parent may hold the locks for ever."""

    @task(registry=app.registry)
    def talk(job: Job = INJECTED):
        attempt = CURRENT.get()
        logger.info("before")

        def child():
            logger.info("in the child")
            job.log("in the child")
            return logging.getLogRecordFactory() is before and len(attempt.logs._lines) == 1

        with ThreadPoolExecutor(1) as other:
            other.submit(attempt.logs._lock.acquire).result()
            codes.append(forked(child))
            other.submit(attempt.logs._lock.release).result()
        logger.info("after")

    codes, before = [], logging.getLogRecordFactory()
    job = talk.enqueue()
    drain(app)

    assert [0] == codes
    assert ["before", "after"] == [line.text for line in job.logs()]


def test_a_forked_process_keeps_lines_of_its_own():
    """Though blocks that began in its parent end in it."""

    def child():
        is_deaf = logging.getLogRecordFactory() is before
        block.__exit__(None, None, None)
        with capturing():
            hears = logging.getLogRecordFactory() is not before
        return is_deaf and hears and logging.getLogRecordFactory() is before

    before, block = logging.getLogRecordFactory(), capturing()
    with block:
        assert 0 == forked(child)
        assert logging.getLogRecordFactory() is not before
    assert logging.getLogRecordFactory() is before
