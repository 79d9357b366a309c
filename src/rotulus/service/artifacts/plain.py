"""Checks whether JSON can hold a value, and if not, at which place."""

from collections.abc import Iterator, Sequence
from typing import cast

from rotulus._text.jsontext import NotJSONError, encode_plain
from rotulus.errors import ArtifactError


def plain_text(value: object, name: str) -> str:
    """Returns the JSON text of a value that is made of plain data.

    Args:
        value: of dict with keys of text, list, tuple, str, int, float, bool and None.
        name: the name of the value in an error.

    Raises:
        ArtifactError: it is not plain data; the message names the place.
    """
    try:
        return encode_plain(value)
    except NotJSONError as error:
        raise ArtifactError(_complaint(value, name) or f"{name} {error}") from None


def _complaint(value: object, name: str) -> str:
    """Returns the problem with its place; without a place when it is the whole value."""
    for place, part in _parts(value, name):
        if isinstance(part, bytes | bytearray | memoryview):
            return (
                f"{place} is bytes, which JSON cannot hold: save them as an artifact of their own"
            )
        if isinstance(part, dict):
            odd = [key for key in cast("dict[object, object]", part) if not isinstance(key, str)]
            if odd:
                return f"{place} has a key of type {type(odd[0]).__name__}: JSON has keys of text"
            continue
        if isinstance(part, list | tuple):
            continue
        try:
            encode_plain(part)
        except NotJSONError as error:
            return f"{place} {error}"
    return ""


def _parts(value: object, name: str) -> Iterator[tuple[str, object]]:
    """Yields a value and all values within it, each with its place: `data['rows'][2]`."""
    seen: set[int] = set()
    waiting: list[tuple[str, object]] = [(name, value)]
    while waiting:
        place, part = waiting.pop()
        yield place, part
        if id(part) not in seen:
            seen.add(id(part))
            waiting.extend(reversed(_inner(place, part)))


def _inner(place: str, part: object) -> list[tuple[str, object]]:
    if isinstance(part, dict):
        items = cast("dict[object, object]", part).items()
        return [(f"{place}[{key!r}]", value) for key, value in items]
    if isinstance(part, list | tuple):
        values = cast("Sequence[object]", part)
        return [(f"{place}[{number}]", value) for number, value in enumerate(values)]
    return []
