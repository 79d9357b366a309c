"""Where secrets are in a value, by its JSON Schema."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast


class Secrets:
    """Where secrets are in a value, by its JSON Schema: what is a password, or only written.

    Args:
        schemas: the schemas of the value: it fits one of them.
        defs: what they refer to.
    """

    __slots__ = ("_defs", "_schemas", "whole")

    def __init__(self, schemas: Iterable[Any], defs: Mapping[str, Any]) -> None:
        self._defs = defs
        self._schemas = list(_plain(schemas, defs, set()))
        self.whole = any(_is_secret(schema) for schema in self._schemas)
        """Whether all of the value is secret."""

    @property
    def nowhere(self) -> bool:
        """Whether nothing in the value is secret, as far as is known."""
        return not self._schemas

    def at(self, name: str) -> "Secrets":
        """Returns where they are in the member of that name."""
        found = [
            schema.get("properties", {}).get(name, schema.get("additionalProperties"))
            for schema in self._schemas
        ]
        return Secrets(found, self._defs)

    def within_list(self) -> "Secrets":
        """Returns where they are in each element."""
        found = [
            one
            for schema in self._schemas
            for one in (schema.get("items"), *schema.get("prefixItems", ()))
        ]
        return Secrets(found, self._defs)


def secrets_of(schema: Mapping[str, Any]) -> Secrets:
    """Returns where secrets are in the values of a JSON Schema.

    Args:
        schema: the schema, as pydantic makes it.
    """
    if not _has_secrets(schema):
        return NOWHERE
    return Secrets([schema], schema.get("$defs", {}))


def _plain(
    schemas: Iterable[Any], defs: Mapping[str, Any], seen: set[str]
) -> Iterator[dict[str, Any]]:
    """Gives schemas without references and choices: what these lead to, once each."""
    for schema in schemas:
        if not isinstance(schema, dict):
            continue
        known = cast("dict[str, Any]", schema)
        yield known
        name = str(known.get("$ref", "")).rpartition("/")[2]
        if name and name not in seen:
            seen.add(name)
            yield from _plain([defs.get(name)], defs, seen)
        for among in ("anyOf", "oneOf", "allOf"):
            yield from _plain(known.get(among, ()), defs, seen)


def _is_secret(schema: Mapping[str, Any]) -> bool:
    return schema.get("writeOnly") is True or schema.get("format") == "password"


def _has_secrets(schema: Any) -> bool:
    if isinstance(schema, dict):
        known = cast("dict[str, Any]", schema)
        return _is_secret(known) or any(map(_has_secrets, known.values()))
    return isinstance(schema, list) and any(map(_has_secrets, cast("list[Any]", schema)))


NOWHERE = Secrets((), {})
"""There are no secrets by type."""

WHOLE = Secrets([{"writeOnly": True}], {})
"""All of it is secret."""
