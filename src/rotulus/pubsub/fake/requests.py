"""Requests to the fake: refusals with the status of Google's services, checks, and update masks."""

import re
from typing import Any, TypeVar

import grpc
from google.protobuf.field_mask_pb2 import FieldMask


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


M = TypeVar("M")


def merged(known: M, changed: M, mask: FieldMask) -> M:
    """Returns a resource with some fields of another.

    Args:
        known: the resource, which stays as it is.
        changed: the source of the new fields.
        mask: the names of the fields; a field that `changed` lacks is emptied.

    Raises:
        Refused: INVALID_ARGUMENT: the mask is empty, or names no field.
    """
    kind: Any = type(known)
    made: Any = kind(known)
    into, source = kind.pb(made), kind.pb(changed)
    if not mask.paths or not mask.IsValidForDescriptor(into.DESCRIPTOR):
        raise invalid(f"The update mask {list(mask.paths)} names no fields of the resource")
    for path in mask.paths:
        if "." not in path:
            into.ClearField(path)
    mask.MergeMessage(source, into, True, True)  # replaced, and not merged
    return made
