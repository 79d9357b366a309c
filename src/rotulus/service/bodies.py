"""Bodies of requests: JSON only, of a bounded size and depth, checked before it is trusted."""

import json
import math
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NoReturn

from starlette.requests import Request

from rotulus._text.jsontext import MAX_BYTES, MAX_DEPTH
from rotulus.service.headers import header
from rotulus.service.problems import ProblemError

_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)
"""A string that does not end is one, too: so no text is looked at twice."""

_HALF_A_CHARACTER = re.compile(r"\\u[dD][89a-fA-F]")
"""The escape of a surrogate, which may lack its other half."""


async def read_json(request: Request, *, optional: bool = False) -> Any:
    """The JSON value of a request's body.

    Args:
        request: the request; its body has not been read.
        optional: whether there may be no body: then None.

    Raises:
        ProblemError: 415, it is not JSON by its headers, or compressed; 413, it has more than
            1 MiB, whatever its headers say; 400, it is no JSON, names a key twice, or nests deeper
            than 64 levels.
    """
    check_encoding(request)
    text = _decoded(await _read(request))
    if not text.strip() and optional:
        return None
    check_media_type(request)
    check_depth(text)
    return _parsed(text)


def check_media_type(request: Request) -> None:
    """Raise a `ProblemError` (415) unless a request says that its body is JSON."""
    given = header(request, b"content-type") or ""
    if _is_json(given):
        return
    raise ProblemError(
        415,
        "unsupported_media_type",
        "The body has to be JSON",
        f"The body is of type {given!r}." if given else "The body has no Content-Type.",
        hint="Send JSON in UTF-8, and the header 'Content-Type: application/json'.",
        headers={"Accept": "application/json"},
    )


@lru_cache(64)
def _is_json(media_type: str) -> bool:
    kind, *parameters = (part.strip().lower() for part in media_type.split(";"))
    charsets = {p.removeprefix("charset=").strip('"') for p in parameters if "charset" in p}
    return kind == "application/json" and charsets <= {"utf-8", "utf8"}


def check_encoding(request: Request) -> None:
    """Raise a `ProblemError` (415) for a body that is compressed."""
    encoding = (header(request, b"content-encoding") or "").strip().lower()
    if encoding not in ("", "identity"):
        raise ProblemError(
            415,
            "unsupported_encoding",
            "The body has to be plain",
            f"The body is encoded as {encoding!r}.",
            hint="Send the body uncompressed, without Content-Encoding.",
            headers={"Accept-Encoding": "identity"},
        )


def check_depth(text: str, most: int = MAX_DEPTH) -> None:
    """Raise a `ProblemError` (400) when arrays and objects nest too deeply; nothing recurses."""
    if text.count("[") + text.count("{") <= most:
        return
    depth = 0
    for bracket in _brackets(text):
        depth += 1 if bracket in "[{" else -1
        if depth > most:
            raise ProblemError(
                400,
                "body_too_deep",
                "The body nests too deeply",
                f"The body nests deeper than {most} levels.",
                hint=f"Arrays and objects may nest {most} levels deep.",
            )


def _brackets(text: str) -> Iterator[str]:
    for found in _STRING_OR_BRACKET.finditer(text):
        if found[0][0] != '"':
            yield found[0]


async def _read(request: Request) -> bytes:
    told = header(request, b"content-length") or ""
    if told.isdecimal() and (len(told) > len(str(MAX_BYTES)) or int(told) > MAX_BYTES):
        raise _too_large()
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BYTES:
            raise _too_large()
        parts.append(part)
    return b"".join(parts)


def _too_large() -> ProblemError:
    return ProblemError(
        413,
        "body_too_large",
        "The body is too large",
        f"The body has more than {MAX_BYTES:,} bytes.",
        hint="Store large data elsewhere, as an artifact or a file, and send its name.",
        headers={"Connection": "close"},
    )


def _decoded(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise _invalid(f"It is not UTF-8: byte {error.start} does not belong there.") from None


def _parsed(text: str) -> Any:
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        told = f"{error.msg}: line {error.lineno}, column {error.colno}."
        raise _invalid(told) from None
    except ValueError as error:
        raise _invalid(_told(error)) from None
    if _HALF_A_CHARACTER.search(text):
        _check_characters(value)
    return value


class _RefusedError(ValueError):
    """JSON for Python, and not for others; the message is ours."""


def _told(error: ValueError) -> str:
    if isinstance(error, _RefusedError):
        return str(error)
    return "It holds a number of more than 4,300 digits."  # the one thing else that int() refuses


def _refuse_constant(constant: str) -> NoReturn:
    raise _RefusedError(f"{constant} has no JSON form.")


def _finite(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise _RefusedError("It holds a number that is too large.")
    return value


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _RefusedError("An object names a key twice.")
    return found


_DECODER = json.JSONDecoder(
    parse_constant=_refuse_constant, parse_float=_finite, object_pairs_hook=_without_twins
)


def _check_characters(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise _invalid("It holds a lone surrogate, which is no character.") from None


def _invalid(detail: str) -> ProblemError:
    return ProblemError(
        400,
        "invalid_json",
        "The body is not JSON",
        detail,
        hint="Send one JSON value in UTF-8, with each key once, and without NaN or Infinity.",
    )
