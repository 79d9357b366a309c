"""Django in a process of its own that serves HTTP, and Google's own emulator, which pushes to it."""

import json
import re
import urllib.error
import urllib.request
from itertools import pairwise

import pytest
from django.db import connections
from google.protobuf.duration_pb2 import Duration
from google.pubsub_v1 import PubsubMessage, RetryPolicy, Subscription

from pubsub.attacking import Attack
from pubsub.pushing import envelope
from pubsub.server_process import PATIENCE, ServerProcess, until
from pubsub.signing import ACCOUNT
from rotulus import State
from rotulus.pubsub import apply, plan
from rotulus.pubsub.messages import write_scheduled

KINDS = ["postgres", pytest.param("sqlite", marks=pytest.mark.long)]

pytestmark = [pytest.mark.anywhere, pytest.mark.parametrize("kind", KINDS, indirect=True)]

FIRING = write_scheduled("7f000000-0000-4000-8000-000000000000", "backfill")


class Server(ServerProcess):
    """`manage.py runserver`, without a reloader."""

    def serve(self, **environment):
        """Start it, and return when it listens."""
        words = ("-m", "django", "runserver", "--noreload", f"127.0.0.1:{self.port}")
        self.start(*words, DJANGO_SETTINGS_MODULE="django_shop.live", **environment)

    def answers(self):
        """The statuses of the pushes that it has answered, in order."""
        found = re.findall(r'"POST /tasks/pubsub/ HTTP/1.1" (\d+)', self.log.read_text())
        return [int(status) for status in found]

    def post(self, body):
        """Push something, as Pub/Sub does; the status and the text."""
        request = urllib.request.Request(
            f"{self.url}/tasks/pubsub/",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()


def variables(shop, url, host):
    """What a server process of a project needs to know."""
    database = connections.settings["jobs"]
    names = ("ENGINE", "NAME", "USER", "PASSWORD", "HOST", "PORT")
    return {
        "SHOP_DATABASE": json.dumps({name: database[name] for name in names}),
        "GCP_PROJECT_ID": shop.project,
        "CLOUD_RUN_SERVICE_URL": url,
        "TASKS_SERVICE_ACCOUNT": ACCOUNT,
        "TASKS_NAMESPACE": "shop",
        "PUBSUB_EMULATOR_HOST": host,
    }


class Live:
    """The project, whose routes are provisioned, and the server that serves it."""

    def __init__(self, shop, server):
        self.shop, self.server = shop, server
        carrier = shop.carrier
        assert () == apply(plan(carrier.routes, carrier.settings, shop.clients)).problems
        for route in carrier.routes:
            self._back_off_briefly(f"dev--shop.tasks--{route.path}-sub")

    def publish(self, task, *payloads):
        """Messages of somebody else's, in the topic of a task."""
        topic = f"projects/{self.shop.project}/topics/dev--shop.tasks--django_shop.tasks.{task}"
        messages = [PubsubMessage(data=data) for data in payloads]
        self.shop.clients.publisher.publish(topic=topic, messages=messages)

    def ended(self, task, count=1):
        """The jobs of a task, once so many have ended; the oldest first."""
        name = f"django_shop.tasks.{task}"

        def found():
            jobs = [job for job in self.shop.app.jobs.find(task=name) if job.state.ended]
            return sorted(jobs, key=lambda job: job.created_at) if len(jobs) >= count else None

        return until(found)

    def dead_letter(self):
        """The next message that was delivered too often."""
        name = f"projects/{self.shop.project}/subscriptions/dev--shop.tasks-dead-letter-sub"
        while True:
            answer = self.shop.clients.subscriber.pull(
                subscription=name, max_messages=1, timeout=PATIENCE, retry=None
            )
            for one in answer.received_messages:
                return one.message

    def _back_off_briefly(self, name):
        soon = RetryPolicy(
            minimum_backoff=Duration(nanos=200_000_000), maximum_backoff=Duration(seconds=1)
        )
        self.shop.clients.subscriber.update_subscription(
            subscription=Subscription(
                name=f"projects/{self.shop.project}/subscriptions/{name}", retry_policy=soon
            ),
            update_mask={"paths": ["retry_policy"]},
        )


@pytest.fixture
def live(make_shop, pubsub_emulator, tmp_path):
    """The project on the emulator, and a server of it in another process."""
    server = Server(tmp_path / "server.log")
    options = {"insecure_local": True}
    with make_shop(pubsub_emulator.host, options=options, CLOUD_RUN_SERVICE_URL=server.url) as shop:
        try:
            server.serve(**variables(shop, server.url, pubsub_emulator.host))
            yield Live(shop, server)
        finally:
            server.stop()


@pytest.mark.requirement("G-23")
def test_what_is_enqueued_here_is_run_there(live):
    """Stored and published by this process, pushed by Google's emulator, run by the other one."""
    result = live.shop.tasks.add.enqueue(2, 3)

    [job] = live.ended("add")
    assert (result.id, State.SUCCEEDED, 5, 1) == (job.id, job.state, job.result(), job.attempt)
    until(live.server.answers)
    assert [200] == live.server.answers()
    result.refresh()
    assert (5, "SUCCESSFUL") == (result.return_value, result.status.name)


@pytest.mark.requirement("G-27")
def test_an_error_is_tried_later_and_later_and_ends_as_a_dead_letter(live):
    """As often as its route says; what fails once succeeds with the next delivery."""
    result = live.shop.tasks.fail.enqueue("on fire")
    once = live.shop.tasks.fail_once.enqueue("once")
    letter = live.dead_letter()

    assert result.id == json.loads(letter.data)["task_id"]
    [failed] = live.ended("fail")
    assert (State.FAILED, 5, "on fire") == (failed.state, failed.attempt, failed.error.message)
    starts = [one.started_at for one in (*failed.refresh().attempts, failed)]
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(starts)]
    assert 4 == len(gaps)
    assert min(gaps) >= 0.2
    assert gaps[-1] > gaps[0]
    [twice] = live.ended("fail_once")
    assert (once.id, State.SUCCEEDED, 2) == (twice.id, twice.state, twice.attempt)
    answers = live.server.answers()
    assert (6, 1) == (answers.count(500), answers.count(200)), gaps


