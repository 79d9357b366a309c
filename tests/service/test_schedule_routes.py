"""Schedules over HTTP: listed, added, changed by version, paused, removed, and fired by hand."""

from datetime import UTC, datetime

import pytest
from pydantic import BaseModel, SecretStr, field_serializer
from starlette.testclient import TestClient

from rotulus import App, TaskRegistry, scheduled, task
from rotulus._app.roles import Role
from rotulus.service import ServiceBuilder, ServiceInfo, protection
from rotulus.service.principal import Principal
from rotulus.testing import SettableClock
from server_clock import ServerClock
from service.senders import always

pytestmark = pytest.mark.anywhere

API = "/api/v1/schedules"


class Card(BaseModel):
    """Something with a secret type, that its user writes as it is."""

    number: SecretStr

    @field_serializer("number")
    def plain(self, number: SecretStr) -> str:
        """The number."""
        return number.get_secret_value()


NOW = datetime(2026, 11, 20, 8, 15, tzinfo=UTC)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.anywhere)])
def app(request):
    """An app with a schedule in its code, and with tasks that others fire."""
    url, clock = "sqlite://", SettableClock(NOW)
    if request.param == "postgres":
        url = request.getfixturevalue("migrated")()
        clock = ServerClock(url)
        clock.set(NOW)
    made = App(url, registry=TaskRegistry(), clock=clock)

    @scheduled("0 3 * * *", registry=made.registry)
    def sweep():
        pass

    @task(registry=made.registry)
    def report(depth: int = 1, api_key: str = "") -> None:
        pass

    @task(registry=made.registry)
    def other(depth: int = 1) -> None:
        pass

    @task(registry=made.registry)
    def pay(card: Card) -> None:
        pass

    @task(registry=made.registry)
    def tell(card: dict[str, str]) -> None:
        pass

    yield made
    made.close()


@pytest.fixture
def client(app):
    """A client of a service with the resources of the app."""
    info = ServiceInfo(display_name="test")
    with TestClient(ServiceBuilder(info=info, app=app).with_resources().build()) as made:
        yield made


@pytest.fixture
def acting(monkeypatch):
    """Makes every request one of a sender with a role."""

    def make(role):
        sender = Principal("somebody", Role(role))
        monkeypatch.setattr(protection, "authorised", always(sender))

    return make


@pytest.fixture
def nightly(client):
    """A schedule that was added: the answer."""
    body = {"name": "nightly", "task": "report", "cron": "30 9 * * *", "arguments": {"depth": 3}}
    answer = client.post(API, json=body)
    assert 201 == answer.status_code, answer.text
    return answer


def test_a_schedule_is_added_and_read(client, nightly):
    """At the address that the answer says, with the version as its ETag."""
    assert f"{API}/nightly" == nightly.headers["location"]
    assert '"1"' == nightly.headers["etag"]
    read = client.get(nightly.headers["location"])
    assert (nightly.json(), '"1"') == (read.json(), read.headers["etag"])
    assert {
        "name": "nightly",
        "task": "report",
        "origin": "added",
        "state": "active",
        "cron": "30 9 * * *",
        "description": "At 09:30 every day (UTC)",
        "timezone": "UTC",
        "arguments": {"depth": 3},
        "missed": "latest",
        "overlap": "allow",
        "start": None,
        "end": None,
        "spread": 0.0,
        "paused_at": None,
        "next": "2026-11-20T09:30:00Z",
        "last": None,
        "last_state": None,
        "last_job": None,
        "version": 1,
        "lag": 0.0,
    } == read.json()


def test_an_interval_with_a_start_and_an_end(app, client):
    """Moments are read and shown with their zone."""
    body = {"name": "often", "task": "report", "every": 90, "spread": 5, "overlap": "skip"}
    body |= {"start": "2026-11-20T10:00:00+01:00", "end": "2026-12-01T00:00:00Z"}
    shown = client.post(API, json=body).json()

    assert ("@every 90s", "Every 90 seconds") == (shown["cron"], shown["description"])
    assert ("2026-11-20T09:00:00Z", "2026-12-01T00:00:00Z") == (shown["start"], shown["end"])
    assert "2026-11-20T09:00:00Z" == shown["next"]
    cleared = client.patch(f"{API}/often", json={"start": None, "end": None}).json()
    assert (None, None, "@every 90s") == (cleared["start"], cleared["end"], cleared["cron"])


