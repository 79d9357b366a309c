"""Rotulus on a SQLite file, served by a router whose executor is a dependency of one's own."""

from typing import Annotated

import ours
import served
import sqlite_rotulus_service
from fastapi import Depends

from rotulus.service import (
    Database,
    ServiceBuilder,
    ServiceInfo,
    TaskExecutor,
    TaskRouter,
    get_database,
)


async def executor(database: Annotated[Database, Depends(get_database)]) -> TaskExecutor:
    """Returns the executor of a request."""
    return TaskExecutor(database, registry=ours.registry)


class RotulusRouter(sqlite_rotulus_service.RotulusService):
    """The same tasks, with the executor that the application makes."""

    def build(self):
        tasks = TaskRouter.create(served.PREFIX, executor_factory=executor, registry=ours.registry)
        builder = ServiceBuilder(info=ServiceInfo(display_name="Bench"), app=ours.app)
        return builder.include_router(tasks.router).build()


CONTENDER = RotulusRouter()
