"""The width of text, without a font at hand: rather too wide than too narrow."""

from typing import NamedTuple

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
