"""Coordinate assignment, the third step: boxes move towards their neighbours and never overlap."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

from rotulus_graph.rows import Link, Row

_SWEEPS = 12

Pulls = Mapping[str, Sequence[tuple[str, float]]]
"""The neighbours of each box, and how strongly each of them pulls."""


def assign_centres(
    rows: Sequence[Row], links: Sequence[Link], widths: Mapping[str, float], space: float
) -> dict[str, float]:
    """Returns the centre of each box on the horizontal axis; the leftmost box begins at 0.

    Args:
        rows: the boxes, each row sorted from left to right.
        links: the pairs of neighbours.
        widths: the width of each box.
        space: the least space between two boxes of a row.
    """
    above, below = _pulls(links)
    both = {name: [*above.get(name, ()), *below.get(name, ())] for row in rows for name in row}
    centres: dict[str, float] = {}
    for row in rows:
        centres |= _spread(row, lambda _: (0.0, 1.0), widths, space)
    for sweep in range(_SWEEPS):
        downward = sweep % 2 == 0
        for row in rows if downward else rows[::-1]:
            _move(row, above if downward else below, centres, widths, space)
    for sweep in range(_SWEEPS):
        for row in rows if sweep % 2 else rows[::-1]:
            _move(row, both, centres, widths, space)
    left = min((centres[name] - widths[name] / 2 for name in centres), default=0.0)
    return {name: centre - left for name, centre in centres.items()}


def _pulls(links: Sequence[Link]) -> tuple[Pulls, Pulls]:
    above: defaultdict[str, list[tuple[str, float]]] = defaultdict(list)
    below: defaultdict[str, list[tuple[str, float]]] = defaultdict(list)
    for link in links:
        above[link.lower].append((link.upper, link.weight))
        below[link.upper].append((link.lower, link.weight))
    return above, below


def _move(
    row: Row,
    pulls: Pulls,
    centres: dict[str, float],
    widths: Mapping[str, float],
    space: float,
) -> None:
    """Move a row towards its neighbours."""

    def wish(name: str) -> tuple[float, float]:
        own = pulls.get(name, ())
        weight = sum(pull for _, pull in own)
        if not weight:
            return centres[name], 0.01
        return sum(centres[other] * pull for other, pull in own) / weight, weight

    centres.update(_spread(row, wish, widths, space))


def _spread(
    row: Row,
    wish: Callable[[str], tuple[float, float]],
    widths: Mapping[str, float],
    space: float,
) -> dict[str, float]:
    """Returns the centres with the least weighted sum of squared distances from the wishes.

    This is an isotonic regression. Once the widths are subtracted, the places only have to rise:
    two neighbours whose wishes stand the wrong way round meet at the mean of their wishes.
    """
    if not row:
        return {}
    offsets = [0.0]
    for left, right in pairwise(row):
        offsets.append(offsets[-1] + (widths[left] + widths[right]) / 2 + space)
    blocks: list[tuple[float, float, int]] = []  # mean, weight, how many
    for name, offset in zip(row, offsets, strict=True):
        at, weight = wish(name)
        block = (at - offset, weight, 1)
        while blocks and blocks[-1][0] >= block[0]:
            block = _joined(blocks.pop(), block)
        blocks.append(block)
    means = [mean for mean, _, count in blocks for _ in range(count)]
    return {name: mean + offset for name, mean, offset in zip(row, means, offsets, strict=True)}


def _joined(a: tuple[float, float, int], b: tuple[float, float, int]) -> tuple[float, float, int]:
    weight = a[1] + b[1]
    return (a[0] * a[1] + b[0] * b[1]) / weight, weight, a[2] + b[2]
