"""How the contexts that several steps hand on become one."""

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any, NamedTuple, cast

from rotulus._text import jsontext
from rotulus._workflows.context import texts_of
from rotulus._workflows.handed import HandedOn
from rotulus._workflows.marks import MISSING, UNMARKED, Marks, union, within


def merge(*contexts: Mapping[str, Any]) -> dict[str, Any]:
    """One context of several, each of which has changed all that it holds.

    Under a key that more than one of them has:

    - two arrays are united: the first, then what only the later one has, each value once;
    - two objects are merged in turn;
    - anything else is what the later context says.

    Values are the same if they are equal as JSON: `1` and `1.0` are, `1` and `True` are not. Keys
    stand in the order in which they are first seen. Nothing that is given is changed, but the
    result may share parts with it.

    `merge(x)`, `merge(x, x)`, `merge(x, {})` and `merge({}, x)` are all x: an array keeps its own
    repetitions. How contexts are grouped, `merge(merge(a, b), c)` or `merge(a, merge(b, c))`, makes
    no difference, unless under some key a value of another kind stands between two arrays or
    between two objects: of `[1], 5, [2]` the left grouping makes `[2]`, the right one `[1, 2]`.
    Contexts are merged from the left.
    """
    merged: dict[str, Any] = {}
    for context in contexts:
        for key in context:
            merged[key] = _join(merged[key], context[key]) if key in merged else context[key]
    return merged


def combine(contexts: Sequence[HandedOn]) -> HandedOn:
    """Returns the context of a step from those of its needs, in the order of its needs.

    If only one of them has changed or removed a value since their ways parted, its change counts:
    an untouched copy never counts, nor does a copy that another one was built on. Values that
    several have changed are joined as by `merge`; of a value and a removal the later one counts.
    Objects are looked into, so that two members that two steps have changed both count.
    """
    if len(contexts) == 1:
        return contexts[0]
    copies_of = [(texts_of(context), context.marks) for context in contexts]
    found: dict[str, str] = {}
    changed: dict[str, Marks] = {}
    for key in dict.fromkeys(key for texts, marks in copies_of for key in (*texts, *marks)):
        copies = [(texts.get(key), marks.get(key, UNMARKED)) for texts, marks in copies_of]
        text, mark = _combined_text(copies)
        if text is not None:
            found[key] = text
        if mark != UNMARKED:
            changed[key] = mark
    return HandedOn.of_texts(found, changed)


class _Copy(NamedTuple):
    """A value as one need hands it on, or MISSING, and its marks.

    `removed`: it is missing because a step has removed this very value.
    """

    value: Any
    marks: Marks
    removed: bool = False


def _combined_text(copies: list[tuple[str | None, Marks]]) -> tuple[str | None, Marks]:
    if all(copy == copies[0] for copy in copies):
        return copies[0]
    decoded = [
        _Copy(MISSING, marks, marks != UNMARKED)
        if text is None
        else _Copy(jsontext.decode(text), marks)
        for text, marks in copies
    ]
    value, marks, _ = _combined(decoded)
    return None if value is MISSING else jsontext.encode_plain([value])[1:-1], marks


def _combined(copies: list[_Copy]) -> _Copy:
    marks = union([copy.marks for copy in copies])
    latest = _latest(copies)
    if len(latest) == 1:
        return _Copy(latest[0].value, marks)
    if all(isinstance(copy.value, dict) for copy in latest):
        return _combined_objects(latest, marks)
    return _Copy(reduce(_join, [copy.value for copy in latest]), marks)


def _combined_objects(copies: list[_Copy], marks: Marks) -> _Copy:
    value: dict[str, Any] = {}
    for key in dict.fromkeys(key for copy in copies for key in (*copy.value, *copy.marks.parts)):
        members = [
            _Copy(copy.value.get(key, MISSING), copy.marks.of(key), key in copy.marks.parts)
            for copy in copies
        ]
        found = _combined(members).value
        if found is not MISSING:
            value[key] = found
    return _Copy(value, marks)


def _latest(copies: list[_Copy]) -> list[_Copy]:
    """Returns those that no other one was built on, each once.

    A value that is missing in an independently made object has not been removed.
    """
    wholes = [copy.marks.whole for copy in copies]
    found: list[_Copy] = []
    for copy, whole in zip(copies, wholes, strict=True):
        outdated = any(within(whole, other) and not within(other, whole) for other in wholes)
        if not outdated and not any(_same(copy, other) for other in found):
            found.append(copy)
    return [copy for copy in found if copy.value is not MISSING or copy.removed] or found[:1]


def _same(one: _Copy, other: _Copy) -> bool:
    if one.value is MISSING or other.value is MISSING:
        return one.value is other.value
    return jsontext.canonical(one.value) == jsontext.canonical(other.value)


def _join(earlier: Any, later: Any) -> Any:
    if isinstance(earlier, list) and isinstance(later, list):
        return _unite(cast("list[Any]", earlier), cast("list[Any]", later))
    if isinstance(earlier, dict) and isinstance(later, dict):
        return merge(cast("dict[str, Any]", earlier), cast("dict[str, Any]", later))
    return later


def _unite(earlier: list[Any], later: list[Any]) -> list[Any]:
    seen = {jsontext.canonical(item) for item in earlier}
    united = list(earlier)
    for item in later:
        form = jsontext.canonical(item)
        if form not in seen:
            seen.add(form)
            united.append(item)
    return united
