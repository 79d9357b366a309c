"""A service below a prefix: mounted in another application, behind a proxy, or both."""

from contextlib import asynccontextmanager
from urllib.parse import quote, unquote, urljoin

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.testclient import TestClient

from rotulus.errors import OptionError
from rotulus.service import TaskRouter, install_problems
from rotulus.service.artifacts.routes import make_artifact_router
from rotulus.service.resources.jobs import make_jobs_router
from rotulus.service.root_path import RootPath, read_root_path
from rotulus.service.slashes import _location
from rotulus.testing import drain
from service.rich import rich_app, rich_service

pytestmark = pytest.mark.anywhere


@pytest.fixture
def app():
    """An app with rich tasks."""
    made = rich_app("sqlite://")
    yield made
    made.close()


def mounted(app, prefix, kind=FastAPI):
    """An application of the user's own with a service below a prefix, whose lifespan it runs."""
    service = rich_service(app)

    @asynccontextmanager
    async def lifespan(_):
        async with service.router.lifespan_context(service):
            yield

    outer = kind(lifespan=lifespan)
    outer.mount(prefix, service)
    return outer


def in_starlette(app, prefix):
    """The same in an application of Starlette."""
    return mounted(app, prefix, Starlette)


def behind_proxy(app, _prefix):
    """A service that is told of the path of a proxy, as `rotulus serve --root-path` tells it."""
    return RootPath(rich_service(app), read_root_path("outer/"))


def plain(app, _prefix):
    """The service itself."""
    return rich_service(app)


class Proxied:
    """A client behind a proxy: it sees paths with a prefix, and the proxy may take that away."""

    def __init__(self, client, prefix, *, taken):
        self._client, self._prefix, self._taken = client, prefix, taken

    def ask(self, method, path, **options):
        """Ask for a path, as a client of the proxy does."""
        assert path.startswith(self._prefix), path
        return self._client.request(
            method,
            (path.removeprefix(self._prefix) or "/") if self._taken else path,
            **options,
        )


WAYS = {
    "mounted": (mounted, "/inner", "", False),
    "mounted in Starlette": (in_starlette, "/inner", "", False),
    "mounted by a name": (mounted, "/tenants/{tenant}", "", False),
    "root_path, left on": (plain, "", "/outer", False),
    "root_path, taken away": (plain, "", "/outer", True),
    "mounted, root_path, left on": (mounted, "/inner", "/outer", False),
    "--root-path, left on": (behind_proxy, "", "/outer", False),
    "--root-path, taken away": (behind_proxy, "", "/outer", True),
}


@pytest.fixture(params=WAYS)
def placed(request, app):
    """A client of a service in each of these places, and what its paths begin with."""
    make, prefix, root, taken = WAYS[request.param]
    told = "" if make is behind_proxy else root
    with TestClient(make(app, prefix), root_path=told) as client:
        beginning = root + prefix.replace("{tenant}", "%E6%BC%A2%20%C3%A9")
        yield Proxied(client, root, taken=taken), beginning


def test_location_leads_to_what_was_stored(placed):
    """A job and an artifact are found where the answer says."""
    client, root = placed
    body = {"params": {"a": 1}}
    stored = client.ask("POST", f"{root}/api/v1/tasks/add/$enqueue", json=body)
    saved = client.ask("POST", f"{root}/api/v1/artifacts", json={"data": 1})

    for made in (stored, saved):
        assert made.is_success, made.text
        found = client.ask("GET", made.headers["Location"])
        assert (200, made.json()["id"]) == (found.status_code, found.json()["id"])
        assert made.headers["Location"].startswith(f"{root}/api/v1/")


@pytest.mark.parametrize("kind", ["jobs", "artifacts"])
def test_links_of_pages_lead_to_all_pages(placed, kind):
    """Relative to where the client is."""
    client, root = placed
    for _ in range(5):
        client.ask("POST", f"{root}/api/v1/tasks/add/$enqueue", json={"params": {"a": 1}})
        client.ask("POST", f"{root}/api/v1/artifacts", json={"data": 1})
    path, seen = f"{root}/api/v1/{kind}?limit=2", []
    while path:
        page = client.ask("GET", path)
        seen += [item["id"] for item in page.json()["items"]]
        link = page.links.get("next")
        path = link and urljoin(path, link["url"])

    assert (5, 5) == (len(seen), len(set(seen)))


def test_a_stream_ends_below_a_prefix_too(app, placed):
    """With the end of its job."""
    client, root = placed
    stored = client.ask("POST", f"{root}/api/v1/tasks/add/$enqueue", json={"params": {"a": 1}})
    drain(app)
    told = client.ask("GET", stored.headers["Location"] + "/$stream").text

    assert "event: completed" in told


