"""One table says which role each route needs; what is not in the table, nobody may call."""

import pytest
from fastapi import APIRouter, FastAPI
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from rotulus import App, TaskRegistry
from rotulus._app.roles import Role, read_role
from rotulus.errors import ConfigurationError, OptionError
from rotulus.service import Auth, ServiceBuilder, ServiceInfo, TaskRouter, make_jobs_router
from rotulus.service import protection as protecting
from rotulus.service.access import DOCUMENTS, OPEN_PAGES, OPEN_PATHS, ROLE_KEY, ROLES, role_of
from rotulus.service.guard import GuardedRoute, ResourceRouter
from rotulus.service.principal import Principal
from rotulus.service.protection import protect
from rotulus.service.serving import service_of

pytestmark = pytest.mark.anywhere

VIEWER, OPERATOR, ADMIN = Role


@pytest.fixture
def app():
    """An app with a task."""
    registry = TaskRegistry()
    registry.register_function("greet", lambda: "hello")
    made = App("sqlite://", registry=registry)
    made.store.migrate()
    yield made
    made.close()


@pytest.fixture
def sent_by(monkeypatch):
    """Makes every request one of a sender with a role."""

    def make(role):
        async def let_in(*_):
            return Principal("somebody", role)

        monkeypatch.setattr(protecting, "authorised", let_in)

    return make


def routes_in(routes, prefix=""):
    """Each route of an application, with its path, also those of routers within."""
    for route in routes:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from routes_in(inner.routes, prefix + route.include_context.prefix)
        else:
            yield prefix + route.path, route


def test_every_route_of_a_whole_service_is_in_the_table(app):
    """And the table has no route that the service has not."""
    found = {
        (method, path)
        for path, route in routes_in(service_of(app).routes)
        for method in route.methods - {"HEAD"}
        if path not in OPEN_PATHS | OPEN_PAGES
    }
    documented = {
        (method.upper(), path)
        for path, methods in service_of(app).openapi()["paths"].items()
        for method in methods
        if path not in OPEN_PATHS | OPEN_PAGES and "greet/" not in path
    }

    assert {f"{method} {path}" for method, path in found} == set(ROLES)
    assert documented <= {(method, path.replace(":path}", "}")) for method, path in found}


def test_every_route_of_ours_asks_for_its_role_itself(app):
    """But for the documents, which the protection lets viewers see, and open paths."""
    bare = {
        path
        for path, route in routes_in(service_of(app).routes)
        if not isinstance(route, GuardedRoute) and path not in OPEN_PATHS | OPEN_PAGES | DOCUMENTS
    }

    assert {"/api/v1/tasks/{name}/$execute"} == bare  # a Starlette route, guarded by itself
    for path, route in routes_in(service_of(app).routes):
        if isinstance(route, GuardedRoute):
            assert role_of(route.methods, path).value == route.openapi_extra[ROLE_KEY]


def test_viewers_only_get_and_operators_do_all_but_what_is_of_admins():
    """So what is not read is never a viewer's."""
    apart = ("tokens", "audit", "webhooks")
    for one, role in ROLES.items():
        method, path = one.split(" ")
        expected = VIEWER if method == "GET" else OPERATOR
        assert role is (ADMIN if path.split("/")[3:4] in [[noun] for noun in apart] else expected)


def test_a_route_without_a_role_is_not_built():
    """Neither as a route of a resource, nor by itself."""
    router = ResourceRouter("/api/v1/jobs", "/jobs", ["Jobs"])
    with pytest.raises(ConfigurationError, match=r"GET /api/v1/jobs/\$secrets"):
        router.get("/$secrets")(lambda: None)
    with pytest.raises(ConfigurationError, match="POST /nowhere"):
        APIRouter(route_class=GuardedRoute).post("/nowhere")(lambda: None)
    with pytest.raises(ConfigurationError, match="/nowhere"):
        role_of(("HEAD",), "/nowhere")


@pytest.mark.parametrize("role", list(Role))
def test_a_sender_does_what_its_role_allows(app, sent_by, role):
    """Each route answers 403 exactly to those whose role is lower."""
    sent_by(role)
    service = service_of(app)
    with TestClient(service) as client:
        for one, needed in ROLES.items():
            method, path = one.split(" ")
            path = path.replace("{name}", "greet")
            path += "?seconds=0.01" * path.endswith("/changes")  # it would not end
            answer = client.request(method, path)
            refused = answer.status_code == 403
            assert refused is not role.includes(needed), one
            if refused:
                assert "role_needed" == answer.json()["code"]
                asked = OPERATOR if role is VIEWER and method != "GET" else needed
                assert f"the role {asked}" in answer.json()["detail"]


def test_roles_hold_below_other_prefixes_and_in_applications_of_ones_own(app, sent_by):
    """Where a router has another prefix, and is included below one more."""
    sent_by(VIEWER)
    own = FastAPI()
    protect(own, Auth(token="a-token-of-ours"))
    own.include_router(make_jobs_router(prefix="/work"), prefix="/inner")
    own.include_router(TaskRouter.create(prefix="/calls", registry=app.registry).router)
    with TestClient(own) as client, app:
        assert 200 == client.get("/calls").status_code
        assert 403 != client.get("/inner/work/none").status_code  # no app is open
        assert 403 == client.post("/inner/work/none/$cancel").status_code
        assert 403 == client.post("/calls/greet/$execute").status_code


def built(app, **options):
    """A service with routes of the user's own, and what was asked of them."""
    router, asked = APIRouter(prefix="/own"), []

    @router.get("")
    @router.post("")
    async def note():
        asked.append(1)
        return "noted"

    info = ServiceInfo(display_name="own")
    builder = ServiceBuilder(info=info, app=app).with_auth("a-token-of-ours")
    service = builder.include_router(router, **options).build()
    service.mount("/files", PlainTextResponse("a file"))
    return service, asked


@pytest.mark.parametrize(
    ("needed", "role", "status"),
    [
        (None, VIEWER, 403),
        (None, OPERATOR, 200),
        ("viewer", VIEWER, 200),
        ("admin", OPERATOR, 403),
        ("admin", ADMIN, 200),
    ],
)
def test_routes_of_the_user_ask_for_an_operator_unless_they_say_so(
    app, sent_by, needed, role, status
):
    """So a route that nobody thought of is not a viewer's."""
    sent_by(role)
    service, asked = built(app, **({} if needed is None else {"role": needed}))
    with TestClient(service) as client:
        assert status == client.get("/own").status_code
        asked.clear()
        posted = client.post("/own").status_code
        assert posted == (403 if role is VIEWER else status)
        assert bool(asked) is (posted == 200)
        outside = {client.get(path).status_code for path in ("/files/x", "/nowhere")}
        assert outside == ({403} if role is VIEWER else {200, 404})


def test_what_is_no_role_is_refused(app):
    """With the nearest one."""
    with pytest.raises(OptionError, match="did you mean 'operator'"):
        built(app, role="operater")
    assert OPERATOR is read_role("operator")


def test_the_document_says_which_role_an_operation_needs(app):
    """For programs that make tools of it."""
    paths = service_of(app).openapi()["paths"]

    assert "viewer" == paths["/api/v1/jobs"]["get"][ROLE_KEY]
    assert "operator" == paths["/api/v1/jobs/{job_id}/$cancel"]["post"][ROLE_KEY]
    assert "operator" == paths["/api/v1/tasks/greet/$enqueue"]["post"][ROLE_KEY]
