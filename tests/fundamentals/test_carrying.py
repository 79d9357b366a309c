"""Jobs that are carried to an endpoint: published after they are stored, and run by their ids."""

import asyncio
import re
import sqlite3
import threading
from contextlib import closing

import pytest

import rotulus.workflow as wf
from rotulus import App, Published, Retry, Snooze, State, TaskRegistry, scheduled, task
from rotulus.errors import (
    ArgumentsError,
    JobNotFoundError,
    OptionError,
    StoreError,
    TaskNotFoundError,
)
from rotulus.events import DutyFailed, JobsPublished, PublishFailed
from server_clock import ServerClock


class Carrier:
    """Keeps the messages that it is given, or refuses them."""

    queue = "_out"

    def __init__(self, *names):
        self.names = names
        self.policy = None
        self.sent = []
        self.refuses = None

    def carries(self, task_name):
        return task_name in self.names

    def retry(self, task_name):
        return self.policy

    def publish(self, jobs):
        if isinstance(self.refuses, Exception):
            raise self.refuses
        out = [job.id for job in jobs if not (self.refuses and self.refuses(job))]
        self.sent += out
        return Published(out, None if len(out) == len(jobs) else OSError("some were refused"))


@pytest.fixture
def carrier(registry):
    """A carrier of the task `t`."""

    @registry.register("t")
    def t(value=1):
        return value

    @registry.register("plain")
    def plain():
        return None

    return Carrier("t")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.anywhere)])
def carrying(request, registry, carrier, tmp_path):
    """An app on either store that has the carrier."""
    url = f"sqlite:///{tmp_path}/jobs.db"
    if request.param == "postgres":
        url = request.getfixturevalue("database")
    made = App(url, registry=registry)
    made.store.migrate()
    made.carry(carrier)
    yield made
    made.close()


def test_a_carried_job_is_published_when_it_is_stored(carrying, carrier):
    """In the queue of the carrier; other tasks are not its business."""
    job, other = carrying.enqueue("t"), carrying.enqueue("plain")

    assert [job.id] == carrier.sent
    assert ("_out", "default") == (job.queue, other.queue)
    assert 0 == carrying.relay()


def test_so_it_is_from_coroutines(carrying, carrier):
    """Without blocking the event loop."""

    async def main():
        job = await carrying.aenqueue("t", value=3)
        result = await carrying.jobs.arun(job.id)
        assert [job.id] == carrier.sent
        assert (True, State.SUCCEEDED) == (result.ran, result.job.state)
        assert 0 == await carrying.arelay()

    asyncio.run(main())


def test_an_attempt_is_made_once(carrying, carrier):
    """A message that is delivered again finds it ended."""
    job = carrying.enqueue("t", value=7)
    first, again = carrying.jobs.run(job.id), carrying.jobs.run(job.id)

    assert (True, State.SUCCEEDED, 7) == (first.ran, first.job.state, first.job.result())
    assert (False, State.SUCCEEDED) == (again.ran, again.job.state)
    assert 1 == again.job.attempt


def test_an_enqueue_succeeds_though_nothing_can_be_published(carrying, carrier):
    """What waits is published by a later call."""
    told = []
    carrying.events.subscribe(told.append, PublishFailed, JobsPublished)
    carrier.refuses = OSError("no route")
    job = carrying.enqueue("t")
    [failed] = told

    assert ([job.id], "no route") == ([one.id for one in failed.jobs], str(failed.error))
    assert [] == carrier.sent
    assert carrying.store.outbox.entry(job.id).published_at is None


def test_two_services_on_one_store_leave_each_other_their_messages(carrying, carrier):
    """Nor does one that is away hold up the other."""
    registry, theirs, told = TaskRegistry(), Carrier("theirs"), []
    registry.register("theirs")(lambda: None)
    carrying.events.subscribe(told.append, PublishFailed)
    with App(carrying.url, registry=registry) as other:
        other.carry(theirs)
        theirs.refuses = OSError("no route")
        left = other.enqueue("theirs")
        theirs.refuses = None
        other.store.outbox.republish([left.id])
        job = carrying.enqueue("t")

        assert ([job.id], []) == (carrier.sent, told)
        assert 0 == carrying.relay()
        assert 1 == other.relay()
        assert [left.id] == theirs.sent


