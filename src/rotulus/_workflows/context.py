"""The context: the plain JSON data that flows through a workflow, by key."""

from collections.abc import Callable, Iterator, Mapping
from operator import attrgetter
from typing import Any, cast

from rotulus._text import jsontext
from rotulus.errors import ContextError

MARKS = "$changed"
"""The key, in the result of a step, of what has changed the values: no key of a context."""


class Context(Mapping[str, Any]):
    """Keys and their values, which are plain JSON: what steps read, and hand on.

    Values are copied in and out: to change a list that is in a context, `get` it, change it, and
    `set` it again. Two contexts are equal if they hold the same JSON.

    Args:
        data: what is in it at first.

    Raises:
        ContextError: a key is not a string, or its value is not plain JSON: dict, list, str, int,
            float, bool or None. Every method that sets a value raises it.
    """

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        self._texts = _written(data or {})

    def set(self, key: str, value: Any) -> None:
        """Set a value, whether or not the key is there."""
        self._texts[key] = _write(key, value)

    def insert(self, key: str, value: Any) -> None:
        """Set the value of a new key. Raises `ContextError` when the key is there."""
        if key in self._texts:
            raise ContextError(f"Context key {key!r} is there already: use set() or update()")
        self.set(key, value)

    def update(self, key: str, value: Any) -> None:
        """Set the value of a key that is there. Raises `KeyError` when it is not."""
        if key not in self._texts:
            raise KeyError(key)
        self.set(key, value)

    def remove(self, key: str) -> Any:
        """Remove a key, and give its value; None when it was not there."""
        text = self._texts.pop(key, None)
        return None if text is None else jsontext.decode(text)

    def update_from_dict(self, data: Mapping[str, Any]) -> None:
        """Set several values: all of them, or none if one cannot be set."""
        self._texts |= _written(data)

    def to_dict(self) -> dict[str, Any]:
        """Returns all of it, as a dict of its own."""
        return {key: jsontext.decode(text) for key, text in self._texts.items()}

    def to_json(self) -> str:
        """Returns all of it, as the text of one JSON object."""
        items = (f"{jsontext.encode(key)}:{text}" for key, text in self._texts.items())
        return f"{{{','.join(items)}}}"

    @classmethod
    def from_json(cls, text: str) -> "Context":
        """Returns the context of a JSON object, or of the result of a step.

        Raises:
            ContextError: the text is none.
        """
        try:
            data = jsontext.decode(text)
        except jsontext.NotJSONError as error:
            raise ContextError(f"The text of a context {error}") from None
        if not isinstance(data, dict):
            raise ContextError("The text of a context is not a JSON object: it has to be {...}")
        values = cast("dict[str, Any]", data)
        return cls({key: value for key, value in values.items() if key != MARKS})

    def __getitem__(self, key: str) -> Any:
        return jsontext.decode(self._texts[key])

    def __setitem__(self, key: str, value: Any) -> None:
        self.set(key, value)

    def __delitem__(self, key: str) -> None:
        del self._texts[key]

    def __contains__(self, key: object) -> bool:
        return key in self._texts

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._texts))

    def __len__(self) -> int:
        return len(self._texts)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Mapping):
            return _canonical(self) == _canonical(cast("Mapping[Any, Any]", other))
        return NotImplemented

    __hash__ = None

    def __repr__(self) -> str:
        return f"Context({self.to_dict()!r})"


_texts: Callable[[Context], dict[str, str]] = attrgetter("_texts")


def texts_of(context: Context) -> dict[str, str]:
    """Returns the JSON text of each value of a context, in a dict of its own: enough for a copy."""
    return dict(_texts(context))


def changes(before: Context, after: Context) -> dict[str, Any]:
    """Returns what a context holds that an earlier one did not hold, or not so."""
    earlier, texts = _texts(before), _texts(after)
    return {key: jsontext.decode(t) for key, t in texts.items() if earlier.get(key) != t}


def _written(data: Mapping[str, Any]) -> dict[str, str]:
    if isinstance(data, Context):
        return texts_of(data)
    return {key: _write(key, value) for key, value in data.items()}


def _write(key: object, value: object) -> str:
    """Returns the text of a value; in an array, because the context is a level of its own."""
    if not isinstance(key, str):
        raise ContextError(f"Context key {key!r} is not a string")
    if key == MARKS:
        raise ContextError(
            f"Context key {key!r} is taken: Rotulus keeps something of its own there"
        )
    try:
        jsontext.encode_plain(key)
        return jsontext.encode_plain([value])[1:-1]
    except jsontext.NotJSONError as error:
        raise ContextError(
            f"Context key {key!r}: its value {error}; a context holds plain JSON, such as "
            f"str(value) or a dict of it"
        ) from None


def _canonical(data: Mapping[Any, Any]) -> Any:
    try:
        return jsontext.canonical(dict(data))
    except TypeError:  # it holds what is not JSON, so it is not equal to a context
        return None
