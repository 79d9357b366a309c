"""Versions of workflows: what is declared today keeps the version that it has, in any release."""

from datetime import UTC, datetime

import pytest

from rotulus import Retry, Schedule, TaskRegistry, task
from rotulus.workflow import Step, Workflow, WorkflowBuilder, any_failed
from rotulus.workflow import task as step

AT = datetime(2027, 3, 31, 8, tzinfo=UTC)

PLAIN = {"name": "fetch", "tags": ["a", "b"]}
LIMITED = {
    "queue": "mail",
    "priority": 5,
    "expires": 60,
    "limit": 2,
    "rate": 5,
    "per": 2,
    "limit_key": "k:{day}",
}
ATTEMPTS = {
    "retry": Retry(attempts=2, on=(OSError, ValueError), jitter=False),
    "timeout": 3,
    "isolation": "process",
    "memory": 16,
    "result": "trust",
}
CHOSEN = {
    "nothing": {},
    "others": {"queue": "slow", "priority": 1, "delay": 3, "expires": 9, "per": 7, "rate": 1},
    "a key of limits": {"limit_key": "k:all"},
    "the key of limits that was declared": {"limit_key": None},
    "a moment": {"at": AT},
    "no limit": {"limit": None, "rate": None, "per": None},
}

VERSIONS = {
    "nothing": "3277c21ec97aaedb",
    "others": "91d9282f75279dd9",
    "a key of limits": "520939b44774a16a",
    "the key of limits that was declared": "3277c21ec97aaedb",
    "a moment": "50258110ecb2e2f5",
    "no limit": "f2c3ff89f7d61a6d",
}
"""Those of the first release that had versions."""


def workflow(chosen):
    """A workflow that uses all there is."""
    registry = TaskRegistry()

    def body(day: str = "") -> None: ...

    plain = task(registry=registry, **PLAIN)(body)
    limited = task("send", registry=registry, **LIMITED, **ATTEMPTS)(body).using(**chosen)
    with WorkflowBuilder("inner", registry=registry) as inner:

        @step(id="one", retry_attempts=2, retry_delay_ms=5, timeout=7)
        def one(context, handle): ...

        inner.description("inside")

    builder = WorkflowBuilder("outer", registry=registry)
    builder.add_task("inner").add_task(plain, dependencies=["inner"], for_each="days")
    return Workflow.of(
        "whole",
        [
            Step("send", limited, on_success=print, on_failure=repr),
            Step("fetch", plain, ("send",), trigger=any_failed, for_each="days"),
            Step("inner", builder.build() and registry.get("inner"), ("send", "fetch")),
        ],
        description="all of it",
        tags={"team": "post"},
        schedule=Schedule("0 3 * * *", "Europe/London", "skip"),
    )


@pytest.mark.parametrize("chosen", CHOSEN)
def test_a_release_changes_no_version(chosen):
    """Runs that are under way go on, whatever options a later release adds."""
    assert VERSIONS[chosen] == workflow(CHOSEN[chosen]).version
