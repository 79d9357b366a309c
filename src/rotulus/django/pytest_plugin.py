"""For pytest-django: `pytest_plugins = ["rotulus.django.pytest_plugin"]` in a conftest.py."""

from collections.abc import Generator
from typing import Any

import pytest
from django.db import DEFAULT_DB_ALIAS, connections

from rotulus.django.testing import EnqueuedTasks

__all__ = ["enqueued_tasks"]


@pytest.fixture
def enqueued_tasks(
    request: pytest.FixtureRequest,
    db: Any,  # noqa: ARG001 - the fixture of pytest-django, or the test's choice
) -> Generator[EnqueuedTasks, None, None]:
    """The tasks that the test enqueues: `assert_enqueued`, `run_due`, and so on."""
    marker = request.node.get_closest_marker("django_db")
    marked = marker and marker.kwargs.get("databases")
    databases = set(connections) if marked == "__all__" else marked or [DEFAULT_DB_ALIAS]
    with EnqueuedTasks(databases) as tasks:
        yield tasks
