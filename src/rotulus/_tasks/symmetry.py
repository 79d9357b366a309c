"""Which types come back from JSON as they went, with any value, and which have to be tried.

The answer is read from pydantic's own schema of a type. Only types that a law has been tested for
are trusted; every other one is read back before it is stored.
"""

from collections.abc import Mapping, Sequence
from enum import Enum, Flag, IntEnum
from typing import Any, cast

Schema = Mapping[str, Any]


class Symmetry(IntEnum):
    """How much is known of a type. The least certain part of a type decides."""

    SYMMETRIC = 0
    """Each of its values comes back equal, and of the same type."""
    OPEN = 1
    """It says nothing of its values, or of those inside: plain JSON comes back as it went."""
    UNSURE = 2
    """A value may come back changed, or not at all."""


def symmetry(schema: Schema) -> Symmetry:
    """Returns the known facts about the type of a pydantic-core schema."""
    if "serialization" in schema:  # the type writes itself in its own way
        return Symmetry.UNSURE
    kind = schema["type"]
    if kind in _SYMMETRIC:
        return Symmetry.SYMMETRIC
    if kind == "any":
        return Symmetry.OPEN
    known = _KNOWN.get(kind)
    return known(schema) if known is not None else Symmetry.UNSURE


_SYMMETRIC = frozenset(
    {"none", "bool", "int", "float", "str", "bytes", "date", "timedelta", "decimal", "uuid"}
)
"""Not `datetime` and `time`: an offset with seconds is written without them."""

_KEYS = frozenset({"str", "int"})
"""Types of keys that need no check of their value: JSON has texts only."""

_JSON_FORM = {"str": "string", "int": "number", "float": "number", "bool": "boolean"}
"""The form in which members of a union are told apart."""


def _inner(schema: Schema) -> Symmetry:
    return symmetry(schema["schema"])


def _items(schema: Schema) -> Symmetry:
    return symmetry(schema.get("items_schema", _ANY))


def _unique_items(schema: Schema) -> Symmetry:
    found = _items(schema)
    return found if found is Symmetry.SYMMETRIC else Symmetry.UNSURE


def _places(schema: Schema) -> Symmetry:
    return max(map(symmetry, schema["items_schema"]), default=Symmetry.SYMMETRIC)


def _mapping(schema: Schema) -> Symmetry:
    keys, values = schema.get("keys_schema", _ANY), symmetry(schema.get("values_schema", _ANY))
    if keys["type"] == "any":
        return max(values, Symmetry.OPEN)
    return values if keys["type"] in _KEYS and "serialization" not in keys else Symmetry.UNSURE


def _literal(schema: Schema) -> Symmetry:
    return _of_one_type(schema["expected"])


def _enum(schema: Schema) -> Symmetry:
    if issubclass(schema["cls"], Flag):
        return Symmetry.UNSURE
    members = cast("Sequence[Enum]", schema["members"])
    return _of_one_type([member.value for member in members])


def _of_one_type(values: Sequence[object]) -> Symmetry:
    kinds = {type(value) for value in values}
    return Symmetry.SYMMETRIC if kinds in ({str}, {int}) else Symmetry.UNSURE


def _union(schema: Schema) -> Symmetry:
    """Returns a union of scalars that have different forms in JSON."""
    if schema.get("mode", "smart") != "smart":
        return Symmetry.UNSURE
    choices = cast("Sequence[Schema | tuple[Schema, str]]", schema["choices"])
    members = [choice[0] if isinstance(choice, tuple) else choice for choice in choices]
    # A member with a constraint is left to its neighbour by a value that does not keep to it.
    forms = [_JSON_FORM.get(member["type"]) for member in members if len(member) == 1]
    apart = None not in forms and len(set(forms)) == len(choices)
    return Symmetry.SYMMETRIC if apart else Symmetry.UNSURE


_ANY: Schema = {"type": "any"}

_KNOWN = {
    "nullable": _inner,
    "default": _inner,
    "list": _items,
    "set": _unique_items,
    "frozenset": _unique_items,
    "tuple": _places,
    "dict": _mapping,
    "literal": _literal,
    "enum": _enum,
    "union": _union,
}
