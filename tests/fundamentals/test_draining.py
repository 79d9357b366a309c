"""Workers are drained by their names, or by that of their supervisor."""

import asyncio

import pytest

from rotulus import task
from rotulus.errors import OptionError, WorkerNotFoundError
from rotulus.store import WorkerInfo

pytestmark = pytest.mark.anywhere


@pytest.fixture
def announce(app):
    """Announces workers, as if they were in other processes."""
    nap = task("nap", registry=app.registry)(lambda: None)

    def make(*names):
        at = nap.using(queue="elsewhere").enqueue().created_at
        for name in names:
            app.store.extend([], 30, WorkerInfo(name, "h", 1, None, 5, at, names=("nap",)))
        return nap

    return make


def drained(app):
    """The names of the workers that are drained."""
    return {one.name for one in app.workers.list() if one.draining_at is not None}


def test_workers_are_drained_by_name(app, announce):
    """Each by its own, or all processes of a supervisor by its name."""
    announce("west.1.a", "west.2.b", "westend.1.c", "east")
    assert ["east"] == [one.name for one in app.workers.drain("east")]
    assert {"east"} == drained(app)
    assert {"west.1.a", "west.2.b"} == {one.name for one in app.workers.drain("west")}
    assert {"east", "west.1.a", "west.2.b"} == drained(app)
    assert 1 == len(asyncio.run(app.workers.adrain("westend.1.c")))


def test_all_that_are_named_are_drained_or_none(app, announce):
    """What is mistyped is told."""
    announce("west.1.a", "east")
    with pytest.raises(WorkerNotFoundError, match="No worker 'eats' is alive; did you mean 'east'"):
        app.workers.drain("west", "eats")
    with pytest.raises(WorkerNotFoundError, match="No worker 'wes' is alive"):
        app.workers.drain("wes")
    with pytest.raises(OptionError, match="needs a worker"):
        app.workers.drain()
    with pytest.raises(OptionError, match="worker=5 is not allowed"):
        app.workers.drain(5)
    assert set() == drained(app)


def test_nobody_counts_on_a_drained_worker(app, announce):
    """It is not what a job waits for, and another one is wanted."""
    nap = announce("west", "east")
    job = nap.enqueue()
    assert (2, 10) == (app.queues.demand().workers, app.queues.demand().slots)
    app.workers.drain("west")
    assert (1, 5) == (app.queues.demand().workers, app.queues.demand().slots)
    assert ["It is due, and nothing is in its way: a worker should take it now."] == job.why()
    app.workers.drain("east")

    assert 0 == app.queues.demand().workers
    assert "No worker takes jobs: those that run are drained, and end (east, west)" in job.why()[0]
