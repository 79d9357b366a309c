"""Trigger rules: whether a step runs, given how what it needs has ended."""

from collections.abc import Callable, Sequence
from typing import Any, cast

from rotulus._jobs.states import Reason, State
from rotulus._text import jsontext
from rotulus._workflows.context import Context
from rotulus._workflows.operators import operator
from rotulus._workflows.rules import (
    AllDone,
    AllOf,
    AllSucceeded,
    AnyEnded,
    AnyOf,
    ContextValue,
    Need,
    Not,
    Situation,
    StepEnded,
    Trigger,
)
from rotulus.errors import OptionError

_FAILED = frozenset({State.FAILED, State.DEAD})


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
            `"exists"` or `"not_exists"`. What cannot be compared is not: `>` is false between a
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
    """Why a step is skipped, or None when it runs.

    Without a rule it runs if it needs nothing, or if a need succeeded and every other one did,
    too, or was skipped by its own rule.

    Args:
        rule: the step's rule, if it has one.
        needs: what it needs, each ended.
        context: makes what it would be given; called only if the rule looks at it.
    """
    spoilt = any(need.spoils for need in needs)
    if rule is None:
        if spoilt:
            return Reason.NEED_FAILED
        runs = not needs or any(need.state is State.SUCCEEDED for need in needs)
        return None if runs else Reason.TRIGGER
    if rule.holds(Situation(needs, context)):
        return None
    return Reason.NEED_FAILED if spoilt and rule.expects_success else Reason.TRIGGER


def _key(key: object) -> str:
    if isinstance(key, str):
        return key
    raise OptionError(f"context_value({key!r}, ...) is not allowed: a key is a string")


def _checked(word: str, rules: tuple[object, ...]) -> tuple[Trigger, ...]:
    if rules and all(isinstance(rule, Trigger) for rule in rules):
        return cast("tuple[Trigger, ...]", rules)
    raise OptionError(f"{word}{rules!r} is not allowed: give at least one trigger rule")
