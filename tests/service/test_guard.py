"""Without a token or an auth of one's own only this machine comes in, by whatever path."""

import asyncio
import json
from base64 import b64encode
from types import SimpleNamespace

import pytest
from fastapi import APIRouter, Cookie, Depends, FastAPI, Header, HTTPException, Request, WebSocket
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from rotulus.cli.main import main
from rotulus.errors import OptionError
from rotulus.service import (
    Auth,
    ServiceBuilder,
    ServiceInfo,
    TaskExecutor,
    TaskRouter,
    install_problems,
    make_jobs_router,
    protect,
)
from rotulus.service.access import OPEN_PATHS
from rotulus.service.artifacts.routes import make_artifact_router
from rotulus.service.guard import guard
from rotulus.service.health import make_health_router
from rotulus.service.landing import make_landing_router
from rotulus.service.local import is_loopback
from rotulus.service.metrics import make_metrics_router
from rotulus.service.problems import ProblemRoute
from rotulus.service.state import ServiceState
from rotulus.service.system import make_system_router
from service.asking import ask

pytestmark = pytest.mark.anywhere

METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "QUERY"]
TOKEN = "s3cret-token"


def basic(name, password):
    """What a browser sends of a name and a password."""
    return b64encode(f"{name}:{password}".encode()).decode()


def routes_of(app):
    """What an application is made of: routes of ours, of the user's, mounts and a socket."""
    router = APIRouter(route_class=ProblemRoute, dependencies=[guard])

    @router.get("/items")
    async def items():
        return []

    @router.post("/items")
    async def add(request: Request):
        return await request.json() if await request.body() else None

    @app.post("/plain")
    async def plain(request: Request):
        return getattr(request.state, "user", None)

    @app.websocket("/socket")
    async def socket(websocket: WebSocket):
        await websocket.accept()
        await websocket.close()

    for path in OPEN_PATHS:
        app.add_api_route(path, items)
    app.include_router(router, prefix="/api")
    app.mount("/files", PlainTextResponse("a file"))
    return app


def protected(auth=None):
    """An application that is guarded as a whole."""
    app = routes_of(FastAPI())
    install_problems(app)
    protect(app, auth)
    return app


def bare(auth=None):
    """An application of the user's own that includes routes of ours."""
    return routes_of(FastAPI())


def call(app, method, path, *, at="127.0.0.1", **options):
    """What an application answers to a request that came in at an address."""

    async def listening(scope, receive, send):
        scope["server"] = (at, 80)
        await app(scope, receive, send)

    return TestClient(listening, base_url="http://127.0.0.1").request(method, path, **options)


def paths_of(app):
    """Every path there is, and one that is not."""
    flat = {getattr(route, "path", "") for route in app.routes} - {""}
    return sorted({*flat, "/api/items", "/files/x", "/nowhere"} - OPEN_PATHS)


def dependency(x_key: str = Header(""), session: str = Cookie("")):
    """Lets those in who have a key or a session."""
    if "known" not in (x_key, session):
        raise HTTPException(401, "nobody knows you")


@pytest.mark.parametrize("auth", [Auth(TOKEN), Auth(dependency=dependency)], ids=["token", "own"])
def test_no_route_is_open_without_credentials(auth):
    """Each path, with each method: documents, mounts and unknown paths, too."""
    app = protected(auth)
    paths = paths_of(app)
    answers = {(p, m): call(app, m, p).status_code for p in paths for m in METHODS}

    assert {"/openapi.json", "/docs", "/redoc", "/plain", "/api/items"} <= set(paths)
    assert {401} == set(answers.values())


def test_no_route_is_open_to_a_name_of_others():
    """Such as one whose address an attacker has set to this machine."""
    app = protected()
    paths = paths_of(app)
    for host in ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "", "[::2]"):
        headers = {"host": host}
        answers = {call(app, m, p, headers=headers).status_code for p in paths for m in METHODS}
        assert {403} == answers, host


@pytest.mark.parametrize("auth", [None, Auth(TOKEN)], ids=["this machine", "token"])
def test_no_page_of_another_site_changes_anything(auth):
    """With any method that may, on any path, also where it knows a token."""
    app = protected(auth)
    unsafe = [m for m in METHODS if m not in ("GET", "HEAD", "OPTIONS")]
    for told in (
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "null"},
        {"origin": "http://["},
        {"origin": "127.0.0.1"},
    ):
        headers = {"authorization": f"Bearer {TOKEN}", **told}
        answers = {
            call(app, m, p, headers=headers).status_code for p in paths_of(app) for m in unsafe
        }
        assert {403} == answers, told


