"""Kill switches: what environment variables turn off does nothing, and succeeds."""

import asyncio
import inspect
import logging

import pytest

from rotulus import State, task
from rotulus.django import is_enabled, kill_switch
from rotulus.errors import OptionError

NAME = "ENABLE_BACKFILL_SCHEDULER"


@pytest.mark.requirement("G-18")
@pytest.mark.parametrize(
    ("value", "on"),
    [
        *((one, True) for one in (None, "true", "TRUE", "True")),
        *((one, False) for one in ("false", "", "1", "yes", "on", " true", "true ", "0", "ja")),
    ],
)
def test_G_18_only_true_leaves_a_task_on(monkeypatch, value, on):
    """Or nothing: that is the default."""
    monkeypatch.delenv(NAME, raising=False)
    if value is not None:
        monkeypatch.setenv(NAME, value)

    assert on is is_enabled(NAME)


@pytest.mark.requirement("G-18")
def test_G_18_a_task_that_is_off_logs_and_returns_none(monkeypatch, caplog):
    """The variable is read at each call."""

    @kill_switch(NAME)
    def backfill(days: int) -> int:
        return days

    assert 3 == backfill(3)
    monkeypatch.setenv(NAME, "false")
    with caplog.at_level(logging.INFO, "rotulus.django"):
        assert backfill(3) is None
    assert "backfill does nothing: ENABLE_BACKFILL_SCHEDULER=false" in caplog.text
    monkeypatch.delenv(NAME)
    assert 3 == backfill(3)


def test_a_coroutine_has_a_switch_too(monkeypatch):
    """It stays one."""

    @kill_switch(NAME)
    async def backfill() -> int:
        return 3

    assert inspect.iscoroutinefunction(backfill)
    assert 3 == asyncio.run(backfill())
    monkeypatch.setenv(NAME, "no")
    assert asyncio.run(backfill()) is None


def test_the_job_of_a_task_that_is_off_succeeds(monkeypatch, app, registry):
    """Although its function says that it returns a number; arguments are checked as ever."""

    @task("backfill", registry=registry)
    @kill_switch(NAME)
    def backfill(days: int, /, *, dry: "bool" = False) -> int:
        return days

    on = app.jobs.run(backfill.enqueue("3").id).job
    monkeypatch.setenv(NAME, "off")
    off = app.jobs.run(backfill.enqueue(3, dry=True).id).job

    assert (State.SUCCEEDED, 3) == (on.state, on.result())
    assert (State.SUCCEEDED, None) == (off.state, off.result())
    assert registry.get_info("backfill").signature.startswith(
        "(days: int, /, *, dry: bool = False)"
    )
    with pytest.raises(TypeError, match="dyas"):
        backfill.enqueue(3, dyas=1)


def test_a_switch_above_a_task_is_refused(registry):
    """It says where it belongs."""
    with pytest.raises(OptionError, match="below @task"):
        kill_switch(NAME)(task("backfill", registry=registry)(lambda: 1))
