"""The answer that gives the data of an artifact as a file, whatever it is called and holds."""

import mimetypes
import re
from urllib.parse import quote

from starlette.responses import Response

from rotulus.service.artifacts.values import ArtifactContent

_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")
"""Ends of lines, other controls, and what makes a name read otherwise than it is."""

_LONGEST = 150
"""Characters of a file name; file systems take 255 bytes."""


def download(content: ArtifactContent, artifact_id: str) -> Response:
    """The data as a file to be saved: a browser shows none of it, and guesses nothing about it.

    Args:
        content: the data.
        artifact_id: what the file is called where nothing else is said.
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
    """The answer to who has the data already."""
    return Response(status_code=304, headers=caching(sha256))


def caching(sha256: str) -> dict[str, str]:
    """The headers that say which data these are. They may be replaced, so they are asked for."""
    return {"ETag": f'"{sha256}"', "Cache-Control": "private, no-cache"}


def is_known(sha256: str, if_none_match: str | None) -> bool:
    """Whether an `If-None-Match` names these data."""
    if not if_none_match:
        return False
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return "*" in tags or f'"{sha256}"' in tags


def disposition(filename: str | None, otherwise: str, media_type: str) -> str:
    """A `Content-Disposition` for any name of a file.

    A name has no folder. One that is not ASCII stands there twice: as those read it who know
    RFC 6266, and with `_` for each character that the others do not know.
    """
    name = _bare(filename or "")
    if not name:
        name = otherwise + (mimetypes.guess_extension(media_type.partition(";")[0]) or "")
    plain = re.sub(r'[^ -~]|["\\%]', "_", name)
    shown = f'attachment; filename="{plain}"'
    return shown if plain == name else f"{shown}; filename*=UTF-8''{quote(name, safe='')}"


def _bare(filename: str) -> str:
    """A name without folders and what else no name of a file should have."""
    last = re.split(r"[/\\]", filename)[-1]
    return _UNSAFE.sub("", last).strip(" .")[-_LONGEST:]
