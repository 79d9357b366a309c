"""Marks the verbs by which somebody steers something, and has their calls written down."""

import inspect
import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import cache, partial, wraps
from itertools import islice
from math import isfinite
from operator import attrgetter
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from rotulus._app.auditing import Act, audited, is_audited, storable
from rotulus._app.port import AppPort
from rotulus._tasks.task import Task

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S")

_MOST_NAMED = 100
"""How many ids or names are written down; of more, their number is, too."""

_LONGEST_TEXT = 500
_LONGEST_DETAIL = 10_000

_NAMES_ONLY = frozenset({"arguments", "context", "headers", "secret"})
"""Values that may be secrets: only their names are written down."""

_UNTOLD = frozenset({"progress", "dry_run"})

_CLEARED = frozenset({"start", "end"})
"""What None is a change of; elsewhere it means that nothing was given."""


_port_of: Callable[[object], Callable[[], AppPort]] = attrgetter("_port")
"""Gives what gives a resource the port of its app."""


def steers(
    verb: str,
) -> Callable[[Callable[Concatenate[S, P], R]], Callable[Concatenate[S, P], R]]:
    """Mark a verb of a resource: while somebody acts, each call of it stands in the audit.

    Not marked are verbs that only read, and those that execute or enqueue. The form for coroutines
    calls the plain one. What a verb does by other verbs is a part of it. A dry run is not written
    down.

    Args:
        verb: the verb with its noun: `jobs.cancel`.
    """

    def mark(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
        @wraps(method)
        def call(resource: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
            if not is_audited() or kwargs.get("dry_run"):
                return method(resource, *args, **kwargs)
            act = _act(verb, method, args, kwargs)
            return audited(
                _port_of(resource)().store, act, partial(method, resource, *args, **kwargs)
            )

        call.__dict__["steers"] = verb
        return call

    return mark


def _act(
    verb: str, method: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> Act:
    """What a call does. One that does not fit the signature has no detail: it is going to raise."""
    try:
        call = _signature(method).bind(None, *args, **kwargs)
    except TypeError:
        return Act(verb)
    things, given = list[object](), dict[str, object]()
    for name, value in list(call.arguments.items())[1:]:
        kind = call.signature.parameters[name].kind
        if kind is inspect.Parameter.VAR_POSITIONAL:
            things = list(value)
        elif kind is inspect.Parameter.VAR_KEYWORD:
            given |= value
        elif kind is inspect.Parameter.POSITIONAL_OR_KEYWORD and not things and not given:
            things = [value]
        else:
            given[name] = value
    target = storable(str(_plain(things[0]))) if len(things) == 1 else None
    return Act(verb, target, _detail(things, given), len(things) or 1)


def _detail(things: list[object], given: Mapping[str, object]) -> str:
    """Returns how a verb was called, as a JSON object of a limited length."""
    detail: dict[str, object] = {}
    if len(things) > 1:
        detail["of"] = _plain(things)
    if len(things) > _MOST_NAMED:
        detail["named"] = len(things)
    for name, value in given.items():
        if name not in _UNTOLD and value is not False and (value is not None or name in _CLEARED):
            detail[name] = _plain(value, names_only=name in _NAMES_ONLY)
    text = json.dumps(detail)
    return text if len(text) <= _LONGEST_DETAIL else json.dumps({"too_long": list(detail)[:20]})


def _plain(value: object, *, names_only: bool = False) -> object:
    """Returns a value as JSON data, in short."""
    if isinstance(value, Mapping):
        items = [(str(name), one) for name, one in cast("Mapping[object, object]", value).items()]
        if names_only:
            return [name[:_LONGEST_TEXT] for name, _ in items[:_MOST_NAMED]]
        return {name[:_LONGEST_TEXT]: _plain(one) for name, one in items[:_MOST_NAMED]}
    if names_only:
        return "…"
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Task):
        return value.name
    if isinstance(value, list | tuple | set | frozenset):
        return list(map(_plain, islice(cast("Iterable[object]", value), _MOST_NAMED)))
    if value is None or isinstance(value, bool | int) or _is_finite(value):
        return value
    return str(value)[:_LONGEST_TEXT] if isinstance(value, str) else type(value).__name__


def _is_finite(value: object) -> bool:
    return isinstance(value, float) and isfinite(value)


@cache
def _signature(method: Callable[..., Any]) -> inspect.Signature:
    return inspect.signature(method)
