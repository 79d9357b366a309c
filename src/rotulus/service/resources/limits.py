"""`/api/v1/limits`: who holds the keys of limits, how many wait, and terms that are set."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Self

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field

from rotulus import LimitInfo
from rotulus.service.guard import ResourceRouter, shared_route
from rotulus.service.state import app_of

_MOST_LIMITS, _MOST_HOLDERS = 100, 10
"""How many keys an answer has, and how many jobs of each."""

_MOST = 1_000_000

LimitKey = Annotated[str, Path(description="A key of limits, such as `tenant:7`.")]


class Limit(BaseModel):
    """A key of limits as it stands."""

    key: str = Field(description="Such as `tenant:7`; the name of the task unless it has another.")
    queues: list[str] = Field(description="The queues of its jobs, by name.")
    tasks: list[str] = Field(description="Their tasks, by name.")
    limit: int | None = Field(description="How many may run at once; null: any number.")
    rate: int | None = Field(description="How many may start within `per`; null: any number.")
    per: float | None = Field(description="The seconds of the rate.")
    holders: list[str] = Field(description="The ids of the jobs that run: the first ten.")
    running: int = Field(description="How many run.")
    waiting: int = Field(description="How many are due and wait.")
    code_limit: int | None = Field(
        description="The limit by the code; null: any number, or no job is there."
    )
    code_rate: int | None = Field(description="The rate by the code.")
    code_per: float | None = Field(description="The seconds of that rate.")
    set_at: datetime | None = Field(
        description="When other terms than those of the code were set; null: none are."
    )
    set_by: str | None = Field(description="Who has set them; null: nobody has said.")

    @classmethod
    def of(cls, limit: LimitInfo) -> Self:
        """Returns the model of a key."""
        told = {"running": len(limit.holders), "holders": limit.holders[:_MOST_HOLDERS]}
        return cls.model_validate(limit.to_dict() | told)


class Limits(BaseModel):
    """The keys of limits that jobs hold or wait for, the fullest first: a hundred at most.

    Keys whose terms are set are all there.
    """

    items: list[Limit]


class LimitTerms(BaseModel):
    """Terms that stand in place of those of the code. What is not given is as the code says."""

    model_config = ConfigDict(extra="forbid", strict=True)

    limit: int | None = Field(
        None, ge=0, le=_MOST, description="How many may run at once; 0: none starts."
    )
    rate: int | None = Field(
        None, ge=1, le=_MOST, description="How many may start within any `per` seconds."
    )
    per: float | None = Field(None, gt=0, description="The seconds of the rate; 1 unless given.")


def make_limits_router(
    prefix: str = "/api/v1/limits", tags: Sequence[str] = ("Limits",)
) -> APIRouter:
    """Returns the routes of limits: list, get, set and unset.

    Args:
        prefix: the beginning of the paths.
        tags: the tags of the operations.
    """
    router = ResourceRouter("/api/v1/limits", prefix, tags, route_class=shared_route(3))
    one = "/{key:path}"  # a key may have slashes
    router.get("", operation_id="list_limits", summary="Who holds which limit?")(list_limits)
    router.get(one, operation_id="get_limit", summary="Get a key")(get_limit)
    router.put(one, operation_id="set_limit", summary="Set its terms")(set_limit)
    router.delete(one, operation_id="unset_limit", summary="Have the code's hold")(unset_limit)
    return router


async def list_limits(request: Request) -> Limits:
    """The keys of limits and rates that jobs hold or wait for, the fullest first."""
    found = await app_of(request).limits.alist()
    shown = [one for place, one in enumerate(found) if place < _MOST_LIMITS or one.is_set]
    return Limits(items=[Limit.of(one) for one in shown])


async def get_limit(request: Request, key: LimitKey) -> Limit:
    """A key as it stands. It has no jobs where none runs or waits."""
    return Limit.of(await app_of(request).limits.aget(key))


async def set_limit(request: Request, key: LimitKey, body: LimitTerms) -> Limit:
    """Set the terms of a key, in place of those of the code, and of all that were set before.

    They hold from the next claim on, for jobs that wait and for those that are added later, in all
    workers. Jobs that run go on, and count.
    """
    limits = app_of(request).limits
    return Limit.of(await limits.aset(key, limit=body.limit, rate=body.rate, per=body.per))


async def unset_limit(request: Request, key: LimitKey) -> Limit:
    """Have the terms of the code hold again for a key; the answer is the key as it stands."""
    return Limit.of(await app_of(request).limits.aunset(key))