@pytest.mark.parametrize("path", sorted(OPEN_PATHS))
def test_those_who_probe_a_service_need_no_token(path):
    """Health stays open, whoever asks, and only that very path."""
    app = protected(Auth(TOKEN))

    assert 200 == call(app, "GET", path, headers={"host": "10.0.0.7:8000"}).status_code
    assert 401 == call(app, "GET", path + "/x").status_code
    assert 401 == call(app, "GET", "/api" + path).status_code


@pytest.mark.parametrize("made", [protected, bare])
@pytest.mark.parametrize(
    ("at", "host", "status"),
    [
        ("127.0.0.1", "127.0.0.1", 200),
        ("127.0.0.1", "localhost:8000", 200),
        ("127.8.8.8", "LOCALHOST.", 200),
        ("::1", "[::1]:8000", 200),
        ("testserver", "testserver", 200),
        ("test", "test", 200),
        ("192.168.0.7", "192.168.0.7", 403),
        ("192.168.0.7", "localhost", 403),
        ("8.8.8.8", "127.0.0.1", 403),
        ("127.0.0.1", "testserver", 403),
        ("example", "example", 403),
        ("/run/service.socket", "localhost", 403),
    ],
)
def test_this_machine_comes_in_by_an_address_that_is_its_own(made, at, host, status):
    """The address it came in at and the name it asked for are both looked at."""
    answer = call(made(), "GET", "/api/items", at=at, headers={"host": host})

    assert status == answer.status_code
    if status == 403:
        assert "not_local" == answer.json()["code"]
        assert "ROTULUS_TOKEN" in answer.json()["hint"]


@pytest.mark.parametrize("header", ["forwarded", "x-forwarded-for", "x-real-ip", "via"])
@pytest.mark.parametrize("made", [protected, bare])
def test_what_a_proxy_passes_on_is_not_of_this_machine(made, header):
    """It asks at loopback, under the name of loopback, for somebody else."""
    assert 403 == call(made(), "GET", "/api/items", headers={header: "127.0.0.1"}).status_code


@pytest.mark.parametrize(
    ("address", "local"),
    [("127.0.0.1", True), ("::1", True), ("::ffff:127.0.0.1", True), ("::ffff:8.8.8.8", False)]
    + [("0.0.0.0", False), ("::", False), ("10.0.0.1", False), ("localhost", False), ("", False)],
)
def test_addresses_of_loopback(address, local):
    """Of both families, and the one in the other."""
    assert local == is_loopback(address)


@pytest.mark.parametrize(
    ("given", "status"),
    [
        (f"Bearer {TOKEN}", 200),
        (f"bearer  {TOKEN} ", 200),
        (f"Bearer {TOKEN}x", 401),
        ("Bearer", 401),
        ("Bearer ü", 401),
        (TOKEN, 401),
        (f"Basic {TOKEN}", 401),
        (f"Basic {basic('anybody', TOKEN)}", 200),
        (f"basic {basic('', TOKEN)}", 200),
        (f"Basic {basic('anybody', TOKEN + 'x')}", 401),
        (f"Basic {basic(TOKEN, '')}", 401),
        (f"Basic {b64encode(TOKEN.encode()).decode()}", 401),
        (f"Basic {b64encode(bytes([255, 58])).decode()}", 401),
        ("Basic ü", 401),
        ("Basic", 401),
        (None, 401),
    ],
)
def test_a_token_opens(given, status):
    """From anywhere; a wrong one is answered with what to send."""
    headers = {"host": "service.example"} | ({"authorization": given.encode()} if given else {})
    answer = call(protected(Auth(TOKEN)), "GET", "/api/items", at="10.0.0.7", headers=headers)

    assert status == answer.status_code
    assert TOKEN not in answer.text
    if status == 401:
        assert answer.headers["www-authenticate"].startswith('Bearer realm="rotulus"')
        assert "unauthorized" == answer.json()["code"]


