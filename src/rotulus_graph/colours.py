"""The colours of drawings, in light and in dark."""

from collections.abc import Mapping
from typing import NamedTuple

from rotulus_graph.graph import Tone


class Tint(NamedTuple):
    """The colours of a card: inside, around, and for the word that names its state."""

    fill: str
    line: str
    word: str


class Palette(NamedTuple):
    """All colours of a drawing.

    Attributes:
        back: the background.
        ink: titles.
        quiet: text below a title.
        edge: lines and arrows.
        condition: the condition of a node.
        repeats: the line of a node that stands for each item of a list.
        cards: the colours of a card, by its tone.
    """

    back: str
    ink: str
    quiet: str
    edge: str
    condition: str
    repeats: str
    cards: Mapping[Tone, Tint]


LIGHT = Palette(
    back="#ffffff",
    ink="#1c2430",
    quiet="#5d6b7c",
    edge="#93a1b1",
    condition="#9a5b00",
    repeats="#5b48c2",
    cards={
        Tone.PLAIN: Tint("#f7f9fb", "#c3ccd6", "#5d6b7c"),
        Tone.IDLE: Tint("#f1f3f5", "#b4bdc7", "#66717e"),
        Tone.WAITING: Tint("#fff6df", "#d9a32b", "#8a6100"),
        Tone.ACTIVE: Tint("#e6f2fe", "#3f8fe0", "#0f5fae"),
        Tone.GOOD: Tint("#e9f8ee", "#4bae71", "#16743a"),
        Tone.BAD: Tint("#fdeceb", "#e0645c", "#b3261e"),
        Tone.FATAL: Tint("#f8dcdc", "#a52323", "#8c1515"),
    },
)

DARK = Palette(
    back="#10151c",
    ink="#e8edf3",
    quiet="#9aa7b6",
    edge="#64748a",
    condition="#e8b35a",
    repeats="#b3a5ff",
    cards={
        Tone.PLAIN: Tint("#1a212b", "#3c4857", "#9aa7b6"),
        Tone.IDLE: Tint("#1b2027", "#4a5563", "#93a0ae"),
        Tone.WAITING: Tint("#2f2611", "#a8802a", "#eec465"),
        Tone.ACTIVE: Tint("#11263d", "#3b7fc4", "#86bdf7"),
        Tone.GOOD: Tint("#12291c", "#348a55", "#79d39b"),
        Tone.BAD: Tint("#341a1b", "#c4524b", "#ff9d96"),
        Tone.FATAL: Tint("#3d1013", "#d13b3b", "#ff8080"),
    },
)
