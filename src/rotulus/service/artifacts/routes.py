"""The routes of artifacts: `/api/v1/artifacts`."""

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from pydantic import BaseModel

from rotulus._text.ids import is_id
from rotulus.errors import ConfigurationError
from rotulus.service.artifacts.files import (
    BODY,
    MAX_BYTES,
    download,
    is_known,
    not_modified,
    read_artifact,
)
from rotulus.service.artifacts.managing import ArtifactManager
from rotulus.service.artifacts.tree import DEEPEST
from rotulus.service.artifacts.values import ArtifactInfo, ArtifactNode, ArtifactOut
from rotulus.service.database import Database
from rotulus.service.guard import GuardedBytesRoute, ResourceRouter
from rotulus.service.pages import DEFAULT_LIMIT, After, Limit, read_page, show_page
from rotulus.service.problems import ProblemError
from rotulus.service.scope import path_outside

_EXAMPLE = "0198c2f0-0000-7000-8000-000000000000"

_UUID: dict[str, Any] = {"format": "uuid"}


class ArtifactPage(BaseModel):
    """Some artifacts, without their data.

    Attributes:
        items: the newest first.
        next: the `after` of the next page; None: this is the last one.
    """

    items: list[ArtifactInfo]
    next: str | None


async def _manager(request: Request) -> ArtifactManager:
    """Returns a manager on the database of the service, with its hierarchy."""
    state = getattr(request.app.state, "rotulus", None) or request.app.state
    database = getattr(state, "database", None)
    if not isinstance(database, Database):
        raise ConfigurationError(
            "There is no database for artifacts: build the application with ServiceBuilder, or set "
            "app.state.database = Database(url)"
        )
    await database.init()
    return ArtifactManager(database, getattr(state, "hierarchy", None))


def _checked_id(text: str) -> str:
    if not is_id(text.lower()):
        raise ProblemError(
            400,
            "invalid_id",
            "The id is none",
            f"{text[:60]!r} is no id of an artifact.",
            hint=f"An id is a UUID, such as {_EXAMPLE}.",
        )
    return text.lower()


def _path_id(
    artifact_id: Annotated[
        str,
        Path(description="The id of the artifact.", examples=[_EXAMPLE], json_schema_extra=_UUID),
    ],
) -> str:
    return _checked_id(artifact_id)


_Id = Annotated[str, Depends(_path_id)]


def make_artifact_router(
    prefix: str = "/api/v1/artifacts",
    tags: Sequence[str | Enum] = ("Artifacts",),
    *,
    manager: Callable[..., Any] = _manager,
    max_bytes: int = MAX_BYTES,
) -> APIRouter:
    """Returns the routes of artifacts, with `$expand`, `$tree`, `$metadata` and `$download`.

    Args:
        prefix: the beginning of the paths.
        tags: the tags of the operations in the OpenAPI document.
        manager: a dependency that returns an `ArtifactManager`. Unless given, one on the database
            of the service: that of `ServiceBuilder`, or `app.state.database`.
        max_bytes: the most bytes of an upload; 16 MiB unless given. JSON has 1 MiB at most.
    """
    router = ResourceRouter("/api/v1/artifacts", prefix, tags, route_class=GuardedBytesRoute)
    _add_collection(router, Depends(manager), max_bytes)
    _add_item(router, Depends(manager))
    _add_views(router, Depends(manager))
    return router