def test_an_unknown_job_is_an_error(carrying):
    """There is nothing to make an attempt of."""
    with pytest.raises(JobNotFoundError, match="No job"):
        carrying.jobs.run("00000000-0000-7000-8000-000000000001")


def test_an_app_has_one_carrier(carrying, carrier):
    """And its queue is private."""
    carrying.carry(carrier)
    with pytest.raises(OptionError, match="has a carrier already"):
        carrying.carry(Carrier())


def test_a_tick_does_every_duty(carrying, carrier):
    """It publishes what is due, among others."""
    carrier.refuses = OSError("no route")
    job = carrying.enqueue("t")
    entry = carrying.store.outbox.entry(job.id)
    assert entry.due_at > job.created_at
    carrying.store.outbox.republish([job.id])
    carrier.refuses = None

    assert 1 == carrying.tick().published
    assert [job.id] == carrier.sent
    assert 0 == carrying.tick().published


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.anywhere)])
def place(request, still_clock, tmp_path):
    """Where jobs live, and the clock there."""
    if request.param == "postgres":
        url = request.getfixturevalue("migrated")()
        return url, ServerClock(url)
    return f"sqlite:///{tmp_path}/jobs.db", still_clock


@pytest.fixture
def alone(place, registry):
    """An app, and its clock."""
    url, clock = place
    app = App(url, registry=registry, clock=clock)
    app.store.migrate()
    yield app, clock
    app.close()


@pytest.fixture
def five(place, registry):
    """Five apps on one store that know nothing of each other, and their clock."""
    url, clock = place
    apps = [App(url, registry=registry, clock=clock) for _ in range(5)]
    apps[0].store.migrate()
    yield apps, clock
    [app.close() for app in apps]


def at_once(apps, act):
    """Do something with each app, in threads that begin together."""
    start = threading.Barrier(len(apps))

    def go(app):
        start.wait()
        act(app)

    threads = [threading.Thread(target=go, args=(app,)) for app in apps]
    [thread.start() for thread in threads]
    [thread.join(60) for thread in threads]


def test_schedules_fire_once_though_five_tick_at_once(five, registry):
    """Without any worker; and what is carried is published once."""
    apps, clock = five

    @scheduled("* * * * *", registry=registry, name="each.minute")
    def each_minute():
        return None

    carrier = Carrier("each.minute")
    for app in apps:
        app.carry(carrier)
        app.tick()
    for _ in range(3):
        clock.advance(60.0)
        at_once(apps, App.tick)
    fired = apps[0].jobs.find(schedule="each.minute")

    assert 3 == len(fired) == len({job.instant for job in fired})
    assert {job.id for job in fired} == set(carrier.sent)
    assert len(fired) == len(carrier.sent)


def test_a_new_process_at_each_tick_fires_them_as_well(five, registry):
    """As where nothing lives between two requests."""
    [first, *others], clock = five

    @scheduled("* * * * *", registry=registry, missed="skip")
    def each_minute():
        return None

    first.tick()
    for app in others:
        clock.advance(60.0)
        assert 1 == app.tick().fired

    assert 4 == len(first.jobs.find(schedule="each_minute"))


def test_five_relay_at_once_and_publish_each_message_once(five, registry):
    """However much waits."""
    apps, _ = five
    carrier = Carrier("t")

    @task(registry=registry)
    def t(number):
        return number

    carrier.refuses = OSError("no route")
    for app in apps:
        app.carry(carrier)
    jobs = t.enqueue_many([(number,) for number in range(700)])
    apps[0].store.outbox.republish([job.id for job in jobs])
    carrier.refuses = None
    at_once(apps, lambda app: app.relay(10_000))

    assert 700 == len(carrier.sent) == len(set(carrier.sent))
    assert all(apps[0].store.outbox.entry(job.id).published_at for job in jobs)


