"""From enqueue to the last outcome: stored, published, pushed over HTTP, run, tried again, dead.

Everything is real: the store, Google's client, and a server that answers. The pushes come from
Google's own emulator, or from the fake, whose tokens are checked.
"""

import socket
import threading
from dataclasses import replace

import pytest
import uvicorn
from fastapi import FastAPI
from google.protobuf.duration_pb2 import Duration
from google.pubsub_v1 import PubsubMessage, RetryPolicy, Subscription

from rotulus import App, Job, State, task
from rotulus.pubsub import (
    LocalVerifier,
    PubSubCarrier,
    PushHandler,
    TaskRoute,
    TokenVerifier,
    make_push_router,
)
from rotulus.pubsub.provision import apply, plan

pytestmark = pytest.mark.anywhere

PATIENCE = 30


class Loop:
    """An app with routes that are provisioned, and a server that pushes come to.

    `ran` has what bodies were called with; `fails` says how many of them fail.
    """

    def __init__(self, google, url, registry, **settings):
        self.ran, self.fails = [], 0
        self.may_end = threading.Event()
        self.may_end.set()

        @task(name="mail.send", registry=registry)
        def send(user_id: int, job: Job) -> int:
            self.ran.append((user_id, job.attempt))
            self.may_end.wait(PATIENCE)
            if len(self.ran) <= self.fails:
                raise OSError("the mail server is on fire")
            return user_id * 2

        self.send, self.google = send, google
        self.listening = socket.create_server(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{self.listening.getsockname()[1]}"
        self.settings = replace(google.settings, service_url=address, **settings)
        self.has_tokens = self.settings.pubsub_emulator == self.settings.scheduler_emulator
        routes = [TaskRoute(send, max_delivery_attempts=5)]
        self.app = App(url, registry=registry)
        self.app.store.migrate()
        self.app.carry(PubSubCarrier(routes, self.settings))
        assert () == apply(plan(routes, self.settings, google.clients)).problems
        self.names = [self.subscription(route.path) for route in routes]
        for name in self.names:
            self.back_off_briefly(name)
        service = FastAPI()
        handler = PushHandler(self.app, routes, settings=self.settings, verifier=self.verifier())
        service.include_router(make_push_router(handler))
        self.server = uvicorn.Server(uvicorn.Config(service, log_config=None, lifespan="off"))
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.listening]})
        self.thread.start()

    def verifier(self):
        """The emulator sends no tokens; those of the fake are proved by its key set."""
        if self.has_tokens:
            return TokenVerifier.from_settings(self.settings)
        return LocalVerifier()

    def subscription(self, path):
        """The full name of a subscription."""
        return f"{self.google.project}/subscriptions/dev--shop.tasks--{path}-sub"

    def back_off_briefly(self, name):
        """Deliver again soon: a test does not wait for ten seconds."""
        soon = RetryPolicy(
            minimum_backoff=Duration(nanos=200_000_000), maximum_backoff=Duration(seconds=1)
        )
        self.google.clients.subscriber.update_subscription(
            subscription=Subscription(name=name, retry_policy=soon),
            update_mask={"paths": ["retry_policy"]},
        )

    def publish(self, data, route="send", **attributes):
        """A message of somebody else's."""
        topic = f"{self.google.project}/topics/dev--shop.tasks--{__name__}.{route}"
        message = PubsubMessage(data=data, attributes=attributes)
        self.google.clients.publisher.publish(topic=topic, messages=[message])

    def until(self, holds):
        """Go on until something holds: other jobs are run meanwhile, at most a hundred."""
        for _ in range(100):
            if holds():
                return
            self.send.enqueue(0).result(PATIENCE)
        raise AssertionError("it never holds")

    def dead(self):
        """The jobs that messages are kept as which nobody can run."""
        return self.app.jobs(state=State.DEAD)

    def dead_letters(self, count=1):
        """What was delivered too often."""
        name = f"{self.google.project}/subscriptions/dev--shop.tasks-dead-letter-sub"
        found = []
        while len(found) < count:
            answer = self.google.clients.subscriber.pull(
                subscription=name, max_messages=10, timeout=PATIENCE, retry=None
            )
            ids = [one.ack_id for one in answer.received_messages]
            if ids:
                self.google.clients.subscriber.acknowledge(subscription=name, ack_ids=ids)
            found += [one.message for one in answer.received_messages]
        return found

    def close(self):
        """Stop serving."""
        self.may_end.set()
        for name in self.names:
            self.google.clients.subscriber.delete_subscription(subscription=name)
        self.server.should_exit = True
        self.thread.join()
        self.listening.close()
        self.app.close()


@pytest.fixture
def make_loop(google, registry, tmp_path):
    """Makes a loop on SQLite."""
    made = []

    def make(**settings):
        loop = Loop(google, f"sqlite:///{tmp_path / 'jobs.db'}", registry, **settings)
        made.append(loop)
        return loop

    yield make
    for loop in made:
        loop.close()


