"""A service with everything that there is: tasks with rich types, jobs, artifacts, and a page."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from rotulus import App, JobOutcome, TaskRegistry
from rotulus.service import Database, JobScheduler, service_of


class Colour(Enum):
    """A choice."""

    RED = "red"
    BLUE = "blue"


class Cat(BaseModel):
    """One kind of animal."""

    kind: Literal["cat"]
    lives: int = 9


class Dog(BaseModel):
    """Another one."""

    kind: Literal["dog"]
    tricks: list[str] = []


class Order(BaseModel):
    """Something with a schema of its own."""

    number: Annotated[int, Field(ge=1, le=10_000)]
    lines: dict[str, float]
    pet: Annotated[Cat | Dog, Field(discriminator="kind")]
    parts: "list[Order]" = []


@dataclass(frozen=True)
class Point:
    """A place."""

    x: float
    y: float = 0.0


class Unfit(Exception):
    """What a task raises."""


async def none() -> None:
    """Nothing at all."""


async def add(a: int, b: int = 1) -> int:
    """Add two numbers."""
    return a + b


def order(order: Order, colour: Colour = Colour.RED, places: list[Point] | None = None) -> Order:
    """Give back what was ordered; a plain function."""
    assert isinstance(colour, Colour)
    assert places is None or all(isinstance(place, Point) for place in places)
    return order


async def moment(at: datetime, day: date, length: timedelta, of: UUID) -> dict[str, str]:
    """Say when something was."""
    return {"at": at.isoformat(), "day": str(day), "length": str(length), "of": str(of)}


async def anything(value: dict[str, list[int | str | None]] | tuple[int, str] | float) -> str:
    """Say of what type a value is."""
    return type(value).__name__


async def fail(text: str = "no such file", code: int = 1) -> None:
    """Raise an error."""
    raise Unfit(text, code)


async def odd() -> object:
    """Return what JSON cannot hold."""
    return object()


async def count(session: AsyncSession, database: Database, above: int = 0) -> int:
    """Count artifacts in the database."""
    assert database.url
    number = await session.scalar(text("SELECT count(*) FROM rotulus_artifacts"))
    return max(number - above, 0)


async def spawn(scheduler: JobScheduler, note: str = "spawned") -> str:
    """Spawn a job that waits for nothing."""
    return await scheduler.spawn(none(), description=note)


async def report(outcomes: list[JobOutcome]) -> int:
    """Count the jobs of a group."""
    return len(outcomes)


TASKS = (none, add, order, moment, anything, fail, odd, count, spawn, report)

NAMES = [task.__name__ for task in TASKS]
"""What they are called."""


def registry_of_tasks():
    """A registry with the tasks, of a test's own."""
    registry = TaskRegistry()
    for function in TASKS:
        registry.register_function(function.__name__, function)
    return registry


def rich_app(url):
    """An app with the tasks at a URL, whose tables are there."""
    app = App(url, registry=registry_of_tasks())
    app.store.migrate()
    return app


def rich_service(app, *, worker=False):
    """A service of it with everything."""
    return service_of(app, worker=worker)
