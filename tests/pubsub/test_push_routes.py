"""`/api/v1/push`: what is wanted, what is there, and deliveries, by the role of the sender."""

import json
import os

import pytest
from google.cloud.scheduler_v1 import Job, PubsubTarget
from google.protobuf.field_mask_pb2 import FieldMask
from google.pubsub_v1 import PushConfig
from starlette.testclient import TestClient

from pubsub.pushing import push
from pubsub.served import Service
from rotulus import App, TaskRegistry, task
from rotulus.pubsub import PubSubCarrier, PubSubSettings, TaskRoute, TokenVerifier, apply, plan
from rotulus.service import Role, ServiceBuilder, ServiceInfo
from rotulus.service.resources.push_models import PushDelivery, _there
from rotulus.service.resources.views import View
from rotulus.service.serving import service_of

pytestmark = pytest.mark.anywhere

SECRET = "a-secret-of-sixteen-or-more"


@pytest.fixture
def ask(registry):
    """Makes a service of an app with a route, and gives clients of it by their role."""
    open_here = []

    @task(name="nightly", registry=registry)
    def nightly() -> None: ...

    def make(settings=None, *, carried=True, **options):
        app = App("sqlite://", registry=registry)
        open_here.append(app)
        if carried:
            app.carry(PubSubCarrier([TaskRoute(nightly, schedule="0 3 * * *")], settings))
        builder = ServiceBuilder(info=ServiceInfo(display_name="Shop"), app=app, **options)
        service = builder.with_resources().with_auth(SECRET).build()
        client = TestClient(service)
        tokens = {role: app.tokens.add(role, role).secret for role in ("viewer", "operator")}
        tokens["admin"] = SECRET

        def ask(role, method, path="", **more):
            headers = {"Authorization": f"Bearer {tokens[role]}"}
            return client.request(method, f"/api/v1/push{path}", headers=headers, **more)

        ask.app = app
        return ask

    yield make
    for app in open_here:
        app.close()


def test_a_viewer_sees_what_is_wanted_and_may_not_ask_google(ask):
    """Nothing is asked in the name of the service unless an operator wants it."""
    sender = ask(PubSubSettings(namespace="shop"))
    seen = sender("viewer", "GET")
    assert (200, True) == (seen.status_code, seen.json()["carried"])
    assert {"project": None, "owner": "dev--shop", "emulator": None, "scheduler": True} == (
        seen.json()["place"]
    )
    assert "GCP_PROJECT_ID" == seen.json()["missing"][0]["variable"]
    kinds = [one["kind"] for one in seen.json()["resources"]]
    assert (2, 2, 2) == tuple(
        kinds.count(kind) for kind in ("topic", "subscription", "scheduler job")
    )
    refused = sender("viewer", "POST", "/$plan")
    assert (403, "role_needed") == (refused.status_code, refused.json()["code"])


def test_without_routes_or_settings_the_answer_says_what_is_missing(ask):
    """It is no error of the server."""
    alone = ask(carried=False)
    seen = alone("viewer", "GET").json()
    assert (False, None, []) == (seen["carried"], seen["place"], seen["resources"])
    answer = alone("operator", "POST", "/$plan")
    assert (409, "push_not_ready") == (answer.status_code, answer.json()["code"])
    assert "This app has no routes" in answer.json()["detail"]
    assert alone("operator", "POST", "/$plan", json={"patience": 0}).status_code == 422
    assert alone("operator", "POST", "/$plan", json={"wait": 1}).status_code == 422


def test_settings_that_are_missing_are_named(ask):
    """With an example of each."""
    answer = ask(PubSubSettings())("operator", "POST", "/$plan")
    assert (409, "push_not_ready") == (answer.status_code, answer.json()["code"])
    assert "Set GCP_PROJECT_ID" in answer.json()["detail"]


def test_an_operator_compares(ask, faked):
    """Each resource, and what would be done to it; nothing is changed."""
    sender = ask(faked.settings)
    planned = sender("operator", "POST", "/$plan", json={"patience": 10}).json()
    assert {"create"} == {one["action"] for one in planned["changes"]}
    assert faked.settings.project_id == planned["place"]["project"]
    assert [] == list(faked.clients.publisher.list_topics(project=faked.project))


