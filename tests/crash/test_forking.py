"""What tasks fork is theirs: a signal to it does not reach their worker."""

import signal

import pytest

FLEET = pytest.mark.parametrize("options", [[], ["--processes", "1", "--recycle-jobs", "1000"]])


@FLEET
def test_a_pool_that_is_terminated_does_not_stop_its_worker(factory, options):
    """Neither alone nor under a supervisor, and not while others are forked."""
    factory.add("pool", 6)
    worker = factory.start(*options, "--slots", "3", "--drain", "1", app="forking:app")
    factory.all_ended()
    factory.add("pool", 2)
    factory.all_ended()

    assert worker.poll() is None
    assert {"succeeded": 8} == factory.states()
    assert {1} == {job.attempt for job in factory.app.jobs()}
    assert [] == factory.told("worker_draining")
    worker.send_signal(signal.SIGTERM)
    assert 0 == worker.wait(30)


@FLEET
def test_a_child_handles_signals_as_it_would_without_a_worker(factory, options):
    """It has no way to wake the worker's loop, holds up no signal, and dies of SIGTERM."""
    [job] = factory.add("child")
    factory.start(*options, app="forking:app")

    assert ["SIG_DFL", "python", "-1", "0", "-15"] == job.result(60)
