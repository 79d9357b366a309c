"""`ETag` and `If-Match` (RFC 9110): a change is made only to the version that was seen."""

from typing import Annotated, TypeVar

from fastapi import Header, Request, Response

from rotulus.service.problems import ProblemError

V = TypeVar("V", int, str)

ETAG_HEADER = {"ETag": {"description": "The version.", "schema": {"type": "string"}}}
"""The header of answers that show a version, for the OpenAPI document."""


IfMatch = Annotated[
    str | None, Header(description="The `ETag` of the version to change: no other is changed.")
]
"""The type of the `If-Match` parameter of a route: `if_match: IfMatch = None`."""


def show_version(response: Response, version: int | str) -> None:
    """Put the version of what is shown into the headers of an answer."""
    response.headers["ETag"] = f'"{version}"'


def wanted_version(request: Request, version: V) -> V | None:
    """Returns the version that a request wants to change; None: whatever it is.

    Args:
        request: the request. With `If-Match` it names the versions that it is for. Weak tags name
            none, as RFC 9110 has it.
        version: the version as it stands.

    Raises:
        ProblemError: 412: it is for another version.
    """
    given = request.headers.getlist("if-match")
    tags = [tag.strip() for line in given for tag in line.split(",")]
    if not given or "*" in tags:
        return None
    if f'"{version}"' in tags:
        return version
    raise changed_meanwhile()


def changed_meanwhile() -> ProblemError:
    """Returns the problem of a change to a version that is not the last one any more."""
    return ProblemError(
        412,
        "changed_meanwhile",
        "Somebody has changed it meanwhile",
        "If-Match names another version than the one that stands.",
        hint="Read it again, and send the ETag of that answer as If-Match.",
    )
