"""Injection: the parameters that the framework fills, and the values that it makes for them.

A parameter is filled by its annotated type, exactly: `T`, `T | None` and `Annotated[T, ...]` are
filled with the `T` that was provided, a subclass of `T` is not. The needs of a task are worked out
once, as a plan: the calls of factories, in order, and the parameter that each value goes to.
"""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal, NamedTuple

from rotulus._jobs.job import Job
from rotulus._tasks.annotations import EMPTY, bare_type
from rotulus._tasks.injected import INJECTED
from rotulus._tasks.signature import name_of, resolved_signature, site_of
from rotulus.errors import InjectionError, OptionError

Scope = Literal["app", "job"]
Factory = Callable[..., Any]

_VARIABLE = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


class Making(Enum):
    """How a factory makes its value."""

    PLAIN = "plain"
    """It returns it."""
    ASYNC = "async"
    """It returns it when awaited."""
    YIELDING = "yielding"
    """It yields it, and tears it down after that."""
    ASYNC_YIELDING = "async yielding"
    """It yields it asynchronously, and tears it down after that."""


@dataclass(frozen=True, slots=True)
class Provision:
    """The provider of a type: the factory, the life of its value, and the factory's parameters."""

    kind: Any
    factory: Factory
    scope: Scope
    making: Making

    @property
    def is_async(self) -> bool:
        """Whether it needs an event loop."""
        return self.making in (Making.ASYNC, Making.ASYNC_YIELDING)


class FactoryCall(NamedTuple):
    """The call of a factory, which makes one value; its arguments come from earlier places."""

    provision: Provision
    dependencies: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class InjectionPlan:
    """How to fill a task's parameters.

    Place 0 is the running job; the value of each call goes to the next place.
    """

    calls: tuple[FactoryCall, ...]
    parameters: Mapping[str, int]

    @property
    def needs_loop(self) -> bool:
        """Whether something has to be made on the event loop: async, or shared by the app."""
        return any(call.provision.is_async or call.provision.scope == "app" for call in self.calls)


class Injector:
    """The types that were provided, and the plans made from them.

    Attributes:
        changes: how often something was provided: plans that were made before may be out of date.
    """

    def __init__(self) -> None:
        self._provisions: dict[Any, Provision] = {}
        self._reserved: dict[Any, str] = {}
        self.changes = 0

    def provide(self, kind: Any, factory: Factory, scope: Scope = "job") -> None:
        """Fill parameters annotated with this type with what a factory makes.

        Raises:
            OptionError: the scope is none of the two, or the type is a framework type.
        """
        if scope not in ("app", "job"):
            raise OptionError(f"scope={scope!r} is not allowed: choose 'app' or 'job'")
        if kind is Job:
            raise OptionError("Job is filled by the framework itself and cannot be provided")
        if not callable(factory):
            raise OptionError(
                f"provide({_shown(kind)}, {factory!r}) needs a factory: something to call, such "
                f"as the type itself or lambda: the_object"
            )
        self._provisions[kind] = Provision(kind, factory, scope, _making(factory))
        self.changes += 1

    def reserve(self, kind: Any, remedy: str) -> None:
        """Leave parameters of this type to the framework, which has no value for them here.

        No call can give them. One that has a default keeps it; one that has none cannot be filled.

        Args:
            kind: the type.
            remedy: what to do to have a value for it, for the message.
        """
        self._reserved[kind] = remedy

    def copy(self) -> "Injector":
        """Another one with what has been provided so far."""
        other = Injector()
        other._provisions.update(self._provisions)
        other._reserved.update(self._reserved)
        return other

    def fills(self, kind: Any) -> bool:
        """Returns whether parameters of this type are filled."""
        bare = bare_type(kind)
        return _is_job(bare) or (_hashable(bare) and bare in self._provisions)

    def injected(self, function: Callable[..., Any]) -> list[str]:
        """The parameters of a function that no call gives: those that are filled, or reserved."""
        return [
            p.name
            for p in _parameters(function)
            if self.fills(p.annotation) or self._remedy(p.annotation) is not None
        ]

    def plan(self, function: Callable[..., Any]) -> InjectionPlan:
        """How to fill a function's parameters.

        Raises:
            InjectionError: something needs itself, needs what nobody provides, or outlives
                what it needs.
        """
        self._check_marked(function)
        planner = _Planner(self._provisions)
        places = planner.places(p for p in _parameters(function) if self.fills(p.annotation))
        return InjectionPlan(tuple(planner.calls), places)

    def _check_marked(self, function: Callable[..., Any]) -> None:
        """Refuse a function with a parameter that has to be filled, and is not."""
        for parameter in _parameters(function):
            if self.fills(parameter.annotation):
                continue
            remedy = self._remedy(parameter.annotation)
            if parameter.default is INJECTED or (remedy and parameter.default is EMPTY):
                raise InjectionError(_unfilled(function, parameter, remedy))

    def _remedy(self, kind: Any) -> str | None:
        """Returns the advice for a reserved type without a value; None for any other type."""
        bare = bare_type(kind)
        return self._reserved.get(bare) if _hashable(bare) else None


