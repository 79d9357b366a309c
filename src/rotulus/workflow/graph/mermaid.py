"""A workflow as Mermaid text, which many places that show Markdown draw."""

import re

from rotulus import State
from rotulus._workflows.workflow import Workflow
from rotulus.workflow.graph.colours import LIGHT
from rotulus.workflow.graph.picture import Card, States, picture

_PLAIN = re.compile(r"[^A-Za-z0-9 _.,()=|~'/-]")


def mermaid(workflow: Workflow, states: States | None = None) -> str:
    """A workflow as a flowchart of Mermaid.

    A step that runs for each item of an array is a hexagon, one that is a workflow a box with
    double sides. The edges to a step that has a trigger rule are dotted.

    Args:
        workflow: the workflow.
        states: how its steps stand in a run, by id, to colour them; a `State` or its name.

    Raises:
        OptionError: there is no such state.
    """
    drawn = picture(workflow, states)
    lines = ["flowchart TD"]
    lines += [f"    {_node(card)}" for card in drawn.cards.values()]
    for source, target in drawn.edges:
        arrow = "-.->" if drawn.cards[target].rule else "-->"
        lines.append(f"    {node_id(source)} {arrow} {node_id(target)}")
    shown = [card.state for card in drawn.cards.values() if card.state]
    lines += [f"    {_class(state)}" for state in dict.fromkeys(shown)]
    return "\n".join(lines) + "\n"


def node_id(step_id: str) -> str:
    """The id of a step as Mermaid can read it: neither a word of its own nor part of an arrow."""
    return f"s_{step_id.replace('-', '_-')}"


def escape(text: str) -> str:
    """Text as it can stand between quotes: what may mean something there is a numbered entity."""
    return _PLAIN.sub(lambda found: f"#{ord(found[0])};", " ".join(text.split()))


def _node(card: Card) -> str:
    label = "<br/>".join(map(escape, [card.id, *card.notes]))
    left, right = ("[[", "]]") if card.nests else ("{{", "}}") if card.each else ("[", "]")
    style = f":::{card.state}" if card.state else ""
    return f'{node_id(card.id)}{left}"{label}"{right}{style}'


def _class(state: State) -> str:
    """The light colours, with dark ink: legible on any ground."""
    tint = LIGHT.states[state]
    return f"classDef {state} fill:{tint.fill},stroke:{tint.line},color:{LIGHT.ink}"
