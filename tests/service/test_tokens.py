"""Stored tokens let senders into a service, each with its role, until they expire or are removed."""

import asyncio
import logging
from datetime import timedelta

import pytest
from fastapi import APIRouter, FastAPI, Header, HTTPException
from starlette.testclient import TestClient

from rotulus import App, TaskRegistry, task
from rotulus.errors import StoreClosedError
from rotulus.service import Auth, Principal, ServiceBuilder, ServiceInfo, protect, service_of
from rotulus.service.stored_tokens import StoredTokens
from rotulus.testing import SettableClock

pytestmark = pytest.mark.anywhere

SETTINGS = "correct-horse-battery-staple"


@pytest.fixture
def app(url):
    """An app with a task."""
    made = App(url, registry=TaskRegistry())
    made.store.migrate()
    task(name="send", registry=made.registry)(lambda: None)
    yield made
    made.close()


def bearer(secret):
    """The header of a request that has a token."""
    return {"Authorization": f"Bearer {secret}"}


@pytest.fixture
def ask(app):
    """Sends requests with a token to a service of the app; the answer."""
    with TestClient(service_of(app)) as client:

        def send(method, path, secret=None, **options):
            headers = {} if secret is None else bearer(secret)
            return client.request(method, path, headers=headers, **options)

        send.client = client
        yield send


ROLES = ("viewer", "operator", "admin")


@pytest.mark.parametrize("role", ROLES)
def test_the_bearer_of_a_token_has_its_role_and_its_name(app, ask, role):
    """Read, steer, and look after the tokens: each needs one role more."""
    secret = app.tokens.add("ci", role).secret
    told = ask("GET", "/api/v1/me", secret).json()
    asked = [
        ask("GET", "/api/v1/jobs", secret),
        ask("POST", "/api/v1/queues/mail/$pause", secret),
        ask("GET", "/api/v1/tokens", secret),
    ]

    assert ("ci", role) == (told["name"], told["role"])
    rank = ROLES.index(role)
    assert [n <= rank for n in range(3)] == [answer.status_code == 200 for answer in asked]
    assert {"role_needed"} >= {a.json()["code"] for a in asked if a.status_code != 200}


def test_a_service_without_tokens_answers_this_machine(app, ask):
    """And with the first one it asks everybody for one, also when that has been removed again."""
    assert 200 == ask("GET", "/api/v1/jobs").status_code
    secret = ask("POST", "/api/v1/tokens", json={"name": "a", "role": "admin"}).json()["secret"]
    refused = ask("GET", "/api/v1/jobs")
    assert (401, "unauthorized") == (refused.status_code, refused.json()["code"])
    assert 204 == ask("DELETE", "/api/v1/tokens/a", secret).status_code
    assert 401 == ask("GET", "/api/v1/jobs", secret).status_code
    assert 401 == ask("GET", "/api/v1/jobs").status_code


