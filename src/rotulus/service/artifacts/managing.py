"""Saves and finds artifacts in sessions of its own, so that anything may use it at any time."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Unpack
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from rotulus.service.artifacts.hierarchy import ArtifactHierarchy
from rotulus.service.artifacts.repository import ArtifactRepository, ListOptions
from rotulus.service.artifacts.values import (
    ArtifactContent,
    ArtifactIn,
    ArtifactInfo,
    ArtifactNode,
    ArtifactOut,
)
from rotulus.service.database import Database, database_of
from rotulus.service.database_errors import translated
from rotulus.service.tables import ArtifactRow

_Sessions = Callable[[], AbstractAsyncContextManager[AsyncSession]]


class ArtifactManager:
    """Saves and finds artifacts; what it has saved is committed.

    Each call has a session of its own, on the database of the repository's session. So a manager
    outlives the block that made it, and several coroutines, event loops and threads may use it at
    once. It takes no part in a transaction of yours: what you have not committed it does not see.
    To save an artifact in your transaction, call `ArtifactRepository(session).save(...)`.

    Args:
        repository: says by its session where artifacts are; or the `Database` itself.
        hierarchy: what the levels are called.
    """

    def __init__(
        self,
        repository: ArtifactRepository | Database,
        hierarchy: ArtifactHierarchy | None = None,
    ) -> None:
        self._hierarchy = hierarchy
        self._shown, self._sessions = _source(repository)

    @property
    def hierarchy(self) -> ArtifactHierarchy | None:
        """The names of the levels."""
        return self._hierarchy

    @asynccontextmanager
    async def _repository(self) -> AsyncGenerator[ArtifactRepository, None]:
        with translated(self._shown):
            async with self._sessions() as session:
                yield ArtifactRepository(session)

    async def save(self, artifact: ArtifactIn) -> ArtifactOut:
        """Save an artifact, and commit; one that has its id gets new data and metadata.

        Raises:
            ArtifactError: its parent does not exist, or it would get another parent.
            StoreError: the database does not take it.
        """
        async with self._repository() as repository:
            saved = await repository.save(artifact)
            await repository.session.commit()
            return saved

    async def get(self, artifact_id: str | UUID) -> ArtifactOut:
        """The artifact with an id. Raises `ArtifactNotFoundError`."""
        async with self._repository() as repository:
            return await repository.get(artifact_id)

    async def find(self, artifact_id: str | UUID) -> ArtifactOut | None:
        """The artifact with an id, or None."""
        async with self._repository() as repository:
            return await repository.find(artifact_id)

    async def list(self, **options: Unpack[ListOptions]) -> Sequence[ArtifactInfo]:
        """Artifacts without their data, the newest first; as `ArtifactRepository.list` does it."""
        async with self._repository() as repository:
            return await repository.list(**options)

    async def expand(self, artifact_id: str | UUID) -> ArtifactNode:
        """An artifact with what its level is called; its children are not looked at, and None.

        Raises:
            ArtifactNotFoundError: there is none.
        """
        return await self.tree(artifact_id, depth=0)

    async def tree(
        self,
        artifact_id: str | UUID,
        *,
        depth: int | None = None,
        data: bool = True,
    ) -> ArtifactNode:
        """An artifact with all below it; as `ArtifactRepository.tree` does it."""
        async with self._repository() as repository:
            return await repository.tree(
                artifact_id, depth=depth, data=data, hierarchy=self._hierarchy
            )

    async def info(self, artifact_id: str | UUID) -> ArtifactInfo:
        """The artifact with an id, without its data. Raises `ArtifactNotFoundError`."""
        async with self._repository() as repository:
            return await repository.info(artifact_id)

    async def metadata(self, artifact_id: str | UUID) -> dict[str, Any]:
        """What is said about an artifact. Raises `ArtifactNotFoundError`."""
        return (await self.info(artifact_id)).metadata

    async def content(self, artifact_id: str | UUID) -> ArtifactContent:
        """The data of an artifact as bytes. Raises `ArtifactNotFoundError`."""
        async with self._repository() as repository:
            return await repository.content(artifact_id)

    async def delete(self, artifact_id: str | UUID, *, recursive: bool = False) -> int:
        """Delete an artifact, commit, and return how many are gone.

        Those that belong to it stay, on their level, without a parent, unless `recursive`.

        Raises:
            ArtifactNotFoundError: there is none.
        """
        async with self._repository() as repository:
            number = await repository.delete(artifact_id, recursive=recursive)
            await repository.session.commit()
            return number


def _source(repository: ArtifactRepository | Database) -> tuple[str, _Sessions]:
    """The URL of a database as it may be shown, and what gives sessions on it."""
    if isinstance(repository, Database):
        return repository.url, repository.bounded_session
    session = repository.session
    database = database_of(session)
    if database is not None:
        return database.url, database.bounded_session
    # A session that is not ours: on its engine, and on the event loop of that.
    engine = AsyncEngine(session.get_bind(ArtifactRow).engine)
    return repr(engine.url), lambda: AsyncSession(engine, expire_on_commit=False)
