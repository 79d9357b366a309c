"""`/api/v1/webhooks`: who is told of what, and what was delivered, over HTTP and for admins only."""

from functools import partialmethod

import pytest
from starlette.testclient import TestClient

from rotulus import App, TaskRegistry, task
from rotulus.service import service_of
from rotulus.testing import drain
from webhook_receiver import LOOPBACK, Receiver

pytestmark = pytest.mark.anywhere

OPS = {"name": "ops", "url": "https://example.com/hooks", "events": ["job.failed", "run.*"]}


@pytest.fixture
def app(url):
    """An app with a task; it may send to this machine."""
    made = App(url, registry=TaskRegistry(), webhook_networks=LOOPBACK)
    made.store.migrate()
    task(name="send", registry=made.registry)(lambda: None)
    yield made
    made.close()


class Client:
    """Asks for paths below that of webhooks."""

    def __init__(self, client):
        self._client = client

    def request(self, method, path, **options):
        """The answer to a request."""
        return self._client.request(method, f"/api/v1/webhooks{path}", **options)

    get = partialmethod(request, "GET")
    post = partialmethod(request, "POST")
    patch = partialmethod(request, "PATCH")
    delete = partialmethod(request, "DELETE")


@pytest.fixture
def client(app):
    """A client of its service, on this machine."""
    with TestClient(service_of(app)) as made:
        yield Client(made)


@pytest.fixture
def receiver():
    """A receiver that is there."""
    with Receiver().running() as running:
        yield running


def added(client, **others):
    """The answer to a webhook that is added."""
    answer = client.post("", json={**OPS, **others})
    assert 201 == answer.status_code, answer.text
    return answer


def test_a_webhook_is_added_with_a_secret_that_is_shown_once(client, app):
    """In this answer and that of `$rotate`; every answer has its version as `ETag`."""
    made = added(client, task="send", queue="mail", labels={"customer": "7"})
    told = made.json()

    assert "/api/v1/webhooks/ops" == made.headers["location"]
    assert ("no-store", '"1"') == (made.headers["cache-control"], made.headers["etag"])
    assert told["secret"].startswith("whsec_")
    shown = client.get("/ops")
    assert '"1"' == shown.headers["etag"]
    assert {**shown.json(), "secret": told["secret"]} == told
    assert ("send", "mail", {"customer": "7"}, "active") == tuple(
        told[name] for name in ("task", "queue", "labels", "state")
    )
    assert told["created_at"].endswith("Z")
    assert [shown.json()] == client.get("").json()["items"]

    rotated = client.post("/ops/$rotate")
    assert ("no-store", '"2"') == (rotated.headers["cache-control"], rotated.headers["etag"])
    assert rotated.json()["secret"] not in ("", told["secret"])
    assert rotated.json()["old_secret_until"].endswith("Z")
    own = "whsec_" + "QUJD" * 10
    assert own == client.post("/ops/$rotate", json={"secret": own}).json()["secret"]
    for text in (client.get("/ops").text, client.get("").text, repr(app.audit.find())):
        assert own not in text
        assert told["secret"] not in text


def test_a_change_leaves_what_it_does_not_name_and_null_clears(client):
    """As a merge of the two."""
    added(client, task="send", queue="mail", labels={"customer": "7"})
    changed = client.patch("/ops", json={"task": None, "events": ["job.*"], "labels": None})

    assert (200, '"2"') == (changed.status_code, changed.headers["etag"])
    assert {"task": None, "queue": "mail", "labels": {}, "events": ["job.*"]}.items() <= (
        changed.json().items()
    )
    assert OPS["url"] == changed.json()["url"]
    assert client.patch("/ops", json={"url": "https://b.com/"}).json()["url"] == "https://b.com/"


@pytest.mark.parametrize("tag", ["{now}", '"0", {now}', "*"])
def test_a_change_with_if_match_is_made_to_the_version_that_it_names(client, tag):
    """Or to any of several."""
    added(client)
    for asked in (("PATCH", "/ops"), ("POST", "/ops/$rotate"), ("DELETE", "/ops")):
        headers = {"If-Match": tag.format(now=client.get("/ops").headers["etag"])}
        body = {"json": {"queue": "mail"}} if asked[0] == "PATCH" else {}
        assert client.request(*asked, headers=headers, **body).is_success

    assert 404 == client.get("/ops").status_code


@pytest.mark.parametrize("tag", ['"1"', 'W/"2"', "2", '""', '"22"'])
def test_a_change_to_another_version_is_refused(client, tag):
    """So nobody takes back what somebody else has changed meanwhile."""
    added(client)
    before = client.patch("/ops", json={"queue": "mail"}).json()
    for asked in (("PATCH", "/ops"), ("POST", "/ops/$rotate"), ("DELETE", "/ops")):
        body = {"json": {"queue": None}} if asked[0] == "PATCH" else {}
        answer = client.request(*asked, headers={"If-Match": tag}, **body)
        assert (412, "changed_meanwhile") == (answer.status_code, answer.json()["code"])
        assert before == client.get("/ops").json()