def test_what_was_published_in_part_is_published_whole_later(alone, registry):
    """What a carrier could not take waits for a while, and nothing else."""
    app, clock = alone
    carrier = Carrier("t")

    @task(registry=registry)
    def t(number):
        return number

    app.carry(carrier)
    carrier.refuses = lambda job: '"number":1' in job.arguments or "[1]" in job.arguments
    told = []
    app.events.subscribe(told.append, PublishFailed)
    jobs = t.enqueue_many([(number,) for number in range(3)])
    carrier.refuses = None

    assert [jobs[0].id, jobs[2].id] == carrier.sent
    assert [[jobs[1].id]] == [[job.id for job in event.jobs] for event in told]
    assert 0 == app.relay()
    clock.advance(31.0)
    assert 1 == app.relay()
    assert {job.id for job in jobs} == set(carrier.sent)


def test_jobs_that_nobody_carries_any_more_are_told_of(alone, registry, carrier):
    """Their route is gone: so long after it was due, not at each tick. With a route they are published."""
    app, clock = alone
    app.carry(carrier, patience=60)
    told = []
    app.events.subscribe(told.append, PublishFailed)
    carrier.refuses = OSError("not now")
    job = app.enqueue("t")
    carrier.names, carrier.refuses, told[:] = (), None, []

    for seconds in (31, 59, 1, 30):
        clock.advance(seconds)
        app.tick()
    [event] = told
    assert [job.id] == [left.id for left in event.jobs]
    assert "Nobody has carried jobs of 't' in queue '_out' for 60 seconds" in str(event.error)
    assert State.QUEUED is job.refresh().state
    carrier.names = ("t",)
    clock.advance(60)
    app.tick()
    assert [job.id] == carrier.sent


def test_an_operators_retry_publishes_again(alone, registry):
    """Through the job and through its app, though it was published before."""
    app, _ = alone
    carrier = Carrier("t")

    @task(registry=registry)
    def t():
        raise ValueError

    app.carry(carrier)
    job = t.enqueue()
    for back in (lambda: app.jobs.retry(job.id), lambda: app.get(job.id).retry()):
        assert State.FAILED == app.jobs.run(job.id).job.state
        back()
    assert [job.id] * 3 == carrier.sent


def test_an_operator_need_not_have_the_carrier_to_retry(carrying, carrier, registry):
    """A command line, or a service, knows the tables; who has the carrier publishes."""
    job = carrying.enqueue("t", value=1)
    carrying.cancel(job.id)
    with App(carrying.url, registry=registry) as other:
        [back] = other.jobs.retry(job.id)

    assert (job.id, State.QUEUED) == (back.id, back.state)
    assert 1 == carrying.relay()
    assert [job.id] * 2 == carrier.sent


def test_a_task_that_asks_for_later_is_published_then(alone, registry):
    """Nobody delivers the old message again, as it was taken."""
    app, clock = alone
    carrier = Carrier("t")

    @task(registry=registry)
    def t():
        raise Snooze(100)

    app.carry(carrier)
    job = t.enqueue()
    assert State.DELAYED == app.jobs.run(job.id).job.state
    clock.advance(99.0)
    assert 0 == app.tick().published
    clock.advance(1.0)
    assert 1 == app.tick().published
    assert [job.id, job.id] == carrier.sent


def test_in_a_transaction_of_the_caller_it_is_published_when_told(tmp_path, registry, carrier):
    """Before the commit there is nothing to publish; after a rollback there never is."""
    app = App(f"sqlite:///{tmp_path}/own.db", registry=registry)
    app.store.migrate()
    app.carry(carrier)
    with closing(sqlite3.connect(tmp_path / "own.db")) as connection:
        for end in (connection.rollback, connection.commit):
            app.using(connection=connection).enqueue("t")
            assert 0 == len(carrier.sent)
            end()
    assert 1 == app.relay()
    assert 1 == len(carrier.sent)
    app.close()


