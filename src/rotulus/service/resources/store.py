"""`/api/v1/store`: where the jobs live, how much room they take, and its migrations."""

from collections.abc import Sequence
from typing import Self

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from rotulus._concurrency.pool import off_loop
from rotulus.service.guard import ResourceRouter
from rotulus.service.state import app_of
from rotulus.store import Store, TableSize


class Table(BaseModel):
    """A table of the store."""

    name: str
    rows: int = Field(description="How many rows it has.")
    exact: bool = Field(
        description="Whether they were counted. Else a SQLite file has as many or more, and of "
        "PostgreSQL it is an estimate."
    )
    size: int | None = Field(
        description="Its bytes, with those of its indexes; null where nobody keeps account of them."
    )

    @classmethod
    def of(cls, table: TableSize) -> Self:
        """Returns the model of a table."""
        return cls.model_validate(table._asdict())


class Rights(BaseModel):
    """What the user of the store may do there."""

    user: str = Field(description="The name of the user.")
    owner: bool = Field(description="Whether the tables are the user's own, who may do everything.")
    missing: dict[str, list[str]] = Field(
        description="The rights that the user lacks, by what a role does: enqueue (`producer`), "
        "look (`viewer`), or work (`worker`)."
    )


class StoreInfo(BaseModel):
    """The store of the app."""

    url: str = Field(description="Where it is, without a password.")
    size: int = Field(description="How many bytes it takes.")
    tables: list[Table] = Field(description="Its tables, by name.")
    migrations: list[str] = Field(description="The migrations that made its tables, in order.")
    missing: list[str] = Field(
        description="The migrations of this version that it has not had, in order."
    )
    unfinished: list[str] = Field(
        description="What a migration has left to do, such as an index that is not built yet."
    )
    rights: Rights | None = Field(description="Null: a file has no users of its own.")


def make_store_router(
    prefix: str = "/api/v1/store", tags: Sequence[str] = ("System",)
) -> APIRouter:
    """Returns the route of the store.

    Args:
        prefix: its path.
        tags: the tags of the operation.
    """
    router = ResourceRouter("/api/v1/store", prefix, tags)
    router.get("", operation_id="get_store", summary="How large is it?")(get_store)
    return router


async def get_store(request: Request) -> StoreInfo:
    """Where the jobs live, how much room they take, and the migrations of the tables.

    It takes no longer however many jobs there are: nothing is counted beyond 10,000.
    """
    return await off_loop(lambda: _read(app_of(request).store))


def _read(store: Store) -> StoreInfo:
    found, rights = store.size(), store.rights()
    return StoreInfo(
        url=store.url,
        size=found.size,
        tables=[Table.of(table) for table in found.tables],
        migrations=found.migrations,
        missing=store.migrate(apply=False),
        unfinished=store.unfinished(),
        rights=rights and Rights.model_validate(rights._asdict()),
    )
