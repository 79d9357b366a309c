"""A node as a card: its lines of text, the style of each line, and the size of the card."""

from rotulus_graph.fonts import NAME, NOTE, shortened
from rotulus_graph.graph import Node

_PADDING = 16.0
_SIDE = 6.0
"""The space that the double side of a nested node takes, on the left and on the right."""

_LEAST_WIDTH = 84.0
_MOST_LETTERS = 34
_STACK = 5.0
"""The distance between two cards of a stack."""


def card_size(node: Node) -> tuple[float, float]:
    """Returns the width and the height of the card of a node, in pixels."""
    notes = [text for _, text in card_notes(node)]
    widest = max([NAME.width(node.id), *map(NOTE.width, notes)])
    sides = 2 * (_PADDING + (_SIDE if node.nested else 0))
    height = 20 + NAME.line + NOTE.line * len(notes)
    return max(_LEAST_WIDTH, widest + sides), height


def card_notes(node: Node) -> list[tuple[str, str]]:
    """Returns the lines below the name, each as its kind and its text, cut to what a card holds."""
    return [(kind, shortened(text, _MOST_LETTERS)) for kind, text in node.notes]


def card_lifts(node: Node) -> tuple[float, ...]:
    """Returns how far each card of a stack reaches above the box, the hindmost first."""
    return (2 * _STACK, _STACK, 0.0) if node.repeats else (0.0,)
