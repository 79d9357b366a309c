"""The colours of drawings, in light and in dark."""

from typing import NamedTuple

from rotulus import State


class Tint(NamedTuple):
    """The colours of a card: inside, around, and for the word that names its state."""

    fill: str
    line: str
    word: str


class Scheme(NamedTuple):
    """All colours of a drawing.

    Attributes:
        back: behind everything.
        ink: titles.
        quiet: what is said besides.
        edge: lines and arrows.
        rule: trigger rules.
        each: what runs for each item.
        card: a card without a state.
        states: a card in a state.
    """

    back: str
    ink: str
    quiet: str
    edge: str
    rule: str
    each: str
    card: Tint
    states: dict[State, Tint]


def _tints(
    green: Tint, red: Tint, deep: Tint, blue: Tint, amber: Tint, grey: Tint
) -> dict[State, Tint]:
    return {
        State.BLOCKED: grey,
        State.DELAYED: amber,
        State.QUEUED: amber,
        State.RUNNING: blue,
        State.SUCCEEDED: green,
        State.FAILED: red,
        State.DEAD: deep,
        State.CANCELLED: grey,
        State.SKIPPED: grey,
    }


LIGHT = Scheme(
    back="#ffffff",
    ink="#1c2430",
    quiet="#5d6b7c",
    edge="#93a1b1",
    rule="#9a5b00",
    each="#5b48c2",
    card=Tint("#f7f9fb", "#c3ccd6", "#5d6b7c"),
    states=_tints(
        green=Tint("#e9f8ee", "#4bae71", "#16743a"),
        red=Tint("#fdeceb", "#e0645c", "#b3261e"),
        deep=Tint("#f8dcdc", "#a52323", "#8c1515"),
        blue=Tint("#e6f2fe", "#3f8fe0", "#0f5fae"),
        amber=Tint("#fff6df", "#d9a32b", "#8a6100"),
        grey=Tint("#f1f3f5", "#b4bdc7", "#66717e"),
    ),
)

DARK = Scheme(
    back="#10151c",
    ink="#e8edf3",
    quiet="#9aa7b6",
    edge="#64748a",
    rule="#e8b35a",
    each="#b3a5ff",
    card=Tint("#1a212b", "#3c4857", "#9aa7b6"),
    states=_tints(
        green=Tint("#12291c", "#348a55", "#79d39b"),
        red=Tint("#341a1b", "#c4524b", "#ff9d96"),
        deep=Tint("#3d1013", "#d13b3b", "#ff8080"),
        blue=Tint("#11263d", "#3b7fc4", "#86bdf7"),
        amber=Tint("#2f2611", "#a8802a", "#eec465"),
        grey=Tint("#1b2027", "#4a5563", "#93a0ae"),
    ),
)
