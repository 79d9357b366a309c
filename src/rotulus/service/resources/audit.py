"""`/api/v1/audit`: each verb, its actor, and how many it changed. For admins."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Self

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from rotulus import AuditEntry
from rotulus.errors import OptionError
from rotulus.filters import read_when
from rotulus.service.guard import ResourceRouter
from rotulus.service.pages import DEFAULT_LIMIT, LARGEST_LIMIT, read_page, show_items
from rotulus.service.resources.documented import answers
from rotulus.service.state import app_of


class Entry(BaseModel):
    """What somebody has done, or has begun to do."""

    id: str
    at: datetime = Field(description="When it began.")
    actor: str
    door: str = Field(description="`python`, `cli`, `http`, `mcp` or `django`.")
    role: str | None = Field(description="The role of the actor there.")
    verb: str = Field(description="The verb with its noun, such as `jobs.cancel`.")
    target: str | None = Field(description="The id or the name, if it was one thing.")
    detail: dict[str, Any] = Field(description="Ids, filters and options; no values of arguments.")
    count: int | None = Field(description="To how many it was done; null while nobody knows.")
    error: str | None = Field(description="The error that it ended with.")
    ended_at: datetime | None = Field(description="Null: it goes on, or its process has died.")

    @classmethod
    def of(cls, entry: AuditEntry) -> Self:
        """Returns the model of an entry."""
        return cls.model_validate(entry.to_dict())


class EntryPage(BaseModel):
    """A page of entries, the last one first."""

    items: list[Entry]
    next: str | None = Field(description="The `after` of the next page; null on the last one.")


class _Wanted(BaseModel):
    """Which entries are wanted."""

    model_config = ConfigDict(extra="forbid")

    since: str | None = Field(
        None, description="Since when: 90, 15min, 2h or 7d ago, or a moment: 2026-11-20T09:30Z."
    )
    actor: str | None = Field(None, description="Only what this actor has done.")
    verb: str | None = Field(None, description="Only `jobs.cancel`; `jobs.*`: all of a noun.")
    limit: int = Field(
        DEFAULT_LIMIT, ge=1, le=LARGEST_LIMIT, description="The most items of a page."
    )
    after: str | None = Field(None, description="The `next` of the page before.")


def make_audit_router(prefix: str = "/api/v1/audit", tags: Sequence[str] = ("Audit",)) -> APIRouter:
    """Returns the route of the audit.

    Args:
        prefix: its path.
        tags: the tags of the operation.
    """
    router = ResourceRouter("/api/v1/audit", prefix, tags)
    page = answers(EntryPage, "A page.")
    router.get("", operation_id="list_audit", summary="Who has done what", responses=page)(
        list_audit
    )
    return router


async def list_audit(
    request: Request, response: Response, wanted: Annotated[_Wanted, Query()]
) -> EntryPage:
    """The verbs by which something was steered at any door, the last one first.

    An entry is written before a verb begins, and completed when it has ended.
    """
    where = wanted.model_dump(include={"since", "actor", "verb"}, exclude_none=True)
    page = read_page(wanted.limit, wanted.after, where)
    found = await app_of(request).audit.afind(
        since=None if wanted.since is None else _when(wanted.since),
        actor=wanted.actor,
        verb=wanted.verb,
        limit=page.limit,
        after=page.after,
    )
    items = [Entry.of(entry) for entry in found]
    return EntryPage.model_validate(show_items(request, response, page, items, found.next))


def _when(text: str) -> Any:
    """A moment, or how many seconds ago it was. Raises `OptionError`."""
    try:
        return read_when(text)
    except OptionError as error:
        raise OptionError(f"since: {error}") from None
