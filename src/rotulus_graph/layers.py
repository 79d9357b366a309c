"""Layering, the first step: the row of each node, by the longest path that leads to it."""

from collections.abc import Iterable, Sequence
from graphlib import TopologicalSorter


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
