"""The order of steps by their needs: sorted, in levels, or a circle.

A graph is given as what each node needs, in the order of declaration. Nothing here recurses, so
that a chain may be as long as it likes.
"""

import heapq
from collections.abc import Mapping, Sequence

Needs = Mapping[str, Sequence[str]]


def topological(needs: Needs) -> list[str]:
    """Each node after what it needs, else as declared; those on or behind a circle are missing."""
    names = list(needs)
    place = {name: number for number, name in enumerate(names)}
    waits = {name: len(needs[name]) for name in names}
    dependants = _dependants(needs)
    ready = [place[name] for name in names if not waits[name]]
    found: list[str] = []
    while ready:
        name = names[heapq.heappop(ready)]
        found.append(name)
        for dependant in dependants[name]:
            waits[dependant] -= 1
            if not waits[dependant]:
                heapq.heappush(ready, place[dependant])
    return found


def levels(needs: Needs) -> list[list[str]]:
    """Groups of nodes, each group needing only what stands in groups before."""
    depth: dict[str, int] = {}
    for name in topological(needs):
        depth[name] = 1 + max((depth[need] for need in needs[name]), default=-1)
    groups: list[list[str]] = [[] for _ in range(1 + max(depth.values(), default=-1))]
    for name in needs:
        groups[depth[name]].append(name)
    return groups


def circle(needs: Needs) -> list[str]:
    """Returns a circle, from a node to itself, each needing the next; empty when there is none."""
    sorted_ones = set(topological(needs))
    left = [name for name in needs if name not in sorted_ones]
    if not left:
        return []
    # Each node that is left needs another one that is left: going on leads to a circle.
    walked: dict[str, int] = {}
    name = left[0]
    while name not in walked:
        walked[name] = len(walked)
        name = next(need for need in needs[name] if need not in sorted_ones)
    return [*list(walked)[walked[name] :], name]


def _dependants(needs: Needs) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {name: [] for name in needs}
    for name, needed in needs.items():
        for need in needed:
            found[need].append(name)
    return found
