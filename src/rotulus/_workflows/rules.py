"""The kinds of trigger rules, how they combine, and what they look at."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from rotulus._jobs.states import Reason, State
from rotulus._text import jsontext
from rotulus._workflows.context import Context
from rotulus._workflows.operators import operator


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


class Situation:
    """What a rule looks at: the needs, and the context that the step would be given.

    The context is made when a rule first asks for it.
    """

    def __init__(self, needs: Sequence[Need], context: Callable[[], Context]) -> None:
        self.needs = needs
        self._make = context

    @cached_property
    def context(self) -> Context:
        """What the step would be given."""
        return self._make()

    def ended(self, step: str, states: frozenset[State]) -> bool:
        """Whether a need of that name ended in one of these states."""
        return any(need.step == step and need.state in states for need in self.needs)


class Trigger(ABC):
    """A rule that says whether a step runs. Rules combine: `a & b`, `a | b`, `~a`."""

    @abstractmethod
    def holds(self, situation: Situation) -> bool:
        """Whether the step is to run."""

    def names(self) -> set[str]:
        """The steps that the rule names."""
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

    __repr__ = __str__


@dataclass(frozen=True, repr=False)
class AllDone(Trigger):
    """Every need has ended, however it did: always, when the question is asked."""

    def holds(self, situation: Situation) -> bool:
        del situation
        return True

    def __str__(self) -> str:
        return "all_done"

    __repr__ = __str__


@dataclass(frozen=True, repr=False)
class AnyEnded(Trigger):
    """At least one need ended in one of some states."""

    word: str
    states: frozenset[State]

    def holds(self, situation: Situation) -> bool:
        return any(need.state in self.states for need in situation.needs)

    def __str__(self) -> str:
        return self.word

    __repr__ = __str__


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

    __repr__ = __str__


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

    __repr__ = __str__


@dataclass(frozen=True, repr=False)
class AllOf(Trigger):
    """All of some rules hold."""

    rules: tuple[Trigger, ...]

    def holds(self, situation: Situation) -> bool:
        return all(rule.holds(situation) for rule in self.rules)

    def names(self) -> set[str]:
        return _names(self.rules)

    @property
    def expects_success(self) -> bool:
        return any(rule.expects_success for rule in self.rules)

    def __str__(self) -> str:
        return f"({' & '.join(map(str, self.rules))})"

    __repr__ = __str__


@dataclass(frozen=True, repr=False)
class AnyOf(Trigger):
    """At least one of some rules holds."""

    rules: tuple[Trigger, ...]

    def holds(self, situation: Situation) -> bool:
        return any(rule.holds(situation) for rule in self.rules)

    def names(self) -> set[str]:
        return _names(self.rules)

    @property
    def expects_success(self) -> bool:
        return all(rule.expects_success for rule in self.rules)

    def __str__(self) -> str:
        return f"({' | '.join(map(str, self.rules))})"

    __repr__ = __str__


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

    __repr__ = __str__


def _names(rules: tuple[Trigger, ...]) -> set[str]:
    return {name for rule in rules for name in rule.names()}
