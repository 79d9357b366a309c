"""JSON text in and out of the store, with checks that every reader can understand it.

The text has no NaN, no infinity and no lone surrogate, at most `MAX_DEPTH` levels, and at most the
given number of bytes. Nothing here can run code.
"""

import json
import sys
from collections.abc import Callable, Iterable
from typing import Any, NoReturn, cast

import pydantic_core

MAX_BYTES = 1024 * 1024
"""The largest arguments and the largest result, in bytes of UTF-8, unless an app says otherwise."""

MAX_DEPTH = 64
"""The deepest nesting of arrays and objects."""


_LONGEST_NUMBER = 4300
"""The most digits of a number that Python reads."""

_PLAIN_INT = 2**53
"""The bound below which whole numbers are not checked; many tasks return a small one."""


class NotJSONError(ValueError):
    """A value cannot be stored; the message has no subject: 'is not JSON: …'."""


class TooLargeError(NotJSONError):
    """A text has too many bytes: 'takes 5,000 bytes; at most 1,024 are stored'."""


def encode(value: object, *, max_bytes: int = MAX_BYTES) -> str:
    """Returns the JSON text of a value: of plain data, and of anything pydantic can serialise.

    Raises:
        NotJSONError: the value cannot be written as JSON, or is too large or too deep.
    """
    if type(value) is int and -_PLAIN_INT < value < _PLAIN_INT:
        return str(value)
    text = _dumps(value)
    check_text(text, max_bytes)
    return text


def encode_plain(value: object) -> str:
    """Returns the JSON text of a value that consists of plain data, of any size.

    Unlike `encode` it refuses values that would not come back: dates, sets, numbers as keys. Tuples
    come back as lists.

    Raises:
        NotJSONError: the value is not plain data, or is too deep.
    """
    text = _dumps(value, _ENCODE_PLAIN)
    check_text(text, sys.maxsize)
    level = [value]
    while level:
        for item in level:
            _check_keys(item)
        level = [child for item in level for child in _children(item)]
    return text


def canonical(value: Any) -> Any:
    """Returns a hashable stand-in for a JSON value: equal for two values that are equal as JSON.

    The order of keys does not matter, `1` and `1.0` are one number, and `True` is none.
    """
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value).items()
        return ("object", frozenset((key, canonical(item)) for key, item in items))
    if isinstance(value, list | tuple):
        return ("array", tuple(canonical(item) for item in cast("list[Any]", value)))
    return ("boolean", value) if isinstance(value, bool) else value


def decode(text: str) -> Any:
    """Returns the value of a JSON text. Raises `NotJSONError` when the text is not JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotJSONError(f"is not JSON: {error}") from None


def check_text(text: str, max_bytes: int) -> None:
    """Raise `NotJSONError` for a written text that not every reader understands."""
    try:
        size = len(text) if text.isascii() else len(text.encode())
    except UnicodeEncodeError:
        raise NotJSONError("is not JSON: it holds a lone surrogate") from None
    if size > max_bytes:
        raise TooLargeError(f"takes {size:,} bytes; at most {max_bytes:,} are stored")
    # pydantic writes NaN and the infinities as bare words. Looking for the words, and counting
    # brackets, is quick and can only err upward; the few texts it finds are read to be sure.
    if "NaN" in text or "Infinity" in text:
        json.loads(text, parse_constant=_refuse_constant)
    if size > _LONGEST_NUMBER:
        _check_numbers(text)
    if (
        size > MAX_DEPTH
        and text.count("[") + text.count("{") > MAX_DEPTH
        and _depth(decode(text)) > MAX_DEPTH
    ):
        raise NotJSONError(f"nests deeper than {MAX_DEPTH} levels")


def _check_numbers(text: str) -> None:
    """Raise `NotJSONError` for a number that readers refuse: the text is read to be sure."""
    try:
        pydantic_core.from_json(text)
    except ValueError as error:
        if "number out of range" in str(error):
            raise NotJSONError(
                f"is not JSON: it holds a number of more than {_LONGEST_NUMBER:,} digits"
            ) from None


def _dumps(value: object, write: "Callable[[object], str] | None" = None) -> str:
    try:
        return (write or _ENCODE)(value)
    except RecursionError:
        raise NotJSONError("nests too deeply, or contains itself") from None
    except Exception as error:  # noqa: BLE001 - a value's own methods may raise anything
        raise NotJSONError(f"is not JSON: {_reason(error)}") from None


def _plain(value: object) -> Any:
    """Returns pydantic's form of a value that `json` does not know: a model, a date, a set."""
    return pydantic_core.to_jsonable_python(value, bytes_mode="base64", inf_nan_mode="constants")


_ENCODE: Callable[[object], str] = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain
).encode


def _refuse(value: object) -> NoReturn:
    raise TypeError(f"{type(value).__name__} is not one of dict, list, str, int, float, bool, None")


_ENCODE_PLAIN: Callable[[object], str] = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_refuse
).encode


def _check_keys(item: object) -> None:
    if isinstance(item, dict):
        for key in cast("dict[object, object]", item):
            if not isinstance(key, str):
                kind = type(key).__name__
                raise NotJSONError(f"is not JSON: a key is of type {kind}, not a string")


def _refuse_constant(constant: str) -> None:
    raise NotJSONError(f"is not JSON: {constant} has no JSON form")


def _reason(error: Exception) -> str:
    if "Out of range float values" in str(error):
        return "NaN and infinity have no JSON form"
    return str(error) or type(error).__name__


def _depth(value: object) -> int:
    depth, level = 0, [value]
    while level:
        depth += 1
        level = [child for item in level for child in _children(item)]
    return depth


def _children(item: object) -> Iterable[object]:
    if isinstance(item, dict):
        return cast("dict[str, object]", item).values()
    return cast("list[object]", item) if isinstance(item, list | tuple) else ()
