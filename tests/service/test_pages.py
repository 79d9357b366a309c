"""Pages of lists: each item once, whatever the size of a page, and cursors of our own only."""

import base64
from urllib.parse import parse_qsl

import pytest
from fastapi import FastAPI, Request, Response
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from rotulus.service import ProblemError
from rotulus.service.pages import (
    DEFAULT_LIMIT,
    After,
    Limit,
    read_page,
    show_page,
    write_cursor,
)
from rotulus.service.problems import ProblemRoute

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
filters = st.dictionaries(texts, st.one_of(texts, st.none(), st.lists(texts)), max_size=3)


def service(items):
    """An application with one list of these texts, in descending order, with a filter."""
    app = FastAPI()
    app.router.route_class = ProblemRoute

    @app.get("/items")
    def find(
        request: Request,
        response: Response,
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
        begins: str = "",
    ):
        page = read_page(limit, after, {"begins": begins})
        fit = [i for i in sorted(items, reverse=True) if i.startswith(begins)]
        left = [i for i in fit if page.after is None or i < page.after]
        return show_page(request, response, page, left[: page.read_limit], str, str.upper)

    return TestClient(app)


@given(st.sets(texts, max_size=12), st.integers(1, 5))
def test_the_pages_of_a_list_are_the_list(items, limit):
    """Followed by their cursors, each item comes once and in order."""
    client, seen, after = service(items), [], None
    while True:
        params = {"limit": limit} | ({"after": after} if after else {})
        page = client.get("/items", params=params).json()
        assert len(page["items"]) <= limit
        seen += page["items"]
        after = page["next"]
        if after is None:
            break

    assert [i.upper() for i in sorted(items, reverse=True)] == seen


def test_the_link_is_the_same_request_for_the_next_page():
    """Relative to the request, so it is right behind a proxy; the last page has none."""
    client = service({"a1", "a2", "a3", "b"})
    first = client.get("/items?begins=a&limit=2")
    link = first.headers["Link"]

    assert link.startswith("<?") and link.endswith('>; rel="next"')
    assert [("begins", "a"), ("limit", "2"), ("after", first.json()["next"])] == parse_qsl(
        link[2:].partition(">")[0]
    )
    last = client.get("/items" + link[1:].partition(">")[0])
    assert (["A1"], None, False) == (
        last.json()["items"],
        last.json()["next"],
        "Link" in last.headers,
    )


@pytest.mark.parametrize("limit", ["0", "501", "-1", "x", "1e3"])
def test_a_limit_is_a_number_from_1_to_500(limit):
    """Anything else is refused; unless it is given, a page has fifty."""
    client = service({str(n) for n in range(600)})

    assert 422 == client.get("/items", params={"limit": limit}).status_code
    assert 50 == len(client.get("/items").json()["items"])
    assert 500 == len(client.get("/items?limit=500").json()["items"])


@given(texts, filters, st.integers(0, 60), st.integers(1, 255))
def test_an_altered_cursor_is_refused(last, where, place, change):
    """Also one that was cut short, or whose spelling alone is another."""
    cursor = write_cursor(last, where)
    assert last == read_page(1, cursor, where).after

    raw = bytearray(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    raw[place % len(raw)] ^= change
    altered = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    for wrong in (
        altered,
        cursor[:-1],
        cursor + "A",
        cursor + "=",
        " " + cursor,
        "",
        "ü",
        "A" * 9999,
    ):
        with pytest.raises(ProblemError) as caught:
            read_page(1, wrong, where)
        assert (422, "invalid_cursor") == (caught.value.status, caught.value.code)


@given(texts, filters, filters)
def test_a_cursor_is_for_its_own_filter(last, where, other):
    """In any order of its parts; every process reads it, as it has no key."""
    cursor = write_cursor(last, where)

    assert last == read_page(1, cursor, dict(reversed(where.items()))).after
    if where != other:
        with pytest.raises(ProblemError):
            read_page(1, cursor, other)