@pytest.fixture
def loop(make_loop):
    """A loop with the usual settings."""
    return make_loop()


@pytest.fixture
def faked_loop(faked, registry, tmp_path):
    """A loop with the fake, whose schedules publish to it."""
    loop = Loop(faked, f"sqlite:///{tmp_path / 'jobs.db'}", registry)
    yield loop
    loop.close()


def test_on_a_server_it_is_the_same(google, registry, database):
    """On PostgreSQL, too."""
    loop = Loop(google, database, registry)
    try:
        assert 14 == loop.send.enqueue(7).result(PATIENCE)
    finally:
        loop.close()


def test_many_jobs_are_each_run_once(loop):
    """Two hundred of them, whatever comes twice."""
    loop.send.enqueue_many([(number,) for number in range(200)])
    jobs = loop.app.jobs(task="mail.send", limit=200)

    assert sorted(number * 2 for number in range(200)) == sorted(
        job.result(PATIENCE) for job in jobs
    )
    assert sorted((number, 1) for number in range(200)) == sorted(loop.ran)


def test_a_task_that_always_raises_fails_and_its_message_is_a_dead_letter(loop):
    """After as many deliveries as its route allows."""
    loop.fails = 99
    job = loop.send.enqueue(7)
    [letter] = loop.dead_letters()

    assert job.id in letter.data.decode()
    assert 5 == int(letter.attributes["CloudPubSubDeadLetterSourceDeliveryCount"])
    found = loop.app.get(job.id)
    assert (State.FAILED, 5) == (found.state, found.attempt)
    assert "the mail server is on fire" in found.error.message


def test_a_message_with_wrong_arguments_is_kept_once(loop):
    """And says which."""
    loop.publish(b'{"task_id": "x", "task_name": "send", "args": [], "kwargs": {"user": 1}}')
    loop.dead_letters()

    [dead] = loop.dead()
    assert "user" in dead.error.message
    assert "invalid_arguments" == dead.reason


def test_a_message_of_an_unknown_task_is_kept_once(loop):
    """It came by a subscription that no route has."""
    google = loop.google
    topic = f"{google.project}/topics/dev--shop.tasks--gone"
    google.clients.publisher.create_topic(name=topic)
    known = google.clients.subscriber.get_subscription(subscription=loop.names[0])
    known.name, known.topic = f"{google.project}/subscriptions/gone-sub", topic
    google.clients.subscriber.create_subscription(request=known)
    loop.names.append(known.name)
    data = b'{"task_id": "x", "task_name": "gone", "args": [], "kwargs": {}}'
    message = PubsubMessage(data=data, attributes={"task": "mail.gone"})
    google.clients.publisher.publish(topic=topic, messages=[message])
    loop.dead_letters()

    [dead] = loop.dead()
    assert "unknown_task" == dead.reason


def test_a_rejection_that_acknowledges_is_delivered_once(make_loop):
    """With `ROTULUS_REJECT_STATUS=204` no dead-letter topic is needed."""
    loop = make_loop(reject_status=204)
    loop.publish(b"{this is no JSON")
    job = loop.send.enqueue(7)
    job.result(PATIENCE)  # what comes after it has come

    loop.until(loop.dead)
    assert 1 == len(loop.dead())


def test_a_tick_publishes_what_has_come_due(loop):
    """Cloud Scheduler calls it each minute; here, when it is told to."""
    job = loop.send.using(delay=0.3).enqueue(7)
    name = f"{loop.google.jobs}/jobs/dev--shop-tick"

    def has_ended():
        loop.google.clients.scheduler.run_job(name=name)
        return loop.app.get(job.id).state.ended

    loop.until(has_ended)
    assert 14 == job.result(PATIENCE)


def test_two_pushes_of_one_message_at_once_run_it_once(faked_loop, fake):
    """The second one is told to come again, and finds that the job has ended."""
    fake.faults.next("duplicate")
    job = faked_loop.send.enqueue(7)

    assert 14 == job.result(PATIENCE)
    faked_loop.send.enqueue(8).result(PATIENCE)
    assert [(7, 1), (8, 1)] == faked_loop.ran


def test_a_push_with_a_token_of_another_account_is_refused(faked_loop):
    """It is not run, and Pub/Sub tries until it gives up."""
    subscriber = faked_loop.google.clients.subscriber
    known = subscriber.get_subscription(subscription=faked_loop.names[0])
    known.push_config.oidc_token.service_account_email = "else@shop.iam.gserviceaccount.com"
    mask = {"paths": ["push_config"]}
    subscriber.update_subscription(subscription=known, update_mask=mask)
    job = faked_loop.send.enqueue(7)
    faked_loop.dead_letters()

    assert [] == faked_loop.ran
    assert State.QUEUED == faked_loop.app.get(job.id).state