def test_a_webhook_is_paused_resumed_and_removed(client, app):
    """Each stands in the audit under its sender."""
    added(client)
    assert "paused" == client.post("/ops/$pause").json()["state"]
    refused = client.post("/ops/$test")
    assert (409, "webhook_conflict") == (refused.status_code, refused.json()["code"])
    assert "active" == client.post("/ops/$resume").json()["state"]
    assert (204, b"") == ((gone := client.delete("/ops")).status_code, gone.content)
    assert [] == client.get("").json()["items"]

    verbs = ["remove", "resume", "test", "pause", "add"]
    assert [("local", "http", f"webhooks.{verb}") for verb in verbs] == [
        (entry.actor, entry.door, entry.verb) for entry in app.audit.find()
    ]


def test_deliveries_are_listed_page_by_page_and_sent_again(client, app, receiver):
    """Under the id that the message had; a page says where the next one begins."""
    added(client, url=receiver.url)
    tested = client.post("/ops/$test")
    drain(app)
    again = client.post(f"/$deliveries/{tested.json()['id']}/$replay")
    client.post("/ops/$test")

    assert [202, 202] == [tested.status_code, again.status_code]
    assert tested.json()["message"] == again.json()["message"]
    assert tested.json()["id"] != again.json()["id"]
    assert {"type": "webhook.test", "data": {"webhook": "ops"}}.items() <= (
        tested.json()["body"].items()
    )
    whole = client.get("/$deliveries").json()["items"]
    assert [None, 204] == [whole[0]["status"], whole[2]["status"]]
    assert whole[1] == again.json()
    found, path = [], "/$deliveries?limit=2&webhook=ops"
    while path:
        page = client.get(path)
        found += page.json()["items"]
        link = page.links.get("next", {}).get("url")
        assert (link is None) is (page.json()["next"] is None)
        path = link and f"/$deliveries{link}"
    assert whole == found
    states = client.get("/$deliveries?state=succeeded&state=failed").json()["items"]
    assert [tested.json()["id"]] == [one["id"] for one in states]
    assert [] == client.get("/$deliveries?webhook=none").json()["items"]


@pytest.mark.parametrize("role", ["viewer", "operator"])
def test_webhooks_are_for_admins_only(client, app, role):
    """Their URLs may be secrets, and whoever adds one has this service send requests."""
    added(client)
    headers = {"Authorization": f"Bearer {app.tokens.add('ci', role).secret}"}
    for method, path in (
        *(("GET", ""), ("POST", ""), ("GET", "/ops"), ("PATCH", "/ops"), ("DELETE", "/ops")),
        *(("POST", f"/ops/${verb}") for verb in ("pause", "resume", "rotate", "test")),
        *(("GET", "/$deliveries"), ("POST", "/$deliveries/x/$replay")),
    ):
        answer = client.request(method, path, headers=headers)
        assert (403, "role_needed") == (answer.status_code, answer.json()["code"])
    assert "active" == app.webhooks.get("ops").state


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", "", OPS, 409, "webhook_conflict"),
        ("POST", "", {**OPS, "name": "b", "url": "ftp://x"}, 422, "invalid_option"),
        ("POST", "", {**OPS, "name": "b", "url": "https://10.0.0.1/"}, 422, "invalid_option"),
        ("POST", "", {**OPS, "name": "b", "events": []}, 422, "invalid_request"),
        ("POST", "", {**OPS, "name": "b", "events": ["job.faild"]}, 422, "invalid_option"),
        ("POST", "", {**OPS, "name": "b", "secret": "mine"}, 422, "invalid_option"),
        ("POST", "", {**OPS, "name": "b", "event": "job.*"}, 422, "invalid_request"),
        ("POST", "", {"name": "b"}, 422, "invalid_request"),
        ("PATCH", "/ops", {}, 422, "invalid_option"),
        ("PATCH", "/ops", {"url": None}, 422, "invalid_request"),
        ("PATCH", "/ops", {"name": "b"}, 422, "invalid_request"),
        ("PATCH", "/none", {"queue": "a"}, 404, "webhook_not_found"),
        ("GET", "/none", None, 404, "webhook_not_found"),
        ("DELETE", "/none", None, 404, "webhook_not_found"),
        ("POST", "/none/$pause", None, 404, "webhook_not_found"),
        ("POST", "/none/$test", None, 404, "webhook_not_found"),
        ("POST", "/$deliveries/nonsense/$replay", None, 404, "job_not_found"),
        ("GET", "/$deliveries?after=x", None, 422, "invalid_cursor"),
        ("GET", "/$deliveries?state=fine", None, 422, "invalid_request"),
        ("GET", "/$deliveries?webhok=ops", None, 422, "invalid_request"),
    ],
)
def test_what_cannot_be_done_is_a_problem(client, method, path, body, status, code):
    """With what to do; and nothing has changed."""
    added(client)
    before = client.get("").json()
    answer = client.request(method, path, **({} if body is None else {"json": body}))

    assert (status, code) == (answer.status_code, answer.json()["code"]), answer.text
    assert before == client.get("").json()


def test_a_message_holds_no_secret_value_of_a_label(client, app, receiver):
    """The names that the app masks are masked in what is sent, too."""
    added(client, url=receiver.url, events=["job.succeeded"])
    app.using(labels={"customer": "7", "api_token": "s3cret"}).enqueue("send")
    drain(app)
    app.tick()
    drain(app)

    [received] = receiver.received
    assert b"s3cret" not in received.body
    assert b'"api_token":"***"' in received.body.replace(b" ", b"")
    [shown] = client.get("/$deliveries").json()["items"]
    assert {"customer": "7", "api_token": "***"} == shown["body"]["data"]["labels"]
