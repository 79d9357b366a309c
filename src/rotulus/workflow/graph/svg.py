"""A workflow as SVG: one file, without scripts and references, in light and in dark."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from textwrap import wrap
from xml.sax.saxutils import escape, quoteattr

from rotulus._workflows.workflow import Workflow
from rotulus.workflow.graph.colours import DARK, LIGHT, Scheme, Tint
from rotulus.workflow.graph.layout import Box, Layout, Point, arrange
from rotulus.workflow.graph.lettering import NAME, NOTE, SUBTITLE, TITLE, Letters, shortened
from rotulus.workflow.graph.picture import Card, Picture, States, picture

_MARGIN = 28.0
_PAD = 16.0
_LEAST = 84.0
_LONGEST = 34
_WRAP = 84
_STACK = 5.0
_ARROW = 7.0


def svg(workflow: Workflow, states: States | None = None) -> str:
    """A drawing of a workflow, from the steps that need nothing down to those nobody needs.

    It is one file: no scripts, nothing loaded from elsewhere. It is light or dark as whoever looks
    at it prefers. Edges to a step that has a trigger rule are dashed, a step that runs for each
    item of an array is a stack of cards, one that is a workflow has double sides.

    Args:
        workflow: the workflow.
        states: how its steps stand in a run, by id, to colour them; a `State` or its name.

    Raises:
        OptionError: there is no such state.
    """
    drawn = picture(workflow, states)
    sizes = {card.id: _size(card) for card in drawn.cards.values()}
    layout = arrange(drawn.levels, drawn.edges, sizes)
    head = _header(drawn)
    widest = max([layout.width, *(letters.width(text) for letters, text in head)])
    top = _MARGIN + sum(letters.line for letters, _ in head) + 18
    width, height = widest + 2 * _MARGIN, top + layout.height + _MARGIN
    left = _MARGIN + (widest - layout.width) / 2
    return "\n".join(
        [
            *_opening(drawn, width, height),
            *_headlines(head),
            f'<g transform="translate({left:.1f} {top:.1f})">',
            *_edges(drawn, layout),
            *(_card(card, layout.boxes[card.id]) for card in drawn.cards.values()),
            "</g>",
            "</svg>\n",
        ]
    )


def _header(drawn: Picture) -> list[tuple[Letters, str]]:
    """The lines above the drawing."""
    lines = wrap(drawn.subtitle, _WRAP, max_lines=2, placeholder=" …")
    return [(TITLE, drawn.title), *((SUBTITLE, line) for line in lines)]


def _opening(drawn: Picture, width: float, height: float) -> Iterable[str]:
    steps = f"{len(drawn.cards)} step{'' if len(drawn.cards) == 1 else 's'}"
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="rotulus" role="img" '
        f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}">'
    )
    yield f"<title>{escape(drawn.title)}: {steps}</title>"
    yield f"<style>{_style()}</style>"
    yield f'<rect class="back" width="{width:.0f}" height="{height:.0f}" rx="12"/>'


def _style() -> str:
    shared = (
        '.rotulus text{font-family:ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,'
        '"Helvetica Neue",Arial,sans-serif}'
        ".rotulus .edge{fill:none;stroke-width:1.5}.rotulus .maybe{stroke-dasharray:5 4}"
        ".rotulus .box{stroke-width:1.25}.rotulus .side{stroke-width:1.25}"
        + "".join(
            f".rotulus .{name}{{font-size:{letters.size:g}px;font-weight:{letters.weight}}}"
            for name, letters in (("title", TITLE), ("name", NAME), ("note", NOTE))
        )
        + f".rotulus .about{{font-size:{SUBTITLE.size:g}px}}"
    )
    return f"{shared}{_colours(LIGHT)}@media (prefers-color-scheme:dark){{{_colours(DARK)}}}"


def _colours(scheme: Scheme) -> str:
    rules = {
        "back": f"fill:{scheme.back}",
        "title": f"fill:{scheme.ink}",
        "name": f"fill:{scheme.ink}",
        "about": f"fill:{scheme.quiet}",
        "note": f"fill:{scheme.quiet}",
        "rule": f"fill:{scheme.rule}",
        "each": f"fill:{scheme.each}",
        "edge": f"stroke:{scheme.edge}",
        "arrow": f"fill:{scheme.edge}",
    }
    plain = [f".rotulus .{name}{{{rule}}}" for name, rule in rules.items()]
    tints = [("plain", scheme.card), *((str(s), tint) for s, tint in scheme.states.items())]
    return "".join([*plain, *(_tint(name, tint) for name, tint in tints)])


def _tint(name: str, tint: Tint) -> str:
    return (
        f".rotulus .{name} .box{{fill:{tint.fill};stroke:{tint.line}}}"
        f".rotulus .{name} .side{{stroke:{tint.line}}}"
        f".rotulus .{name} .state{{fill:{tint.word}}}"
    )


def _headlines(head: Sequence[tuple[Letters, str]]) -> Iterable[str]:
    y = _MARGIN
    for letters, text in head:
        y += letters.line
        style = "title" if letters is TITLE else "about"
        yield f'<text class="{style}" x="{_MARGIN:g}" y="{y - 5:.1f}">{escape(text)}</text>'


def _edges(drawn: Picture, layout: Layout) -> Iterable[str]:
    for route in layout.routes:
        card = drawn.cards[route.target]
        style = "edge maybe" if card.rule else "edge"
        x, y = route.points[-1]
        y -= _lift(card)
        path = _path([*route.points[:-1], (x, y - _ARROW + 1)])
        yield f'<path class="{style}" d="{path}"/>'
        tip = f"M{x - 4:.1f} {y - _ARROW:.1f}h8l-4 {_ARROW:g}z"
        yield f'<path class="arrow" d="{tip}"/>'


def _path(points: Sequence[Point]) -> str:
    """A line through points: curves between rows, which begin and end upright."""
    (x, y), *_ = points
    parts = [f"M{x:.1f} {y:.1f}"]
    for number, ((x, y), (to_x, to_y)) in enumerate(pairwise(points)):
        if number % 2:
            parts.append(f"V{to_y:.1f}")
        else:
            bend = (y + to_y) / 2
            parts.append(f"C{x:.1f} {bend:.1f} {to_x:.1f} {bend:.1f} {to_x:.1f} {to_y:.1f}")
    return "".join(parts)


def _size(card: Card) -> tuple[float, float]:
    notes = [text for _, text in _notes(card)]
    widest = max([NAME.width(card.id), *map(NOTE.width, notes)])
    sides = 2 * (_PAD + (6 if card.nests else 0))
    height = 20 + NAME.line + NOTE.line * len(notes)
    return max(_LEAST, widest + sides), height


def _notes(card: Card) -> list[tuple[str, str]]:
    """The lines below the name, each with its style."""
    lines = [
        ("note", card.task),
        ("note each", card.each and f"for each of {card.each}"),
        ("note rule", card.rule and f"if {card.rule}"),
        ("note state", str(card.state or "")),
    ]
    return [(style, shortened(text, _LONGEST)) for style, text in lines if text]


def _lift(card: Card) -> float:
    """How far a card reaches above its box: a stack does."""
    return 2 * _STACK if card.each else 0.0


def _card(card: Card, box: Box) -> str:
    label = ", ".join([card.id, *card.notes])
    pieces = [f"<title>{escape(label)}</title>"]
    lifts = (2 * _STACK, _STACK, 0.0) if card.each else (0.0,)
    pieces += [_rectangle(box, lift) for lift in lifts]
    if card.nests:
        pieces += [_side(box.x + 7, box), _side(box.x + box.width - 7, box)]
    pieces += _text(card, box)
    return f"<g class={quoteattr(str(card.state or 'plain'))}>{''.join(pieces)}</g>"


def _rectangle(box: Box, lift: float) -> str:
    """A card; those behind it are a little higher, and narrower."""
    return (
        f'<rect class="box" x="{box.x + lift:.1f}" y="{box.y - lift:.1f}" '
        f'width="{box.width - 2 * lift:.1f}" height="{box.height:.1f}" rx="8"/>'
    )


def _side(x: float, box: Box) -> str:
    return f'<path class="side" d="M{x:.1f} {box.y:.1f}V{box.bottom:.1f}"/>'


def _text(card: Card, box: Box) -> Iterable[str]:
    x, y = box.x + box.width / 2, box.y + 10
    for style, text in [("name", card.id), *_notes(card)]:
        letters = NAME if style == "name" else NOTE
        y += letters.line
        yield (
            f'<text class="{style}" x="{x:.1f}" y="{y - letters.line * 0.28:.1f}" '
            f'text-anchor="middle">{escape(text)}</text>'
        )