def test_a_token_is_added_once_listed_and_removed(app, ask):
    """Its secret is in the answer that has made it, and in no other one."""
    admin = app.tokens.add("root", "admin").secret
    body = {"name": "ci/a", "role": "viewer"}
    assert "invalid_option" == ask("POST", "/api/v1/tokens", admin, json=body).json()["code"]
    body = {"name": "c i?", "role": "operator", "expires": 3600}
    made = ask("POST", "/api/v1/tokens", admin, json=body)
    told = made.json()

    assert 201 == made.status_code
    assert "/api/v1/tokens/c%20i%3F" == made.headers["location"]
    assert "no-store" == made.headers["cache-control"]
    assert told["secret"].startswith("rot_")
    assert told["created_at"].endswith("Z")
    shown = {name: value for name, value in told.items() if name != "secret"}
    assert shown == ask("GET", made.headers["location"], admin).json()
    listed = ask("GET", "/api/v1/tokens", admin).json()["items"]
    assert shown in listed
    assert ["c i?", "root"] == [one["name"] for one in listed]
    taken = ask("POST", "/api/v1/tokens", admin, json=body)
    assert (409, "token_conflict") == (taken.status_code, taken.json()["code"])
    assert 200 == ask("GET", "/api/v1/jobs", told["secret"]).status_code
    assert 204 == ask("DELETE", made.headers["location"], admin).status_code
    assert 401 == ask("GET", "/api/v1/jobs", told["secret"]).status_code
    for method in ("GET", "DELETE"):
        missing = ask(method, made.headers["location"], admin)
        assert (404, "token_not_found") == (missing.status_code, missing.json()["code"])


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"name": "ci"},
        {"name": "ci", "role": "king"},
        {"name": "ci", "role": "viewer", "expires": 0},
        {"name": "ci", "role": "viewer", "expires": "90d"},
        {"name": "ci", "role": "viewer", "expires": 1e30},
        {"name": "ci", "role": "viewer", "secret": "rot_mine"},
        {"name": "local", "role": "viewer"},
        {"name": "", "role": "viewer"},
        {"name": 7, "role": "viewer"},
    ],
)
def test_what_is_no_token_is_refused(app, ask, wrong):
    """And none is added."""
    admin = app.tokens.add("root", "admin").secret

    assert 422 == ask("POST", "/api/v1/tokens", admin, json=wrong).status_code
    assert ["root"] == [one.name for one in app.tokens.list()]


def test_only_admins_add_and_remove_tokens_and_read_the_audit(app, ask):
    """Or an operator could become one."""
    secret = app.tokens.add("ci", "operator").secret
    body = {"name": "me", "role": "admin"}
    for asked in (
        ("POST", "/api/v1/tokens"),
        ("DELETE", "/api/v1/tokens/ci"),
        ("GET", "/api/v1/tokens/ci"),
        ("GET", "/api/v1/audit"),
    ):
        answer = ask(*asked, secret, json=body)
        assert (403, "role_needed") == (answer.status_code, answer.json()["code"])
    assert ["ci"] == [one.name for one in app.tokens.list()]


@pytest.mark.parametrize("sent", ["rot_unknown", "rot_" + "x" * 43, "rot_" + "x" * 5_000, "x", ""])
def test_an_unknown_token_is_refused_also_on_this_machine(app, ask, sent):
    """Whoever sends one of ours does not mean to come in as somebody else; any other is no token."""
    app.tokens.add("ci", "viewer")
    answer = ask("GET", "/api/v1/jobs", sent)

    assert (401, "unauthorized") == (answer.status_code, answer.json()["code"])
    assert answer.headers["www-authenticate"].startswith("Bearer realm=")
    assert ('error="invalid_token"' in answer.headers["www-authenticate"]) is bool(sent)
    assert len(sent) < 2 or sent not in answer.text


def test_the_token_of_the_settings_is_accepted_as_well(app, monkeypatch):
    """Its bearer is an admin; the bearer of a stored one is who that says."""
    monkeypatch.setenv("ROTULUS_TOKEN", SETTINGS)
    stored = app.tokens.add("ci", "viewer").secret
    with TestClient(service_of(app)) as client:
        told = [client.get("/api/v1/me", headers=bearer(one)) for one in (SETTINGS, stored, "x")]

    assert [200, 200, 401] == [answer.status_code for answer in told]
    assert [("settings", "admin"), ("ci", "viewer")] == [
        (answer.json()["name"], answer.json()["role"]) for answer in told[:2]
    ]


def test_a_person_gives_the_token_to_a_browser_as_the_password(app):
    """With any name; a page of another site changes nothing with it."""
    secret = app.tokens.add("ada", "operator").secret
    with TestClient(service_of(app)) as client:
        shown = client.get("/api/v1/me", auth=("anybody", secret))
        page = client.get("/docs", headers={"Accept": "text/html"})
        cross = client.post(
            "/api/v1/queues/mail/$pause",
            auth=("anybody", secret),
            headers={"Sec-Fetch-Site": "cross-site"},
        )

    assert "ada" == shown.json()["name"]
    assert page.headers["www-authenticate"].startswith("Basic ")
    assert (403, "cross_site") == (cross.status_code, cross.json()["code"])


