"""Workers whose process runs out of something that the system gives: they wait until it is back."""

import resource

import pytest

pytestmark = pytest.mark.parametrize("factory", ["sqlite", "postgres"], indirect=True)


def few_descriptors():
    """In the child: as many as a worker needs, and some."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))


def test_a_worker_without_descriptors_goes_on_when_there_are_some(factory):
    """It neither ends nor leaves behind what it holds."""
    factory.add("nothing", 3)
    worker = factory.start(app="starving:app", preexec_fn=few_descriptors)
    factory.all_ended()
    factory.add("nothing", 3)
    factory.all_ended()

    assert worker.poll() is None
    assert {"succeeded": 6} == factory.states()


def test_an_isolated_attempt_that_cannot_begin_is_not_a_failure(factory):
    """It waits for a descriptor, and is the first one."""
    factory.add("apart", 3)
    factory.start(app="starving:app", preexec_fn=few_descriptors)
    factory.all_ended()

    assert {"succeeded": 3} == factory.states()
    assert {1} == {job.attempt for job in factory.app.jobs()}
