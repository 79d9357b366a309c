"""Validates the arguments of a call: bound, checked by type, written as JSON, and read again.

A payload is one JSON object: parameter name to value, with `*` for further positional arguments and
`**` for further named ones. The needs of a signature are worked out once, here, so that binding a
call looks nothing up.
"""

import inspect
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple, cast

from rotulus._tasks.annotations import EMPTY, Unresolved, first_sentence, materialised
from rotulus._tasks.payload import InvalidValuesError, PayloadType
from rotulus._tasks.problems import Wording
from rotulus._tasks.remedies import is_of_orm, unstorable
from rotulus._tasks.signature import name_of, resolved_signature, site_of
from rotulus._text import jsontext
from rotulus._text.names import did_you_mean
from rotulus.errors import ArgumentsError, InjectionError

_POSITIONAL = "*"
_NAMED = "**"

_ONLY_BY_POSITION = inspect.Parameter.POSITIONAL_ONLY
_BY_EITHER = inspect.Parameter.POSITIONAL_OR_KEYWORD
_ONLY_BY_NAME = inspect.Parameter.KEYWORD_ONLY
_STAR = inspect.Parameter.VAR_POSITIONAL
_STARS = inspect.Parameter.VAR_KEYWORD


class Call(NamedTuple):
    """The arguments of one call, ready for the function."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]


class Bound(NamedTuple):
    """A checked call: its payload, and its values by parameter name."""

    payload: str
    values: dict[str, Any]


class Binder:
    """Binds and loads the calls of one function.

    Args:
        function: the task's function.
        injected: names of parameters the framework fills, which no caller may give.
        show_values: whether messages may hold the arguments.

    Raises:
        InjectionError: a parameter's type is neither JSON nor injected.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        injected: Collection[str] = (),
        *,
        show_values: bool = False,
    ) -> None:
        self._name = name_of(function)
        self._site = site_of(function)
        self._wording = Wording(_argument, show_values)
        self._injected = frozenset(injected)
        parameters = resolved_signature(function).parameters.values()
        self._parameters = {p.name: p for p in parameters if p.name not in self._injected}
        kinds = {p.kind for p in self._parameters.values()}
        self._takes_more = _STAR in kinds
        self._takes_any_name = _STARS in kinds
        self._plain = kinds <= {_BY_EITHER, _ONLY_BY_NAME}
        self._places = [n for n, p in self._parameters.items() if p.kind < _STAR]
        self._type = self._payload_type()

    @property
    def names(self) -> list[str]:
        """The parameters that a call may give by their names, in order."""
        return [name for name, p in self._parameters.items() if p.kind not in (_STAR, _STARS)]

    def required(self) -> list[str]:
        """Returns the parameters that a call has to give."""
        return [name for name, p in self._parameters.items() if _is_required(p)]

    def json_schema(self) -> dict[str, Any]:
        """Returns the JSON Schema of the payload."""
        return self._type.json_schema()

    def bind(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], max_bytes: int = jsontext.MAX_BYTES
    ) -> Bound:
        """Check a call. Raises `ArgumentsError` with every problem of it."""
        values, problems = self._assign(args, kwargs)
        try:
            valid = self._type.validate(values)
            if not problems:
                return Bound(self._type.write(valid, max_bytes), valid)
        except InvalidValuesError as error:
            problems += error.problems
        raise self._refusal(problems)

    def load(self, payload: str) -> Call:
        """Returns the call of a payload, validated again.

        Raises:
            NotJSONError: the payload is not a JSON object.
            ArgumentsError: it no longer fits the function, with every problem.
        """
        try:
            values = self._type.read(payload)
        except InvalidValuesError:
            values = self._reassign(payload)
        return self._call(values)

    def _reassign(self, payload: str) -> dict[str, Any]:
        """Read what a producer wrote without knowing the signature, or say what is wrong."""
        raw = jsontext.decode(payload)
        if not isinstance(raw, dict):
            raise jsontext.NotJSONError("is not a JSON object")
        kwargs = dict(cast("dict[str, Any]", raw))
        star = kwargs.pop(_POSITIONAL, [])
        kwargs.update(kwargs.pop(_NAMED, {}))
        leading = self._leading(kwargs) if star else []
        values, problems = self._assign([*(kwargs.pop(n) for n in leading), *star], kwargs)
        try:
            valid = self._type.read(jsontext.encode(values, max_bytes=sys.maxsize))
            if not problems:
                return valid
        except InvalidValuesError as error:
            problems += error.problems
        raise self._refusal(problems)

    def _call(self, values: dict[str, Any]) -> Call:
        if self._plain:
            return Call((), values)
        more = values.pop(_POSITIONAL, [])
        named = values.pop(_NAMED, {})
        places = self._places if more else self._leading(values, _ONLY_BY_POSITION)
        args = [values.pop(name) for name in places]
        return Call((*args, *more), values | named)

    def _leading(self, values: Mapping[str, Any], last: int = _BY_EITHER) -> list[str]:
        """Returns the first positional parameters, as far as they are given without a gap."""
        found: list[str] = []
        for name in self._places:
            if name not in values or self._parameters[name].kind > last:
                break
            found.append(name)
        return found

    def _assign(
        self, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> tuple[dict[str, Any], list[str]]:
        """Arguments by parameter name, and what is wrong with how they were given."""
        if not kwargs and len(args) <= len(self._places):
            return dict(zip(self._places, args, strict=False)), []
        values: dict[str, Any] = dict(zip(self._places, args, strict=False))
        problems = [f"got two values for {name!r}" for name in kwargs if name in values]
        further: dict[str, Any] = {}
        for name, value in kwargs.items():
            if name in self._parameters and self._parameters[name].kind not in (_STAR, _STARS):
                values[name] = value
            elif self._takes_any_name and name not in self._injected:
                further[name] = value
            else:
                problems.append(self._unknown(name))
        more = args[len(self._places) :]
        if more and not self._takes_more:
            takes, given = len(self._places), len(args)
            problems.append(f"takes {takes} positional arguments, {given} were given")
        elif more:
            values[_POSITIONAL] = list(more)
        return values | ({_NAMED: further} if further else {}), problems

    def _unknown(self, name: str) -> str:
        if name in self._injected:
            return f"argument {name!r} is filled by the framework and cannot be given"
        return f"got an unknown argument {name!r}{did_you_mean(name, self._parameters)}"

    def _refusal(self, problems: Sequence[str]) -> ArgumentsError:
        if len(problems) == 1:
            message = f"{self._name}() {problems[0]}  ({self._site})"
        else:
            lines = "".join(f"\n  - {problem}" for problem in problems)
            message = f"{self._name}() cannot be called like this  ({self._site}){lines}"
        return ArgumentsError(message, problems)

    def _payload_type(self) -> PayloadType:
        parameters = self._parameters.values()
        try:
            return self._type_of(*parameters)
        except Exception as error:  # noqa: BLE001 - the code of a type is run
            problem = next(filter(None, map(self._unfit, parameters)), str(error))
            raise InjectionError(f"{self._name}() {problem}  ({self._site})") from None

    def _type_of(self, *parameters: inspect.Parameter) -> PayloadType:
        required = [_key(p) for p in parameters if _is_required(p)]
        return PayloadType({_key(p): _field(p) for p in parameters}, required, self._wording)

    def _unfit(self, parameter: inspect.Parameter) -> str | None:
        """Returns the problem of a parameter, if its type cannot be read."""
        kind = parameter.annotation
        if isinstance(kind, Unresolved):
            return f"parameter {parameter.name!r} has the annotation {kind}: {kind.problem}"
        try:
            self._type_of(parameter)
        except Exception as error:  # noqa: BLE001 - the code of a type is run
            shown = getattr(kind, "__qualname__", kind)
            orm = "pass its id and load it in the task, or " if is_of_orm(kind) else ""
            return (
                f"parameter {parameter.name!r} has type {shown}, which is neither JSON nor "
                f"provided: {orm}app.provide({shown}, factory), or annotate it with a type "
                f"pydantic can read (pydantic says: {first_sentence(error)})"
            )
        return None


def unchecked_payload(args: Sequence[Any], kwargs: Mapping[str, Any], max_bytes: int) -> str:
    """Returns the payload of a call to a task whose signature is not known here.

    Raises:
        ArgumentsError: an argument is not JSON, or all of them are too large.
    """
    values: dict[str, Any] = {**kwargs, **({_POSITIONAL: list(args)} if args else {})}
    try:
        return jsontext.encode(values, max_bytes=max_bytes)
    except jsontext.NotJSONError as error:
        problem = f"an argument {unstorable(error, values)}"
        raise ArgumentsError(f"The call cannot be stored: {problem}", [problem]) from None


def _is_required(parameter: inspect.Parameter) -> bool:
    return parameter.default is EMPTY and parameter.kind not in (_STAR, _STARS)


def _key(parameter: inspect.Parameter) -> str:
    if parameter.kind is _STAR:
        return _POSITIONAL
    return _NAMED if parameter.kind is _STARS else parameter.name


def _field(parameter: inspect.Parameter) -> Any:
    kind: Any = parameter.annotation
    if isinstance(kind, Unresolved):
        raise TypeError(kind.problem)
    kind = Any if kind is EMPTY else materialised(kind)
    if parameter.kind is _STAR:
        return list[kind]
    return dict[str, kind] if parameter.kind is _STARS else kind


def _argument(path: str) -> str:
    return f"argument {path!r}"
