"""The rows of a layout, its first two steps: layering, and crossing reduction within the rows."""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from graphlib import TopologicalSorter
from itertools import pairwise
from typing import NamedTuple


def layers(nodes: Sequence[str], edges: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Returns rows of nodes from above to below: every edge leads from a row to a later one.

    Args:
        nodes: the ids of the nodes. Each row keeps their order.
        edges: pairs of ids: the edge leads from the first to the second.

    Raises:
        graphlib.CycleError: the edges go round in a circle. It is a `ValueError`.
    """
    place = {name: number for number, name in enumerate(nodes)}
    sorter: TopologicalSorter[str] = TopologicalSorter(dict.fromkeys(nodes, ()))
    for source, target in edges:
        sorter.add(target, source)
    sorter.prepare()
    rows: list[list[str]] = []
    while sorter.is_active():
        row = sorter.get_ready()
        sorter.done(*row)
        rows.append(sorted(row, key=place.__getitem__))
    return rows


Row = Sequence[str]

_SWEEPS = 24
"""How often rows are sorted, down and up in turn. Later sweeps gain little."""


class Link(NamedTuple):
    """An edge between two places in neighbouring rows; a heavy one is kept straight."""

    upper: str
    lower: str
    weight: float = 1.0


Neighbours = Mapping[str, Sequence[str]]


def reduce_crossings(rows: Sequence[Row], links: Sequence[Link]) -> list[list[str]]:
    """Returns the rows, sorted: of all orders that were tried, one with the fewest crossings."""
    above, below = neighbours(links)
    best = [list(row) for row in rows]
    fewest = crossings(best, below)
    current = [list(row) for row in rows]
    for sweep in range(_SWEEPS):
        if not fewest:
            break
        downward = sweep % 2 == 0
        _sweep(current if downward else current[::-1], above if downward else below)
        count = crossings(current, below)
        if count < fewest:
            fewest, best = count, [list(row) for row in current]
    return best


def neighbours(links: Sequence[Link]) -> tuple[Neighbours, Neighbours]:
    """Returns the neighbours of each place in the row above, and those in the row below."""
    above: defaultdict[str, list[str]] = defaultdict(list)
    below: defaultdict[str, list[str]] = defaultdict(list)
    for link in links:
        above[link.lower].append(link.upper)
        below[link.upper].append(link.lower)
    return above, below


def crossings(rows: Sequence[Row], below: Neighbours) -> int:
    """Returns how many edges cross when the rows stand in this order."""
    total = 0
    for upper, lower in pairwise(rows):
        place = {name: number for number, name in enumerate(lower)}
        ends: list[int] = []  # the ends of the edges that began further left
        for name in upper:
            own = sorted(place[other] for other in below.get(name, ()))
            total += sum(len(ends) - bisect_left(ends, end + 1) for end in own)
            for end in own:
                insort(ends, end)
    return total


def _sweep(rows: Sequence[list[str]], neighbours: Neighbours) -> None:
    """Sort each row after the first by the mean place of its neighbours in the row before."""
    for before, row in pairwise(rows):
        place = {name: number for number, name in enumerate(before)}
        now = {name: number for number, name in enumerate(row)}

        def mean(
            name: str, place: Mapping[str, int] = place, now: Mapping[str, int] = now
        ) -> float:
            own = [place[other] for other in neighbours.get(name, ())]
            return sum(own) / len(own) if own else now[name]

        row.sort(key=mean)
