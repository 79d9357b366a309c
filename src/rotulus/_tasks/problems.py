"""The problems of values, in sentences without the values themselves.

An argument may be a password, so messages have its type and its place only.
"""

import reprlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple, cast

import pydantic

_MOST_PARTS = 10_000
_SHORTEST = 3
"""A shorter text is no secret, and stands in many words."""


class Key(NamedTuple):
    """A key of a mapping: a value, too."""

    value: Any


Place = int | str | Key


class Wording(NamedTuple):
    """How problems are told.

    Attributes:
        name: what a path is called: `argument 'user.age'`.
        show_values: whether values may be seen.
    """

    name: Callable[[str], str]
    show_values: bool = False

    def at(self, place: Sequence[Place]) -> str:
        """Returns the value at a place, the first part of which is a name."""
        return self.name(self.path(place))

    def path(self, place: Sequence[Place]) -> str:
        """Returns a place as Python would write it: `user.ages[2]`."""
        return "".join(map(self._element, place)).removeprefix(".")

    def got(self, value: object) -> str:
        """Returns a value, or what it is: `a str`."""
        return reprlib.repr(value) if self.show_values else a_type(value)

    def hide(self, text: str, values: object) -> str:
        """Returns a text without the values that somebody's own code may have put into it."""
        if self.show_values:
            return text
        forms = {form for leaf in _leaves(values) for form in _forms(leaf)}
        for form in sorted(forms, key=len, reverse=True):
            text = text.replace(form, "…")
        return text

    def _element(self, element: Place) -> str:
        if isinstance(element, Key):
            return f"[{reprlib.repr(element.value)}]" if self.show_values else "[…]"
        return f"[{element}]" if isinstance(element, int) else f".{element}"


def a_type(value: object) -> str:
    """Returns the type of a value, with its article: `a str`, `an int`, `None`."""
    return "None" if value is None else with_article(type(value).__name__)


def with_article(noun: str) -> str:
    """A noun after `a` or `an`."""
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"


def sentences(
    error: pydantic.ValidationError, values: object, fields: Collection[str], wording: Wording
) -> Iterator[str]:
    """Each problem that pydantic has found in named values.

    Args:
        error: what pydantic raised.
        values: the values, to tell keys, which are data, from the names of fields.
        fields: the names of all fields of the types.
        wording: how problems are told.
    """
    for detail in error.errors(include_url=False, include_context=False):
        place = _place(detail["loc"], values, fields)
        if detail["type"] == "missing" and len(place) == 1:
            yield f"is missing the {wording.at(place)}"
        else:
            value = detail["input"]
            text = wording.hide(detail["msg"], value)
            got = "" if detail["type"] == "missing" else f" (got {wording.got(value)})"
            yield f"{wording.at(place)}: {text}{got}"


def _place(
    location: Iterable[int | str], values: object, fields: Collection[str]
) -> tuple[Place, ...]:
    """Returns a location as pydantic gives it, with the keys of mappings told from names."""
    place: list[Place] = []
    inside = (values,)
    for element in location:
        found = _inside(inside[0], element)
        is_data = bool(place) and found is not None and isinstance(inside[0], Mapping)
        place.append(Key(element) if is_data and element not in fields else element)
        inside = inside if found is None else found
    return tuple(place)


def _inside(values: Any, element: int | str) -> tuple[Any] | None:
    """What stands there in a value, if the element names it: it may name a type, too."""
    if isinstance(values, Mapping):
        keys = cast("Mapping[Any, Any]", values)
        found = next((key for key in keys if key == element or str(key) == str(element)), None)
        return None if found is None else (keys[found],)
    if isinstance(element, int) and isinstance(values, list | tuple):
        items = cast("Sequence[Any]", values)
        return (items[element],) if 0 <= element < len(items) else None
    attributes: Mapping[Any, Any] = getattr(values, "__dict__", {})
    return (attributes[element],) if element in attributes else None


def everything_in(values: object) -> Iterator[object]:
    """A value and all that it consists of. It may contain itself."""
    waiting: list[Any] = [values]
    seen: set[int] = set()
    while waiting:
        value = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        yield value
        if isinstance(value, Mapping):
            entries = cast("Mapping[Any, Any]", value)
            waiting += [*entries.keys(), *entries.values()]
        elif isinstance(value, list | tuple | set | frozenset):
            waiting += cast("list[Any]", value)
        else:
            waiting += getattr(value, "__dict__", {}).values()


def _leaves(values: object) -> Iterator[object]:
    """Returns the scalars in a value."""
    parts = islice(everything_in(values), _MOST_PARTS)
    return (part for part in parts if isinstance(part, str | bytes | int | float))


def _forms(leaf: object) -> Iterator[str]:
    if isinstance(leaf, bool):
        return
    try:
        forms = {str(leaf), repr(leaf)}
    except Exception:  # noqa: BLE001 - a subclass may write itself in its own way, or not at all
        return
    yield from (form for form in forms if len(form) > _SHORTEST)
