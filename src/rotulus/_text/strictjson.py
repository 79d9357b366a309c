"""JSON from outside, read strictly: ambiguous text is refused.

Each key of an object stands once, numbers are finite, every character is whole, and arrays and
objects nest `MAX_DEPTH` levels deep at most. Nothing here recurses without a limit.
"""

import json
import math
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from rotulus._text.jsontext import MAX_DEPTH

_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)
"""An unclosed string matches, too: so no text is scanned twice."""

_HALF_A_CHARACTER = re.compile(r"\\u[dD][89a-fA-F]")
"""The escape of a surrogate, perhaps without its other half."""


class StrictJSONError(ValueError):
    """A text is not strict JSON; the message is a sentence with the reason."""


class TooDeepError(StrictJSONError):
    """A text nests too deeply."""


def read_strictly(text: str, max_depth: int = MAX_DEPTH) -> Any:
    """Returns the value of a JSON text.

    Args:
        text: the text, of a bounded size.
        max_depth: the deepest nesting of arrays and objects.

    Raises:
        TooDeepError: it nests deeper.
        StrictJSONError: the text is not JSON, or not strict.
    """
    _check_depth(text, max_depth)
    try:
        value = _DECODER.decode(text)
    except StrictJSONError:
        raise
    except json.JSONDecodeError as error:
        problem = f"{error.msg}: line {error.lineno}, column {error.colno}."
        raise StrictJSONError(problem) from None
    except ValueError:  # the only other reason for int() to refuse
        raise StrictJSONError("It holds a number of more than 4,300 digits.") from None
    if _HALF_A_CHARACTER.search(text):
        _check_characters(value)
    return value


def _check_depth(text: str, most: int) -> None:
    if text.count("[") + text.count("{") <= most:
        return
    depth = 0
    for bracket in _brackets(text):
        depth += 1 if bracket in "[{" else -1
        if depth > most:
            raise TooDeepError(f"It nests deeper than {most} levels.")


def _brackets(text: str) -> Iterator[str]:
    for found in _STRING_OR_BRACKET.finditer(text):
        if found[0][0] != '"':
            yield found[0]


def _refuse_constant(constant: str) -> NoReturn:
    raise StrictJSONError(f"{constant} has no JSON form.")


def _finite(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise StrictJSONError("It holds a number that is too large.")
    return value


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise StrictJSONError("An object names a key twice.")
    return found


_DECODER = json.JSONDecoder(
    parse_constant=_refuse_constant, parse_float=_finite, object_pairs_hook=_without_twins
)


def _check_characters(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise StrictJSONError("It holds a lone surrogate, which is no character.") from None