def test_workflows_are_not_carried(registry):
    """At the call that would have them carried, and at an enqueue of one that came later."""
    app = App("sqlite://", registry=registry)
    carrier = Carrier("flow", "later")

    def declare(name):
        with wf.WorkflowBuilder(name, registry=registry) as builder:

            @wf.task(id="step")
            def step(context):
                return context

        return builder

    declare("flow")
    with pytest.raises(OptionError, match="'flow' is a workflow"):
        app.carry(carrier)
    carrier.names = ("later",)
    app.carry(carrier)
    declare("later")
    with pytest.raises(OptionError, match="'later' is a workflow"):
        app.enqueue("later")
    app.close()


def test_a_worker_relays_as_well(alone, registry):
    """One of an app with the carrier; and it leaves the jobs alone, unless it names their queue."""
    app, _ = alone
    carrier = Carrier("t")

    @task(registry=registry)
    def t():
        return "done"

    carrier.refuses = OSError("no route")
    app.carry(carrier)
    job = t.enqueue()
    app.store.outbox.republish([job.id])
    carrier.refuses = None
    app.run_worker(burst=True)
    assert ([job.id], State.QUEUED) == (carrier.sent, job.refresh().state)
    app.run_worker(burst=True, queues=["_out"])
    assert "done" == job.refresh().result()


def test_after_a_failure_an_enqueue_does_not_wait_for_the_next(alone, registry):
    """It would cost every caller the time that the carrier takes to give up."""
    app, _ = alone
    carrier, asked = Carrier("t"), []

    @task(registry=registry)
    def t():
        return None

    def refuse(job):
        asked.append(job.id)
        return True

    carrier.refuses = refuse
    app.carry(carrier)
    first, *_ = [t.enqueue() for _ in range(3)]

    assert [first.id] == asked


def test_a_message_that_has_come_is_stored_and_not_published(carrying, carrier):
    """One job for all messages with its key, which waits like any other that is carried."""
    first = carrying.receive("t", [3], {}, key="message:1")
    again = carrying.receive("t", [], {"value": 4}, key="message:1")
    other = carrying.receive("t", [], {}, key="message:2")

    assert (first.id, {"value": 3}) == (again.id, again.arguments)
    assert other.id != first.id
    assert "_out" == first.queue
    assert [] == carrier.sent
    assert 0 == carrying.relay()
    assert carrying.store.outbox.entry(first.id).published_at is not None
    assert carrying.jobs.run(first.id).ran


def test_a_message_of_what_does_not_fit_is_refused(carrying):
    """And nothing is stored."""
    with pytest.raises(ArgumentsError):
        carrying.receive("t", [], {"valeu": 4}, key="message:1")
    with pytest.raises(TaskNotFoundError):
        carrying.receive("nothing", [], {}, key="message:1")

    assert [] == carrying.jobs.find()


@pytest.mark.parametrize("own", [None, Retry(attempts=2)])
def test_a_carrier_says_how_often_tasks_are_tried_that_do_not_say_it(
    carrying, carrier, registry, own
):
    """Unless a task has a policy of its own; those it does not carry have the app's."""
    carrier.names, carrier.policy = ("t", "failing"), Retry(attempts=3, delay=600)

    @task(name="failing", registry=registry, retry=own)
    def failing():
        raise OSError("no")

    job = carrying.enqueue("failing")
    states = [carrying.jobs.run(job.id).job.state for _ in range(4)]
    retried = [State.DELAYED] * (1 if own else 2)
    assert [*retried, *[State.FAILED] * (4 - len(retried))] == states

    carrier.names = ()
    plain = carrying.enqueue("failing")
    assert (State.DELAYED if own else State.FAILED) == carrying.jobs.run(plain.id).job.state


