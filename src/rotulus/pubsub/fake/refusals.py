"""Refusals of the fake, each with the status of Google's services."""

import re

import grpc


class Refused(Exception):  # noqa: N818 - an answer, and no mistake of this program
    """A call is answered with a status other than OK.

    Args:
        code: the status of gRPC.
        text: the text for the caller.
    """

    def __init__(self, code: grpc.StatusCode, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


def not_found(what: str, name: str) -> Refused:
    """Returns the refusal for a missing resource."""
    return Refused(grpc.StatusCode.NOT_FOUND, f"{what} not found (resource={name}).")


def already_exists(what: str, name: str) -> Refused:
    """Returns the refusal for a name that is taken."""
    return Refused(
        grpc.StatusCode.ALREADY_EXISTS, f"{what} already exists in the project (resource={name})."
    )


def invalid(text: str) -> Refused:
    """Returns the refusal for an invalid request."""
    return Refused(grpc.StatusCode.INVALID_ARGUMENT, text)


_ID = re.compile(r"[A-Za-z][A-Za-z0-9._~%+-]{2,254}")


def check_name(name: str, kind: str) -> None:
    """Refuse a name that is not `projects/PROJECT/KIND/ID`, with an ID as Pub/Sub allows it.

    Raises:
        Refused: INVALID_ARGUMENT.
    """
    parts = name.split("/")
    fits = len(parts) == 4 and parts[0] == "projects" and parts[2] == kind and parts[1] != ""
    if not fits or not _ID.fullmatch(parts[3]) or parts[3].startswith("goog"):
        raise invalid(f"Invalid [{kind}] name: (name={name})")


def check_between(value: float, low: float, high: float, what: str) -> None:
    """Refuse a number outside of its bounds.

    Raises:
        Refused: INVALID_ARGUMENT.
    """
    if not low <= value <= high:
        raise invalid(f"{what} is {value:g}, and it has to be from {low:g} to {high:g}")
