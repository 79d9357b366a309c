"""Databases of each kind, empty, for the tests of a service."""

import asyncio
from contextlib import ExitStack

import pytest
from starlette.testclient import TestClient

from rotulus._app.roles import Role
from rotulus.client import Client
from rotulus.service import Database, protection, service_of
from rotulus.service.principal import Principal
from serving import served

memory = pytest.param("memory", marks=pytest.mark.anywhere)
file = pytest.param("file", marks=pytest.mark.anywhere)
postgres = pytest.param("postgres", marks=pytest.mark.anywhere)


@pytest.fixture
def make_url(tmp_path, request):
    """Makes the URL of an empty database of a kind."""

    def make(kind):
        if kind == "postgres":
            return request.getfixturevalue("database")
        return "sqlite://" if kind == "memory" else f"sqlite:///{tmp_path / 'service.db'}"

    return make


@pytest.fixture(params=[memory, file, postgres])
def any_url(request, make_url):
    """The URL of an empty database of each kind."""
    return make_url(request.param)


@pytest.fixture(params=[memory, file, postgres])
def jobs_url(request, make_url):
    """The URL of a place for jobs of each kind, without any; that on a server has its tables."""
    if request.param == "postgres":
        return request.getfixturevalue("migrated")(clock=False)
    return make_url(request.param)


@pytest.fixture(params=[file, postgres])
def shared_url(request, make_url):
    """The URL of an empty database that several processes can open."""
    return make_url(request.param)


@pytest.fixture
def file_url(make_url):
    """The URL of a file that is not there yet."""
    return make_url("file")


@pytest.fixture
def db(any_url):
    """A database of each kind, with its tables."""
    made = Database(any_url)
    asyncio.run(made.init())
    yield made
    asyncio.run(made.dispose())


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.anywhere)])
def url(request, tmp_path):
    """A place for jobs that several apps can share."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/jobs.db"
    return request.getfixturevalue("migrated")(clock=False)


@pytest.fixture
def serve():
    """Serves an application on a free port of this machine; gives the server, with its address."""
    with ExitStack() as servers:
        yield lambda application: servers.enter_context(served(application))


@pytest.fixture
def client(app, serve):
    """A client of a service of the app of a test."""
    with Client(serve(service_of(app)).address) as made:
        yield made


@pytest.fixture(params=["app", "client"])
def door(request, app, client):
    """The app itself, and a client of its service: what is true of one is true of the other."""
    return {"app": app, "client": client}[request.param]


@pytest.fixture
def ask(app, monkeypatch):
    """Sends a request as somebody with a role."""
    with TestClient(service_of(app)) as client:

        def send(role, method, path, **options):
            async def let_in(*_):
                return Principal("somebody", Role(role))

            monkeypatch.setattr(protection, "authorised", let_in)
            return client.request(method, path, **options)

        yield send
