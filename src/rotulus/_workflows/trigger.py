"""Trigger rules: whether a step runs, given the ends of its needs."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import ge, gt, le, lt
from typing import Any, NamedTuple, cast

from rotulus._jobs.states import Reason, State
from rotulus._text import jsontext
from rotulus._text.names import did_you_mean
from rotulus._workflows.context import Context
from rotulus.errors import OptionError

_FAILED = frozenset({State.FAILED, State.DEAD})

Operator = Callable[[Mapping[str, Any], str, Any], bool]


class Need(NamedTuple):
    """A step that another one needs, as it has ended."""

    step: str
    state: State
    reason: str | None = None

    @property
    def spoils(self) -> bool:
        """Whether a step that expects success cannot run: it failed, or was kept from running."""
        if self.state is State.SKIPPED:
            return self.reason == Reason.NEED_FAILED
        return self.state is not State.SUCCEEDED

    @property
    def lets_go_on(self) -> bool:
        """Whether a step may run because of it: it succeeded, or an operator skipped it."""
        skipped = self.state is State.SKIPPED and self.reason == Reason.OPERATOR
        return skipped or self.state is State.SUCCEEDED


class Situation:
    """The facts for a rule: the needs, and the context of the step.

    The context is made when a rule first asks for it.
    """

    def __init__(self, needs: Sequence[Need], context: Callable[[], Context]) -> None:
        self.needs = needs
        self._make = context

    @cached_property
    def context(self) -> Context:
        """The context that the step would be given."""
        return self._make()

    def ended(self, step: str, states: frozenset[State]) -> bool:
        """Returns whether a need of that name ended in one of these states."""
        return any(need.step == step and need.state in states for need in self.needs)


class Trigger(ABC):
    """A rule that says whether a step runs. Rules combine: `a & b`, `a | b`, `~a`."""

    @abstractmethod
    def holds(self, situation: Situation) -> bool:
        """Whether the step is to run."""

    def names(self) -> set[str]:
        """Returns the steps that the rule names."""
        return set()

    @property
    def expects_success(self) -> bool:
        """Whether it cannot hold when a need has failed."""
        return False

    def __and__(self, other: object) -> "Trigger":
        return AllOf((self, other)) if isinstance(other, Trigger) else NotImplemented

    def __or__(self, other: object) -> "Trigger":
        return AnyOf((self, other)) if isinstance(other, Trigger) else NotImplemented

    def __invert__(self) -> "Trigger":
        return Not(self)

    def __repr__(self) -> str:
        return str(self)


@dataclass(frozen=True, repr=False)
class AllSucceeded(Trigger):
    """Every need succeeded; a skipped one did not."""

    def holds(self, situation: Situation) -> bool:
        return all(need.state is State.SUCCEEDED for need in situation.needs)

    @property
    def expects_success(self) -> bool:
        return True

    def __str__(self) -> str:
        return "all_succeeded"


@dataclass(frozen=True, repr=False)
class AllDone(Trigger):
    """Every need has ended, however it did: always, when the question is asked."""

    def holds(self, situation: Situation) -> bool:
        del situation
        return True

    def __str__(self) -> str:
        return "all_done"


@dataclass(frozen=True, repr=False)
class AnyEnded(Trigger):
    """At least one need ended in one of some states."""

    word: str
    states: frozenset[State]

    def holds(self, situation: Situation) -> bool:
        return any(need.state in self.states for need in situation.needs)

    def __str__(self) -> str:
        return self.word


@dataclass(frozen=True, repr=False)
class StepEnded(Trigger):
    """One need, which is named, ended in one of some states."""

    word: str
    step: str
    states: frozenset[State]

    def holds(self, situation: Situation) -> bool:
        return situation.ended(self.step, self.states)

    def names(self) -> set[str]:
        return {self.step}

    def __str__(self) -> str:
        return f"{self.word}({self.step!r})"


@dataclass(frozen=True, repr=False)
class ContextValue(Trigger):
    """A key of the context compares with a value, kept as JSON text, as an operator says."""

    key: str
    op: str
    text: str

    def holds(self, situation: Situation) -> bool:
        return operator(self.op)(situation.context, self.key, jsontext.decode(self.text))

    def __str__(self) -> str:
        value = "" if self.op.endswith("exists") else f", {jsontext.decode(self.text)!r}"
        return f"context_value({self.key!r}, {self.op!r}{value})"


@dataclass(frozen=True, repr=False)
class _Combined(Trigger, ABC):
    """Several rules."""

    rules: tuple[Trigger, ...]

    def names(self) -> set[str]:
        return {name for rule in self.rules for name in rule.names()}


class AllOf(_Combined):
    """All of some rules hold."""

    def holds(self, situation: Situation) -> bool:
        return all(rule.holds(situation) for rule in self.rules)

    @property
    def expects_success(self) -> bool:
        return any(rule.expects_success for rule in self.rules)

    def __str__(self) -> str:
        return f"({' & '.join(map(str, self.rules))})"


class AnyOf(_Combined):
    """At least one of some rules holds."""

    def holds(self, situation: Situation) -> bool:
        return any(rule.holds(situation) for rule in self.rules)

    @property
    def expects_success(self) -> bool:
        return all(rule.expects_success for rule in self.rules)

    def __str__(self) -> str:
        return f"({' | '.join(map(str, self.rules))})"


@dataclass(frozen=True, repr=False)
class Not(Trigger):
    """A rule does not hold."""

    rule: Trigger

    def holds(self, situation: Situation) -> bool:
        return not self.rule.holds(situation)

    def names(self) -> set[str]:
        return self.rule.names()

    def __str__(self) -> str:
        return f"~{self.rule}"


all_succeeded: Trigger = AllSucceeded()
"""Every need succeeded: stricter than no rule, which forgives a need its own rule skipped."""

all_done: Trigger = AllDone()
"""However the needs ended."""

always: Trigger = all_done
"""The same as `all_done`."""

any_failed: Trigger = AnyEnded("any_failed", _FAILED)
"""At least one need failed or was given up."""

any_succeeded: Trigger = AnyEnded("any_succeeded", frozenset({State.SUCCEEDED}))
"""At least one need succeeded."""


def task_success(step: str) -> Trigger:
    """A need, which is named, succeeded."""
    return StepEnded("task_success", step, frozenset({State.SUCCEEDED}))


def task_failed(step: str) -> Trigger:
    """A need, which is named, failed or was given up."""
    return StepEnded("task_failed", step, _FAILED)


def task_skipped(step: str) -> Trigger:
    """A need, which is named, was skipped."""
    return StepEnded("task_skipped", step, frozenset({State.SKIPPED}))


def context_value(key: str, op: str, value: Any = None) -> Trigger:
    """A value of the context that the step would be given compares as asked.

    Args:
        key: the key.
        op: `"=="`, `"!="`, `">"`, `">="`, `"<"`, `"<="`, `"contains"`, `"not_contains"`,
            `"exists"` or `"not_exists"`. Values without an order do not compare: `>` is false
            between a
            number and a text. `!=` and `not_contains` are true when `==` and `contains` are not,
            also where the key is missing. `contains` looks for a value in an array, a key in an
            object, a text in a text.
        value: what it is compared with: plain JSON.

    Raises:
        OptionError: the key, the operator or the value is not one of these.
    """
    operator(op)
    try:
        return ContextValue(_key(key), op, jsontext.encode_plain(value))
    except jsontext.NotJSONError as error:
        raise OptionError(f"context_value({key!r}, {op!r}, ...): the value {error}") from None


def all_of(*rules: Trigger) -> Trigger:
    """All of these rules hold."""
    return AllOf(_checked("all_of", rules))


def any_of(*rules: Trigger) -> Trigger:
    """At least one of these rules holds."""
    return AnyOf(_checked("any_of", rules))


def none_of(*rules: Trigger) -> Trigger:
    """None of these rules holds."""
    return Not(AnyOf(_checked("none_of", rules)))


def decide(
    rule: Trigger | None, needs: Sequence[Need], context: Callable[[], Context]
) -> Reason | None:
    """Returns why a step is skipped, or None when it runs.

    Without a rule it runs if it needs nothing, or if a need succeeded or was skipped by an
    operator, and every other one did, too, or was skipped by its own rule.

    Args:
        rule: the step's rule, if it has one.
        needs: what it needs, each ended.
        context: makes what it would be given; called only if the rule looks at it.
    """
    if rule is None:
        if lacks_success(rule, needs):
            return Reason.NEED_FAILED
        runs = not needs or any(need.lets_go_on for need in needs)
        return None if runs else Reason.TRIGGER
    if rule.holds(Situation(needs, context)):
        return None
    return Reason.NEED_FAILED if lacks_success(rule, needs) else Reason.TRIGGER


def lacks_success(rule: Trigger | None, needs: Sequence[Need]) -> bool:
    """Returns whether a step expects success, by its rule or without one, and a need has failed."""
    expects_success = rule is None or rule.expects_success
    return expects_success and any(need.spoils for need in needs)


def _key(key: object) -> str:
    if isinstance(key, str):
        return key
    raise OptionError(f"context_value({key!r}, ...) is not allowed: a key is a string")


def _checked(word: str, rules: tuple[object, ...]) -> tuple[Trigger, ...]:
    if rules and all(isinstance(rule, Trigger) for rule in rules):
        return cast("tuple[Trigger, ...]", rules)
    raise OptionError(f"{word}{rules!r} is not allowed: give at least one trigger rule")


def operator(word: str) -> Operator:
    """Returns the operator of that name. Raises `OptionError` when there is none."""
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
    return key in context and jsontext.canonical(context[key]) == jsontext.canonical(value)


def _contains(context: Mapping[str, Any], key: str, value: Any) -> bool:
    found: Any = context.get(key)
    if isinstance(found, list):
        sought = jsontext.canonical(value)
        return any(jsontext.canonical(item) == sought for item in cast("list[Any]", found))
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
