"""A graph to draw: its nodes, its edges, and the text of each node."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

_ID = re.compile(r"[A-Za-z0-9_-]+")
_STATE = re.compile(r"[A-Za-z_]*")


class Tone(StrEnum):
    """The colour of a node, by its meaning."""

    PLAIN = "plain"
    """No state is shown."""
    IDLE = "idle"
    """Nothing happens there, or nothing will. Grey."""
    WAITING = "waiting"
    """It waits for its turn. Amber."""
    ACTIVE = "active"
    """It is under way. Blue."""
    GOOD = "good"
    """It ended well. Green."""
    BAD = "bad"
    """It ended badly. Red."""
    FATAL = "fatal"
    """It ended worse. Deep red."""


@dataclass(frozen=True)
class Node:
    """One node, drawn as a card.

    Attributes:
        id: its name, and the title of the card: letters, digits, `_` and `-`.
        caption: a line below the title.
        repeats: the name of a list, if the node stands for each item of it. The card becomes a
            stack.
        condition: a rule that decides whether the node is reached. Edges to it are dashed.
        nested: whether the node is a graph of its own. The card gets double sides.
        state: how the node stands, in one word.
        tone: the colour of the card.
        detail: a line below the state.

    Raises:
        ValueError: the id or the state is not allowed.
    """

    id: str
    caption: str = ""
    repeats: str = ""
    condition: str = ""
    nested: bool = False
    state: str = ""
    tone: Tone = Tone.PLAIN
    detail: str = ""

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise ValueError(
                f"Node id {self.id!r} is not allowed: use letters, digits, '_' and '-'"
            )
        if not _STATE.fullmatch(self.state):
            raise ValueError(
                f"Node {self.id!r}: state {self.state!r} is not allowed: use one word of letters"
            )

    @property
    def notes(self) -> list[tuple[str, str]]:
        """The lines below the title, from above to below, each as its kind and its text."""
        lines = [
            ("caption", self.caption),
            ("repeats", self.repeats and f"for each of {self.repeats}"),
            ("condition", self.condition and f"if {self.condition}"),
            ("state", self.state),
            ("detail", self.detail),
        ]
        return [(kind, text) for kind, text in lines if text]


@dataclass(frozen=True)
class Graph:
    """Nodes, and the edges between them.

    Attributes:
        title: the headline of the drawing.
        nodes: the nodes. Those of one layer are drawn in this order where edges do not say
            otherwise.
        edges: pairs of ids: the edge leads from the first to the second. A pair that is given
            twice is one edge.
        subtitle: a sentence below the title.

    Raises:
        ValueError: two nodes have one id, or an edge names a node that is not there.
    """

    title: str
    nodes: Sequence[Node]
    edges: Sequence[tuple[str, str]] = ()
    subtitle: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "nodes", tuple(self.nodes))
        object.__setattr__(self, "edges", tuple(dict.fromkeys(self.edges)))
        for node_id, count in Counter(node.id for node in self.nodes).items():
            if count > 1:
                raise ValueError(f"Graph {self.title!r} has {count} nodes with the id {node_id!r}")
        ids = {node.id for node in self.nodes}
        for edge in self.edges:
            for unknown in [end for end in edge if end not in ids]:
                raise ValueError(f"Graph {self.title!r}: edge {edge!r} names no node {unknown!r}")