def test_a_browser_asks_a_person_for_the_token():
    """Before a page; what the page sends itself is answered as a program is."""
    page = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    asked = call(protected(Auth(TOKEN)), "GET", "/", headers=page)
    sent = call(protected(Auth(TOKEN)), "GET", "/", headers={"accept": "*/*"})

    assert 'Basic realm="rotulus", charset="UTF-8"' == asked.headers["www-authenticate"]
    assert 'Bearer realm="rotulus"' == sent.headers["www-authenticate"]


@pytest.mark.parametrize("made", [protected, bare])
def test_a_token_of_the_environment_counts_everywhere(made, monkeypatch):
    """Also where routes of ours are included in an application of the user's own."""
    monkeypatch.setenv("ROTULUS_TOKEN", TOKEN)
    app = made()

    assert 401 == call(app, "GET", "/api/items").status_code
    headers = {"authorization": f"Bearer {TOKEN}"}
    assert 200 == call(app, "GET", "/api/items", at="10.0.0.7", headers=headers).status_code


def test_a_dependency_of_the_users_own_decides():
    """It has dependencies, overrides and state as it would have in a route."""

    def user(request: Request, known: None = Depends(dependency)):
        request.state.user = "ada"
        request.app.state.asked += 1

    app = protected(Auth(dependency=user))
    app.state.asked = 0
    known = {"x-key": "known"}

    assert 200 == call(app, "GET", "/api/items", headers=known).status_code
    assert "ada" == call(app, "POST", "/plain", headers={"cookie": "session=known"}).json()
    assert ("unauthorized", 401) == (
        (answer := call(app, "GET", "/api/items")).json()["code"],
        answer.status_code,
    )
    app.dependency_overrides[dependency] = lambda: None
    assert 200 == call(app, "GET", "/api/items").status_code
    assert 3 == app.state.asked


def test_with_both_a_request_has_to_satisfy_both():
    """The token, and the dependency."""
    app = protected(Auth(TOKEN, dependency))
    token, key = {"authorization": f"Bearer {TOKEN}"}, {"x-key": "known"}
    answers = [
        call(app, "GET", "/api/items", headers=h).status_code for h in (token, key, token | key)
    ]

    assert [401, 401, 200] == answers


def test_a_dependency_that_nobody_asks_lets_nobody_in():
    """A state that says so, in an application that was not protected, is no open door."""

    class State:
        auth = Auth(dependency=dependency)

    app = bare()
    app.state.rotulus = State()
    answer = call(app, "GET", "/api/items", headers={"x-key": "known"})

    assert 403 == answer.status_code
    assert "protect" in answer.json()["hint"]


@pytest.mark.parametrize("made", [protected, bare])
@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded"])
def test_routes_of_ours_take_json_only(made, kind):
    """A form of another page is none; a request without a body needs no type."""
    refused = call(made(), "POST", "/api/items", content="a=1", headers={"content-type": kind})

    assert (415, "unsupported_media_type") == (refused.status_code, refused.json()["code"])
    assert 200 == call(made(), "POST", "/api/items", json={}).status_code
    assert 200 == call(made(), "POST", "/api/items").status_code


@pytest.mark.parametrize("site", ["same-origin", "none", None])
def test_pages_of_the_service_and_programs_may_change_things(site):
    """Also a browser that tells its origin only."""
    told = {"origin": "http://127.0.0.1"} if site is None else {"sec-fetch-site": site}

    assert 200 == call(protected(), "POST", "/api/items", json=1, headers=told).status_code


def test_sockets_are_guarded():
    """As requests are: by name, by origin, and by token."""
    with TestClient(protected()).websocket_connect("/socket"):
        pass
    for app, headers in [
        (protected(), {"origin": "http://evil.example"}),
        (protected(), {"host": "evil.example"}),
        (protected(Auth(TOKEN)), {}),
        (protected(Auth(dependency=dependency)), {}),
    ]:
        client = TestClient(app)
        with pytest.raises(WebSocketDisconnect) as caught:
            client.websocket_connect("/socket", headers=headers).__enter__()
        assert 1008 == caught.value.code


@pytest.mark.parametrize("token", ["", "with space", "ü", "line\nbreak"])
def test_a_token_can_stand_in_a_header(token, monkeypatch):
    """Or it is refused where it is given, and not shown."""
    with pytest.raises(OptionError, match="visible ASCII"):
        Auth(token)
    if token:
        monkeypatch.setenv("ROTULUS_TOKEN", token)
        with pytest.raises(OptionError, match="visible ASCII") as caught:
            protected()
        assert token not in str(caught.value)


