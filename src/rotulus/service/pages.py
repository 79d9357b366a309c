"""Pages of lists: `{"items": [...], "next": cursor}`, each begun after the last item of another.

A cursor is the id of the last item with a checksum over that id and the filter of the list, so one
that was cut short, altered, or taken from a list with another filter is refused. It is not secret
and has no key: a cursor opens nothing that the request itself would not, as the id in it is only a
place in a list that the caller may read. So every process of a service reads the cursors of every
other, with nothing to configure.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, NamedTuple, TypeVar
from urllib.parse import urlencode

from fastapi import Query, Request, Response

from rotulus.service.problems import ProblemError

T = TypeVar("T")

DEFAULT_LIMIT = 50
LARGEST_LIMIT = 500

_CHECKSUM = 6
"""Bytes. Enough to notice a mistake, which is all that it is for."""

_LONGEST = 512

Limit = Annotated[int, Query(ge=1, le=LARGEST_LIMIT, description="How many items at most.")]
"""The type of a `limit` parameter of a route: `limit: Limit = DEFAULT_LIMIT`."""

After = Annotated[str | None, Query(description="The `next` of the page before.")]
"""The type of an `after` parameter of a route: `after: After = None`."""


class Page(NamedTuple):
    """Which page of a list is asked for.

    Attributes:
        limit: how many items it has at most.
        after: the id of the last item of the page before; None: the first page.
        where: the filter of the list, as JSON data.
    """

    limit: int
    after: str | None
    where: Mapping[str, Any]

    @property
    def wanted(self) -> int:
        """How many items to read: one more than are shown says whether there is a next page."""
        return self.limit + 1


def read_page(limit: int, after: str | None, where: Mapping[str, Any]) -> Page:
    """The page that a request asks for.

    Args:
        limit: how many items at most.
        after: the cursor, if one is given.
        where: the filter of the list, as JSON data: everything but `limit` and `after`.

    Raises:
        ProblemError: 422 `invalid_cursor`: the cursor is none of ours, or is of another filter.
    """
    return Page(limit, None if after is None else _read_cursor(after, where), where)


def show_page(
    request: Request,
    response: Response,
    page: Page,
    found: Sequence[T],
    id_of: Callable[[T], str],
    show: Callable[[T], Any],
) -> dict[str, Any]:
    """The JSON of a page; the answer gets a `Link` to the next one, if there is one.

    Args:
        request: what asked for it.
        response: whose headers the answer gets.
        page: which page it is.
        found: what was read: `page.wanted` items at most.
        id_of: the id of an item.
        show: the JSON of an item.
    """
    shown = found[: page.limit]
    cursor = None
    if len(found) > page.limit:
        cursor = write_cursor(id_of(shown[-1]), page.where)
        response.headers["Link"] = f'<{_reference(request, cursor)}>; rel="next"'
    return {"items": [show(item) for item in shown], "next": cursor}


def write_cursor(last: str, where: Mapping[str, Any]) -> str:
    """The cursor of the page after an item.

    Args:
        last: the id of the item.
        where: the filter of the list, as JSON data.
    """
    text = last.encode()
    return base64.urlsafe_b64encode(_checksum(text, where) + text).rstrip(b"=").decode()


def _read_cursor(cursor: str, where: Mapping[str, Any]) -> str:
    try:
        padded = cursor[:_LONGEST] + "=" * (-len(cursor) % 4)
        last = base64.urlsafe_b64decode(padded)[_CHECKSUM:].decode()
    except (ValueError, binascii.Error):
        last = ""
    # Written again: it is taken in one spelling only.
    if not last or write_cursor(last, where) != cursor:
        raise ProblemError(
            422,
            "invalid_cursor",
            "The cursor does not fit",
            "after: it is no cursor of this list, or the filters have changed since it was given.",
            hint="Give the `next` of a page as it is, with the same filters, or leave it out.",
        )
    return last


def _checksum(text: bytes, where: Mapping[str, Any]) -> bytes:
    of = json.dumps(where, sort_keys=True).encode()
    return hashlib.sha256(text + b"\0" + of).digest()[:_CHECKSUM]


def _reference(request: Request, cursor: str) -> str:
    """The same request for the next page, relative to it: right behind any proxy."""
    kept = [(name, v) for name, v in request.query_params.multi_items() if name != "after"]
    return f"?{urlencode([*kept, ('after', cursor)])}"