def test_schedules_are_listed_by_name_page_by_page(client, nightly):
    """Those of the code, too; a page says where the next one begins."""
    for number in range(4):
        body = {"name": f"more{number}", "task": "other", "every": 60}
        client.post(API, json=body)
    first = client.get(API, params={"limit": 4})
    assert ["more0", "more1", "more2", "more3"] == [one["name"] for one in first.json()["items"]]
    assert first.json()["next"] in first.links["next"]["url"]
    second = client.get(f"{API}{first.links['next']['url']}").json()
    assert ["nightly", "sweep"] == [one["name"] for one in second["items"]]
    assert None is second["next"]

    def names(query):
        return [one["name"] for one in client.get(f"{API}?{query}").json()["items"]]

    assert ["sweep"] == names("origin=code")
    assert ["nightly"] == names("task=rep*")
    assert [] == names("task=rep")
    client.post(f"{API}/more1/$pause")
    assert ["more1"] == names("state=paused")
    assert ["more0", "more1"] == names("state=paused&state=active&task=other&limit=2")
    assert 422 == client.get(f"{API}?origin=x").status_code
    assert 422 == client.get(f"{API}?stat=paused").status_code
    cursor = first.json()["next"]
    assert "invalid_cursor" == client.get(f"{API}?task=other&after={cursor}").json()["code"]


def test_a_change_is_made_to_the_version_that_was_seen(app, client, nightly):
    """And to no other; without a version to any."""
    seen = {"If-Match": nightly.headers["etag"]}
    changed = client.patch(f"{API}/nightly", json={"cron": "0 6 * * *"}, headers=seen)
    assert (200, '"2"') == (changed.status_code, changed.headers["etag"])
    assert ("0 6 * * *", {"depth": 3}) == (changed.json()["cron"], changed.json()["arguments"])

    late = client.patch(f"{API}/nightly", json={"cron": "0 7 * * *"}, headers=seen)
    assert (412, "changed_meanwhile") == (late.status_code, late.json()["code"])
    gone = client.delete(f"{API}/nightly", headers=seen)
    assert (412, "changed_meanwhile") == (gone.status_code, gone.json()["code"])
    assert "0 6 * * *" == app.schedules.get("nightly").schedule.cron
    assert 200 == client.patch(f"{API}/nightly", json={"missed": "skip"}).status_code
    assert 204 == client.delete(f"{API}/nightly", headers={"If-Match": '"3"'}).status_code
    assert 404 == client.get(f"{API}/nightly").status_code


def test_of_two_who_change_one_version_one_is_refused(app, client, nightly, monkeypatch):
    """Also when the other one comes between the look and the change."""
    plain = app.schedules.aset

    async def late(name, **changes):
        app.schedules.set(name, cron="0 1 * * *")
        return await plain(name, **changes)

    monkeypatch.setattr(app.schedules, "aset", late)
    answer = client.patch(f"{API}/nightly", json={"cron": "0 2 * * *"}, headers={"If-Match": '"1"'})
    assert (412, "changed_meanwhile") == (answer.status_code, answer.json()["code"])
    assert "0 1 * * *" == app.schedules.get("nightly").schedule.cron


def test_what_the_code_declares_is_changed_there(client):
    """Here it is paused, resumed and run; the problem names no file of the server."""
    for answer in (
        client.patch(f"{API}/sweep", json={"cron": "0 6 * * *"}),
        client.delete(f"{API}/sweep"),
    ):
        assert (409, "schedule_conflict") == (answer.status_code, answer.json()["code"])
        assert ".py" not in answer.text
    paused = client.post(f"{API}/sweep/$pause")
    assert ("paused", "2026-11-20T08:15:00Z", None) == tuple(
        paused.json()[name] for name in ("state", "paused_at", "next")
    )
    assert "active" == client.post(f"{API}/sweep/$resume").json()["state"]


