"""The answer with the data of an artifact as a file, for any name and any content."""

import mimetypes
import re
from urllib.parse import quote

from starlette.responses import Response

from rotulus.service.artifacts.values import ArtifactContent

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
