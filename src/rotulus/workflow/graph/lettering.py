"""How wide text is, without a font at hand: rather too wide than too narrow."""

from typing import NamedTuple

_NARROW = frozenset("iljtfrI.,:;'|!()[] ")
_WIDE = frozenset("mwMW@%&…")


class Letters(NamedTuple):
    """A kind of lettering: its size in pixels, how bold, and the height of a line."""

    size: float
    line: float
    weight: int = 400

    def width(self, text: str) -> float:
        """The width of a text, in pixels."""
        bold = 1.07 if self.weight > 500 else 1.0
        return self.size * bold * sum(map(_em, text))


TITLE = Letters(18, 26, 700)
SUBTITLE = Letters(13, 19)
NAME = Letters(14, 19, 600)
NOTE = Letters(11.5, 16)


def shortened(text: str, most: int) -> str:
    """A text of at most so many letters."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _em(letter: str) -> float:
    if letter in _NARROW:
        return 0.4
    if letter in _WIDE or ord(letter) > 0x2E80:
        return 1.0
    return 0.72 if letter.isupper() else 0.63