def test_the_document_and_the_page_are_below_the_prefix_too(placed):
    """The document says where it is, and the page links to it."""
    client, root = placed
    found = client.ask("GET", f"{root}/openapi.json").json()
    page = client.ask("GET", f"{root}/")

    assert unquote(root) in [server["url"] for server in found["servers"]]
    assert page.status_code == 200
    assert f'"{root}/docs"' in page.text


def test_a_slash_too_many_or_too_few_leads_to_what_is_there(placed):
    """By an address that is relative to the request: right whatever the proxy has removed."""
    client, root = placed
    for path in ("/api/v1/jobs/?limit=2", "/console", "/docs/", "/api/v1/artifacts/"):
        asked = f"{root}{path}"
        moved = client.ask("GET", asked, follow_redirects=False)
        assert moved.status_code in {307, 308}, asked
        assert ":" not in moved.headers["Location"]
        found = urljoin(asked, moved.headers["Location"])
        assert (200, asked.partition("?")[2]) == (
            client.ask("GET", found).status_code,
            found.partition("?")[2],
        )
    body = {"data": 1}
    moved = client.ask("POST", f"{root}/api/v1/artifacts/", json=body, follow_redirects=False)
    there = urljoin(f"{root}/api/v1/artifacts/", moved.headers["Location"])
    assert 201 == client.ask("POST", there, json=body).status_code
    assert 404 == client.ask("GET", f"{root}/elsewhere/").status_code
    assert 200 == client.ask("GET", root).status_code


@pytest.mark.parametrize("path", ["//evil.example/", "//evil.example", "/api//v1/jobs/", "/%2F/"])
def test_a_redirect_leads_nowhere_else(app, path):
    """A path that begins with two slashes would be another host."""
    with TestClient(rich_service(app)) as client:
        answer = client.get(f"http://testserver{path}", follow_redirects=False)

    assert 404 == answer.status_code


@pytest.mark.parametrize("text", ["/api", "api/v1/", "/console", "/health/live", "/docs"])
def test_a_root_path_where_the_service_has_paths_is_refused(text):
    """Of a request to it nobody could tell whether the proxy has removed it."""
    with pytest.raises(OptionError, match="choose another one, such as /jobs"):
        read_root_path(text)
    assert "/api/jobs" == read_root_path("/api/jobs")


@pytest.mark.parametrize("raw", [True, False])
def test_a_redirect_quotes_what_a_path_has_quoted(app, raw):
    """Also where a server does not tell what the client has written."""
    scope = {
        "type": "http",
        "path": "/api/v1/jobs/a?b#c%d\r\nX: y/",
        "query_string": b"",
        "root_path": "",
    }
    written = quote(scope["path"]).encode()
    location = _location(scope | ({"raw_path": written} if raw else {}))

    assert "../a%3Fb%23c%25d%0D%0AX%3A%20y" == location


@pytest.mark.parametrize("text", ["http://example.com/jobs", "/a b", "/jobs?x=1", "//host", "a#b"])
def test_a_root_path_that_is_no_path_is_refused(text):
    """With an example of one."""
    with pytest.raises(OptionError, match="write it like /jobs"):
        read_root_path(text)


def test_health_is_open_below_a_prefix_and_nothing_else_is(placed, app):
    """A probe has no address of this machine."""
    client, root = placed
    elsewhere = {"Host": "evil.example"}
    asked = [f"{root}/health", f"{root}/health/live", f"{root}/metrics", f"{root}/health/livex"]

    assert [200, 200, 403, 403] == [
        client.ask("GET", path, headers=elsewhere).status_code for path in asked
    ]


def test_routers_in_an_application_of_the_users_own(app):
    """Included under a prefix, with problems of ours, and a Location that was told the prefix."""
    outer = FastAPI(lifespan=app.lifespan())
    registry = app.registry
    tasks = TaskRouter.create(registry=registry, jobs_prefix="/v2/api/v1/jobs")
    outer.state.rotulus = rich_service(app).state.rotulus
    for router in (tasks.router, make_jobs_router(), make_artifact_router()):
        outer.include_router(router, prefix="/v2")
    install_problems(outer)

    with TestClient(outer) as client:
        body = {"params": {"a": 1}}
        stored = client.post("/v2/api/v1/tasks/add/$enqueue", json=body)
        ran = client.post("/v2/api/v1/tasks/add/$execute", json=body)
        saved = client.post("/v2/api/v1/artifacts", json={"data": 1})
        assert [202, 200, 201] == [stored.status_code, ran.status_code, saved.status_code]
        for made in (stored, saved):
            assert 200 == client.get(made.headers["Location"]).status_code
