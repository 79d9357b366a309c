"""The layout of a graph: boxes in rows, and routes between the boxes that go downward.

An edge that passes a row has a place in that row, like a narrow box. So no route runs through a
box. Edge routing is the fourth step and stands here; the three steps before it have a module each.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

from rotulus_graph.cards import card_size
from rotulus_graph.coordinates import assign_centres
from rotulus_graph.graph import Graph
from rotulus_graph.rows import Link, Row, layers, reduce_crossings

SPACE = 28.0
"""The space between two boxes of a row, in pixels."""

_LANE = 18.0
"""The width of the place of an edge in a row that the edge passes."""

_NEAR, _FAR = 56.0, 132.0
"""The least and the greatest distance between two rows."""

_SLANT = 0.07
"""The extra distance between two rows for each pixel that an edge between them goes sideways."""

_PORT, _CROWD = 16.0, 8.0
"""The greatest distance between the ends of two edges at a box, and the least. Nearer ends meet."""

Size = tuple[float, float]
Point = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """A rectangle: its upper left corner, and its size."""

    x: float
    y: float
    width: float
    height: float

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.y + self.height


@dataclass(frozen=True)
class Route:
    """The way of one edge.

    Attributes:
        source: the id of the node where the edge begins.
        target: the id of the node where the edge ends.
        points: points from the lower edge of the source to the upper edge of the target, an even
            number of them. From the first to the second of a pair the edge crosses the space
            between two rows; from a pair to the next it passes a row, straight down.
    """

    source: str
    target: str
    points: Sequence[Point]


@dataclass(frozen=True)
class Layout:
    """Boxes and routes, in pixels from the upper left corner of the drawing.

    Attributes:
        boxes: the box of each node, by its id.
        routes: the route of each edge.
        width: the width of the drawing.
        height: the height of the drawing.
    """

    boxes: Mapping[str, Box]
    routes: Sequence[Route]
    width: float
    height: float

    def to_json(self) -> dict[str, Any]:
        """Returns the layout as a JSON object, with numbers of at most one decimal.

        `{"width": …, "height": …, "boxes": {id: {"x": …, "y": …, "width": …, "height": …}},
        "routes": [{"source": id, "target": id, "points": [[x, y], …]}]}`
        """
        return {
            "width": _rounded(self.width),
            "height": _rounded(self.height),
            "boxes": {
                name: {side: _rounded(value) for side, value in asdict(box).items()}
                for name, box in self.boxes.items()
            },
            "routes": [
                {
                    "source": route.source,
                    "target": route.target,
                    "points": [[_rounded(x), _rounded(y)] for x, y in route.points],
                }
                for route in self.routes
            ],
        }


def lay_out(graph: Graph) -> Layout:
    """Returns the layout of a graph. Each box holds the text of its node.

    Raises:
        graphlib.CycleError: the edges go round in a circle. It is a `ValueError`.
    """
    rows = layers([node.id for node in graph.nodes], graph.edges)
    return arrange(rows, graph.edges, {node.id: card_size(node) for node in graph.nodes})


def arrange(
    levels: Sequence[Sequence[str]], edges: Sequence[tuple[str, str]], sizes: Mapping[str, Size]
) -> Layout:
    """Returns the layout of boxes of these sizes.

    Args:
        levels: names in rows, from above to below.
        edges: pairs of names. The first stands in an earlier row than the second.
        sizes: width and height by name.
    """
    chains = _chains(levels, edges)
    rows = reduce_crossings(_rows(levels, chains), _links(chains))
    widths = {name: sizes[name][0] if name in sizes else _LANE for row in rows for name in row}
    centres = assign_centres(rows, _links(chains), widths, SPACE)
    heights = [max(sizes[name][1] for name in level) for level in levels]
    tops = _tops(rows, chains, centres, heights)
    boxes = {
        name: Box(
            centres[name] - sizes[name][0] / 2,
            tops[number] + (heights[number] - sizes[name][1]) / 2,
            *sizes[name],
        )
        for number, level in enumerate(levels)
        for name in level
    }
    bands = [(top, top + height) for top, height in zip(tops, heights, strict=True)]
    routes = _routes(chains, centres, boxes, bands)
    width = max((centres[name] + widths[name] / 2 for name in centres), default=0.0)
    return Layout(boxes, routes, width, bands[-1][1] if bands else 0.0)


def _rounded(value: float) -> float:
    return round(value, 1)


Chains = Mapping[tuple[str, str], Sequence[tuple[str, int]]]
"""The places of each edge with their rows, from the first box to the last."""


def _chains(levels: Sequence[Sequence[str]], edges: Sequence[tuple[str, str]]) -> Chains:
    row_of = {name: number for number, level in enumerate(levels) for name in level}
    return {
        (a, b): [
            (a, row_of[a]),
            *((f"{a} {b} {row}", row) for row in range(row_of[a] + 1, row_of[b])),
            (b, row_of[b]),
        ]
        for a, b in edges
    }


def _rows(levels: Sequence[Sequence[str]], chains: Chains) -> list[list[str]]:
    rows = [list(level) for level in levels]
    for chain in chains.values():
        for name, row in chain[1:-1]:
            rows[row].append(name)
    return rows


def _links(chains: Chains) -> list[Link]:
    """Pairs of places in neighbouring rows. The inner pairs of a long edge are kept straight."""
    found: list[Link] = []
    for chain in chains.values():
        last = len(chain) - 2
        for number, ((a, _), (b, _)) in enumerate(pairwise(chain)):
            inner = (number > 0) + (number < last)
            found.append(Link(a, b, (1.0, 1.5, 8.0)[inner]))
    return found


def _tops(
    rows: Sequence[Row], chains: Chains, centres: Mapping[str, float], heights: Sequence[float]
) -> list[float]:
    """Returns the upper edge of each row, further down where an edge comes from far aside."""
    sideways = [0.0] * len(rows)
    for chain in chains.values():
        for (a, _), (b, row) in pairwise(chain):
            sideways[row] = max(sideways[row], abs(centres[a] - centres[b]))
    tops = [0.0] if rows else []
    for row in range(1, len(rows)):
        distance = min(_FAR, _NEAR + _SLANT * sideways[row])
        tops.append(tops[-1] + heights[row - 1] + distance)
    return tops


def _routes(
    chains: Chains,
    centres: Mapping[str, float],
    boxes: Mapping[str, Box],
    bands: Sequence[tuple[float, float]],
) -> list[Route]:
    leaving, entering = _ports(chains, centres, boxes)
    routes: list[Route] = []
    for (source, target), chain in chains.items():
        points = [(leaving[source, target], boxes[source].bottom)]
        for name, row in chain[1:-1]:
            points += [(centres[name], bands[row][0]), (centres[name], bands[row][1])]
        points.append((entering[source, target], boxes[target].y))
        routes.append(Route(source, target, points))
    return routes


Ports = dict[tuple[str, str], float]


def _ports(
    chains: Chains, centres: Mapping[str, float], boxes: Mapping[str, Box]
) -> tuple[Ports, Ports]:
    """The ends of each edge at its two boxes: side by side, in the order of the other ends."""
    below: defaultdict[str, list[tuple[float, tuple[str, str]]]] = defaultdict(list)
    above: defaultdict[str, list[tuple[float, tuple[str, str]]]] = defaultdict(list)
    for edge, chain in chains.items():
        below[edge[0]].append((centres[chain[1][0]], edge))
        above[edge[1]].append((centres[chain[-2][0]], edge))
    leaving, entering = Ports(), Ports()
    for ends, ports in ((below, leaving), (above, entering)):
        for name, found in ends.items():
            step = min(_PORT, boxes[name].width * 0.6 / len(found))
            step = step if step >= _CROWD else 0.0
            for number, (_, edge) in enumerate(sorted(found)):
                ports[edge] = centres[name] + step * (number - (len(found) - 1) / 2)
    return leaving, entering
