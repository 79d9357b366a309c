"""A job that is due is published to the topic of its route; what cannot be is published later."""

import json
import os
import socket
import subprocess
import sys
import time

import pytest

from rotulus import State, task
from rotulus.errors import ConfigurationError, OptionError
from rotulus.events import JobsPublished, PublishFailed
from rotulus.pubsub import PubSubCarrier, PubSubSettings, TaskRoute
from rotulus.pubsub.provision import apply, plan
from servers.ports import free_port

pytestmark = pytest.mark.anywhere


@pytest.fixture
def send(registry):
    """A task that is carried."""

    @task(name="mail.send", registry=registry)
    def send(user_id: int, *more: str, **options: str): ...

    return send


@pytest.fixture
def report(registry):
    """Another one."""

    @task(name="reports.make", registry=registry)
    def report(): ...

    return report


@pytest.fixture
def other(registry):
    """A task that workers run."""

    @task(name="other", registry=registry)
    def other(): ...

    return other


@pytest.fixture
def provisioned(google, send, report):
    """A project with topics, whose subscriptions wait to be pulled from, and its carrier."""
    routes = [TaskRoute(send), TaskRoute(report)]
    assert () == apply(plan(routes, google.settings, google.clients)).problems
    for route in routes:
        name = f"dev--shop.tasks--{route.path}-sub"
        google.clients.subscriber.modify_push_config(
            subscription=f"{google.project}/subscriptions/{name}", push_config={}
        )
    return PubSubCarrier(routes, google.settings)


def pulled(google, name="send", count=1):
    """The messages of a topic."""
    subscription = f"{google.project}/subscriptions/dev--shop.tasks--{__name__}.{name}-sub"
    subscriber, found = google.clients.subscriber, []
    while len(found) < count:
        answer = subscriber.pull(
            subscription=subscription, max_messages=1000, timeout=10, retry=None
        )
        found += [one.message for one in answer.received_messages]
        ids = [one.ack_id for one in answer.received_messages]
        subscriber.acknowledge(subscription=subscription, ack_ids=ids)
    return found


def heard(app, kind):
    """The events of a kind, from now on."""
    found = []
    app.events.subscribe(found.append, kind)
    return found


def test_an_enqueue_is_published_to_the_topic_of_its_route(google, provisioned, app, send):
    """With the id of the job, the arguments as they were passed, and the task as attribute."""
    app.carry(provisioned)
    job = send.enqueue(7, "a", locale="en")

    [message] = pulled(google)
    data = json.loads(message.data)
    assert job.id == data["task_id"]
    assert "send" == data["task_name"]
    assert {"user_id": 7, "locale": "en"} == data["kwargs"]
    assert ["a"] == data["args"]
    assert job.created_at.isoformat() == data["enqueued_at"]
    assert {"task": "mail.send", "job": job.id} == dict(message.attributes)
    assert (State.QUEUED, "_pubsub") == (app.get(job.id).state, job.queue)


def test_only_tasks_with_a_route_are_carried(provisioned, app, other):
    """The others wait for a worker."""
    app.carry(provisioned)

    assert "default" == other.enqueue().queue
    assert 0 == app.relay()


def test_many_jobs_go_in_few_calls(google, provisioned, app, send, report):
    """A thousand to a topic are a call or two; topics are published to at once."""
    app.carry(provisioned)
    happened = heard(app, JobsPublished)
    send.enqueue_many([(number,) for number in range(1200)])
    report.enqueue()
    app.relay()

    messages = pulled(google, count=1200)
    assert set(range(1200)) == {json.loads(one.data)["kwargs"]["user_id"] for one in messages}
    assert 1 == len(pulled(google, "report"))
    assert 1201 == sum(len(event.jobs) for event in happened)


def test_large_messages_are_divided_among_calls(google, provisioned, app, send):
    """A call of Google's takes ten million bytes."""
    app.carry(provisioned)
    send.enqueue_many([(number, "x" * 900_000) for number in range(22)])

    assert 22 == len(pulled(google, count=22))


def test_what_is_refused_for_a_moment_is_tried_again(fake, faked, app, send):
    """Within the same call."""
    apply(plan([TaskRoute(send)], faked.settings, faked.clients))
    app.carry(PubSubCarrier([TaskRoute(send)], faked.settings))
    failed = heard(app, PublishFailed)
    fake.faults.next("refuse")
    send.enqueue(7)

    assert [] == failed
    assert 0 == app.relay()


def test_what_cannot_be_published_stays_and_is_published_later(fake, faked, app, send):
    """The enqueue succeeds nevertheless, and the event says why."""
    apply(plan([TaskRoute(send)], faked.settings, faked.clients))
    app.carry(PubSubCarrier([TaskRoute(send)], faked.settings, deadline=0.5))
    failed = heard(app, PublishFailed)
    fake.faults.rates["refuse"] = 1.0
    job = send.enqueue(7)
    assert [job.id] == [one.id for one in failed[0].jobs]
    assert failed[0].error is not None

    fake.faults.rates["refuse"] = 0.0
    app.store.outbox.republish([job.id])  # as a sweep does, later
    assert 1 == app.relay()


