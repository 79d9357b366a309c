"""Google's emulator and our fake, each as a project of its own; and keys as Google shows them."""

from dataclasses import replace
from typing import NamedTuple

import pytest

from pubsub.signing import ACCOUNT, AUDIENCE, KeyServer, Signer
from rotulus.pubsub import PubSubSettings
from rotulus.pubsub.clients import GoogleClients
from rotulus.pubsub.fake import FakeGoogle


@pytest.fixture(autouse=True)
def no_google(monkeypatch):
    """No project of the machine's is used by a test."""
    for name in ("PUBSUB_EMULATOR_HOST", "CLOUD_SCHEDULER_EMULATOR_HOST", "GCP_PROJECT_ID"):
        monkeypatch.delenv(name, raising=False)


class Google(NamedTuple):
    """A project: its settings, and clients that reach it."""

    settings: PubSubSettings
    clients: GoogleClients

    @property
    def project(self):
        """Its name, as Google writes it."""
        return f"projects/{self.settings.project_id}"

    @property
    def jobs(self):
        """Where its scheduler jobs are."""
        return f"{self.project}/locations/{self.settings.scheduler_location}"


@pytest.fixture
def fake():
    """Our fake of Pub/Sub and Cloud Scheduler."""
    with FakeGoogle() as made:
        yield made


@pytest.fixture
def project(new_project_id):
    """Makes a project that nobody else has, of a Pub/Sub and a Cloud Scheduler."""
    made = []

    def make(pubsub, scheduler, **more):
        settings = PubSubSettings(
            project_id=new_project_id(),
            service_url="http://127.0.0.1:9",
            service_account="pubsub-invoker@shop.iam.gserviceaccount.com",
            namespace="shop",
            pubsub_emulator=pubsub,
            scheduler_emulator=scheduler,
            **more,
        )
        google = Google(settings, GoogleClients(pubsub, scheduler))
        made.append(google)
        return google

    yield make
    for google in made:
        google.clients.close()


@pytest.fixture
def faked(project, fake):
    """A project of the fake."""
    return project(fake.host, fake.host, keys_url=fake.signer.url)


@pytest.fixture(params=[pytest.param("emulator", marks=pytest.mark.anywhere), "fake"])
def google(request, project, fake):
    """A project of Google's own emulator, whose scheduler is the fake's, and one of the fake."""
    if request.param == "fake":
        return project(fake.host, fake.host, keys_url=fake.signer.url)
    return project(request.getfixturevalue("pubsub_emulator").host, fake.host)


@pytest.fixture
def changed():
    """A project with other settings."""

    def change(google, **settings):
        return Google(replace(google.settings, **settings), google.clients)

    return change


@pytest.fixture(scope="session")
def signer():
    """The key that Google signs with."""
    return Signer("current")


@pytest.fixture(scope="session")
def other_signer():
    """A key of somebody else, or of later."""
    return Signer("next")


@pytest.fixture
def key_server(signer):
    """Shows the key that Google signs with."""
    made = KeyServer()
    made.keys.append(signer)
    yield made
    made.close()


@pytest.fixture
def verified_settings(key_server):
    """The settings of a service that checks tokens against the key server."""
    return PubSubSettings(
        project_id="shop-prod",
        service_url=AUDIENCE,
        service_account=ACCOUNT,
        keys_url=key_server.url,
    )
