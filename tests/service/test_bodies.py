"""A body is JSON of a bounded size and depth, or it is refused before anything trusts it."""

import asyncio
import json
import time

import pytest
from starlette.requests import Request

from rotulus.service import ProblemError
from rotulus.service.bodies import read_json

JSON = {"content-type": "application/json"}
MIB = 1024 * 1024


def request_of(*parts, headers=JSON):
    """A request whose body comes in these parts."""
    waiting = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    waiting.append({"type": "http.request", "body": b"", "more_body": False})

    async def receive():
        return waiting.pop(0)

    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    request = Request({"type": "http", "method": "POST", "headers": raw}, receive)
    request.scope["waiting"] = waiting
    return request


def read(*parts, headers=JSON, optional=False):
    """What is read of a body."""
    return asyncio.run(read_json(request_of(*parts, headers=headers), optional=optional))


def refusal(*parts, headers=JSON):
    """The problem that a body is."""
    with pytest.raises(ProblemError) as caught:
        read(*parts, headers=headers)
    return caught.value


@pytest.mark.parametrize("value", [{"a": [1, 2.5, None, True, "ü", {}]}, [], 0, "x", None, "🎉\0"])
def test_json_is_read(value):
    """Any value, in any number of parts, escaped or not."""
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False)):
        body = text.encode()
        assert read(body) == read(*(body[i : i + 1] for i in range(len(body)))) == value


@pytest.mark.parametrize(
    "kind",
    ["application/json", "Application/JSON; charset=UTF-8", 'application/json;charset="utf8"'],
)
def test_a_body_says_that_it_is_json(kind):
    """In any spelling that the standard allows."""
    assert {} == read(b"{}", headers={"content-type": kind})


@pytest.mark.parametrize(
    "kind",
    [None, "", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
    + ["text/json", "application/json; charset=latin-1", "application/jsonx", "*/*"],
)
def test_any_other_type_is_refused(kind):
    """Above all those that a browser sends to another site without asking it."""
    told = refusal(b"{}", headers={} if kind is None else {"content-type": kind})

    assert (415, "unsupported_media_type") == (told.status, told.code)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "identity, gzip"])
def test_a_compressed_body_is_refused(encoding):
    """A small one may be large inside."""
    told = refusal(b"{}", headers={**JSON, "content-encoding": encoding})

    assert (415, "unsupported_encoding", "identity") == (
        told.status,
        told.code,
        told.headers["Accept-Encoding"],
    )
    assert {} == read(b"{}", headers={**JSON, "content-encoding": "identity"})


@pytest.mark.parametrize("length", [str(MIB + 1), "9" * 5000])
def test_a_body_that_says_it_is_too_large_is_not_read(length):
    """Its first part is still where it was."""
    request = request_of(b"{}", headers={**JSON, "content-length": length})
    with pytest.raises(ProblemError) as caught:
        asyncio.run(read_json(request))

    assert (413, "body_too_large") == (caught.value.status, caught.value.code)
    assert 2 == len(request.scope["waiting"])


@pytest.mark.parametrize("headers", [JSON, {**JSON, "content-length": "2"}])
def test_a_body_that_is_too_large_is_read_no_further(headers):
    """Whether it comes in chunks, or its length is a lie."""
    part = b" " * (MIB // 4)
    request = request_of(*[part] * 40, headers=headers)
    with pytest.raises(ProblemError) as caught:
        asyncio.run(read_json(request))

    assert 413 == caught.value.status
    assert 36 == len(request.scope["waiting"])
    assert [1] == read(b"[1", *[part] * 3, part[3:], b"]", headers=JSON)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"{'a': 1}",
        b"[1,]",
        b"1 2",
        b'{"a": NaN}',
        b"[Infinity]",
        b"-Infinity",
        b"[1e999]",
        b"\xff",
        b'"\xed\xa0\x80"',
        b"\xef\xbb\xbf{}",
        "{}".encode("utf-16"),
        b'{"a": 1, "a": 2}',
        b'[{"a": {"b": 1, "\\u0062": 2}}]',
        b'["\\ud800"]',
        b'{"\\udfff": 1}',
        b"9" * 4301,
        b'"a\nb"',
        b"\x00",
    ],
)
def test_what_is_no_json_is_refused(body):
    """Also what is JSON for Python only, and what another reader would read otherwise."""
    told = refusal(body)

    assert (400, "invalid_json") == (told.status, told.code)
    assert told.document["detail"]


def test_numbers_and_characters_at_the_edge_are_read():
    """As the house's own text takes them."""
    assert [10**4299, 1.7e308, "🎉"] == read(b"[1" + b"0" * 4299 + b', 1.7e308, "\\ud83c\\udf89"]')


@pytest.mark.parametrize(("left", "right"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_a_body_nests_as_deep_as_the_house_stores(left, right):
    """That is 64 levels, and not one more."""
    read(left * 64 + b"1" + right * 64)
    told = refusal(left * 65 + b"1" + right * 65)

    assert (400, "body_too_deep") == (told.status, told.code)


def test_brackets_in_strings_do_not_nest():
    """Nor does what follows an escaped quote."""
    value = ["[" * 500, '"' + "{" * 500, "\\", {"[" * 100: '\\\\"['}]

    assert value == read(json.dumps(value).encode())


@pytest.mark.parametrize(
    "unit", [b"[", b'"', b'\\"', b'"\\', b'["', b'{"a":', b"[]", b"]", b'["\\""', b"1,", b"\\"]
)
def test_no_body_takes_long(unit):
    """However it was made up: a mebibyte of it is refused in a second, also on a busy machine."""
    body = b'["' * (unit == b'\\"') + unit * (MIB // len(unit) - 4)
    began = time.process_time()
    told = refusal(body)

    assert told.status == 400
    assert time.process_time() - began < 1


def test_there_may_be_no_body_where_there_need_not_be():
    """Then it needs no type."""
    assert read(optional=True, headers={}) == {}
    assert read(b" \n", optional=True, headers={}) == {}
    assert {} == read(b"{}", optional=True)
