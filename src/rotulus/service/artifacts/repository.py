"""Reads and writes artifacts in a session, and leaves the transaction to the caller."""

from collections.abc import Sequence
from typing import Any, TypedDict, cast
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from rotulus.errors import ArtifactError, ArtifactNotFoundError
from rotulus.service.artifacts.rows import (
    INFO,
    WHOLE,
    make_values,
    read_content,
    read_info,
    read_whole,
)
from rotulus.service.artifacts.tree import below, read_tree, tree_of
from rotulus.service.artifacts.values import (
    ArtifactContent,
    ArtifactHierarchy,
    ArtifactIn,
    ArtifactInfo,
    ArtifactNode,
    ArtifactOut,
)
from rotulus.service.tables import ArtifactRow

_REPLACED = ("media_type", "data", "content", "size", "sha256", "metadata", "updated_at")


class ListOptions(TypedDict, total=False):
    """The filters of `ArtifactRepository.list`."""

    limit: int
    after: str | UUID | None
    parent_id: str | UUID | None
    level: int | None


class ArtifactRepository:
    """Artifacts in a session of yours: nothing is committed unless you do.

    Use it to save artifacts in one transaction with other data. For everything else there is
    `ArtifactManager`, which has sessions of its own and commits.

    Args:
        session: a session of `Database`, or of an engine of your own.
    """

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    @property
    def session(self) -> AsyncSession:
        """The session."""
        return self._session

    async def save(self, artifact: ArtifactIn) -> ArtifactOut:
        """Save an artifact. An existing artifact with its id gets new data and metadata.

        Raises:
            ArtifactError: its parent does not exist, or it would get another parent.
        """
        values = make_values(artifact, await self._level_below(artifact.parent_id))
        insert = postgresql.insert if self._is_postgres() else sqlite.insert
        made = cast("Any", insert(ArtifactRow)).values(values)
        stays = ArtifactRow.parent_id.is_not_distinct_from(made.excluded.parent_id)
        made = made.on_conflict_do_update(
            index_elements=["id"],
            set_={name: made.excluded[name] for name in _REPLACED},
            where=None if "parent_id" not in artifact.model_fields_set else stays,
        ).returning(*INFO)
        try:
            row = (await self._session.execute(made)).mappings().one_or_none()
        except IntegrityError as error:  # deleted just now
            raise _no_parent(artifact.parent_id) from error
        if row is None:
            raise ArtifactError(
                f"The artifact {values['id']} has another parent, and stays where it is: delete "
                f"it first, or leave parent_id out"
            )
        return ArtifactOut(**read_info(row), data=artifact.data)

    async def _level_below(self, parent_id: str | None) -> int:
        if parent_id is None:
            return 0
        level = await self._session.scalar(
            select(ArtifactRow.level).where(ArtifactRow.id == parent_id)
        )
        if level is None:
            raise _no_parent(parent_id)
        return level + 1

    def _is_postgres(self) -> bool:
        return self._session.get_bind(ArtifactRow).dialect.name == "postgresql"

    async def find(self, artifact_id: str | UUID) -> ArtifactOut | None:
        """Returns the artifact with an id, or None."""
        row = await self._row(artifact_id)
        return None if row is None else read_whole(row)

    async def get(self, artifact_id: str | UUID) -> ArtifactOut:
        """Returns the artifact with an id. Raises `ArtifactNotFoundError`."""
        return read_whole(_there(await self._row(artifact_id), artifact_id))

    async def content(self, artifact_id: str | UUID) -> ArtifactContent:
        """Returns the data of an artifact as bytes. Raises `ArtifactNotFoundError`."""
        return read_content(_there(await self._row(artifact_id), artifact_id))

    async def info(self, artifact_id: str | UUID) -> ArtifactInfo:
        """Returns the artifact with an id, without its data. Raises `ArtifactNotFoundError`."""
        found = await self._session.execute(select(*INFO).where(_is(artifact_id)))
        return ArtifactInfo(**read_info(_there(found.mappings().one_or_none(), artifact_id)))

    async def _row(self, artifact_id: str | UUID) -> Any:
        found = await self._session.execute(select(*WHOLE).where(_is(artifact_id)))
        return found.mappings().one_or_none()

    async def list(
        self,
        *,
        limit: int = 50,
        after: str | UUID | None = None,
        parent_id: str | UUID | None = None,
        level: int | None = None,
    ) -> Sequence[ArtifactInfo]:
        """Returns artifacts without their data, the newest first: by their ids.

        Args:
            limit: the most artifacts.
            after: the last id of the page before.
            parent_id: only children of this artifact.
            level: only artifacts of this level.
        """
        query = select(*INFO).order_by(ArtifactRow.id.desc()).limit(limit)
        if after is not None:
            query = query.where(ArtifactRow.id < _text(after))
        if parent_id is not None:
            query = query.where(ArtifactRow.parent_id == _text(parent_id))
        if level is not None:
            query = query.where(ArtifactRow.level == level)
        return await self._infos(query)

    async def children(self, artifact_id: str | UUID) -> Sequence[ArtifactInfo]:
        """Returns the children of an artifact, without their data, the oldest first."""
        query = (
            select(*INFO)
            .where(ArtifactRow.parent_id == _text(artifact_id))
            .order_by(ArtifactRow.id)
        )
        return await self._infos(query)

    async def _infos(self, query: Any) -> Sequence[ArtifactInfo]:
        rows = (await self._session.execute(query)).mappings()
        return [ArtifactInfo(**read_info(row)) for row in rows]

    async def tree(
        self,
        artifact_id: str | UUID,
        *,
        depth: int | None = None,
        data: bool = True,
        hierarchy: ArtifactHierarchy | None = None,
    ) -> ArtifactNode:
        """Returns an artifact with all below it, read by one statement.

        Args:
            artifact_id: the artifact.
            depth: the levels below it; 32 unless given, and at most. The children of the last
                level are None.
            data: whether nodes have their data.
            hierarchy: the names of the levels.

        Raises:
            ArtifactNotFoundError: there is none.
            ArtifactError: there are more than 1,000, or more than 16 MiB of data.
        """
        statement, bound = tree_of(_text(artifact_id), depth, data=data)
        rows = (await self._session.execute(statement)).mappings().all()
        _there(rows[0] if rows else None, artifact_id)
        return read_tree(rows, _text(artifact_id), bound, hierarchy)

    async def delete(self, artifact_id: str | UUID, *, recursive: bool = False) -> int:
        """Delete an artifact. Returns how many artifacts are gone.

        Its children stay, on their level, without a parent.

        Args:
            artifact_id: the artifact.
            recursive: whether all below it are deleted, too.

        Raises:
            ArtifactNotFoundError: there is none.
        """
        tree = below(_text(artifact_id))
        gone = select(tree.c.id) if recursive else select(ArtifactRow.id).where(_is(artifact_id))
        ids = list(await self._session.scalars(gone))
        _there(ids or None, artifact_id)
        return await _delete(self._session, ids)


async def _delete(session: AsyncSession, ids: Sequence[str]) -> int:
    number = 0
    for start in range(0, len(ids), 500):
        some = ids[start : start + 500]
        # A session of an engine that is not ours may not enforce keys.
        freed = update(ArtifactRow).where(ArtifactRow.parent_id.in_(some)).values(parent_id=None)
        await session.execute(freed, execution_options={"synchronize_session": False})
        gone = delete(ArtifactRow).where(ArtifactRow.id.in_(some))
        result = await session.execute(gone, execution_options={"synchronize_session": False})
        number += cast("Any", result).rowcount
    return number


def _text(artifact_id: str | UUID) -> str:
    return str(artifact_id).lower()


def _is(artifact_id: str | UUID) -> Any:
    return ArtifactRow.id == _text(artifact_id)


def _there(found: Any, artifact_id: object) -> Any:
    if found is None:
        raise ArtifactNotFoundError(
            f"There is no artifact {str(artifact_id)[:40]!r}: it may be deleted"
        )
    return found


def _no_parent(parent_id: str | None) -> ArtifactError:
    return ArtifactError(
        f"There is no artifact {parent_id} to be the parent: save that first, or leave parent_id "
        f"out"
    )
