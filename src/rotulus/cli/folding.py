"""Shows values of any size: what is too long is shown by its beginning and its size."""

from collections.abc import Mapping
from typing import Any, NamedTuple, cast

_LONGEST = 400
"""How many characters of a value are shown."""

_SHORTER = 100
"""How many of each entry, of a mapping that is too long."""

_MOST = 30
"""How many entries of a mapping are shown."""


class Folded(NamedTuple):
    """Lines that show a value, and whether something was left out of them."""

    lines: list[str]
    is_cut: bool


def fold(value: object) -> Folded:
    """Returns a value on one line; a mapping that is too long for it with a line for each key."""
    text = repr(value)
    if len(text) <= _LONGEST:
        return Folded([text], is_cut=False)
    if isinstance(value, Mapping):
        return fold_entries(cast("Mapping[Any, Any]", value), _SHORTER)
    return Folded([_cut(text, _LONGEST)], is_cut=True)


def fold_entries(values: Mapping[Any, object], longest: int = _LONGEST) -> Folded:
    """A line for each entry of a mapping: its key, and the beginning of what is too long."""
    texts = {str(key): repr(value) for key, value in list(values.items())[:_MOST]}
    lines = [f"{_cut(key, longest)} = {_cut(text, longest)}" for key, text in texts.items()]
    if len(values) > _MOST:
        lines.append(f"… and {len(values) - _MOST:,} more")
    is_cut = len(values) > _MOST or any(len(one) > longest for kv in texts.items() for one in kv)
    return Folded(lines, is_cut)


def _cut(text: str, longest: int) -> str:
    if len(text) <= longest:
        return text
    return f"{text[:longest]}… ({len(text):,} characters)"