def test_the_audit_names_the_token_and_nothing_has_its_secret(app, caplog):
    """Neither the log, nor the audit, nor a problem."""
    caplog.set_level(logging.DEBUG)
    secrets = [
        app.tokens.add(name, role).secret for name, role in (("ci", "operator"), ("a", "admin"))
    ]
    info = ServiceInfo(display_name="test")
    service = ServiceBuilder(info=info, app=app).with_logging().with_resources().build()
    with TestClient(service) as client:
        client.post("/api/v1/queues/mail/$pause", headers=bearer(secrets[0]))
        refused = client.post("/api/v1/tokens", headers=bearer(secrets[0]), json={})
        made = client.post(
            "/api/v1/tokens", headers=bearer(secrets[1]), json={"name": "x", "role": "viewer"}
        )
        audit = client.get("/api/v1/audit", headers=bearer(secrets[1]))

    steered = [(e["actor"], e["door"], e["role"], e["verb"]) for e in audit.json()["items"]]
    assert [("a", "http", "admin", "tokens.add"), ("ci", "http", "operator", "queues.pause")] == (
        steered
    )
    for secret in [*secrets, made.json()["secret"]]:
        for text in (caplog.text, audit.text, refused.text, repr(app.tokens.list())):
            assert secret.removeprefix("rot_") not in text


def test_an_idempotency_key_belongs_to_the_name_of_the_token(app, ask):
    """Another sender with the same key stores a job of its own; another token of the name does not."""
    path = "/api/v1/tasks/send/$enqueue"
    first, other = (app.tokens.add(name, "operator").secret for name in ("ci", "cd"))

    def enqueue(secret):
        headers = {**bearer(secret), "Idempotency-Key": '"one"'}
        return ask.client.post(path, json={}, headers=headers)

    stored, repeated, others = enqueue(first), enqueue(first), enqueue(other)
    app.tokens.remove("ci")
    renewed = enqueue(app.tokens.add("ci", "operator").secret)

    assert [202, 200, 202, 200] == [a.status_code for a in (stored, repeated, others, renewed)]
    assert stored.json()["id"] == repeated.json()["id"] == renewed.json()["id"]
    assert stored.json()["id"] != others.json()["id"]
    assert ["true", None] == [a.headers.get("idempotency-replayed") for a in (renewed, others)]


def known_by(x_key: str = Header("")):
    """Says who somebody is, by a key."""
    if x_key == "nobody":
        raise HTTPException(401, "nobody knows you")
    return Principal(x_key, "viewer") if x_key else None


def test_a_dependency_of_the_users_says_who_somebody_is(app):
    """By a principal; without one the sender is an operator without a name."""
    info = ServiceInfo(display_name="test")
    builder = ServiceBuilder(info=info, app=app).with_auth(dependency=known_by).with_resources()
    with TestClient(builder.build()) as client:
        told = [client.get("/api/v1/me", headers={"X-Key": key}) for key in ("ada", "", "nobody")]
        paused = client.post("/api/v1/queues/mail/$pause", headers={"X-Key": "ada"})

    assert [200, 200, 401] == [answer.status_code for answer in told]
    assert [("ada", "viewer"), ("dependency", "operator")] == [
        (answer.json()["name"], answer.json()["role"]) for answer in told[:2]
    ]
    assert 403 == paused.status_code


def test_a_token_and_a_dependency_are_both_asked_for(app):
    """The dependency has the last word about who it is."""
    secret = app.tokens.add("ci", "operator").secret
    info = ServiceInfo(display_name="test")
    builder = ServiceBuilder(info=info, app=app).with_auth(SETTINGS, dependency=known_by)
    with TestClient(builder.with_resources().build()) as client:
        both = client.get("/api/v1/me", headers={**bearer(secret), "X-Key": "ada"})
        token = client.get("/api/v1/me", headers=bearer(secret))
        neither = client.get("/api/v1/me", headers={"X-Key": "ada"})

    assert ("ada", "ci", 401) == (both.json()["name"], token.json()["name"], neither.status_code)