def test_an_auth_asks_for_something():
    """With neither a token nor a dependency it would let everybody in."""
    with pytest.raises(OptionError, match="a token, a dependency, or both"):
        Auth()


def test_no_token_is_shown(monkeypatch, capsys):
    """Neither by the value, nor among the settings."""
    monkeypatch.setenv("ROTULUS_TOKEN", TOKEN)
    for words in (["config"], ["config", "--json"]):
        with pytest.raises(SystemExit):
            main(words)
        told = capsys.readouterr().out
        assert "token" in told
        assert TOKEN not in told
    assert "…" == json.loads(told)["token"]["value"]
    assert TOKEN not in repr(Auth(TOKEN))


MAKERS = (
    make_artifact_router,
    make_jobs_router,
    make_landing_router,
    make_metrics_router,
    make_system_router,
    lambda: TaskRouter.create().router,
    lambda: TaskRouter.create("/own", executor_factory=lambda: TaskExecutor()).router,
)


@pytest.mark.parametrize("place", ["application", "router", "included"])
def test_dependencies_of_the_users_own_are_asked_by_every_route_of_ours(place, app):
    """Those of an application, of a router around ours, and those that ours is included with."""

    def refuse():
        raise HTTPException(418)

    asked = [Depends(refuse)]
    service = FastAPI(dependencies=asked if place == "application" else [])
    service.state.rotulus = ServiceState(app, ServiceInfo(display_name="all"))
    around = APIRouter(dependencies=asked if place == "router" else [])
    routers = [make() for make in (*MAKERS, make_health_router)]
    for router in routers:
        around.include_router(router, dependencies=asked if place == "included" else [])
    service.include_router(around)
    routes = [(m, r.path) for router in routers for r in router.routes for m in r.methods]
    assert len(routes) > 10
    answers = {(m, p): call(service, m, p).status_code for m, p in routes}
    assert {418} == set(answers.values()), answers


@pytest.mark.parametrize("factory", [None, lambda: TaskExecutor()], ids=["usual", "own"])
def test_a_service_executes_for_those_whom_its_dependency_lets_in(app, factory):
    """By the short way, which asks no dependencies itself, and by that with a factory."""
    builder = ServiceBuilder(info=ServiceInfo(display_name="all"), app=app)
    builder.with_auth(dependency=dependency).with_tasks(executor_factory=factory)
    service, path = builder.build(), "/api/v1/tasks/nothing/$execute"

    assert 401 == call(service, "POST", path).status_code
    assert 404 == call(service, "POST", path, headers={"x-key": "known"}).status_code
    assert 405 == call(service, "PUT", path, headers={"x-key": "known"}).status_code


@pytest.mark.parametrize("whole", [False, True], ids=["routes of ours", "a service"])
def test_every_router_of_ours_is_guarded(whole, monkeypatch, app):
    """Each of its routes, with each of its methods: by its own guard, and by that of the whole."""
    for host, token, status in (("evil.example", None, 403), ("127.0.0.1", TOKEN, 401)):
        if token:
            monkeypatch.setenv("ROTULUS_TOKEN", token)
        service = FastAPI()
        service.state.rotulus = ServiceState(app, ServiceInfo(display_name="all"))
        routers = [make() for make in MAKERS]
        for router in routers:
            service.include_router(router)
        if whole:
            protect(service)
        asked = [(m, r.path) for router in routers for r in router.routes for m in r.methods]
        assert len(asked) > 10
        answers = {
            (m, p): call(service, m, p, headers={"host": host}).status_code for m, p in asked
        }
        assert {status} == set(answers.values()), answers


def test_a_query_that_no_url_has_is_a_problem():
    """With a slash too many, too, where a framework would lead elsewhere."""
    for path in (b"/api/items", b"/api/items/"):
        sent = SimpleNamespace(
            method="GET",
            path=path,
            query=b"limit=\xff",
            headers=[(b"host", b"testserver")],
            body=b"",
            whole=True,
        )
        answer = asyncio.run(ask(protected(), sent))

        assert (400, "invalid_query") == (answer.status, answer.told["code"])
