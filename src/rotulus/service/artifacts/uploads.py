"""Uploads: an artifact as JSON, or its bytes as they are."""

from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.requests import Request

from rotulus.errors import OptionError
from rotulus.service.artifacts.values import BYTES, JSON, ArtifactIn
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
