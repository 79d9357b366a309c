"""Apps on each kind of store: what is fundamental holds on all of them."""

from pathlib import Path

import psycopg
import pytest
from cryptography.fernet import Fernet

import rotulus.workflow as wf
from fundamentals import ciphered_tasks
from rotulus import App
from rotulus.testing import drain
from rotulus.workflow import Run
from server_clock import ServerClock

KINDS = ["sqlite", pytest.param("postgres", marks=pytest.mark.anywhere)]


@pytest.fixture(params=KINDS)
def app(request, registry):
    """An app on the real clock."""
    url = "sqlite://"
    if request.param == "postgres":
        url = request.getfixturevalue("migrated")(clock=False)
    made = App(url, registry=registry)
    yield made
    made.close()


@pytest.fixture(params=KINDS)
def place(request):
    """Where the jobs of `still_app` are."""
    return request.param


@pytest.fixture
def clock(request, place):
    """A clock that moves only when it is told to."""
    if place == "postgres":
        return ServerClock(request.getfixturevalue("migrated")())
    return request.getfixturevalue("still_clock")


@pytest.fixture
def still_app(request, place, registry, clock):
    """An app on a clock that stands still."""
    url = request.getfixturevalue("migrated")() if place == "postgres" else "sqlite://"
    made = App(url, registry=registry, clock=clock, unknown_grace=0)
    yield made
    made.close()


@pytest.fixture
def build(app):
    """Makes builders of workflows in the app's registry."""
    return lambda name="flow": wf.WorkflowBuilder(name, registry=app.registry)


@pytest.fixture
def go(app):
    """Runs a workflow to its end; the run."""

    def run(workflow="flow", /, **given):
        job = app.enqueue(workflow, **given)
        drain(app)
        return Run(app, job.id)

    return run


@pytest.fixture
def cipher():
    """A cipher with a key of its own."""
    return Fernet(Fernet.generate_key())


@pytest.fixture(params=["sqlite", "postgres"])
def ciphered_url(request):
    """An empty place for jobs."""
    if request.param == "sqlite":
        return "sqlite:///jobs.db"
    return request.getfixturevalue("migrated")(clock=False)


@pytest.fixture
def stored(ciphered_url):
    """Returns everything that is stored, as bytes."""

    def read():
        if ciphered_url.startswith("sqlite"):
            return b"".join(
                path.read_bytes() for path in sorted(Path().glob("jobs.db*")) if path.is_file()
            )
        with psycopg.connect(ciphered_url) as connection:
            tables = connection.execute(
                "SELECT relname FROM pg_class WHERE relkind = 'r' AND starts_with(relname, 'rotulus_')"
            ).fetchall()
            rows = [
                connection.execute(f"SELECT t::text FROM {name} t").fetchall() for (name,) in tables
            ]
        return repr(rows).encode()

    return read


@pytest.fixture
def open_app(ciphered_url):
    """Opens apps on one place, each with the same tasks, and with a cipher of its own."""
    opened = []

    def open_one(cipher=None, **options):
        app = App(ciphered_url, registry=ciphered_tasks.declared(), cipher=cipher, **options)
        opened.append(app)
        return app

    yield open_one
    for app in opened:
        app.close()