def test_routes_of_the_users_own_are_guarded_by_stored_tokens_too(app):
    """In a service; any other application has no store to look them up in."""
    router = APIRouter()
    router.add_api_route("/own", lambda: "mine")
    secret = app.tokens.add("ci", "operator").secret
    info = ServiceInfo(display_name="test")
    service = ServiceBuilder(info=info, app=app).include_router(router).build()
    other = FastAPI()
    other.include_router(router)
    protect(other, Auth(SETTINGS))
    with TestClient(service) as client:
        asked = [client.get("/own"), client.get("/own", headers=bearer(secret))]
    with TestClient(other) as client:
        asked += [client.get("/own", headers=bearer(one)) for one in (secret, SETTINGS)]

    assert [401, 200, 401, 200] == [answer.status_code for answer in asked]


class Seconds:
    """A clock that is set."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        """The seconds."""
        return self.now


@pytest.fixture
def remembered(app):
    """The stored tokens of the app, and the clock by which answers are remembered."""
    clock = Seconds()
    return StoredTokens(app, clock), clock


def test_a_removed_token_is_accepted_for_less_than_five_seconds(app, remembered):
    """By a process that has asked just before."""
    tokens, clock = remembered
    secret = app.tokens.add("ci", "viewer").secret
    assert Principal("ci", "viewer") == asyncio.run(tokens.find(secret))
    app.tokens.remove("ci")
    clock.now += 3.9
    assert asyncio.run(tokens.find(secret))
    clock.now += 1.1
    assert asyncio.run(tokens.find(secret)) is None
    assert asyncio.run(tokens.find(secret)) is None


def test_what_was_forgotten_is_asked_for_again(app, remembered):
    """As after a change by this process."""
    tokens, _ = remembered
    secret = app.tokens.add("ci", "viewer").secret
    assert asyncio.run(tokens.find(secret))
    app.tokens.remove("ci")
    tokens.forget()
    assert asyncio.run(tokens.find(secret)) is None


def test_a_flood_of_wrong_tokens_pushes_out_no_good_one(app, remembered):
    """Good and bad answers are remembered apart, and not more than a thousand of each."""
    tokens, _ = remembered
    secret = app.tokens.add("ci", "viewer").secret

    async def flood():
        assert await tokens.find(secret)
        found = [await tokens.find(f"rot_{number}") for number in range(1_200)]
        assert {None} == set(found)
        app.close()
        assert await tokens.find(secret)  # from memory
        with pytest.raises(StoreClosedError):
            await tokens.find("rot_0")

    asyncio.run(flood())


def test_while_the_store_is_away_nobody_comes_in_for_longer_than_was_remembered(app, remembered):
    """A token cannot be checked, so it is not accepted; a request without one is as before."""
    tokens, clock = remembered
    assert not asyncio.run(tokens.are_asked_for())
    secret = app.tokens.add("ci", "viewer").secret
    assert asyncio.run(tokens.find(secret))
    app.close()
    clock.now += 5
    with pytest.raises(StoreClosedError):
        asyncio.run(tokens.find(secret))
    assert not asyncio.run(tokens.are_asked_for())
    with pytest.raises(StoreClosedError):
        asyncio.run(StoredTokens(app).are_asked_for())


def test_an_expired_token_is_refused(registry):
    """By the clock of the store."""
    clock = SettableClock()
    app = App("sqlite://", registry=registry, clock=clock)
    app.store.migrate()
    secret = app.tokens.add("ci", "viewer", expires=timedelta(minutes=1)).secret
    with TestClient(service_of(app)) as client:
        assert 200 == client.get("/api/v1/jobs", headers=bearer(secret)).status_code
        clock.advance(61)
        client.app.state.rotulus.tokens.forget()
        refused = client.get("/api/v1/jobs", headers=bearer(secret))
    assert (401, "unauthorized") == (refused.status_code, refused.json()["code"])
    app.close()
