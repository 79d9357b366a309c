"""How the contexts that several steps hand on become one."""

from collections.abc import Mapping
from typing import Any, cast

from rotulus._text import jsontext


def merge(*contexts: Mapping[str, Any]) -> dict[str, Any]:
    """One context of several.

    Under a key that more than one of them has:

    - two arrays are united: the first, then what only the later one has, each value once;
    - two objects are merged in turn;
    - anything else is what the later context says.

    Values are the same if they are equal as JSON: `1` and `1.0` are, `1` and `True` are not. Keys
    stand in the order in which they are first seen. Nothing that is given is changed, but the
    result may share parts with it.

    `merge(x)`, `merge(x, x)`, `merge(x, {})` and `merge({}, x)` are all x: an array keeps its own
    repetitions, so that what two branches hand on unchanged arrives unchanged. How contexts are
    grouped, `merge(merge(a, b), c)` or `merge(a, merge(b, c))`, makes no difference, unless under
    some key a value of another kind stands between two arrays or between two objects: of
    `[1], 5, [2]` the left grouping makes `[2]`, the right one `[1, 2]`. Contexts are merged from
    the left.
    """
    merged: dict[str, Any] = {}
    for context in contexts:
        for key in context:
            merged[key] = _join(merged[key], context[key]) if key in merged else context[key]
    return merged


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
