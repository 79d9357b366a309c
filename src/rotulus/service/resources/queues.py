"""`/api/v1/queues` and `/api/v1/demand`: what waits and runs, what is paused, and who is wanted."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Self

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from rotulus import Demand as DemandInfo
from rotulus import QueueInfo, State
from rotulus.service.guard import ResourceRouter, shared_route
from rotulus.service.state import app_of

QueueName = Annotated[str, Path(description="The name of a queue.")]


class Counted(BaseModel):
    """How many jobs there are."""

    count: int
    exact: bool = Field(description="Whether there are no more: 10,000 are counted.")


class Queue(BaseModel):
    """A queue as it stands."""

    name: str
    paused_at: datetime | None = Field(description="Since when it is paused.")
    age: float | None = Field(
        description="For how many seconds the job has been due that waits longest."
    )
    jobs: dict[State, Counted] = Field(
        description="How many jobs have not ended, in each state that any of them has."
    )

    @classmethod
    def of(cls, queue: QueueInfo) -> Self:
        """Returns the model of a queue."""
        return cls.model_validate(queue.to_dict())


class Queues(BaseModel):
    """The queues in which jobs wait or run, or that are paused, by name."""

    items: list[Queue]


class Demand(BaseModel):
    """How much work some queues have, for whoever starts and stops workers."""

    queues: list[str] | None = Field(description="Null: all but the private ones.")
    waiting: int = Field(description="Jobs that are due and wait, counted to 10,000.")
    soon: int = Field(description="Jobs that will be due within a minute.")
    oldest_seconds: float = Field(
        description="For how long the job has been due that waits longest; 0 if none waits."
    )
    running: int = Field(description="Jobs that run.")
    firing: int = Field(
        description="Schedules with an instant within a minute, or one that was not fired."
    )
    workers: int = Field(description="Workers that serve one of these queues.")
    slots: int = Field(description="Their slots together.")
    wanted_workers: int = Field(
        description="How many workers with as many slots all of that work would keep busy; 0 if "
        "nothing is due within a minute, runs, or is to be fired."
    )

    @classmethod
    def of(cls, demand: DemandInfo) -> Self:
        """Returns the model of a demand."""
        return cls.model_validate(demand.to_dict())


class _Workers(BaseModel):
    """The size of a worker, as a query gives it."""

    model_config = ConfigDict(extra="forbid")

    slots: int | None = Field(
        None,
        ge=1,
        le=10_000,
        description="The slots of one worker; as many as the live ones have on average unless "
        "given, and 10 where there is none.",
    )


class _DemandQuery(_Workers):
    queue: list[str] = Field(
        [], description="The queue, or several, as workers serve them; all public ones unless given"
    )


def make_queues_router(
    prefix: str = "/api/v1/queues", tags: Sequence[str] = ("Queues",)
) -> APIRouter:
    """Returns the routes of queues: list, get, pause, resume, and their demand for workers.

    Args:
        prefix: the beginning of the paths.
        tags: the tags of the operations.
    """
    router = ResourceRouter("/api/v1/queues", prefix, tags, route_class=shared_route(3))
    one = "/{queue}"
    router.get("", operation_id="list_queues", summary="List queues")(list_queues)
    router.get(one, operation_id="get_queue", summary="Get a queue")(get_queue)
    router.get(f"{one}/$demand", operation_id="get_queue_demand", summary="Who is wanted?")(
        get_queue_demand
    )
    router.post(f"{one}/$pause", operation_id="pause_queue", summary="Pause a queue")(pause_queue)
    router.post(f"{one}/$resume", operation_id="resume_queue", summary="Resume a queue")(
        resume_queue
    )
    return router


def make_demand_router(
    prefix: str = "/api/v1/demand", tags: Sequence[str] = ("Queues",)
) -> APIRouter:
    """Returns the route of the demand of several queues together, which autoscalers read.

    Args:
        prefix: its path.
        tags: the tags of the operation.
    """
    router = ResourceRouter("/api/v1/demand", prefix, tags)
    router.get("", operation_id="get_demand", summary="How many workers are wanted?")(get_demand)
    return router


async def list_queues(request: Request) -> Queues:
    """The queues in which jobs wait or run, or that are paused, by name."""
    found = await app_of(request).queues.alist()
    return Queues(items=[Queue.of(queue) for queue in found])


async def get_queue(request: Request, queue: QueueName) -> Queue:
    """A queue. It has no jobs where none waits or runs: a queue is a name, and need not be made."""
    return Queue.of(await app_of(request).queues.aget(queue))


async def pause_queue(request: Request, queue: QueueName) -> Queue:
    """Let no worker take jobs of a queue until it is resumed. Those that run go on."""
    queues = app_of(request).queues
    await queues.apause(queue)
    return Queue.of(await queues.aget(queue))


async def resume_queue(request: Request, queue: QueueName) -> Queue:
    """Let workers take jobs of a queue again."""
    queues = app_of(request).queues
    await queues.aresume(queue)
    return Queue.of(await queues.aget(queue))


async def get_queue_demand(
    request: Request, queue: QueueName, query: Annotated[_Workers, Query()]
) -> Demand:
    """How much work a queue has, and how many workers that work asks for."""
    return Demand.of(await app_of(request).queues.ademand(queue, slots=query.slots))


async def get_demand(request: Request, query: Annotated[_DemandQuery, Query()]) -> Demand:
    """How much work some queues have together, and how many workers that work asks for.

    It takes no longer however many jobs there are. `wanted_workers` is what an autoscaler needs: it
    is 0 when nothing is due within a minute, so workers can be scaled to none.
    """
    return Demand.of(await app_of(request).queues.ademand(*query.queue, slots=query.slots))
