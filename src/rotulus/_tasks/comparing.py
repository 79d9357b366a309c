"""Whether a value that was read back is the value that was written, and where it is not."""

import dataclasses
import math
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any, NamedTuple, cast
from uuid import UUID

import pydantic

from rotulus._tasks.problems import Key, Place

_SCALARS = (str, int, float, bytes, date, datetime, time, timedelta, Decimal, UUID, PurePath)
"""Values of a subclass of one of these are also values of it: they may come back as such."""

_EXACT = frozenset({str, int, bool, type(None), bytes, date, timedelta, UUID})
"""Values of one of these types are the same if they are equal."""

_MISSING = object()


class Difference(NamedTuple):
    """Where two values differ first.

    Attributes:
        place: the way there: an index, the name of an attribute, or a `Key`.
        written: what stood there when it was written.
        read: what stands there when it is read.
        in_key: whether it is the key itself that differs.
    """

    place: tuple[Place, ...]
    written: Any
    read: Any
    in_key: bool = False


def difference(written: Any, read: Any) -> Difference | None:
    """Where a value and the one that was read back differ; None when they do not.

    They are of one type, except that an equal `datetime` may come back for a subclass of it, and
    the like.
    """
    if type(written) is type(read) and type(written) in _EXACT:
        return None if written == read else Difference((), written, read)
    if written is read:
        return None
    if type(written) is not type(read) and not _stands_for(read, written):
        return Difference((), written, read)
    parts = _parts(written, read)
    if parts is None:
        return None if _equal(written, read) else Difference((), written, read)
    for element, one, other in parts:
        found = difference(one, other)
        if found is None:
            continue
        if element is None:  # of a key
            return found._replace(place=(), in_key=True)
        return found._replace(place=(element, *found.place))
    return None


def _stands_for(read: object, written: object) -> bool:
    """Whether a scalar is also one of the type that was read; a member of an enum is more."""
    is_one = isinstance(written, type(read)) and isinstance(read, _SCALARS)
    return is_one and not isinstance(written, Enum)


def _parts(written: Any, read: Any) -> Iterable[tuple[Place | None, Any, Any]] | None:
    """Returns the parts of two values of one type, in pairs; None when they are compared whole."""
    if isinstance(written, dict):
        return _entries(cast("dict[Any, Any]", written), cast("dict[Any, Any]", read))
    if isinstance(written, list | tuple | deque):
        one, other = cast("list[Any]", written), cast("list[Any]", read)
        return _members(one, other) if len(one) == len(other) else None
    if isinstance(written, pydantic.BaseModel):
        return _attributes(written, read, _model_fields(written))
    if dataclasses.is_dataclass(written):
        names = [field.name for field in dataclasses.fields(written) if field.compare]
        return _attributes(written, read, names)
    if type(written).__eq__ is object.__eq__ and (names := _state(written)):
        return _attributes(written, read, names)
    return None


def _members(written: Iterable[Any], read: Iterable[Any]) -> Iterator[tuple[Place, Any, Any]]:
    return ((index, *pair) for index, pair in enumerate(zip(written, read, strict=True)))


def _entries(
    written: Mapping[Any, Any], read: Mapping[Any, Any]
) -> Iterator[tuple[Place | None, Any, Any]]:
    """Keys and values. The order of keys is that of the fields, where there are fields."""
    if len(written) != len(read):
        yield None, list(written), list(read)
        return
    keys = {key: key for key in read}
    for key, instead in zip(written, read, strict=True):
        other = keys.get(key, instead)
        yield None, key, other
        yield Key(key), written[key], read[other]


def _attributes(
    written: object, read: object, names: Iterable[str]
) -> Iterator[tuple[Place, Any, Any]]:
    for name in names:
        yield name, getattr(written, name, _MISSING), getattr(read, name, _MISSING)


def _model_fields(model: pydantic.BaseModel) -> list[str]:
    return [*type(model).model_fields, "__pydantic_extra__", "__pydantic_private__"]


def _state(value: object) -> list[str]:
    """Returns the attributes of an object that does not say what it is equal to."""
    slots = [getattr(kind, "__slots__", ()) for kind in type(value).__mro__]
    names = [name for group in slots for name in ([group] if isinstance(group, str) else group)]
    return [*getattr(value, "__dict__", ()), *names]


def _equal(written: Any, read: Any) -> bool:
    if isinstance(written, float):
        same = written == read and math.copysign(1, written) == math.copysign(1, read)
        return same or (math.isnan(written) and math.isnan(read))
    if isinstance(written, Decimal):
        return written.as_tuple() == read.as_tuple()
    if isinstance(written, datetime | time):
        return _same_moment(written, read)
    if isinstance(written, set | frozenset):
        one, other = cast("set[Any]", written), cast("set[Any]", read)
        return {(type(item), item) for item in one} == {(type(item), item) for item in other}
    try:
        return bool(written == read)
    except Exception:  # noqa: BLE001 - __eq__ is the value's own code
        return False


def _same_moment(written: Any, read: Any) -> bool:
    """Wall time and offset. The name of a zone has no JSON form, what it means at a time has."""
    if (written.tzinfo is None) != (read.tzinfo is None):
        return False
    if written.utcoffset() != read.utcoffset():
        return False
    # Python holds times of two zones that fall into a change of clocks never to be equal.
    return written == read or _wall_time(written) == _wall_time(read)


def _wall_time(value: Any) -> Any:
    return value.replace(tzinfo=None, fold=0)
