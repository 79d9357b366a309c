"""The data of an artifact over HTTP: an upload, as JSON or as bytes, and a download as a file."""

import mimetypes
import re
from typing import Any
from urllib.parse import quote

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from rotulus.errors import OptionError
from rotulus.service.artifacts.values import BYTES, JSON, ArtifactContent, ArtifactIn
from rotulus.service.bodies import check_encoding, read_json
from rotulus.service.problems import ProblemError

MAX_BYTES = 16 * 1024 * 1024
"""The most bytes of an upload, unless a service sets another limit."""

BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The artifact as JSON; or its bytes, with their own Content-Type.",
        "content": {
            JSON: {
                "schema": {
                    "type": "object",
                    "required": ["data"],
                    "properties": ArtifactIn.model_json_schema()["properties"],
                    "additionalProperties": False,
                },
                "example": {"data": {"rows": 3}, "metadata": {"day": "2026-11-20"}},
            },
            BYTES: {"schema": {"type": "string", "format": "binary"}},
        },
    }
}
"""The body of an upload, for the OpenAPI document."""


async def read_artifact(
    request: Request, *, filename: str | None, parent_id: str | None, max_bytes: int
) -> ArtifactIn:
    """Returns the artifact in a request.

    Args:
        request: the request; its body has not been read.
        filename: the name of bytes.
        parent_id: the parent of bytes.
        max_bytes: the most bytes.

    Raises:
        ProblemError: the body is too large, or no JSON.
        OptionError: the body is JSON, and the query has options that belong into the JSON.
        RequestValidationError: the body is no artifact.
    """
    media_type = request.headers.get("content-type", "").strip()
    if media_type.partition(";")[0].strip().lower() == JSON:
        if filename is not None or parent_id is not None:
            raise OptionError(
                "filename and parent_id are for bytes: JSON has its parent_id and its "
                "metadata['filename'] in the body"
            )
        return _checked(await read_json(request), "body")
    check_encoding(request)
    members: dict[str, Any] = {"data": await _read(request, max_bytes)}
    members |= {"media_type": media_type} if media_type else {}
    members |= {"metadata": {"filename": filename}} if filename else {}
    members |= {"parent_id": parent_id} if parent_id else {}
    return _checked(members, "query")


def _checked(members: Any, where: str) -> ArtifactIn:
    try:
        return ArtifactIn.model_validate(members)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        raise RequestValidationError(
            [{**one, "loc": (where, *one["loc"]), "input": None} for one in found]
        ) from None


async def _read(request: Request, most: int) -> bytes:
    length = request.headers.get("content-length", "")
    if length.isdecimal() and (len(length) > len(str(most)) or int(length) > most):
        raise _too_large(most)
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > most:
            raise _too_large(most)
    return bytes(body)


def _too_large(most: int) -> ProblemError:
    return ProblemError(
        413,
        "artifact_too_large",
        "The artifact is too large",
        f"The body has more than {most:,} bytes.",
        hint="Save it in parts, or elsewhere, and its place as an artifact.",
        headers={"Connection": "close"},
    )


_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")
"""Ends of lines, other control characters, and characters that disguise a name."""

_LONGEST = 150
"""Characters of a file name; file systems take 255 bytes."""


def download(content: ArtifactContent, artifact_id: str) -> Response:
    """Returns the data as a file to be saved: a browser neither shows it nor guesses its type.

    Args:
        content: the data.
        artifact_id: the name of the file unless the artifact has another one.
    """
    headers = {
        "Content-Type": content.media_type,
        "Content-Disposition": disposition(content.filename, artifact_id, content.media_type),
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
        **caching(content.sha256),
    }
    return Response(content.content, headers=headers)


def not_modified(sha256: str) -> Response:
    """Returns the answer to a client that has the data already."""
    return Response(status_code=304, headers=caching(sha256))


def caching(sha256: str) -> dict[str, str]:
    """Returns the headers with the version of the data. A client has to ask, as data may change."""
    return {"ETag": f'"{sha256}"', "Cache-Control": "private, no-cache"}


def is_known(sha256: str, if_none_match: str | None) -> bool:
    """Returns whether an `If-None-Match` names these data."""
    if not if_none_match:
        return False
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return "*" in tags or f'"{sha256}"' in tags


def disposition(filename: str | None, otherwise: str, media_type: str) -> str:
    """Returns a `Content-Disposition` for any name of a file.

    A name has no folder. A name that is not ASCII stands there twice: in the form of RFC 6266, and
    with `_` for other characters, for old clients.
    """
    name = _bare(filename or "")
    if not name:
        name = otherwise + (mimetypes.guess_extension(media_type.partition(";")[0]) or "")
    plain = re.sub(r'[^ -~]|["\\%]', "_", name)
    shown = f'attachment; filename="{plain}"'
    return shown if plain == name else f"{shown}; filename*=UTF-8''{quote(name, safe='')}"


def _bare(filename: str) -> str:
    """Returns a name without folders and other unwanted parts."""
    last = re.split(r"[/\\]", filename)[-1]
    return _UNSAFE.sub("", last).strip(" .")[-_LONGEST:]
