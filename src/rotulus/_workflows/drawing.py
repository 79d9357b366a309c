"""Drawings of workflows: as Mermaid text, as SVG, and as a layout that a page can draw itself."""

from collections.abc import Mapping
from itertools import pairwise

from rotulus._jobs.states import State
from rotulus._workflows.tasks import StepTask, WorkflowTask
from rotulus._workflows.workflow import Step, Workflow
from rotulus.errors import OptionError
from rotulus_graph import Graph, Layout, Node, Tone, lay_out, to_mermaid, to_svg

States = Mapping[str, State | str]
"""The states of the steps of a run, by the id of the step."""

TONES = {
    State.BLOCKED: Tone.IDLE,
    State.DELAYED: Tone.WAITING,
    State.QUEUED: Tone.WAITING,
    State.RUNNING: Tone.ACTIVE,
    State.SUCCEEDED: Tone.GOOD,
    State.FAILED: Tone.BAD,
    State.DEAD: Tone.FATAL,
    State.CANCELLED: Tone.IDLE,
    State.SKIPPED: Tone.IDLE,
}
"""The colour of a step in each state."""


def mermaid(workflow: Workflow, states: States | None = None) -> str:
    """Returns a workflow as a Mermaid flowchart.

    A step that runs for each item of an array is a hexagon, and a step that is a workflow is a box
    with double sides. The edges to a step with a trigger rule are dotted.

    Args:
        workflow: the workflow.
        states: the states of the steps in a run, by id, to colour the steps; a `State` or its name.

    Raises:
        OptionError: there is no such state.
    """
    return to_mermaid(graph_of(workflow, states))


def svg(workflow: Workflow, states: States | None = None) -> str:
    """Returns a workflow as an SVG drawing, from the steps that need nothing downward.

    The drawing is one file: it has no scripts and loads nothing from elsewhere. It is light or dark
    as its reader prefers. Edges to a step with a trigger rule are dashed, a step that runs for each
    item of an array is a stack of cards, and a step that is a workflow has double sides.

    Args:
        workflow: the workflow.
        states: the states of the steps in a run, by id, to colour the steps; a `State` or its name.

    Raises:
        OptionError: there is no such state.
    """
    return to_svg(graph_of(workflow, states))


def layout(workflow: Workflow, states: States | None = None) -> Layout:
    """Returns the places of the boxes and the edges of a drawing, in pixels.

    `layout(workflow).to_json()` is an object with `width`, `height`, `boxes` and `routes`. A box
    has `x`, `y`, `width` and `height`, by the id of the step. A route has `source`, `target` and
    `points`.

    Args:
        workflow: the workflow.
        states: the states of the steps in a run, by id. A state is a line of its box.

    Raises:
        OptionError: there is no such state.
    """
    return lay_out(graph_of(workflow, states))


def graph_of(workflow: Workflow, states: States | None = None) -> Graph:
    """Returns the graph to draw. A step without a state is plain.

    Raises:
        OptionError: there is no such state.
    """
    known = {step_id: _state(state) for step_id, state in (states or {}).items()}
    steps = workflow.steps.values()
    return Graph(
        workflow.name,
        [node_of(workflow, step, known.get(step.id)) for step in steps],
        [(need, step.id) for step in steps for need in step.needs],
        workflow.description,
    )


def node_of(workflow: Workflow, step: Step, state: State | None) -> Node:
    """Returns a step as the node of a graph; without a state it is plain."""
    own = isinstance(step.task, StepTask) and step.task.name == f"{workflow.name}.{step.id}"
    return Node(
        step.id,
        caption="" if own or step.task.name == step.id else step.task.name,
        repeats=step.for_each or "",
        condition=_rule(step),
        nested=isinstance(step.task, WorkflowTask),
        state=state or "",
        tone=TONES[state] if state else Tone.PLAIN,
    )


def _rule(step: Step) -> str:
    """Returns the trigger rule without the parentheses around the whole of it."""
    text = "" if step.trigger is None else str(step.trigger)
    return text[1:-1] if _is_wrapped(text) else text


def _is_wrapped(text: str) -> bool:
    """Returns whether the first parenthesis is closed by the last one."""
    depth = [0]
    for sign in text:
        depth.append(depth[-1] + (sign == "(") - (sign == ")"))
    return text.startswith("(") and all(before > 0 for before, _ in list(pairwise(depth))[1:])


def _state(state: State | str) -> State:
    try:
        return State(state)
    except ValueError:
        raise OptionError(f"{state!r} is not a state: use one of {', '.join(State)}") from None
