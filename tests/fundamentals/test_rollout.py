"""Two versions of a program on one store: the old one leaves what only the new one knows."""

import threading

import pytest

from rotulus import App, State, TaskRegistry, task
from rotulus.config import load_settings
from rotulus.store import ClaimFilter
from rotulus.testing import drain


def version(tmp_path, *names, grace=None, clock=None):
    """An app of its own registry on the same file, whose tasks say which they are."""
    registry = TaskRegistry()
    for name in names:
        task(name, registry=registry)(lambda name=name: f"{name} by {len(names)}")
    url = f"sqlite:///{tmp_path / 'jobs.db'}"
    return App(url, registry=registry, unknown_grace=grace, clock=clock)


@pytest.fixture
def old(tmp_path, clock):
    """The old version, which knows one task and is patient for a minute."""
    with version(tmp_path, "a", grace=60, clock=clock) as app:
        yield app


@pytest.fixture
def new(tmp_path, clock):
    """The new version, which knows one more."""
    with version(tmp_path, "a", "b", grace=60, clock=clock) as app:
        yield app


def test_an_old_worker_leaves_a_job_to_the_new_one(old, new):
    """And runs what it knows meanwhile."""
    job, other = new.enqueue("b"), new.enqueue("a")

    assert [other] == drain(old)
    assert (State.QUEUED, 0) == (job.refresh().state, job.refresh().attempt)
    assert [job] == drain(new)
    assert "b by 2" == job.result(0)


def test_a_job_that_nobody_knows_is_given_up_after_the_grace(old, new, clock):
    """As dead(unknown_task), with one claim; its arguments are kept, and it can be retried."""
    job = new.enqueue("b")
    clock.advance(59)
    assert [] == drain(old)

    clock.advance(1)
    drain(old)
    ended = job.refresh()
    assert (State.DEAD, "unknown_task", 1) == (ended.state, ended.reason, ended.attempt)
    job.retry()
    assert [job] == drain(new)
    assert "b by 2" == job.result(0)


def test_on_one_machine_it_is_given_up_at_once(tmp_path):
    """Unless somebody asks for patience."""
    with version(tmp_path, "a") as app:
        job = app.using(unchecked=True).enqueue("b")
        drain(app)

        assert (State.DEAD, "unknown_task") == (job.refresh().state, job.refresh().reason)


def test_the_patience_is_a_setting(tmp_path, monkeypatch):
    """Of the environment, as any other."""
    monkeypatch.setenv("ROTULUS_UNKNOWN_GRACE", "3600")
    assert 3600.0 == load_settings()["unknown_grace"].value
    with version(tmp_path, "a") as app:
        job = app.using(unchecked=True).enqueue("b")
        drain(app)

        assert State.QUEUED == job.refresh().state


def test_a_worker_announces_what_it_knows(tmp_path):
    """For the others, and for those who ask why a job waits."""
    with version(tmp_path, "a", grace=3600) as old, version(tmp_path, "a", "b", grace=3600) as new:
        job = new.enqueue("b")
        assert not any("knows task" in reason for reason in job.why())
        with working(old):
            [reason] = job.why()
            assert reason.startswith("No worker that runs knows task 'b': it waits for one that")
            assert [("a", "rotulus.deliver_webhook")] == [
                worker.names for worker in old.store.fleet().workers
            ]
            with working(new):
                assert "b by 2" == job.result(timeout=20)
                later = new.using(delay=600).enqueue("b")
                assert not any("knows task" in reason for reason in later.why())


class working:
    """A worker of an app in a thread, from when it has announced itself until the block ends."""

    def __init__(self, app):
        self._app = app
        self._thread = threading.Thread(target=app.run_worker)

    def __enter__(self):
        before = len(self._app.store.fleet().workers)
        self._thread.start()
        while len(self._app.store.fleet().workers) == before:
            self._app.store.wait(ClaimFilter(queues=["nobody serves this"]), 0.02)

    def __exit__(self, *_):
        self._app.stop()
        self._thread.join(20)
