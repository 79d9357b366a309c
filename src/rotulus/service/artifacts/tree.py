"""An artifact with all that is below it, by one recursive statement."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import CTE, case, func, literal, null, select
from sqlalchemy.engine import RowMapping

from rotulus.errors import ArtifactError
from rotulus.service.artifacts.rows import INFO, read_data, read_info
from rotulus.service.artifacts.values import ArtifactHierarchy, ArtifactNode, label_of
from rotulus.service.tables import ArtifactRow

DEEPEST = 32
"""The most levels below the root of a tree."""

MOST = 1_000
"""The most artifacts of one tree."""

MOST_BYTES = 16 * 1024 * 1024
"""The most bytes of data of one tree."""


def below(artifact_id: str, depth: int | None = None) -> CTE:
    """Returns an artifact and those below it: `id`, and `depth`, its distance."""
    tree = select(ArtifactRow.id, literal(0).label("depth")).where(ArtifactRow.id == artifact_id)
    found = tree.cte("below", recursive=True)
    further = select(ArtifactRow.id, (found.c.depth + 1).label("depth"))
    further = further.join(found, ArtifactRow.parent_id == found.c.id)
    if depth is not None:
        further = further.where(found.c.depth < depth)
    return found.union_all(further)


def tree_of(
    artifact_id: str,
    depth: int | None,
    *,
    data: bool,
) -> tuple[Any, int]:
    """Returns the statement that reads a tree, and its depth."""
    bound = DEEPEST if depth is None else min(depth, DEEPEST)
    tree = below(artifact_id, bound)
    some = select(tree.c.id, tree.c.depth).limit(MOST + 1).subquery("some")
    bytes_ = func.sum(case((ArtifactRow.content.is_(None), ArtifactRow.size), else_=0)).over()
    shown = case((bytes_ <= MOST_BYTES, ArtifactRow.data), else_=None) if data else null()
    query = select(
        *INFO,
        shown.label("data"),
        null().label("content"),
        some.c.depth,
        (bytes_ if data else literal(0)).label("bytes"),
    )
    query = query.join(some, ArtifactRow.id == some.c.id)
    return query.order_by(some.c.depth, ArtifactRow.id), bound


def read_tree(
    rows: Sequence[RowMapping],
    artifact_id: str,
    bound: int,
    hierarchy: ArtifactHierarchy | None,
) -> ArtifactNode:
    """Returns the tree that is made of its rows.

    Raises:
        ArtifactError: the tree has more artifacts or more bytes than are shown at once.
    """
    if len(rows) > MOST:
        raise ArtifactError(
            f"More than {MOST:,} artifacts are below {artifact_id}: ask for fewer levels, or list "
            f"them by parent_id"
        )
    if rows[0]["bytes"] > MOST_BYTES:
        raise ArtifactError(
            f"The artifacts below {artifact_id} have more than {MOST_BYTES:,} bytes of data: ask "
            f"for them without data, or for fewer levels"
        )
    nodes: dict[str, ArtifactNode] = {}
    for row in rows:
        node = ArtifactNode(
            **read_info(row),
            data=read_data(row),
            level_label=label_of(hierarchy, row["level"]),
            hierarchy=hierarchy.name if hierarchy else None,
            children=[] if row["depth"] < bound else None,
        )
        nodes[node.id] = node
        above = nodes.get(node.parent_id or "")
        if above is not None and above.children is not None:
            above.children.append(node)
    return nodes[artifact_id]
