"""What is drawn of a workflow: a card for each step, and which card leads to which."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rotulus import State
from rotulus._workflows.tasks import StepTask, WorkflowTask
from rotulus._workflows.workflow import Step, Workflow
from rotulus.errors import OptionError

States = Mapping[str, State | str]
"""How the steps of a run stand, by id."""


@dataclass(frozen=True)
class Card:
    """One step, as it is shown.

    Attributes:
        id: the id of the step.
        task: what it runs, where the id does not say so.
        rule: its trigger rule, in words.
        each: the key of the context for each item of which it runs.
        nests: whether it is a workflow of its own.
        state: how it stands in a run, if one is shown.
    """

    id: str
    task: str = ""
    rule: str = ""
    each: str = ""
    nests: bool = False
    state: State | None = None

    @property
    def notes(self) -> list[str]:
        """What is to be said of it besides its id, a line each."""
        each = f"for each of {self.each}" if self.each else ""
        rule = f"if {self.rule}" if self.rule else ""
        state = str(self.state) if self.state else ""
        return [note for note in (self.task, each, rule, state) if note]


@dataclass(frozen=True)
class Picture:
    """Cards, in levels from the first to the last, and the edges between them.

    Attributes:
        title: the name of the workflow.
        subtitle: what it is for.
        cards: the cards by id.
        levels: their ids; edges lead from a level to later ones.
        edges: pairs of ids.
    """

    title: str
    subtitle: str
    cards: Mapping[str, Card]
    levels: Sequence[Sequence[str]]
    edges: Sequence[tuple[str, str]]


def picture(workflow: Workflow, states: States | None = None) -> Picture:
    """What is to be drawn.

    Args:
        workflow: the workflow.
        states: how the steps of a run stand; those that are missing are drawn as they are.

    Raises:
        OptionError: there is no such state.
    """
    known = {step_id: _state(state) for step_id, state in (states or {}).items()}
    steps = workflow.steps.values()
    return Picture(
        workflow.name,
        workflow.description,
        {step.id: _card(workflow, step, known.get(step.id)) for step in steps},
        workflow.get_execution_levels(),
        [(need, step.id) for step in steps for need in step.needs],
    )


def _card(workflow: Workflow, step: Step, state: State | None) -> Card:
    own = isinstance(step.task, StepTask) and step.task.name == f"{workflow.name}.{step.id}"
    return Card(
        step.id,
        "" if own or step.task.name == step.id else step.task.name,
        _rule(step),
        step.for_each or "",
        isinstance(step.task, WorkflowTask),
        state,
    )


def _rule(step: Step) -> str:
    """The rule without the parentheses around the whole of it."""
    text = "" if step.trigger is None else str(step.trigger)
    return text[1:-1] if _is_wrapped(text) else text


def _is_wrapped(text: str) -> bool:
    """Whether the first parenthesis is closed by the last one."""
    depth = [0]
    for sign in text:
        depth.append(depth[-1] + (sign == "(") - (sign == ")"))
    return text.startswith("(") and all(before > 0 for before, _ in list(pairwise(depth))[1:])


def _state(state: State | str) -> State:
    try:
        return State(state)
    except ValueError:
        raise OptionError(f"{state!r} is not a state: use one of {', '.join(State)}") from None
