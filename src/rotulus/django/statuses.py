"""The statuses of Django for the states of jobs: four statuses for nine states."""

from collections.abc import Mapping
from types import MappingProxyType

from rotulus import State
from rotulus.django.compat import TaskResultStatus

STATUSES: Mapping[State, TaskResultStatus] = MappingProxyType(
    {
        State.BLOCKED: TaskResultStatus.READY,
        State.DELAYED: TaskResultStatus.READY,
        State.QUEUED: TaskResultStatus.READY,
        State.RUNNING: TaskResultStatus.RUNNING,
        State.SUCCEEDED: TaskResultStatus.SUCCESSFUL,
        State.FAILED: TaskResultStatus.FAILED,
        State.DEAD: TaskResultStatus.FAILED,
        State.CANCELLED: TaskResultStatus.FAILED,
        State.SKIPPED: TaskResultStatus.FAILED,
    }
)
"""The status of each state. A job that waits for its next attempt is ready, and has errors."""


def status_of(state: str) -> TaskResultStatus:
    """Returns the status of a job in a state."""
    return STATUSES[State(state)]