def test_what_stands_at_google_is_masked_below_admins(ask, faked):
    """An address may have a secret in it, and a payload anything; ours have neither."""
    sender = ask(faked.settings)
    wanted = sender("viewer", "GET").json()["resources"]
    firing = next(one for one in wanted if one["kind"] == "scheduler job" and one["task"])
    name = f"{faked.jobs}/jobs/{firing['name']}"
    applied = apply(plan(sender.app.carrier.routes, faked.settings, faked.clients))
    assert () == applied.problems
    subscription = next(
        one["name"] for one in wanted if one["kind"] == "subscription" and one["task"]
    )
    faked.clients.subscriber.modify_push_config(
        subscription=f"{faked.project}/subscriptions/{subscription}",
        push_config=PushConfig(push_endpoint="https://old.example/?token=hunter2"),
    )
    target = faked.clients.scheduler.get_job(name=name).pubsub_target
    faked.clients.scheduler.update_job(
        job=Job(
            name=name,
            pubsub_target=PubsubTarget(topic_name=target.topic_name, data=b"hunter2"),
        ),
        update_mask=FieldMask(paths=["pubsub_target"]),
    )

    def before(role):
        changes = sender(role, "POST", "/$plan").json()["changes"]
        return {one["field"]: one["before"] for change in changes for one in change["differences"]}

    assert "hunter2" not in json.dumps(before("operator"))
    assert "https://old.example/?***" == before("operator")["push_endpoint"]
    assert "***" == before("operator")["payload"]
    assert "https://old.example/?token=hunter2" == before("admin")["push_endpoint"]
    assert "hunter2" == before("admin")["payload"]


def test_deliveries_are_those_of_the_process_that_answers(registry, verified_settings, signer):
    """For a viewer, too: verdict, answer, task and job, and nothing of the message."""
    verifier = TokenVerifier.from_settings(verified_settings)
    made = Service("sqlite://", registry, verified_settings, verifier)
    job = made.add.enqueue(3, 4)
    body = json.loads(made.carrier.push().body)
    right = [("Authorization", f"Bearer {signer.token()}")]
    assert 200 == made.handler.handle(push(body, headers=right)).status
    assert 403 == made.handler.handle(push(body)).status
    service = service_of(made.app)
    client = TestClient(service, client=("127.0.0.1", 1), base_url="http://127.0.0.1")

    seen = client.get("/api/v1/push/$deliveries").json()
    assert os.getpid() == seen["pid"]
    assert ["refused", "verified"] == [one["verdict"] for one in seen["items"]]
    assert (job.id, "numbers.add", 200) == tuple(
        seen["items"][1][name] for name in ("job_id", "task", "status")
    )
    assert PushDelivery.model_fields.keys() == seen["items"][1].keys()
    only = client.get("/api/v1/push/$deliveries", params={"refused": True, "limit": 1}).json()
    assert ["refused"] == [one["verdict"] for one in only["items"]]
    assert 422 == client.get("/api/v1/push/$deliveries", params={"limit": 0}).status_code
    made.app.close()


def test_another_app_of_the_process_may_take_the_pushes(ask):
    """As under Django, where the service has connections of its own."""
    other = App("sqlite://", registry=TaskRegistry())
    sender = ask(PubSubSettings(), pushes_of=other)
    assert sender("viewer", "GET").json()["carried"] is False
    other.close()


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://h/p?key=S", "https://h/p?***"),
        ("https://u:S@h/p", "https://***@h/p"),
        ("https://h/p#S", "https://h/p#***"),
        ("https://u:S@h/p?key=S#S", "https://***@h/p?***#***"),
        ("https://h/p", "https://h/p"),
        ("", ""),
    ],
)
@pytest.mark.parametrize("field", ["push_endpoint", "url", "audience"])
def test_of_an_address_below_admins_only_host_and_path_are_shown(field, address, shown):
    """User, query and fragment may each be a secret; an audience is an address, too."""
    with App("sqlite://", registry=TaskRegistry()) as app:
        assert shown == _there(field, address, View(app, Role.OPERATOR, tracebacks=False))
        assert address == _there(field, address, View(app, Role.ADMIN, tracebacks=False))
