"""A graph as SVG: one file, without scripts and references, in light and in dark."""

from collections.abc import Iterable, Sequence
from html import escape
from itertools import pairwise
from textwrap import wrap

from rotulus_graph.cards import NAME, NOTE, SUBTITLE, TITLE, Font, card_lifts, card_notes
from rotulus_graph.colours import DARK, LIGHT, Palette, Tint
from rotulus_graph.graph import Graph, Node
from rotulus_graph.layout import Box, Layout, Point, lay_out

_MARGIN = 28.0
_WRAP = 84
_ARROW = 7.0


def to_svg(graph: Graph) -> str:
    """Returns a drawing of a graph, from the nodes that no edge leads to downward.

    The drawing is one file: it has no scripts and loads nothing from elsewhere. It is light or dark
    as its reader prefers. Edges to a node with a condition are dashed, a node that stands for each
    item of a list is a stack of cards, and a nested node has double sides.

    Raises:
        graphlib.CycleError: the edges go round in a circle. It is a `ValueError`.
    """
    layout = lay_out(graph)
    head = _header(graph)
    widest = max([layout.width, *(font.width(text) for font, text in head)])
    top = _MARGIN + sum(font.line for font, _ in head) + 18
    width, height = widest + 2 * _MARGIN, top + layout.height + _MARGIN
    left = _MARGIN + (widest - layout.width) / 2
    return "\n".join(
        [
            *_opening(graph, width, height),
            *_headlines(head),
            f'<g transform="translate({left:.1f} {top:.1f})">',
            *_edges(graph, layout),
            *(_card(node, layout.boxes[node.id]) for node in graph.nodes),
            "</g>",
            "</svg>\n",
        ]
    )


def _header(graph: Graph) -> list[tuple[Font, str]]:
    """Returns the lines above the drawing."""
    lines = wrap(graph.subtitle, _WRAP, max_lines=2, placeholder=" …")
    return [(TITLE, graph.title), *((SUBTITLE, line) for line in lines)]


def _opening(graph: Graph, width: float, height: float) -> Iterable[str]:
    steps = f"{len(graph.nodes)} step{'' if len(graph.nodes) == 1 else 's'}"
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="layered" role="img" '
        f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}">'
    )
    yield f"<title>{escape(graph.title)}: {steps}</title>"
    yield f"<style>{_style()}</style>"
    yield f'<rect class="back" width="{width:.0f}" height="{height:.0f}" rx="12"/>'


def _style() -> str:
    shared = (
        '.layered text{font-family:ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,'
        '"Helvetica Neue",Arial,sans-serif}'
        ".layered .edge{fill:none;stroke-width:1.5}.layered .maybe{stroke-dasharray:5 4}"
        ".layered .box{stroke-width:1.25}.layered .side{stroke-width:1.25}"
        + "".join(
            f".layered .{name}{{font-size:{font.size:g}px;font-weight:{font.weight}}}"
            for name, font in (("title", TITLE), ("name", NAME), ("note", NOTE))
        )
        + f".layered .about{{font-size:{SUBTITLE.size:g}px}}"
    )
    return f"{shared}{_colours(LIGHT)}@media (prefers-color-scheme:dark){{{_colours(DARK)}}}"


def _colours(palette: Palette) -> str:
    rules = {
        "back": f"fill:{palette.back}",
        "title": f"fill:{palette.ink}",
        "name": f"fill:{palette.ink}",
        "about": f"fill:{palette.quiet}",
        "note": f"fill:{palette.quiet}",
        "condition": f"fill:{palette.condition}",
        "repeats": f"fill:{palette.repeats}",
        "edge": f"stroke:{palette.edge}",
        "arrow": f"fill:{palette.edge}",
    }
    plain = [f".layered .{name}{{{rule}}}" for name, rule in rules.items()]
    return "".join([*plain, *(_tint(tone, tint) for tone, tint in palette.cards.items())])


def _tint(tone: str, tint: Tint) -> str:
    return (
        f".layered .{tone} .box{{fill:{tint.fill};stroke:{tint.line}}}"
        f".layered .{tone} .side{{stroke:{tint.line}}}"
        f".layered .{tone} .state{{fill:{tint.word}}}"
    )


def _headlines(head: Sequence[tuple[Font, str]]) -> Iterable[str]:
    y = _MARGIN
    for font, text in head:
        y += font.line
        style = "title" if font is TITLE else "about"
        yield f'<text class="{style}" x="{_MARGIN:g}" y="{y - 5:.1f}">{escape(text)}</text>'


def _edges(graph: Graph, layout: Layout) -> Iterable[str]:
    nodes = {node.id: node for node in graph.nodes}
    for route in layout.routes:
        target = nodes[route.target]
        style = "edge maybe" if target.condition else "edge"
        x, y = route.points[-1]
        y -= max(card_lifts(target))
        path = _path([*route.points[:-1], (x, y - _ARROW + 1)])
        yield f'<path class="{style}" d="{path}"/>'
        tip = f"M{x - 4:.1f} {y - _ARROW:.1f}h8l-4 {_ARROW:g}z"
        yield f'<path class="arrow" d="{tip}"/>'


def _path(points: Sequence[Point]) -> str:
    """Returns a line through points: curves between rows that begin and end upright."""
    (x, y), *_ = points
    parts = [f"M{x:.1f} {y:.1f}"]
    for number, ((x, y), (to_x, to_y)) in enumerate(pairwise(points)):
        if number % 2:
            parts.append(f"V{to_y:.1f}")
        else:
            bend = (y + to_y) / 2
            parts.append(f"C{x:.1f} {bend:.1f} {to_x:.1f} {bend:.1f} {to_x:.1f} {to_y:.1f}")
    return "".join(parts)


def _card(node: Node, box: Box) -> str:
    label = ", ".join([node.id, *(text for _, text in node.notes)])
    pieces = [f"<title>{escape(label)}</title>"]
    pieces += [_rectangle(box, lift) for lift in card_lifts(node)]
    if node.nested:
        pieces += [_side(box.x + 7, box), _side(box.x + box.width - 7, box)]
    pieces += _text(node, box)
    return f'<g class="{node.tone}">{"".join(pieces)}</g>'


def _rectangle(box: Box, lift: float) -> str:
    """Returns a card. The cards behind the first stand a little higher, and are narrower."""
    return (
        f'<rect class="box" x="{box.x + lift:.1f}" y="{box.y - lift:.1f}" '
        f'width="{box.width - 2 * lift:.1f}" height="{box.height:.1f}" rx="8"/>'
    )


def _side(x: float, box: Box) -> str:
    return f'<path class="side" d="M{x:.1f} {box.y:.1f}V{box.bottom:.1f}"/>'


def _text(node: Node, box: Box) -> Iterable[str]:
    x, y = box.x + box.width / 2, box.y + 10
    lines = [(f"note {kind}", text) for kind, text in card_notes(node)]
    for style, text in [("name", node.id), *lines]:
        font = NAME if style == "name" else NOTE
        y += font.line
        yield (
            f'<text class="{style}" x="{x:.1f}" y="{y - font.line * 0.28:.1f}" '
            f'text-anchor="middle">{escape(text)}</text>'
        )