def test_a_schedule_is_run_now(app, client, nightly):
    """The answer is its job, which is found by the schedule."""
    answer = client.post(f"{API}/nightly/$run")
    job = answer.json()

    assert (202, "report", "nightly") == (answer.status_code, job["task"], job["schedule"])
    assert job["id"] == client.get(answer.headers["location"]).json()["id"]
    found = client.get("/api/v1/jobs?schedule=nightly").json()["items"]
    assert [job["id"]] == [one["id"] for one in found]
    assert {"depth": 3} == app.get(job["id"]).arguments
    shown = client.get(f"{API}/nightly").json()
    assert (job["id"], "queued") == (shown["last_job"], shown["last_state"])


def test_the_past_is_filled(app, client, nightly):
    """First as a dry run; a second time nothing is left to fill."""
    body = {"since": "2026-11-17T00:00:00Z", "until": "2026-11-20T00:00Z"}
    wanted = [f"2026-11-{day}T09:30:00Z" for day in (17, 18, 19)]
    tried = client.post(f"{API}/nightly/$backfill", json=body | {"dry_run": True}).json()
    assert {"dry_run": True, "count": 3, "items": wanted} == tried
    assert [] == app.jobs()

    assert wanted == client.post(f"{API}/nightly/$backfill", json=body).json()["items"]
    assert 3 == len(app.jobs(schedule="nightly"))
    assert 0 == client.post(f"{API}/nightly/$backfill", json=body).json()["count"]
    assert 2 == client.post(f"{API}/nightly/$backfill", json={"since": "5d"}).json()["count"]


EARLY = "after=0001-01-01T00:00:00%2B14:00"


def test_the_next_instants(client, nightly):
    """As many as are asked for, from now on or from another moment."""
    path = f"{API}/nightly/$instants"
    assert {"items": ["2026-11-20T09:30:00Z", "2026-11-21T09:30:00Z"]} == (
        client.get(path, params={"count": 2}).json()
    )
    late = client.get(path, params={"count": 1, "after": "2026-12-24T12:00:00+01:00"}).json()
    assert ["2026-12-25T09:30:00Z"] == late["items"]
    for wrong in ("count=0", "count=x", "after=2026-12-24T12:00:00", "coun=2", EARLY):
        assert 422 == client.get(f"{path}?{wrong}").status_code


WRONG = [
    ({"name": "a b"}, "invalid_option"),
    ({"cron": "61 * * * *"}, "invalid_option"),
    ({"every": 60}, "invalid_option"),
    ({"timezone": "Europe/Nowhere"}, "invalid_option"),
    ({"arguments": {"deep": 1}}, "invalid_arguments"),
    ({"task": "reprot"}, "task_not_found"),
    ({"missed": "all"}, "invalid_request"),
    ({"missed": "all(0)"}, "invalid_request"),
    ({"overlap": "no"}, "invalid_request"),
    ({"every": 1.5}, "invalid_request"),
    ({"start": "2026-11-20"}, "invalid_request"),
    ({"start": "2026-11-20T10:00:00"}, "invalid_request"),
    ({"start": 5}, "invalid_request"),
    ({"spread": -1}, "invalid_request"),
    ({"start": "0001-01-01T00:00:00+14:00"}, "invalid_option"),
    ({"end": "9999-12-31T23:59:59-14:00"}, "invalid_option"),
    ({"crom": "0 0 * * *"}, "invalid_request"),
    ({"cron": None}, "invalid_request"),
]


@pytest.mark.parametrize(("wrong", "code"), WRONG)
def test_what_cannot_be_a_schedule_is_a_problem(app, client, wrong, code):
    """And nothing is added or changed."""
    body = {"name": "nightly", "task": "report", "cron": "30 9 * * *"}
    answer = client.post(API, json=body | wrong)
    assert code == answer.json()["code"], answer.text
    assert answer.status_code == (404 if code == "task_not_found" else 422)
    assert ["sweep"] == [one.name for one in app.schedules.list()]

    client.post(API, json=body)
    if "name" not in wrong and "every" not in wrong:
        assert code == client.patch(f"{API}/nightly", json=wrong).json()["code"]
        assert 1 == app.schedules.get("nightly").version


