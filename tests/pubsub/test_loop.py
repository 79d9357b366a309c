"""The whole loop: enqueued, published, pushed into a live server, run; and what goes wrong there."""

import time

import pytest
from fastapi import FastAPI

from pubsub.listening import listening, opened
from rotulus import App, State, task
from rotulus.pubsub import (
    LocalVerifier,
    PubSubCarrier,
    PushHandler,
    TaskRoute,
    TokenVerifier,
    make_push_router,
)
from rotulus.pubsub.provision import apply, plan
from rotulus.store import ClaimFilter

pytestmark = pytest.mark.anywhere

SOON = {"min_retry_delay": 1, "max_retry_delay": 1, "max_delivery_attempts": 5}


class Loop:
    """A project, an app with two routes, and the server that it pushes to."""

    def __init__(self, google, app, routes, port):
        self.google, self.app, self.routes, self.port = google, app, routes, port

    def publish(self, data, number=0):
        """Publish something to the topic of a route that is not ours."""
        topic = f"{self.google.project}/topics/dev--shop.tasks--{self.routes[number].path}"
        self.google.clients.publisher.publish(topic=topic, messages=[{"data": data}])

    def dead_letters(self):
        """What was delivered too often: at least one message."""
        subscription = f"{self.google.project}/subscriptions/dev--shop.tasks-dead-letter-sub"
        found, end = [], time.monotonic() + 60
        while not found and time.monotonic() < end:
            answer = self.google.clients.subscriber.pull(
                subscription=subscription, max_messages=10, timeout=10, retry=None
            )
            found = [one.message.data for one in answer.received_messages]
        return found


@pytest.fixture
def ran():
    """How often the task was run, and how often it is to fail."""
    return {"times": 0, "fails": 0}


@pytest.fixture
def loop(google, changed, fake, registry, ran):
    """Google's emulator, which signs nothing, or the fake, which signs; and all that is pushed to.

    A lease of a second, and messages that are published again after three.
    """

    @task(name="mail.send", registry=registry)
    def send(user_id: int = 0) -> int:
        ran["times"] += 1
        if ran["times"] <= ran["fails"]:
            raise OSError("no route to host")
        return user_id

    listener = opened()
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    google = changed(google, service_url=address, keys_url=fake.signer.url)
    routes = [TaskRoute(send, schedule="0 3 * * *", **SOON)]
    app = App("sqlite://", registry=registry, lease=1)
    app.carry(PubSubCarrier(routes, google.settings), patience=3)
    signs = google.settings.pubsub_emulator == fake.host
    verifier = TokenVerifier.from_settings(google.settings) if signs else LocalVerifier()
    handler = PushHandler(app, routes, verifier=verifier, settings=google.settings)
    application = FastAPI()
    application.include_router(make_push_router(handler))
    with listening(application, listener) as port:
        assert () == apply(plan(routes, google.settings, google.clients)).problems
        yield Loop(google, app, routes, port)
    app.close()


def test_what_is_enqueued_is_pushed_and_run(loop):
    """With its arguments, and with its result."""
    jobs = [loop.routes[0].func.enqueue(number) for number in range(20)]

    assert list(range(20)) == [job.result(60) for job in jobs]


def test_what_fails_is_pushed_again_until_it_succeeds(loop, ran):
    """After the delay of its route."""
    ran["fails"] = 2
    job = loop.routes[0].func.enqueue(7)

    assert 7 == job.result(60)
    assert 3 == job.refresh().attempt


def test_what_nobody_can_run_goes_to_the_dead_letters(loop):
    """After five deliveries; and is kept as one dead job."""
    loop.publish(b"no message of ours")

    assert [b"no message of ours"] == loop.dead_letters()
    [job] = loop.app.jobs.find()
    assert (State.DEAD, "corrupt") == (job.state, job.reason)


def test_a_job_whose_message_became_a_dead_letter_while_its_lease_was_held_is_run(loop, ran):
    """It is published again by the duties, and is never lost."""
    loop.app.queues.pause("_pubsub")  # or the first delivery would run it
    job = loop.routes[0].func.enqueue(9)
    loop.app.queues.resume("_pubsub")
    [claimed] = loop.app.store.claim(ClaimFilter("killed", ids=[job.id]), 1, 12.0)
    loop.publish(b'{"task_id": "%s", "task_name": "send"}' % job.id.encode())

    assert 1 == len(loop.dead_letters())
    end = time.monotonic() + 60
    while loop.app.jobs.get(job.id).state is not State.SUCCEEDED:
        assert time.monotonic() < end
        loop.app.tick()
        loop.app.store.wait(job.id, 0.2)
    assert (claimed.attempt + 1, 1) == (job.refresh().attempt, ran["times"])


@pytest.mark.parametrize("google", ["fake"], indirect=True)  # the emulator has no scheduler
def test_each_firing_of_cloud_scheduler_is_a_job_of_its_own(loop, ran):
    """Though all of them have the same message."""
    jobs = loop.google.clients.scheduler.list_jobs(parent=loop.google.jobs)
    [job_name] = [job.name for job in jobs if "scheduler--" in job.name]
    for _ in range(3):
        loop.google.clients.scheduler.run_job(name=job_name)
    end = time.monotonic() + 60
    while len(loop.app.jobs.find(state="succeeded")) < 3:
        assert time.monotonic() < end
        loop.app.store.wait(job_name, 0.05)

    assert 3 == ran["times"] == len({job.key for job in loop.app.jobs.find()})
