"""The resources of pushes, and what was delivered, as the API shows them."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from rotulus import PushChange as AppChange
from rotulus import PushPlan as AppPlan
from rotulus import PushWanted as AppWanted
from rotulus._app.resources.push import LONGEST_PATIENCE, PATIENCE, PushProcess
from rotulus._tasks.masking import MASK
from rotulus.events import PushAnswered
from rotulus.service.resources.views import View

_PLACES = frozenset({"push_endpoint", "url", "audience"})
"""Fields that are addresses: there may be a secret in one, but for its host and its path."""

_FREE = frozenset({"payload", "attributes"})
"""Fields whose values are anything: there they may be of somebody else."""


class PushPlace(BaseModel):
    """Where the resources are."""

    project: str | None = Field(description="The project; null: the settings do not name one.")
    owner: str = Field(description="The beginning of all names: `prod--shop`.")
    emulator: str | None = Field(description="The emulator; null: it is Google itself.")
    scheduler: bool = Field(description="Whether there is a Cloud Scheduler.")


class MissingSetting(BaseModel):
    """A setting without which nothing can be provisioned."""

    variable: str
    says: str = Field(description="Its meaning.")
    example: str


class PushProblem(BaseModel):
    """Why a resource, or all of a route, cannot be provisioned, or looked at."""

    route: str | None = Field(description="The path of the task; null: it is about all of them.")
    name: str = Field(description="The resource, or the path of the task.")
    text: str = Field(description="The reason.")


class PushResource(BaseModel):
    """A resource that the routes want."""

    kind: Literal["topic", "subscription", "scheduler job"]
    name: str = Field(description="Its name, without the project.")
    route: str | None = Field(description="The path of its task; null: it is for all of them.")
    task: str | None = Field(description="The registered name of the task.")
    fields: dict[str, Any] = Field(description="All fields that are set.")


class PushWanted(BaseModel):
    """The resources that the routes want. Google was not asked."""

    carried: bool = Field(description="Whether the app has routes at all.")
    place: PushPlace | None = Field(description="Where they are to be; null: that is not known.")
    missing: list[MissingSetting] = Field(description="Settings that have no value.")
    resources: list[PushResource]
    problems: list[PushProblem] = Field(description="Routes that cannot be provisioned.")
    notes: list[str] = Field(description="What of the routes Google does not have.")

    @classmethod
    def of(cls, wanted: AppWanted, view: View) -> Self:
        """Returns the model of what is wanted, as the sender of a request may see it."""
        shown = wanted.to_dict()
        for resource in shown["resources"]:
            resource["fields"] = view.data(resource["fields"])
        return cls.model_validate(shown)


class PushDifference(BaseModel):
    """A field that differs."""

    field: str
    before: Any = Field(description="What it is there; null: it has no value.")
    after: Any = Field(description="What it is to be.")


class PushChange(BaseModel):
    """What `rotulus gcp apply` would do to one resource."""

    action: Literal["create", "update", "replace", "delete", "unchanged"]
    kind: Literal["topic", "subscription", "scheduler job"]
    name: str = Field(description="Its name, without the project.")
    route: str | None = Field(description="The path of its task; null: it is for all, or for none.")
    differences: list[PushDifference]


class PushPlan(BaseModel):
    """How what is at Google differs from what the routes want. Nothing was changed."""

    place: PushPlace
    changes: list[PushChange] = Field(description="Also those where there is nothing to do.")
    problems: list[PushProblem] = Field(description="What could not be looked at, and why.")
    notes: list[str] = Field(description="What of the routes Google does not have.")

    @classmethod
    def of(cls, plan: AppPlan, view: View) -> Self:
        """Returns the model of a plan, as the sender of a request may see it."""
        shown = plan.to_dict()
        shown["changes"] = [_change(change, view) for change in plan.changes]
        return cls.model_validate(shown)


class PushPatience(BaseModel):
    """How long Google is waited for."""

    model_config = ConfigDict(extra="forbid", strict=True)

    patience: float = Field(
        PATIENCE,
        gt=0,
        le=LONGEST_PATIENCE,
        description="Seconds; what was not looked at then is a problem of the plan.",
    )


class PushDelivery(BaseModel):
    """A push, or a tick, that was answered. Nothing but the ids of its message is kept."""

    at: datetime = Field(description="When it came.")
    seconds: float = Field(description="How long the answer took.")
    kind: Literal["push", "tick"]
    verdict: Literal["verified", "local", "refused"] = Field(
        description="How its sender was known: by its token; as this machine; or not at all."
    )
    refusal: str | None = Field(description="Why it was refused.")
    status: int | None = Field(description="The HTTP status of the answer; null: an error.")
    answer: str = Field(description="The text of the answer.")
    message_id: str | None = Field(description="The id that Pub/Sub gave its message.")
    subscription: str | None = Field(description="Where it came from.")
    task: str | None
    job_id: str | None

    @classmethod
    def of(cls, push: PushAnswered) -> Self:
        """Returns the model of a push that was answered."""
        return cls.model_validate(push.data())


class PushDeliveries(BaseModel):
    """The last deliveries of one process, the last one first. Other processes keep their own."""

    host: str = Field(description="The machine of the process.")
    pid: int = Field(description="Its number there.")
    since: datetime = Field(description="From when on its deliveries are kept.")
    items: list[PushDelivery]

    @classmethod
    def of(cls, process: PushProcess, pushes: list[PushAnswered]) -> Self:
        """Returns the model of the deliveries of a process."""
        items = [PushDelivery.of(push) for push in pushes]
        return cls(host=process.host, pid=process.pid, since=process.since, items=items)


def _change(change: AppChange, view: View) -> dict[str, Any]:
    differences = [
        {"field": field, "before": _there(field, before, view), "after": _data(field, after, view)}
        for field, before, after in change.differences
    ]
    return {
        "action": change.action,
        "kind": change.kind,
        "name": change.name,
        "route": change.route,
        "differences": differences,
    }


def _data(field: str, value: Any, view: View) -> Any:
    shown: Mapping[str, Any] = view.data({field: value})
    return shown[field]


def _masked_address(text: str) -> str:
    """An address without the values in it that may be secret."""
    whole = re.fullmatch(r"(.*?//)?([^/?#]*@)?([^?#]*)(\?[^#]*)?(#.*)?", text, re.DOTALL)
    scheme, user, place, query, fragment = whole.groups("") if whole else ("", "", MASK, "", "")
    shown = f"{scheme}{MASK}@" if user else scheme
    return f"{shown}{place}{f'?{MASK}' if query else ''}{f'#{MASK}' if fragment else ''}"


def _there(field: str, value: Any, view: View) -> Any:
    """Returns the value of a field at Google, where anybody may have set it."""
    if view.whole or value is None:
        return value
    if field in _FREE:
        return MASK if value else value
    if field in _PLACES:
        return _masked_address(str(value))
    return _data(field, value, view)
