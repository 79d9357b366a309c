"""Pages of lists: the items, where the next page begins, and how far jobs were looked at."""

import base64
import binascii
import hashlib
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar, cast
from uuid import UUID

from rotulus._app.port import AppPort
from rotulus._app.resources.where import check_text
from rotulus._jobs.job import Job
from rotulus._jobs.record import moment
from rotulus._text.ids import is_id
from rotulus.errors import OptionError
from rotulus.store import NOTHING, Filter

T = TypeVar("T")

_CHECKSUM = 6
"""The bytes of the checksum: enough to notice a mistake, and that is its only purpose."""


class Page(list[T]):
    """What matches, the last one first: a list that knows how it goes on.

    Attributes:
        next: what to give as `after` for the next page; None: there is none.
    """

    def __init__(
        self,
        items: Iterable[T] = (),
        next: str | None = None,  # noqa: A002 - as it is called
    ) -> None:
        super().__init__(items)
        self.next = next


class JobPage(Page[Job[Any]]):
    """Jobs that match, the last added first: a list that knows how it goes on.

    Attributes:
        next: what to give as `after` for the next page; None: there is none.
        last: the id of the job that the next page begins after; None: there is none.
        looked_to: when the last job was added that was looked at, if the page is shorter than it
            might be because many jobs did not match: the next page looks at earlier ones. Else
            None.
    """

    def __init__(
        self,
        jobs: Iterable[Job[Any]] = (),
        next: str | None = None,  # noqa: A002 - as it is called
        last: str | None = None,
        looked_to: datetime | None = None,
    ) -> None:
        super().__init__(jobs, next)
        self.last = last
        self.looked_to = looked_to


def read_page(
    port: AppPort, meant: Filter, where: Mapping[str, Any], limit: int, after: str | None
) -> JobPage:
    """Returns a page of jobs.

    Args:
        port: where they are.
        meant: which jobs.
        where: the same as they were asked for, by name: the cursor is for these.
        limit: how many at most.
        after: the cursor of the page before, or the id of a job.

    Raises:
        OptionError: it is no cursor, or that of other filters.
    """
    store = port.store()
    found = store.search(meant, limit + 1, read_cursor(after, where)) if limit else NOTHING
    jobs = [Job(record, port) for record in store.records(found.ids[:limit])]
    last = found.ids[limit - 1] if len(found.ids) > limit else found.after
    looked_to = None if found.looked_to is None else moment(found.looked_to)
    cursor = None if last is None else write_cursor(last, where)
    return JobPage(jobs, cursor, last, looked_to)


def write_cursor(after: str, where: Mapping[str, Any]) -> str:
    """Returns the cursor of the page after a job.

    Args:
        after: the id of the job.
        where: the filters, by name.
    """
    place = UUID(after).bytes
    return base64.urlsafe_b64encode(_checksum(place, where) + place).rstrip(b"=").decode()


def read_cursor(cursor: str | None, where: Mapping[str, Any]) -> str | None:
    """Returns the id of the job that a page begins after.

    Args:
        cursor: the cursor; or the id of a job, which goes with any filter.
        where: the filters, by name.

    Raises:
        OptionError: it is no cursor, or that of other filters.
    """
    if cursor is None or is_id(check_text("after", cursor)):
        return cursor
    try:
        place = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))[_CHECKSUM:]
        after = str(UUID(bytes=place))
    except (ValueError, binascii.Error):
        after = None
    # Written again, because only one spelling is accepted.
    if after is None or write_cursor(after, where) != cursor:
        raise OptionError(
            "after= is not allowed: it is no cursor of these filters. Give page.next as it is, "
            "with the filters of that page, or the id of a job"
        )
    return after


def _checksum(place: bytes, where: Mapping[str, Any]) -> bytes:
    of = repr(sorted((name, _plain(value)) for name, value in where.items() if value is not None))
    return hashlib.sha256(place + of.encode(errors="replace")).digest()[:_CHECKSUM]


def _plain(value: object) -> str:
    """A filter as text, the same for all spellings of it that are equal."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Mapping):
        return repr(sorted(map(repr, cast("Mapping[Any, Any]", value).items())))
    if isinstance(value, list | tuple | set | frozenset):
        return " ".join(sorted(map(str, cast("Collection[Any]", value))))
    return repr(value)
