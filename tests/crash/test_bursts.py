"""A worker that ends when nothing is due leaves nothing behind."""

import pytest

pytestmark = pytest.mark.anywhere


@pytest.mark.parametrize("options", [[], ["--processes", "2"]])
def test_a_burst_leaves_nothing_that_it_has_fired(factory, options):
    """Its own duties fire schedules until it ends, and what they fire is run."""
    for _ in range(3):
        worker = factory.start(*options, "--burst", app="minutely:app")
        assert 0 == worker.wait(60)
        assert 0 == factory.states()["queued"]
        fired = len(factory.app.jobs(task="tick", limit=1000))
    assert fired
    assert {"succeeded": fired} == factory.states()