def _add_collection(router: APIRouter, manager: Any, max_bytes: int) -> None:
    @router.get("", operation_id="list_artifacts", response_model=ArtifactPage)
    async def list_artifacts(
        request: Request,
        response: Response,
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
        parent_id: Annotated[
            str | None, Query(description="Only its children.", json_schema_extra=_UUID)
        ] = None,
        level: Annotated[int | None, Query(ge=0, le=1_000_000, description="Only these.")] = None,
        manager: ArtifactManager = manager,
    ) -> Any:
        """The artifacts without their data, the newest first."""
        parent_id = None if parent_id is None else _checked_id(parent_id)
        page = read_page(limit, after, {"parent_id": parent_id, "level": level})
        found = await manager.list(
            limit=page.read_limit, after=page.after, parent_id=parent_id, level=level
        )
        return show_page(request, response, page, found, lambda one: one.id, lambda one: one)

    @router.post(
        "",
        operation_id="save_artifact",
        status_code=201,
        response_model=ArtifactOut,
        openapi_extra=BODY,
        responses={200: {"model": ArtifactOut, "description": "The artifact is replaced."}},
    )
    async def save_artifact(
        request: Request,
        response: Response,
        filename: Annotated[str | None, Query(max_length=255, description="Of bytes.")] = None,
        parent_id: Annotated[
            str | None, Query(description="Of bytes.", json_schema_extra=_UUID)
        ] = None,
        manager: ArtifactManager = manager,
    ) -> Any:
        """Save an artifact: as JSON, or bytes as they are, with their own Content-Type.

        The data, metadata, parent_id, media_type and id of the JSON are those of `ArtifactIn`.
        An existing artifact with the id gets new data and metadata, and the answer is 200.
        """
        artifact = await read_artifact(
            request, filename=filename, parent_id=parent_id, max_bytes=max_bytes
        )
        saved = await manager.save(artifact)
        response.status_code = 201 if saved.created_at == saved.updated_at else 200
        response.headers["Location"] = f"{path_outside(request.scope)}/{saved.id}"
        return saved


def _add_item(router: APIRouter, manager: Any) -> None:
    @router.get("/{artifact_id}", operation_id="get_artifact", response_model=ArtifactOut)
    async def get_artifact(artifact_id: _Id, manager: ArtifactManager = manager) -> Any:
        """The artifact with its data, if they are JSON; bytes can be downloaded."""
        return await manager.get(artifact_id)

    @router.delete("/{artifact_id}", operation_id="delete_artifact", status_code=204)
    async def delete_artifact(
        artifact_id: _Id,
        recursive: Annotated[bool, Query(description="Whether all below it goes, too.")] = False,
        manager: ArtifactManager = manager,
    ) -> None:
        """Delete the artifact. Its children stay, without a parent."""
        await manager.delete(artifact_id, recursive=recursive)

    @router.get(
        "/{artifact_id}/$download",
        operation_id="download_artifact",
        response_class=Response,
        responses={
            # Of any media type, JSON among them: a schema of binary text would refuse those.
            200: {"content": {"*/*": {"schema": {}}}},
            304: {"description": "The data are those of If-None-Match."},
        },
    )
    async def download_artifact(
        artifact_id: _Id,
        if_none_match: Annotated[str | None, Header()] = None,
        manager: ArtifactManager = manager,
    ) -> Response:
        """The data of the artifact as a file, with their media type."""
        if if_none_match is not None:
            info = await manager.info(artifact_id)
            if is_known(info.sha256, if_none_match):
                return not_modified(info.sha256)
        return download(await manager.content(artifact_id), artifact_id)


def _add_views(router: APIRouter, manager: Any) -> None:
    @router.get(
        "/{artifact_id}/$expand", operation_id="expand_artifact", response_model=ArtifactNode
    )
    async def expand_artifact(artifact_id: _Id, manager: ArtifactManager = manager) -> Any:
        """The artifact with the name of its level."""
        return await manager.expand(artifact_id)

    @router.get(
        "/{artifact_id}/$tree", operation_id="get_artifact_tree", response_model=ArtifactNode
    )
    async def get_artifact_tree(
        artifact_id: _Id,
        depth: Annotated[int, Query(ge=0, le=DEEPEST, description="Levels below it.")] = DEEPEST,
        data: Annotated[bool, Query(description="Whether artifacts have their data.")] = True,
        manager: ArtifactManager = manager,
    ) -> Any:
        """The artifact with all below it: 1,000 artifacts and 16 MiB of data at most."""
        return await manager.tree(artifact_id, depth=depth, data=data)

    @router.get("/{artifact_id}/$metadata", operation_id="get_artifact_metadata")
    async def get_artifact_metadata(
        artifact_id: _Id, manager: ArtifactManager = manager
    ) -> dict[str, Any]:
        """The metadata of the artifact."""
        return await manager.metadata(artifact_id)
