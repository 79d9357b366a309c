"""Pages of lists: `{"items": [...], "next": cursor}`. A page begins after the last item of another.

A cursor is the id of the last item with a checksum over that id and the filter of the list. A
cursor that was cut short, altered, or taken from a list with another filter is refused. It is not
secret and has no key: the id in it is only a place in a list that the caller may read anyway. So
every process of a service reads the cursors of every other, without configuration.
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
"""The bytes of the checksum: enough to notice a mistake, and that is its only purpose."""

_LONGEST = 512

Limit = Annotated[int, Query(ge=1, le=LARGEST_LIMIT, description="The most items of a page.")]
"""The type of a `limit` parameter of a route: `limit: Limit = DEFAULT_LIMIT`."""

After = Annotated[str | None, Query(description="The `next` of the page before.")]
"""The type of an `after` parameter of a route: `after: After = None`."""


class Page(NamedTuple):
    """The page of a list that a request asks for.

    Attributes:
        limit: the most items of the page.
        after: the id of the last item of the page before; None: the first page.
        where: the filter of the list, as JSON data.
    """

    limit: int
    after: str | None
    where: Mapping[str, Any]

    @property
    def read_limit(self) -> int:
        """The number of items to read: one more than shown, to see whether there is a next page."""
        return self.limit + 1


def read_page(limit: int, after: str | None, where: Mapping[str, Any]) -> Page:
    """Returns the page that a request asks for.

    Args:
        limit: the most items.
        after: the cursor, if one is given.
        where: the filter of the list, as JSON data: everything but `limit` and `after`.

    Raises:
        ProblemError: 422 `invalid_cursor`: the cursor is not ours, or belongs to another filter.
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
    """Returns the JSON of a page; the answer gets a `Link` to the next page, if there is one.

    Args:
        request: the request.
        response: the response that carries the headers.
        page: the page.
        found: the items that were read: `page.read_limit` at most.
        id_of: returns the id of an item.
        show: returns the JSON of an item.
    """
    shown = found[: page.limit]
    last = id_of(shown[-1]) if len(found) > page.limit else None
    return show_items(request, response, page, [show(item) for item in shown], last)


def show_items(
    request: Request, response: Response, page: Page, items: Sequence[Any], last: str | None
) -> dict[str, Any]:
    """Returns the JSON of a page, as `show_page` does, where the next one is known to begin.

    Args:
        request: the request.
        response: the response that carries the headers.
        page: the page.
        items: the JSON of its items.
        last: the id of the item that the next page begins after; None: there is none.
    """
    cursor = None
    if last is not None:
        cursor = write_cursor(last, page.where)
        response.headers["Link"] = f'<{_reference(request, cursor)}>; rel="next"'
    return {"items": list(items), "next": cursor}


def write_cursor(last: str, where: Mapping[str, Any]) -> str:
    """Returns the cursor of the page after an item.

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
    # Written again, because only one spelling is accepted.
    if not last or write_cursor(last, where) != cursor:
        raise ProblemError(
            422,
            "invalid_cursor",
            "The cursor does not fit",
            "after: this is no cursor of this list, or the filters have changed since.",
            hint="Give the `next` of a page as it is, with the same filters, or leave it out.",
        )
    return last


def _checksum(text: bytes, where: Mapping[str, Any]) -> bytes:
    of = json.dumps(where, sort_keys=True).encode()
    return hashlib.sha256(text + b"\0" + of).digest()[:_CHECKSUM]


def _reference(request: Request, cursor: str) -> str:
    """Returns the URL of the next page, relative to the request: right behind any proxy."""
    kept = [(name, v) for name, v in request.query_params.multi_items() if name != "after"]
    return f"?{urlencode([*kept, ('after', cursor)])}"
