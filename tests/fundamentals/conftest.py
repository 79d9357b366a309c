"""Apps on each kind of store: what is fundamental holds on all of them."""

import pytest

import rotulus.workflow as wf
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
