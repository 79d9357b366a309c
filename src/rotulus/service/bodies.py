"""Bodies of requests: JSON only, of a bounded size and depth, checked before use."""

from functools import lru_cache
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive

from rotulus._text.jsontext import MAX_BYTES, MAX_DEPTH
from rotulus._text.strictjson import StrictJSONError, TooDeepError, read_strictly
from rotulus.service.problems import Handler, ProblemError
from rotulus.service.scope import header


async def read_json(request: Request, *, optional: bool = False) -> Any:
    """Returns the JSON value of a request's body.

    Args:
        request: the request; its body has not been read.
        optional: whether the body may be missing, which counts as an empty object.

    Raises:
        ProblemError: 415, it is not JSON by its headers, or compressed; 413, it has more than
            1 MiB, whatever its headers say; 400, it is no JSON, names a key twice, or nests deeper
            than 64 levels.
    """
    check_encoding(request)
    text = _decoded(await _read(request))
    if not text.strip() and optional:
        return {}
    check_media_type(request)
    return _parsed(text)


def check_media_type(request: Request) -> None:
    """Raise a `ProblemError` (415) unless a request says that its body is JSON."""
    media_type = header(request, b"content-type") or ""
    if _is_json(media_type):
        return
    raise ProblemError(
        415,
        "unsupported_media_type",
        "The body has to be JSON",
        f"The body is of type {media_type!r}." if media_type else "The body has no Content-Type.",
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


def strictly(handle: Handler) -> Handler:
    """Returns a handler whose requests have bodies that `read_json` would read, or none.

    Args:
        handle: the handler, which reads the body once more: FastAPI's own is not so strict.
    """

    async def answer(request: Request) -> Response:
        check_encoding(request)
        body = await _read(request)
        if body.strip():
            check_media_type(request)
            _parsed(_decoded(body))
        return await handle(Request(request.scope, _again(body, request.receive)))

    return answer


def _again(body: bytes, receive: Receive) -> Receive:
    """Returns what gives a body that was read, and then what comes after it."""
    told = False

    async def give() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return give


async def _read(request: Request) -> bytes:
    length = header(request, b"content-length") or ""
    if length.isdecimal() and (len(length) > len(str(MAX_BYTES)) or int(length) > MAX_BYTES):
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
        return read_strictly(text)
    except TooDeepError:
        raise ProblemError(
            400,
            "body_too_deep",
            "The body nests too deeply",
            f"The body nests deeper than {MAX_DEPTH} levels.",
            hint=f"Arrays and objects may nest {MAX_DEPTH} levels deep.",
        ) from None
    except StrictJSONError as error:
        raise _invalid(str(error)) from None


def _invalid(detail: str) -> ProblemError:
    return ProblemError(
        400,
        "invalid_json",
        "The body is not JSON",
        detail,
        hint="Send one JSON value in UTF-8, with each key once, and without NaN or Infinity.",
    )
