"""`client.artifacts`: products of tasks that a service keeps, with a place in a hierarchy."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from rotulus.client.calls import Answer, Call, data_of, get, nothing, path_of, query_of, reader
from rotulus.client.values import Page, page_reader
from rotulus.client.wire import Wire
from rotulus.service.artifacts.values import (
    BYTES,
    ArtifactContent,
    ArtifactIn,
    ArtifactInfo,
    ArtifactNode,
    ArtifactOut,
)

_page, _whole, _node = page_reader(ArtifactInfo), reader(ArtifactOut), reader(ArtifactNode)


class ArtifactReading:
    """The verbs that only read.

    Args:
        wire: sends requests.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def list(
        self,
        *,
        limit: int = 50,
        after: str | None = None,
        parent_id: str | None = None,
        level: int | None = None,
    ) -> Page[ArtifactInfo]:
        """Returns artifacts without their data, the newest first.

        Args:
            limit: at most so many: up to 500.
            after: `page.next` of the page before, with the same filters.
            parent_id: only the children of this one.
            level: only those of this level; 0 have no parent.
        """
        return self._wire.send(_list(limit, after, parent_id, level))

    def get(self, artifact_id: str) -> ArtifactOut:
        """Returns an artifact with its data, if they are JSON; of bytes, None: see `content`."""
        return self._wire.send(get(path_of("artifacts", artifact_id), _whole))

    def content(self, artifact_id: str) -> ArtifactContent:
        """Returns the data of an artifact as bytes, with their media type."""
        return self._wire.send(_download(artifact_id))

    def metadata(self, artifact_id: str) -> dict[str, Any]:
        """Returns the metadata of an artifact."""
        return self._wire.send(get(path_of("artifacts", artifact_id, "$metadata"), dict))

    def expand(self, artifact_id: str) -> ArtifactNode:
        """Returns an artifact with the name of its level."""
        return self._wire.send(get(path_of("artifacts", artifact_id, "$expand"), _node))

    def tree(
        self, artifact_id: str, *, depth: int | None = None, data: bool = True
    ) -> ArtifactNode:
        """Returns an artifact with all below it: 1,000 artifacts and 16 MiB of data at most.

        Args:
            artifact_id: the artifact.
            depth: how many levels below it; all of them unless given.
            data: whether they have their data.
        """
        return self._wire.send(_tree(artifact_id, depth, data=data))

    async def alist(
        self,
        *,
        limit: int = 50,
        after: str | None = None,
        parent_id: str | None = None,
        level: int | None = None,
    ) -> Page[ArtifactInfo]:
        """`list`, for coroutines."""
        return await self._wire.asend(_list(limit, after, parent_id, level))

    async def aget(self, artifact_id: str) -> ArtifactOut:
        """`get`, for coroutines."""
        return await self._wire.asend(get(path_of("artifacts", artifact_id), _whole))

    async def acontent(self, artifact_id: str) -> ArtifactContent:
        """`content`, for coroutines."""
        return await self._wire.asend(_download(artifact_id))

    async def ametadata(self, artifact_id: str) -> dict[str, Any]:
        """`metadata`, for coroutines."""
        return await self._wire.asend(get(path_of("artifacts", artifact_id, "$metadata"), dict))

    async def aexpand(self, artifact_id: str) -> ArtifactNode:
        """`expand`, for coroutines."""
        return await self._wire.asend(get(path_of("artifacts", artifact_id, "$expand"), _node))

    async def atree(
        self, artifact_id: str, *, depth: int | None = None, data: bool = True
    ) -> ArtifactNode:
        """`tree`, for coroutines."""
        return await self._wire.asend(_tree(artifact_id, depth, data=data))


class Artifacts(ArtifactReading):
    """The artifacts of a service, with the verbs of its `ArtifactManager`, and those with an `a`.

    All raise `ArtifactNotFoundError` for an id that there is not.
    """

    def save(self, artifact: ArtifactIn) -> ArtifactOut:
        """Save an artifact; one with its id that is there gets new data and metadata.

        Args:
            artifact: it. Of bytes the metadata have a `filename` at most, and there is no id.

        Raises:
            ValueError: bytes have metadata or an id.
        """
        return self._wire.send(_save(artifact))

    def delete(self, artifact_id: str, *, recursive: bool = False) -> None:
        """Delete an artifact, and all below it if `recursive`; else its children stay."""
        self._wire.send(_delete(artifact_id, recursive=recursive))

    async def asave(self, artifact: ArtifactIn) -> ArtifactOut:
        """`save`, for coroutines."""
        return await self._wire.asend(_save(artifact))

    async def adelete(self, artifact_id: str, *, recursive: bool = False) -> None:
        """`delete`, for coroutines."""
        await self._wire.asend(_delete(artifact_id, recursive=recursive))


def _list(
    limit: int, after: str | None, parent_id: str | None, level: int | None
) -> Call[Page[ArtifactInfo]]:
    query = query_of(limit=limit, after=after, parent_id=parent_id, level=level)
    return get("/artifacts", _page, query)


def _tree(artifact_id: str, depth: int | None, *, data: bool) -> Call[ArtifactNode]:
    query = query_of(depth=depth, data=data)
    return get(path_of("artifacts", artifact_id, "$tree"), _node, query)


def _download(artifact_id: str) -> Call[ArtifactContent]:
    path = path_of("artifacts", artifact_id, "$download")
    return Call(
        "GET", path, lambda answer: _content(answer, artifact_id), repeatable=True, whole=True
    )


def _content(answer: Answer, artifact_id: str) -> ArtifactContent:
    filename = _filename(answer.headers.get("content-disposition", ""))
    named = filename is not None and not filename.startswith(artifact_id)
    return ArtifactContent(
        content=answer.content,
        media_type=answer.headers.get("content-type", BYTES),
        sha256=answer.headers.get("etag", "").strip('"'),
        filename=filename if named else None,
    )


def _filename(disposition: str) -> str | None:
    """Returns the name of a file: as it is, if it stands there, else in the letters of ASCII."""
    if whole := re.search(r"filename\*=UTF-8''([^;\s]+)", disposition):
        return unquote(whole[1])
    plain = re.search(r'filename="([^"]*)"', disposition)
    return None if plain is None else plain[1]


def _save(artifact: ArtifactIn) -> Call[ArtifactOut]:
    if not isinstance(artifact.data, bytes):
        given = {name: getattr(artifact, name) for name in ("parent_id", "media_type", "id")}
        body = {"data": artifact.data, "metadata": artifact.metadata, **data_of(**given)}
        return Call("POST", "/artifacts", _whole, body=body, repeatable=artifact.id is not None)
    metadata: Mapping[str, Any] = artifact.metadata
    if set(metadata) - {"filename"} or artifact.id is not None:
        raise ValueError("bytes are saved with a filename only: no other metadata, and no id")
    query = query_of(filename=metadata.get("filename"), parent_id=artifact.parent_id)
    headers = {"Content-Type": artifact.media_type or BYTES}
    return Call("POST", "/artifacts", _whole, query, headers=headers, content=artifact.data)


def _delete(artifact_id: str, *, recursive: bool) -> Call[None]:
    query = query_of(recursive=recursive)
    return Call("DELETE", path_of("artifacts", artifact_id), nothing, query)