def test_a_server_that_is_not_there_costs_seconds_and_no_job(app, send):
    """No more than the deadline."""
    settings = PubSubSettings(project_id="shop", pubsub_emulator=f"127.0.0.1:{free_port()}")
    app.carry(PubSubCarrier([TaskRoute(send)], settings, deadline=0.5))
    failed = heard(app, PublishFailed)
    began = time.monotonic()
    job = send.enqueue(7)

    assert time.monotonic() - began < 4.5  # it is 5 unless given
    assert "Connection refused" in str(failed[0].error)
    assert State.QUEUED == app.get(job.id).state


def test_a_server_that_is_silent_costs_seconds_and_no_job(app, send, report):
    """It accepts a connection, and says nothing; also with several topics."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings = PubSubSettings(
            project_id="shop", pubsub_emulator=f"127.0.0.1:{silent.getsockname()[1]}"
        )
        carrier = PubSubCarrier([TaskRoute(send), TaskRoute(report)], settings, deadline=0.5)
        app.carry(carrier)
        failed = heard(app, PublishFailed)
        began = time.monotonic()
        send.enqueue(7)
        carrier.close()

    assert time.monotonic() - began < 4.5  # it is 5 unless given
    assert 1 == len(failed)


def test_a_topic_that_is_not_there_names_the_command_that_makes_it(google, app, send):
    """And the topic."""
    app.carry(PubSubCarrier([TaskRoute(send)], google.settings))
    failed = heard(app, PublishFailed)
    send.enqueue(7)

    assert "rotulus gcp apply" in str(failed[0].error)
    assert f"{__name__}.send" in str(failed[0].error)


def test_one_topic_that_is_not_there_does_not_hold_up_the_others(google, app, send, report):
    """What could be published is."""
    apply(plan([TaskRoute(report)], google.settings, google.clients))
    carrier = PubSubCarrier([TaskRoute(send), TaskRoute(report)], google.settings)
    app.carry(carrier)
    jobs = [app.get(one.enqueue(*args).id).record for one, *args in ((send, 7), (report,))]

    published = carrier.publish(jobs)

    assert [jobs[1].id] == list(published.ids)
    assert "rotulus gcp apply" in str(published.error)


def test_a_job_whose_route_is_gone_does_not_hold_up_the_others(
    google, provisioned, app, report, other
):
    """It stays, and is told."""
    app.carry(provisioned)
    jobs = [app.get(one.enqueue().id).record for one in (report, other)]

    published = provisioned.publish(jobs)

    assert [jobs[0].id] == list(published.ids)
    assert isinstance(published.error, ConfigurationError)
    assert "'other'" in str(published.error)


def test_a_setting_that_is_missing_is_told_when_it_is_needed(app, send):
    """Declaring routes needs no project."""
    app.carry(PubSubCarrier([TaskRoute(send)]))
    failed = heard(app, PublishFailed)
    send.enqueue(7)

    assert "GCP_PROJECT_ID" in str(failed[0].error)


def test_two_routes_of_one_task_are_refused(send):
    """Nobody could say which of them counts; nor may a deadline be below zero."""
    with pytest.raises(OptionError, match=r"mail\.send"):
        PubSubCarrier([TaskRoute(send), TaskRoute(send, ack_deadline=60)])
    with pytest.raises(OptionError, match="deadline"):
        PubSubCarrier([TaskRoute(send)], deadline=0)


PROGRAM = """
import os, sys
from rotulus import App, task
from rotulus.events import JobsPublished, PublishFailed
from rotulus.pubsub import PubSubCarrier, PubSubSettings, TaskRoute

@task(name="mail.send")
def send(n: int): ...

app = App(f"sqlite:///{sys.argv[1]}")
carrier = PubSubCarrier([TaskRoute(send)], PubSubSettings(
    project_id=sys.argv[2], namespace="shop", pubsub_emulator=sys.argv[3]), deadline=2)
app.carry(carrier)
app.events.subscribe(lambda event: print(type(event).__name__, flush=True), JobsPublished, PublishFailed)
job = send.enqueue(1)
if sys.argv[4:]:
    child = os.fork()
    if child == 0:
        published = carrier.publish([job.record])
        os._exit(0 if published.ids else 1)
    print("child", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    print("parent", len(carrier.publish([job.record]).ids))
"""


def run(tmp_path, *words):
    """A program that enqueues a job, and ends."""
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    environment = {**os.environ, "GRPC_VERBOSITY": "NONE", "GRPC_ENABLE_FORK_SUPPORT": "1"}
    return subprocess.run(
        [sys.executable, str(path), str(tmp_path / "jobs.db"), *words],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
    )


def test_a_forked_process_publishes_on_a_connection_of_its_own(project, pubsub_emulator, tmp_path):
    """The parent goes on with its own."""
    google = project(pubsub_emulator.host, "")
    topic = f"{google.project}/topics/dev--shop.tasks--__main__.send"
    google.clients.publisher.create_topic(name=topic)

    told = run(tmp_path, google.settings.project_id, pubsub_emulator.host, "fork")

    assert "JobsPublished" in told.stdout
    assert "child 0\nparent 1\n" in told.stdout, told.stderr


def test_a_program_ends_though_nobody_takes_its_messages(tmp_path):
    """The job stays in the outbox; nothing waits for it at the exit."""
    began = time.monotonic()
    told = run(tmp_path, "shop", f"127.0.0.1:{free_port()}")

    assert 0 == told.returncode, told.stderr
    assert "PublishFailed" in told.stdout
    assert time.monotonic() - began < 15
