"""Settling when something else than the store is wrong: an outcome is kept until it is written."""

import errno
import threading

import pytest

import rotulus.stores.sqlite
from rotulus import App, State, task
from rotulus.errors import StoreClosedError, StoreUnavailableError
from rotulus.events import AttemptFailed, AttemptSucceeded, StoreFailed, StoreRecovered
from rotulus.stores.sqlite import SqliteStore
from rotulus.testing import drain

PASSING = [
    OSError(errno.EMFILE, "Too many open files"),
    MemoryError(),
    RuntimeError("can't start new thread"),
]


@pytest.fixture
def troubles():
    """The errors that the store raises in turn when an outcome is written."""
    return []


@pytest.fixture
def troubled_app(troubles, registry, monkeypatch):
    """An app on a store with those troubles."""

    class Troubled(SqliteStore):
        def settle(self, *args, **kwargs):
            self._raise_one()
            return super().settle(*args, **kwargs)

        def settle_and_claim(self, *args, **kwargs):
            self._raise_one()
            return super().settle_and_claim(*args, **kwargs)

        def _raise_one(self):
            if troubles:
                raise troubles.pop(0)

    monkeypatch.setattr(rotulus.stores.sqlite, "SqliteStore", Troubled)
    made = App("sqlite://", registry=registry)
    yield made
    made.close()


@pytest.mark.parametrize("error", PASSING, ids=lambda error: type(error).__name__)
def test_a_success_stays_one(troubled_app, troubles, error):
    """The job has run once, the trouble is told once, and its end."""
    heard = []
    troubled_app.events.subscribe(heard.append, StoreFailed, StoreRecovered)
    troubles.extend([error] * 3)

    @task(registry=troubled_app.registry)
    def body():
        return "done"

    job = body.enqueue()
    drain(troubled_app)

    assert ("done", 1) == (job.result(0), job.refresh().attempt)
    assert [StoreFailed("settle", error), StoreRecovered("settle")] == heard
    assert not troubles


def test_an_outcome_whose_values_cannot_be_written_has_failed(troubled_app, troubles):
    """In a batch and by itself: the error would come again."""
    troubles.extend([ValueError("not these values")] * 2)

    @task(registry=troubled_app.registry)
    def body():
        return "done"

    job = body.enqueue()
    drain(troubled_app)

    assert (State.FAILED, "result") == (job.refresh().state, job.refresh().reason)
    assert "not these values" == job.refresh().error.message


@pytest.mark.parametrize("error", PASSING, ids=lambda error: type(error).__name__)
def test_a_single_attempt_is_settled_when_the_trouble_has_passed(troubled_app, troubles, error):
    """Its body has run once, and is not run again for that."""
    troubles.extend([error] * 3)

    @task(registry=troubled_app.registry)
    def body():
        return "done"

    tried = troubled_app.jobs.run(body.enqueue().id)

    assert ("done", 1) == (tried.job.result(0), tried.job.attempt)
    assert not troubles


def test_the_outcome_of_a_single_attempt_that_cannot_be_written_has_failed(troubled_app, troubles):
    """The error would come again."""
    troubles.append(ValueError("not these values"))

    @task(registry=troubled_app.registry)
    def body():
        return "done"

    tried = troubled_app.jobs.run(body.enqueue().id)

    assert (True, State.FAILED, "result") == (tried.ran, tried.job.state, tried.job.reason)


def test_a_single_attempt_that_cannot_be_settled_at_all_is_an_error(troubled_app, troubles):
    """Its lease runs out, and it is made again."""
    troubles.extend([StoreUnavailableError("gone")] * 1000)

    @task(registry=troubled_app.registry)
    def body():
        return "done"

    job = body.enqueue()
    with pytest.raises(StoreUnavailableError, match="gone"):
        troubled_app.jobs.run(job.id)
    assert State.RUNNING == job.refresh().state


def test_a_timeout_that_cannot_be_settled_is_settled_when_the_body_returns(troubled_app, troubles):
    """As the timeout that it was told as, whatever the body returns then."""
    heard, failed = [], threading.Event()
    troubled_app.events.subscribe(heard.append, StoreFailed, AttemptFailed, AttemptSucceeded)
    troubled_app.events.subscribe(lambda _: failed.set(), StoreFailed)
    troubles.append(StoreClosedError("not just now"))

    @task(registry=troubled_app.registry, timeout=0.1)
    def body():
        assert failed.wait(30)
        return "late"

    tried = troubled_app.jobs.run(body.enqueue().id)

    assert (State.FAILED, "timeout") == (tried.job.state, tried.job.reason)
    assert isinstance(tried.error, TimeoutError)
    assert [AttemptFailed, StoreFailed] == [type(event) for event in heard]