def test_a_schedule_needs_its_instants_and_a_name_of_its_own(client, nightly):
    """Neither is guessed."""
    none = client.post(API, json={"name": "x", "task": "report"})
    assert (422, "invalid_option") == (none.status_code, none.json()["code"])
    taken = client.post(API, json={"name": "nightly", "task": "report", "every": 60})
    assert (409, "schedule_conflict") == (taken.status_code, taken.json()["code"])
    assert 422 == client.patch(f"{API}/nightly", json={}).status_code
    assert 422 == client.patch(f"{API}/nightly", json={"name": "other"}).status_code


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_a_schedule_that_is_not_there_is_not_found(app, client, method):
    """The problem says so without the place of the store."""
    body = {"json": {"cron": "0 0 * * *"}} if method == "PATCH" else {}
    answer = client.request(method, f"{API}/nightyl", **body)

    assert (404, "schedule_not_found") == (answer.status_code, answer.json()["code"])
    assert "sqlite" not in answer.text and "postgres" not in answer.text
    for verb in ("$pause", "$resume", "$run", "$backfill"):
        body = {"json": {"since": "1h"}} if verb == "$backfill" else {}
        assert 404 == client.post(f"{API}/nightyl/{verb}", **body).status_code


def test_secret_arguments_are_masked_and_kept(app, client, acting):
    """Below an admin: in every answer; and `***` that is sent back keeps the stored secret."""
    arguments = {"depth": 1, "api_key": "Zqx7Vkw9Jpt"}
    app.schedules.add("s", task="report", every=60, arguments=arguments)
    acting("operator")
    shown = client.get(f"{API}/s").json()["arguments"]
    assert {"depth": 1, "api_key": "***"} == shown
    assert "Zqx7Vkw9Jpt" not in client.get(API).text

    changed = client.patch(f"{API}/s", json={"arguments": shown | {"depth": 9}})
    assert (200, {"depth": 9, "api_key": "***"}) == (
        changed.status_code,
        changed.json()["arguments"],
    )
    assert {"depth": 9, "api_key": "Zqx7Vkw9Jpt"} == app.schedules.get("s").schedule.arguments
    acting("admin")
    assert "Zqx7Vkw9Jpt" == client.get(f"{API}/s").json()["arguments"]["api_key"]


def test_no_other_task_tells_a_secret(app, client, acting):
    """A schedule whose arguments are secret gets another task only with other arguments."""
    app.schedules.add("s", task="pay", every=60, arguments={"card": {"number": "Zqx7Vkw9Jpt"}})

    acting("operator")
    answer = client.patch(f"{API}/s", json={"task": "tell"})
    assert (422, "invalid_option") == (answer.status_code, answer.json()["code"])
    masked = {"card": {"number": "***"}}
    assert masked == client.get(f"{API}/s").json()["arguments"]
    told = client.patch(f"{API}/s", json={"task": "tell", "arguments": masked})
    assert masked == told.json()["arguments"] == app.schedules.get("s").schedule.arguments


def test_who_steers_a_schedule_stands_in_the_audit(app, client, nightly):
    """Each verb once, without the values of arguments."""
    client.patch(f"{API}/nightly", json={"arguments": {"depth": 4}})
    client.post(f"{API}/nightly/$run")
    client.post(f"{API}/nightly/$backfill", json={"since": "1d", "dry_run": True})
    client.delete(f"{API}/nightly")

    verbs = [entry.verb for entry in app.audit.find()]
    assert ["remove", "run_now", "set", "add"] == [
        verb.removeprefix("schedules.") for verb in verbs
    ]


def test_viewers_read_and_operators_steer(client, nightly, acting):
    """As everywhere."""
    acting("viewer")
    assert 200 == client.get(f"{API}/nightly/$instants").status_code
    assert 403 == client.post(f"{API}/nightly/$run").status_code
    assert 403 == client.patch(f"{API}/nightly", json={"every": 60}).status_code
    acting("operator")
    assert 204 == client.delete(f"{API}/nightly").status_code
