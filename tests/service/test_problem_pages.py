"""Each problem leads to a page that says what it means, and what to do, wherever the service is."""

from urllib.parse import urljoin

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from rotulus import App, TaskRegistry
from rotulus.service import Auth, ProblemError, ServiceBuilder, ServiceInfo, protect, service_of
from rotulus.service.problem_kinds import problem_kinds

pytestmark = pytest.mark.anywhere

TOKEN = "correct-horse-battery-staple"


@pytest.fixture
def app():
    """An app in memory."""
    made = App("sqlite://", registry=TaskRegistry())
    made.store.migrate()
    yield made
    made.close()


@pytest.fixture
def client(app, monkeypatch):
    """A client without the token that the service asks for."""
    monkeypatch.setenv("ROTULUS_TOKEN", TOKEN)
    with TestClient(service_of(app)) as made:
        yield made


WRONG = [
    ("GET", "/api/v1/jobs/00000000-0000-7000-8000-000000000000"),
    ("GET", "/api/v1/jobs?limit=0"),
    ("POST", "/api/v1/jobs/nonsense/$cancel"),
    ("POST", "/api/v1/tasks/none/$execute"),
    ("GET", "/api/v1/queues/a%2Fb/x/y"),
    ("DELETE", "/"),
    ("GET", "/nowhere"),
    ("GET", "/nowhere/at/all/"),
    ("PUT", "/api/v1/jobs"),
]


def follow(client, answer):
    """The page that a problem leads to, as a client finds it."""
    place = urljoin(str(answer.request.url), answer.json()["type"])
    return client.get(place, headers={"Authorization": ""})


@pytest.mark.parametrize(("method", "path"), WRONG)
@pytest.mark.parametrize("known", [True, False])
def test_the_type_of_a_problem_leads_to_its_page(client, method, path, known):
    """Relative to the request; to those who may not come in, too."""
    headers = {"Authorization": f"Bearer {TOKEN}"} if known else {}
    answer = client.request(method, path, headers=headers)
    told = answer.json()
    page = follow(client, answer)

    assert answer.status_code >= 400
    assert known is not (answer.status_code == 401)
    assert 200 == page.status_code, told
    assert {"code": told["code"], "title": told["title"], "status": told["status"]}.items() <= (
        page.json().items()
    )


PLACES = {
    "mounted": ("/inner", "", False),
    "root_path, left on": ("", "/outer/more", False),
    "root_path, taken away": ("", "/outer/more", True),
    "mounted, root_path, left on": ("/inner", "/outer", False),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("method", "path"), WRONG)
def test_it_leads_there_behind_any_proxy(app, place, method, path):
    """Whatever the proxy takes from the path."""
    prefix, root, taken = PLACES[place]
    service = outer = service_of(app)
    if prefix:
        outer = FastAPI()
        outer.mount(prefix, service)
    client = TestClient(outer, root_path=root)

    def ask(method, path):
        return client.request(method, path.removeprefix(root) if taken else path)

    begins = root + prefix
    answer = ask(method, begins + path)
    page = urljoin(f"http://testserver{begins}{path}", answer.json()["type"])
    found = ask("GET", page.removeprefix("http://testserver"))

    assert page == f"http://testserver{begins}/api/v1/problems/{answer.json()['code']}"
    assert (200, answer.json()["code"]) == (found.status_code, found.json()["code"])


def test_every_kind_has_a_page_for_people_and_for_programs(client):
    """What it means, and what to do; the page loads nothing, and holds no markup of its own."""
    for code, kind in problem_kinds().items():
        told = client.get(f"/api/v1/problems/{code}")
        page = client.get(f"/api/v1/problems/{code}", headers={"Accept": "text/html, */*"})
        assert told.json() == kind._asdict()
        assert "application/json" == told.headers["content-type"]
        assert page.headers["content-type"].startswith("text/html")
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert {"Accept"} == {one.headers["vary"] for one in (told, page)}
        assert f"<code>{code}</code>" in page.text
    assert "<" not in page.text.split("<h1>")[1].split("</h1>")[0]


def test_what_is_no_code_is_not_found(client):
    """And nothing else below or beside the pages is open."""
    assert 404 == client.get("/api/v1/problems/nonsense").status_code
    assert 404 == client.get("/api/v1/problems/").status_code
    assert 401 == client.get("/api/v1/problems/a/b").status_code
    assert 401 == client.get("/api/v1/problems").status_code
    assert 401 == client.post("/api/v1/problems/not_found").status_code


def test_without_the_resources_a_type_is_a_name(app):
    """There is no page to lead to; nor is there one for the codes of a user's own."""
    info = ServiceInfo(display_name="test")
    with TestClient(ServiceBuilder(info=info, app=app).build()) as client:
        assert "urn:rotulus:error:not_found" == client.get("/nowhere").json()["type"]
        assert 404 == client.get("/api/v1/problems/not_found").status_code
    service = service_of(app)

    @service.get("/own")
    async def own():
        raise ProblemError(404, "order_not_found", "Order not found", "There is none.")

    with TestClient(service) as client:
        assert "urn:rotulus:error:order_not_found" == client.get("/own").json()["type"]


def test_an_application_of_ones_own_keeps_its_paths_closed():
    """Only a service that has the pages leaves them open."""
    other = FastAPI()
    other.add_api_route("/api/v1/problems/{code}", lambda code: "mine")
    protect(other, Auth(TOKEN))
    with TestClient(other) as client:
        assert 401 == client.get("/api/v1/problems/mine").status_code
