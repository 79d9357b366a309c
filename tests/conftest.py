"""What every test may use: a clock that stands still, stores, and apps of their own."""

import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from rotulus import App, TaskRegistry
from rotulus.testing import SettableClock

settings.register_profile(
    "default", deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
settings.load_profile("default")

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def no_settings(monkeypatch, tmp_path):
    """No setting of the machine reaches a test, and each has a folder of its own."""
    for name in [name for name in os.environ if name.startswith("ROTULUS_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def clock():
    """A clock that moves only when it is told to."""
    return SettableClock()


@pytest.fixture
def registry():
    """A registry of the test's own."""
    return TaskRegistry()


@pytest.fixture
def app(registry):
    """An app in memory, on the real clock."""
    made = App("sqlite://", registry=registry)
    yield made
    made.close()


@pytest.fixture
def still_app(registry, clock):
    """An app in memory, on a clock that stands still."""
    made = App("sqlite://", registry=registry, clock=clock)
    yield made
    made.close()


@pytest.fixture
def python():
    """The words that start this Python."""
    return [sys.executable]