class _Planner:
    """Orders the making of what one function needs."""

    def __init__(self, provisions: Mapping[Any, Provision]) -> None:
        self.calls: list[FactoryCall] = []
        self._provisions = provisions
        self._place_of: dict[Any, int] = {}
        self._open: list[Any] = []

    def places(self, parameters: Iterable[inspect.Parameter]) -> dict[str, int]:
        """Where the value of each parameter will be."""
        return {p.name: self._place(bare_type(p.annotation)) for p in parameters}

    def _place(self, kind: Any) -> int:
        if _is_job(kind):
            return 0
        if kind not in self._place_of:
            self._place_of[kind] = self._make(self._provisions[kind])
        return self._place_of[kind]

    def _make(self, provision: Provision) -> int:
        if provision.kind in self._open:
            circle = " → ".join(_shown(kind) for kind in [*self._open, provision.kind])
            raise InjectionError(f"What is provided needs itself: {circle}")
        self._open.append(provision.kind)
        dependencies = self.places(self._parameters_to_fill(provision))
        self._open.pop()
        self._check_lifetimes(provision, dependencies)
        self.calls.append(FactoryCall(provision, dependencies))
        return len(self.calls)

    def _parameters_to_fill(self, provision: Provision) -> Iterator[inspect.Parameter]:
        """The parameters of a factory to fill; the others have to have a default."""
        for parameter in _parameters(provision.factory):
            bare = bare_type(parameter.annotation)
            if _is_job(bare) or (_hashable(bare) and bare in self._provisions):
                yield parameter
            elif parameter.default is EMPTY or parameter.default is INJECTED:
                raise InjectionError(
                    f"The factory of {_shown(provision.kind)} needs {parameter.name!r}, which "
                    f"nobody provides  ({site_of(provision.factory)})"
                )

    def _check_lifetimes(self, provision: Provision, dependencies: Mapping[str, int]) -> None:
        if provision.scope == "job":
            return
        for name, place in dependencies.items():
            if place == 0 or self.calls[place - 1].provision.scope == "job":
                raise InjectionError(
                    f"{_shown(provision.kind)} lives as long as the app and needs {name!r}, which "
                    f"is made for each job: provide it with scope='job', or the other with 'app'"
                )


def _unfilled(
    function: Callable[..., Any], parameter: inspect.Parameter, remedy: str | None
) -> str:
    what, where = f"{name_of(function)}() parameter {parameter.name!r}", site_of(function)
    if parameter.annotation is EMPTY:
        return f"{what} is filled by its type, and has none: write job: Job = INJECTED  ({where})"
    kind = _shown(bare_type(parameter.annotation))
    return (
        f"{what} is filled with {kind}, which nobody provides: "
        f"{remedy or f'app.provide({kind}, factory)'}  ({where})"
    )


def _making(factory: Factory) -> Making:
    if inspect.isasyncgenfunction(factory):
        return Making.ASYNC_YIELDING
    if inspect.isgeneratorfunction(factory):
        return Making.YIELDING
    return Making.ASYNC if inspect.iscoroutinefunction(factory) else Making.PLAIN


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    try:
        parameters = resolved_signature(function).parameters.values()
    except ValueError:  # some built-in types do not tell their signature
        return []
    return [p for p in parameters if p.kind not in _VARIABLE]


def _is_job(kind: Any) -> bool:
    return kind is Job or getattr(kind, "__origin__", None) is Job


def _hashable(kind: Any) -> bool:
    try:
        hash(kind)
    except TypeError:
        return False
    return True


def _shown(kind: Any) -> str:
    return getattr(kind, "__qualname__", None) or str(kind)
