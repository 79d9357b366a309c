"""The operators of `context_value`: how a key of a context compares with a value."""

from collections.abc import Callable, Mapping
from operator import ge, gt, le, lt
from typing import Any, cast

from rotulus._text.jsontext import canonical
from rotulus._text.names import did_you_mean
from rotulus.errors import OptionError

Operator = Callable[[Mapping[str, Any], str, Any], bool]


def operator(word: str) -> Operator:
    """The operator of that name. Raises `OptionError` when there is none."""
    found = _OPERATORS.get(word)
    if found is None:
        raise OptionError(
            f"context_value(op={word!r}) is not allowed: choose one of "
            f"{', '.join(map(repr, _OPERATORS))}{did_you_mean(str(word), _OPERATORS)}"
        )
    return found


def _exists(context: Mapping[str, Any], key: str, value: Any) -> bool:
    del value
    return key in context


def _equals(context: Mapping[str, Any], key: str, value: Any) -> bool:
    return key in context and canonical(context[key]) == canonical(value)


def _contains(context: Mapping[str, Any], key: str, value: Any) -> bool:
    found: Any = context.get(key)
    if isinstance(found, list):
        wanted = canonical(value)
        return any(canonical(item) == wanted for item in cast("list[Any]", found))
    return isinstance(found, str | dict) and isinstance(value, str) and value in found


def _not(operator: Operator) -> Operator:
    return lambda context, key, value: not operator(context, key, value)


def _compares(order: Callable[[Any, Any], bool]) -> Operator:
    def compare(context: Mapping[str, Any], key: str, value: Any) -> bool:
        found = context.get(key)
        return _comparable(found, value) and order(found, value)

    return compare


def _comparable(one: object, other: object) -> bool:
    """Numbers have an order, and texts have one."""
    if isinstance(one, bool) or isinstance(other, bool):
        return False
    return any(isinstance(one, kind) and isinstance(other, kind) for kind in (int | float, str))


_OPERATORS: dict[str, Operator] = {
    "==": _equals,
    "!=": _not(_equals),
    ">": _compares(gt),
    ">=": _compares(ge),
    "<": _compares(lt),
    "<=": _compares(le),
    "contains": _contains,
    "not_contains": _not(_contains),
    "exists": _exists,
    "not_exists": _not(_exists),
    "equals": _equals,
    "not_equals": _not(_equals),
    "greater_than": _compares(gt),
    "less_than": _compares(lt),
}