@pytest.mark.requirement("G-33")
def test_each_message_of_a_schedule_runs_once(live):
    """The payload is the same each time: two messages are two jobs, one that comes twice is one."""
    live.publish("backfill", FIRING, FIRING)
    jobs = live.ended("backfill", 2)
    once = envelope(FIRING, message_id="seven", subscription="x-sub")

    assert [(200, "OK"), (200, "OK")] == [live.server.post(once), live.server.post(once)]
    jobs = live.ended("backfill", 3)
    assert [1, 2, 3] == sorted(job.result() for job in jobs)
    assert {1} == {job.attempt for job in jobs}
    assert 3 == len({job.key for job in jobs})


@pytest.mark.requirement("G-24")
def test_what_is_no_message_is_refused_and_kept(live):
    """And what comes after it runs."""
    assert (400, "Invalid message data") == live.server.post(envelope(b"{"))
    assert (400, "Unknown task") == live.server.post(envelope({"task_name": "nothing"}))
    live.publish("add", b"{this is no JSON")
    assert live.dead_letter().data == b"{this is no JSON"

    dead = live.shop.app.jobs.find(state="dead")
    assert ["corrupt", "corrupt", "unknown_task"] == sorted(job.reason for job in dead)
    live.shop.tasks.add.enqueue(1)
    assert [3] == [job.result() for job in live.ended("add")]


def test_what_is_malformed_is_answered_over_a_socket(
    make_shop, fake, tmp_path, stress_random, stress_requests
):
    """Bodies, headers and framing: none is an error of ours, and memory does not grow."""
    server = Server(tmp_path / "server.log")
    with make_shop(fake.host, options={"insecure_local": True}) as shop:
        try:
            server.serve(**variables(shop, server.url, fake.host))
            attack = Attack(server.port, stress_random)
            grown = attack.send_measured(stress_requests, server)
        finally:
            server.stop()

    attack.check(grown)
