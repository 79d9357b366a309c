"""Changes the fields of a resource that a request names."""

from typing import Any, TypeVar

from google.protobuf.field_mask_pb2 import FieldMask

from rotulus.pubsub.fake.refusals import invalid

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
