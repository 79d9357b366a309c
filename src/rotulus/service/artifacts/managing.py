"""Saves and finds artifacts in sessions of its own, for use at any time."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Unpack
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from rotulus.service.artifacts.repository import ArtifactRepository, ListOptions
from rotulus.service.artifacts.values import (
    ArtifactContent,
    ArtifactHierarchy,
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
    """Saves and finds artifacts; each save is committed.

    Each call has a session of its own, on the database of the repository's session. So a manager
    outlives the block that made it, and several coroutines, event loops and threads may use it at
    once. It takes no part in a transaction of yours: it does not see your uncommitted changes. To
    save an artifact in your transaction, call `ArtifactRepository(session).save(...)`.

    Args:
        repository: a repository, whose session leads to the database; or the `Database` itself.
        hierarchy: the names of the levels.
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
        """Save an artifact, and commit. An artifact with its id gets new data and metadata.

        Raises:
            ArtifactError: its parent does not exist, or it would get another parent.
            StoreError: the database refuses it.
        """
        async with self._repository() as repository:
            saved = await repository.save(artifact)
            await repository.session.commit()
            return saved

    async def get(self, artifact_id: str | UUID) -> ArtifactOut:
        """Returns the artifact with an id. Raises `ArtifactNotFoundError`."""
        async with self._repository() as repository:
            return await repository.get(artifact_id)

    async def find(self, artifact_id: str | UUID) -> ArtifactOut | None:
        """Returns the artifact with an id, or None."""
        async with self._repository() as repository:
            return await repository.find(artifact_id)

    async def list(self, **options: Unpack[ListOptions]) -> Sequence[ArtifactInfo]:
        """Returns artifacts without their data, the newest first. See `ArtifactRepository.list`."""
        async with self._repository() as repository:
            return await repository.list(**options)

    async def expand(self, artifact_id: str | UUID) -> ArtifactNode:
        """Returns an artifact with the name of its level; its children are not read, and None.

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
        """Returns an artifact with all below it. See `ArtifactRepository.tree`."""
        async with self._repository() as repository:
            return await repository.tree(
                artifact_id, depth=depth, data=data, hierarchy=self._hierarchy
            )

    async def info(self, artifact_id: str | UUID) -> ArtifactInfo:
        """Returns the artifact with an id, without its data. Raises `ArtifactNotFoundError`."""
        async with self._repository() as repository:
            return await repository.info(artifact_id)

    async def metadata(self, artifact_id: str | UUID) -> dict[str, Any]:
        """Returns the metadata of an artifact. Raises `ArtifactNotFoundError`."""
        return (await self.info(artifact_id)).metadata

    async def content(self, artifact_id: str | UUID) -> ArtifactContent:
        """Returns the data of an artifact as bytes. Raises `ArtifactNotFoundError`."""
        async with self._repository() as repository:
            return await repository.content(artifact_id)

    async def delete(self, artifact_id: str | UUID, *, recursive: bool = False) -> int:
        """Delete an artifact, and commit. Returns how many artifacts are gone.

        Its children stay, on their level, without a parent, unless `recursive`.

        Raises:
            ArtifactNotFoundError: there is none.
        """
        async with self._repository() as repository:
            number = await repository.delete(artifact_id, recursive=recursive)
            await repository.session.commit()
            return number


def _source(repository: ArtifactRepository | Database) -> tuple[str, _Sessions]:
    """Returns the URL of a database without its password, and the maker of sessions on it."""
    if isinstance(repository, Database):
        return repository.url, repository.bounded_session
    session = repository.session
    database = database_of(session)
    if database is not None:
        return database.url, database.bounded_session
    # A session of another maker: on its engine, and on the event loop of that engine.
    engine = AsyncEngine(session.get_bind(ArtifactRow).engine)
    return repr(engine.url), lambda: AsyncSession(engine, expire_on_commit=False)