def test_it_can_be_asked_what_became_of_the_message(alone, registry):
    """Instead of the advice to start a worker, which would not take it."""
    app, _ = alone
    carrier = Carrier("t")

    @task(registry=registry)
    def t():
        return None

    carrier.refuses = OSError("no route")
    app.carry(carrier)
    job = t.enqueue()
    assert re.search("could not be published, though it was tried: the next try", said(job))
    app.store.outbox.republish([job.id])
    assert re.search("is published from .*Z on, by any process that enqueues", said(job))
    carrier.refuses = None
    app.relay()
    assert re.search("was published at .*, which has made no attempt since", said(job))
    later = t.using(delay=60).enqueue()
    assert re.search("enqueued for later.* is published from", said(later))
    app.jobs.run(job.id)
    assert re.search("It succeeded", said(job))
    plain = t.using(queue="_own").enqueue()
    assert "_out" == plain.queue


def said(job):
    """Why a job stands as it does."""
    return " ".join(job.refresh().why())


def test_who_waits_for_a_carried_job_is_not_told_to_start_a_worker(carrying, registry, recwarn):
    """Somebody else makes its attempt, though it takes a while."""
    job = carrying.enqueue("t")
    runs = threading.Timer(2.5, carrying.jobs.run, [job.id])
    runs.start()

    assert 1 == job.result(timeout=30)
    runs.join()
    assert [] == [str(one.message) for one in recwarn if "worker" in str(one.message)]


def test_many_that_are_enqueued_together_are_all_published(alone, registry):
    """More than a carrier is given at once."""
    app, _ = alone
    carrier = Carrier("t")

    @task(registry=registry)
    def t(number):
        return number

    app.carry(carrier)
    jobs = t.enqueue_many([(number,) for number in range(1200)])

    assert {job.id for job in jobs} == set(carrier.sent)


def test_many_coroutines_that_enqueue_share_what_publishes(alone, registry):
    """Each has its message out when it goes on, and the outbox is looked into less often."""
    app, _ = alone
    carrier, looks = Carrier("t"), []

    @task(registry=registry)
    def t(number):
        return number

    app.carry(carrier)
    take = app.store.outbox.take

    def counted(*how):
        looks.append(how)
        return take(*how)

    app.store.outbox.take = counted

    async def one(number):
        job = await t.aenqueue(number)
        assert job.id in carrier.sent

    async def main():
        await asyncio.gather(*(one(number) for number in range(200)))

    asyncio.run(main())
    assert 200 == len(carrier.sent) == len(set(carrier.sent))
    assert len(looks) < 50


def test_a_carrier_that_answers_nonsense_is_told(carrying, carrier):
    """Its enqueue succeeds, and its tick does the other duties."""
    told = []
    carrying.events.subscribe(told.append, PublishFailed)
    carrier.publish = lambda jobs: None
    job = carrying.enqueue("t")
    carrying.store.outbox.republish([job.id])

    assert 0 == carrying.tick().published
    assert [TypeError, TypeError] == [type(event.error) for event in told]
    assert State.SUCCEEDED == carrying.jobs.run(job.id).job.state


def test_a_tick_on_a_store_that_is_gone_is_an_error(carrying):
    """Whoever calls it each minute is to know."""
    carrying.close()
    with pytest.raises(StoreError):
        carrying.tick()


def test_a_duty_that_fails_does_not_keep_a_tick_from_the_others(alone, registry, monkeypatch):
    """It is told, and tried again with the next."""
    app, clock = alone
    told = []

    @scheduled("* * * * *", registry=registry)
    def each_minute():
        return None

    app.events.subscribe(told.append, DutyFailed)
    app.tick()
    clock.advance(60.0)
    with monkeypatch.context() as patch:
        patch.setattr(app.store, "rescue", _no_memory)
        assert 1 == app.tick().fired
    assert [("rescue", MemoryError)] == [(event.duty, type(event.error)) for event in told]
    app.tick()
    assert 1 == len(told)


def _no_memory(*_):
    raise MemoryError
