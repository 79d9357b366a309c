"""A project of Django whose tasks are pushed: by a fake of Google, or by the tests themselves."""

import warnings
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest
from django.conf import settings
from django.test.utils import override_settings

from django_project import database
from django_shop.backends import pubsub_backend
from pubsub.signing import ACCOUNT, AUDIENCE, KeyServer, Signer
from rotulus.pubsub.clients import GoogleClients
from rotulus.pubsub.fake import FakeGoogle

KINDS = ["sqlite", pytest.param("postgres", marks=pytest.mark.anywhere)]


@pytest.fixture(scope="session")
def fake():
    """A fake of Google, which all tests of a session share: each has a project."""
    with FakeGoogle() as made:
        yield made


@pytest.fixture(scope="session")
def signer():
    """The key that Google signs with."""
    return Signer("current")


@pytest.fixture(scope="session")
def key_server(signer):
    """Shows the key that Google signs with."""
    made = KeyServer()
    made.keys.append(signer)
    yield made
    made.close()


class Shop(NamedTuple):
    """A project: its app, its tasks, its project of Google's, and who signs tokens."""

    app: Any
    tasks: Any
    project: str
    clients: GoogleClients
    signer: Signer

    @property
    def carrier(self):
        """What publishes."""
        return self.app.carrier

    def bearer(self, **claims):
        """The header of a push that is let in, unless a claim is changed."""
        return {"authorization": f"Bearer {self.signer.token(**claims)}"}

    def pull_from(self, name):
        """Have a topic for a task, whose messages wait to be pulled."""
        topic = f"projects/{self.project}/topics/dev--shop.tasks--django_shop.tasks.{name}"
        subscription = topic.replace("/topics/", "/subscriptions/") + "-sub"
        self.clients.publisher.create_topic(name=topic)
        self.clients.subscriber.create_subscription(name=subscription, topic=topic)
        return lambda: self._pulled(subscription)

    def _pulled(self, subscription):
        asked = {"subscription": subscription, "max_messages": 1000, "return_immediately": True}
        with warnings.catch_warnings(action="ignore"):  # what is there now, and not what comes
            answer = self.clients.subscriber.pull(**asked, timeout=10)
        return [one.message for one in answer.received_messages]


@pytest.fixture(params=KINDS)
def kind(request):
    """Which kind of database the project has."""
    return request.param


@pytest.fixture
def make_shop(new_project_id, jobs_settings, key_server, signer, kind, monkeypatch):
    """Makes the project, given where Google is."""
    for name in ("PUBSUB_EMULATOR_HOST", "CLOUD_SCHEDULER_EMULATOR_HOST", "GCP_PROJECT_ID"):
        monkeypatch.delenv(name, raising=False)

    @contextmanager
    def make(host, *, options=None, database_settings=None, routes=None, **more):
        project = new_project_id()
        given = {
            "INSTALLED_APPS": [*settings.INSTALLED_APPS, "django_shop"],
            "ROTULUS_TASK_APPS": ["django_shop"],
            "ROOT_URLCONF": "django_shop.urls",
            "CLOUD_RUN_SERVICE_URL": AUDIENCE,
            "TASKS_SERVICE_ACCOUNT": ACCOUNT,
            "TASKS_NAMESPACE": "shop",
            "ROTULUS_OIDC_JWKS_URL": key_server.url,
            "PUBSUB_EMULATOR_HOST": host,
            "ALLOWED_HOSTS": ["*"],
        }
        clients = GoogleClients(host, "")
        with (
            override_settings(**(given | more)),
            database("jobs", jobs_settings(kind) | (database_settings or {})),
            pubsub_backend("pubsub", **({"project_id": project} | (options or {}))),
        ):
            from django_shop import tasks
            from rotulus.django import app_of

            tasks.RAN.clear()
            if routes is not None:
                monkeypatch.setattr(tasks, "tasks", routes(tasks))
            app = app_of("jobs")
            try:
                yield Shop(app, tasks, project, clients, signer)
            finally:
                app.close()
                clients.close()

    return make


@pytest.fixture
def shop(make_shop, fake):
    """The project, whose Google is the fake."""
    with make_shop(fake.host) as made:
        yield made
