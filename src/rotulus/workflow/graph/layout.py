"""Where everything stands: boxes in layers, and routes between them that go downward.

Each layer is a row. An edge that passes a layer has a place in it, as a box without a size, so
that no route runs through a box. Rows are sorted so that few routes cross, by the places of
their neighbours; then boxes move as near to their neighbours as their order lets them.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rotulus.workflow.graph.crossings import Link, Row, sorted_rows
from rotulus.workflow.graph.placing import placed

SPACE = 28.0
"""Between two boxes of a row."""

_LANE = 18.0
"""How wide the place of an edge in a layer that it passes is."""

_NEAR, _FAR = 56.0, 132.0
"""The least and the greatest distance between two rows."""

_SLANT = 0.07
"""How much further apart rows stand for each pixel that an edge between them goes sideways."""

_PORT, _CROWD = 16.0, 8.0
"""The greatest distance between the ends of edges at a box, and the least: else they are one."""

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
    """How an edge goes: down through points, in pairs: it leaves a row, and enters the next."""

    source: str
    target: str
    points: Sequence[Point]


@dataclass(frozen=True)
class Layout:
    """Where everything stands, from (0, 0) on."""

    boxes: Mapping[str, Box]
    routes: Sequence[Route]
    width: float
    height: float


def arrange(
    levels: Sequence[Sequence[str]], edges: Sequence[tuple[str, str]], sizes: Mapping[str, Size]
) -> Layout:
    """Find a place for everything.

    Args:
        levels: names, in rows from above to below.
        edges: pairs of names; the first stands in an earlier level than the second.
        sizes: width and height by name.
    """
    chains = _chains(levels, edges)
    rows = sorted_rows(_rows(levels, chains), _links(chains))
    widths = {name: sizes[name][0] if name in sizes else _LANE for row in rows for name in row}
    centres = placed(rows, _links(chains), widths, SPACE)
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
    width = max(centres[name] + widths[name] / 2 for row in rows for name in row)
    return Layout(boxes, routes, width, bands[-1][1])


Chains = Mapping[tuple[str, str], Sequence[tuple[str, int]]]
"""Each edge as the places it has, with their rows, from the first box to the last."""


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
    """Pairs of places in neighbouring rows; those of a long edge had better be straight."""
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
    """The upper edge of each row: further down when edges come from far aside."""
    sideways = [0.0] * len(rows)
    for chain in chains.values():
        for (a, _), (b, row) in pairwise(chain):
            sideways[row] = max(sideways[row], abs(centres[a] - centres[b]))
    tops = [0.0]
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
    """Where each edge leaves its box, and where it enters the other: side by side, as they come."""
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
