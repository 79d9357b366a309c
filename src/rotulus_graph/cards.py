"""A node as a card: its lines of text and its size, with the width of text in a font.

No font is at hand, so the widths are estimates: rather too wide than too narrow.
"""

from typing import NamedTuple

from rotulus_graph.graph import Node

_NARROW = frozenset("iljtfrI.,:;'|!()[] ")
_WIDE = frozenset("mwMW@%&…")


class Font(NamedTuple):
    """The size of letters and the height of a line, in pixels, and the weight of the letters."""

    size: float
    line: float
    weight: int = 400

    def width(self, text: str) -> float:
        """Returns the width of a text, in pixels."""
        bold = 1.07 if self.weight > 500 else 1.0
        return self.size * bold * sum(map(_em, text))


TITLE = Font(18, 26, 700)
SUBTITLE = Font(13, 19)
NAME = Font(14, 19, 600)
NOTE = Font(11.5, 16)


def shortened(text: str, most: int) -> str:
    """Returns the text, cut to at most so many letters."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _em(letter: str) -> float:
    if letter in _NARROW:
        return 0.4
    if letter in _WIDE or ord(letter) > 0x2E80:
        return 1.0
    return 0.72 if letter.isupper() else 0.63


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
