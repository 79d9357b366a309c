"""`/api/v1/audit`: who has done what, by filters and page by page, for admins."""

import pytest
from starlette.testclient import TestClient

from rotulus import App, TaskRegistry
from rotulus.service import service_of

pytestmark = pytest.mark.anywhere


@pytest.fixture
def app(url):
    """An app on which two people have steered something."""
    made = App(url, registry=TaskRegistry())
    made.store.migrate()
    for number in range(3):
        with made.acting_as("ada"):
            made.queues.pause(f"mail{number}")
        with made.acting_as("bob"):
            made.queues.resume(f"mail{number}")
    yield made
    made.close()


@pytest.fixture
def client(app):
    """A client of its service, on this machine."""
    with TestClient(service_of(app)) as made:
        yield made


def find(client, query=""):
    """The entries of a page, as actor, verb and target."""
    answer = client.get(f"/api/v1/audit{query}")
    assert 200 == answer.status_code, answer.text
    return [(e["actor"], e["verb"], e["target"]) for e in answer.json()["items"]]


def test_an_entry_has_all_that_the_audit_knows(client, app):
    """As in Python; times are RFC 3339 with a Z."""
    [known, *_] = app.audit.find()
    [shown, *_] = client.get("/api/v1/audit").json()["items"]

    assert {**known.to_dict(), "at": shown["at"], "ended_at": shown["ended_at"]} == shown
    assert shown["at"].endswith("Z")
    assert ("bob", "python", None, "queues.resume", "mail2", 1) == tuple(
        shown[name] for name in ("actor", "door", "role", "verb", "target", "count")
    )


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 6),
        ("?actor=ada", 3),
        ("?actor=nobody", 0),
        ("?verb=queues.resume", 3),
        ("?verb=queues.*", 6),
        ("?verb=jobs.*", 0),
        ("?actor=bob&verb=queues.resume", 3),
        ("?since=1h", 6),
        ("?since=2100-01-01T00:00Z", 0),
    ],
)
def test_filters_choose_entries(client, query, count):
    """By actor, verb and time, together."""
    assert count == len(find(client, query))


def test_pages_go_on_where_the_last_one_ended(client):
    """By `next`, and by the Link that clients follow; the same entries as on one page."""
    whole, found, path = find(client, "?verb=queues.*"), [], "/api/v1/audit?verb=queues.*&limit=4"
    while path:
        answer = client.get(path)
        found += [(e["actor"], e["verb"], e["target"]) for e in answer.json()["items"]]
        link = answer.links.get("next", {}).get("url")
        assert (link is None) is (answer.json()["next"] is None)
        path = link and f"/api/v1/audit{link}"

    assert whole == found
    assert 6 == len(found)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("?since=yesterday", "invalid_option"),
        ("?verb=jobs", "invalid_option"),
        ("?verb=", "invalid_option"),
        ("?after=17", "invalid_cursor"),
        ("?limit=0", "invalid_request"),
        ("?limit=501", "invalid_request"),
        ("?acter=ada", "invalid_request"),
    ],
)
def test_what_does_not_fit_is_refused(client, query, code):
    """A filter that is mistyped would show everything."""
    answer = client.get(f"/api/v1/audit{query}")

    assert (422, code) == (answer.status_code, answer.json()["code"])


def test_a_cursor_belongs_to_its_filters(client):
    """With others it would skip entries."""
    cursor = client.get("/api/v1/audit?actor=ada&limit=1").json()["next"]

    assert 200 == client.get(f"/api/v1/audit?actor=ada&after={cursor}").status_code
    refused = client.get(f"/api/v1/audit?actor=bob&after={cursor}")
    assert "invalid_cursor" == refused.json()["code"]
