"""`/api/v1/workers`: the workers that are alive, what each of them runs, and how one is drained."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, Field

from rotulus._app.resources import Workers as AppWorkers
from rotulus._concurrency.pool import off_loop
from rotulus.service.guard import ResourceRouter, shared_route
from rotulus.service.state import app_of
from rotulus.store import WorkerInfo

WorkerName = Annotated[
    str, Path(description="The name of a worker, or of a supervisor, for all of its processes.")
]


class Worker(BaseModel):
    """A worker that is alive."""

    name: str
    host: str = Field(description="The machine that it runs on.")
    pid: int = Field(description="Its process there.")
    queues: list[str] | None = Field(
        description="The queues that it serves; null: all but the private ones."
    )
    slots: int = Field(description="How many jobs it runs at once.")
    running: int = Field(description="How many it runs now.")
    started_at: datetime
    seen_at: datetime | None = Field(description="When it was heard of last.")
    tasks: list[str] | None = Field(description="The tasks that it knows; null: it does not tell.")
    draining_at: datetime | None = Field(
        description="When it was drained: it takes no more jobs, and ends."
    )
    version: str | None = Field(
        description="The version of the program that it runs; null: nobody has said."
    )
    rotulus: str | None = Field(description="The version of Rotulus; null: not told.")
    python: str | None = Field(description="The version of Python; null: not told.")
    memory: int | None = Field(
        description="The bytes that its process has resident; null: its system does not tell."
    )


class Workers(BaseModel):
    """The workers that are alive, the oldest first."""

    items: list[Worker]
    exact: bool = Field(description="Whether all running jobs were counted: 10,000 are.")


def make_workers_router(
    prefix: str = "/api/v1/workers", tags: Sequence[str] = ("Workers",)
) -> APIRouter:
    """Returns the routes of workers.

    Args:
        prefix: the beginning of the paths.
        tags: the tags of the operations.
    """
    router = ResourceRouter("/api/v1/workers", prefix, tags, route_class=shared_route(3))
    router.get("", operation_id="list_workers", summary="List workers")(list_workers)
    router.post("/{worker}/$drain", operation_id="drain_worker", summary="Drain a worker")(
        drain_worker
    )
    return router


async def list_workers(request: Request) -> Workers:
    """The workers that are alive, in every process and on every machine, the oldest first."""
    return await off_loop(_read, app_of(request).workers)


async def drain_worker(request: Request, worker: WorkerName) -> Workers:
    """Let a worker take no more jobs, finish those it has, and end; returns those that are drained.

    The worker is told when it renews its lease: within 10 seconds, unless it has another lease.
    """
    workers = app_of(request).workers
    return await off_loop(lambda: _shown(workers, workers.drain(worker)))


def _read(workers: AppWorkers) -> Workers:
    return _shown(workers, workers.list())


def _shown(workers: AppWorkers, found: Sequence[WorkerInfo]) -> Workers:
    running = workers.running()
    return Workers(
        items=[
            Worker(
                name=one.name,
                host=one.host,
                pid=one.pid,
                queues=None if one.queues is None else list(one.queues),
                slots=one.slots,
                running=running.get(one.name, 0),
                started_at=one.started_at,
                seen_at=one.seen_at,
                tasks=None if one.names is None else sorted(one.names),
                draining_at=one.draining_at,
                version=one.version,
                rotulus=one.rotulus,
                python=one.python,
                memory=one.memory,
            )
            for one in found
        ],
        exact=all(count.exact for count in running.values()),
    )
