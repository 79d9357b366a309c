"""A graph as Mermaid text, which GitHub and other places draw from Markdown."""

import re

from rotulus_graph.colours import LIGHT
from rotulus_graph.graph import Graph, Node, Tone

_PLAIN = re.compile(r"[^A-Za-z0-9 _.,()=|~'/-]")


def to_mermaid(graph: Graph) -> str:
    """Returns a graph as a Mermaid flowchart.

    A node that stands for each item of a list is a hexagon, and a nested one is a box with double
    sides. The edges to a node with a condition are dotted.
    """
    conditional = {node.id for node in graph.nodes if node.condition}
    lines = ["flowchart TD"]
    lines += [f"    {_node(node)}" for node in graph.nodes]
    for source, target in graph.edges:
        arrow = "-.->" if target in conditional else "-->"
        lines.append(f"    {node_id(source)} {arrow} {node_id(target)}")
    shown = {node.state: node.tone for node in graph.nodes if node.state}
    lines += [f"    {_class(state, tone)}" for state, tone in shown.items()]
    return "\n".join(lines) + "\n"


def node_id(name: str) -> str:
    """Returns an id that Mermaid can read: neither a word of Mermaid nor a part of an arrow."""
    return f"s_{name.replace('-', '_-')}"


def escape(text: str) -> str:
    """Returns text that can stand between quotes: signs with a meaning become numbered entities."""
    return _PLAIN.sub(lambda found: f"#{ord(found[0])};", " ".join(text.split()))


def _node(node: Node) -> str:
    label = "<br/>".join(map(escape, [node.id, *(text for _, text in node.notes)]))
    left, right = ("[[", "]]") if node.nested else ("{{", "}}") if node.repeats else ("[", "]")
    style = f":::{node.state}" if node.state else ""
    return f'{node_id(node.id)}{left}"{label}"{right}{style}'


def _class(state: str, tone: Tone) -> str:
    """Returns the light colours, with dark ink: legible on any ground."""
    tint = LIGHT.cards[tone]
    return f"classDef {state} fill:{tint.fill},stroke:{tint.line},color:{LIGHT.ink}"
