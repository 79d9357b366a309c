"""A job of Cloud Scheduler that publishes a task's message, or calls for a tick."""

import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from google.api_core.exceptions import NotFound
from google.cloud.scheduler_v1 import (
    HttpMethod,
    HttpTarget,
    Job,
    OidcToken,
    PubsubTarget,
    RetryConfig,
    UpdateJobRequest,
)
from google.protobuf.field_mask_pb2 import FieldMask

from rotulus.pubsub.clients import GoogleClients
from rotulus.pubsub.protobuf import length_of, seconds_of
from rotulus.pubsub.provision.resource import CALL, ONCE, ForeignResourceError, found, short

DUTIES = "Rotulus: does the duties of {} where no worker runs."
"""The description of the tick's job, which names the owner: it has no topic to tell it."""

_OF_DUTIES = re.compile(re.escape(DUTIES).replace(r"\{\}", "(.+)"))
_PARTS = {
    "schedule": "schedule",
    "timezone": "time_zone",
    "description": "description",
    "topic": "pubsub_target",
    "payload": "pubsub_target",
    "attributes": "pubsub_target",
    "url": "http_target",
    "audience": "http_target",
    "service_account": "http_target",
    "retries": "retry_config",
    "min_backoff": "retry_config",
    "max_backoff": "retry_config",
    "attempt_deadline": "attempt_deadline",
}
"""The field of Google's message that each of ours is part of."""


@dataclass(frozen=True)
class SchedulerJobResource:
    """A job of Cloud Scheduler. A paused job stays paused.

    Args:
        clients: Google's.
        name: its full name.
        fields: its schedule, its retries, and either `topic` or `url` with the fields of each.
        owner: its environment and namespace, such as `prod--shop`.
    """

    clients: GoogleClients = field(repr=False)
    name: str
    fields: Mapping[str, Any]
    owner: str
    kind: str = "scheduler job"
    fixed: Collection[str] = ()

    def read(self) -> Mapping[str, Any] | None:
        """Returns its current fields; None: there is no such job. Raises `ForeignResourceError`."""
        known = found(self.clients, self.clients.scheduler.get_job, name=self.name)
        if known is None:
            return None
        self._check_owner(known)
        return _fields(known)

    def create(self) -> None:
        """Create the job."""
        parent = self.name.partition("/jobs/")[0]
        self.clients.scheduler.create_job(parent=parent, job=self._message(), **ONCE)

    def update(self, names: Collection[str]) -> None:
        """Set these fields to the wanted values."""
        mask = FieldMask(paths=sorted({_PARTS[name] for name in names}))
        request = UpdateJobRequest(job=self._message(), update_mask=mask)
        self.clients.scheduler.update_job(request=request, **CALL)

    def delete(self) -> None:
        """Delete the job."""
        with suppress(NotFound):
            self.clients.scheduler.delete_job(name=self.name, **CALL)

    def _check_owner(self, known: Job) -> None:
        """Raise `ForeignResourceError` if the job belongs to another program."""
        topic = short(known.pubsub_target.topic_name)
        if topic.startswith(f"{self.owner}.tasks--"):
            return
        described = _OF_DUTIES.fullmatch(known.description)
        owner = topic.partition(".tasks--")[0] or (described[1] if described else self.owner)
        if owner != self.owner:
            raise ForeignResourceError(
                f"Scheduler job {short(self.name)!r} belongs to {owner!r}, not to {self.owner!r}: "
                f"names of scheduler jobs have hyphens for dots, so both would have this one; give "
                f"one of them another TASKS_NAMESPACE or TASKS_ENVIRONMENT"
            )

    def _message(self) -> Job:
        fields = self.fields
        made = Job(
            name=self.name,
            schedule=fields["schedule"],
            time_zone=fields["timezone"],
            description=fields["description"],
            retry_config=RetryConfig(
                retry_count=fields["retries"],
                min_backoff_duration=length_of(fields["min_backoff"]),
                max_backoff_duration=length_of(fields["max_backoff"]),
            ),
        )
        if "topic" in fields:
            made.pubsub_target = PubsubTarget(
                topic_name=fields["topic"],
                data=fields["payload"].encode(),
                attributes=fields["attributes"],
            )
        else:
            made.http_target = _call(fields)
            made.attempt_deadline = length_of(fields["attempt_deadline"])
        return made


def _call(fields: Mapping[str, Any]) -> HttpTarget:
    token = OidcToken(service_account_email=fields["service_account"], audience=fields["audience"])
    return HttpTarget(uri=fields["url"], http_method=HttpMethod.POST, oidc_token=token)


def _fields(known: Job) -> dict[str, Any]:
    target, call, retry = known.pubsub_target, known.http_target, known.retry_config
    return {
        "schedule": known.schedule,
        "timezone": known.time_zone,
        "description": known.description,
        "topic": target.topic_name or None,
        "payload": target.data.decode(errors="replace") or None,
        "attributes": dict(target.attributes),
        "url": call.uri or None,
        "audience": call.oidc_token.audience or None,
        "service_account": call.oidc_token.service_account_email or None,
        "retries": retry.retry_count,
        "min_backoff": seconds_of(retry, "min_backoff_duration"),
        "max_backoff": seconds_of(retry, "max_backoff_duration"),
        "attempt_deadline": seconds_of(known, "attempt_deadline"),
    }
