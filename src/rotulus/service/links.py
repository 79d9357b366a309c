"""The links of the OpenAPI document: which operations go on with what an answer has told."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

_JOB = (
    "get_job",
    "get_job_result",
    "edit_job",
    "reprioritise_job",
    "cancel_job",
    "retry_job",
    "delete_job",
)


class Link(NamedTuple):
    """What an answer gives to further operations.

    Attributes:
        status: the status of the answer.
        parameter: the parameter of their paths.
        member: the member of the answer that is its value.
        targets: the ids of the operations.
    """

    status: str
    parameter: str
    member: str
    targets: tuple[str, ...]


_SCHEDULE = Link(
    "201",
    "name",
    "name",
    (
        "get_schedule",
        "set_schedule",
        "get_instants",
        "pause_schedule",
        "resume_schedule",
        "run_schedule",
        "backfill_schedule",
        "remove_schedule",
    ),
)
_WEBHOOK = Link(
    "201",
    "name",
    "name",
    (
        "get_webhook",
        "set_webhook",
        "pause_webhook",
        "resume_webhook",
        "rotate_webhook",
        "test_webhook",
        "remove_webhook",
    ),
)
_GROUP = Link("200", "name", "name", ("get_group", "add_to_group", "close_group"))
_RUN = ("get_run", "list_run_steps", "get_run_graph", "get_run_timeline", "cancel_run", "retry_run")

LINKS: Mapping[str, Link] = {
    "get_job": Link("200", "job_id", "id", _JOB[1:]),
    "get_run": Link("200", "run_id", "id", _RUN[1:]),
    "add_schedule": _SCHEDULE,
    "run_schedule": Link("202", "job_id", "id", _JOB),
    "open_group": _GROUP,
    "add_token": Link("201", "name", "name", ("get_token", "remove_token")),
    "add_webhook": _WEBHOOK,
    "test_webhook": Link("202", "delivery_id", "id", ("replay_delivery",)),
    "save_artifact": Link(
        "201",
        "artifact_id",
        "id",
        ("get_artifact", "get_artifact_metadata", "expand_artifact", "delete_artifact"),
    ),
}
"""The links of operations, by their ids."""

_ENQUEUED = Link("202", "job_id", "id", _JOB)
"""The link of each operation that stores a job of a task."""


def add_links(document: dict[str, Any]) -> None:
    """Add links to the answers of a document: to those operations that are in it."""
    ids = {operation["operationId"] for operation in _operations(document)}
    for operation in _operations(document):
        name: str = operation["operationId"]
        link = _ENQUEUED if name.startswith("enqueue_") else LINKS.get(name)
        answer = None if link is None else operation["responses"].get(link.status)
        if link is None or answer is None:
            continue
        value = {link.parameter: f"$response.body#/{link.member}"}
        answer["links"] = {
            target: {"operationId": target, "parameters": value}
            for target in link.targets
            if target in ids
        }


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for methods in document["paths"].values():
        yield from (one for one in methods.values() if "operationId" in one)
