"""From an artifact to a row of the table, and back."""

import hashlib
import json
from datetime import UTC, datetime
from random import SystemRandom
from typing import Any, cast

from sqlalchemy.engine import RowMapping

from rotulus._text.ids import Ids
from rotulus.service.artifacts.plain import plain_text
from rotulus.service.artifacts.values import (
    BYTES,
    JSON,
    ArtifactContent,
    ArtifactIn,
    ArtifactInfo,
    ArtifactOut,
)
from rotulus.service.tables import ArtifactRow


def _now() -> datetime:
    return datetime.now(UTC)


_new_id = Ids(_now, SystemRandom())

_TABLE = cast("Any", ArtifactRow.__table__)
INFO = [column for column in _TABLE.columns if column.name not in ("data", "content")]
"""The columns of an artifact without its data."""

WHOLE = list(_TABLE.columns)
"""All columns."""


def make_values(artifact: ArtifactIn, level: int) -> dict[str, Any]:
    """Returns the values of a row, by column. Raises `ArtifactError` when JSON cannot hold them."""
    raw = artifact.data if isinstance(artifact.data, bytes) else None
    text = None if raw is not None else plain_text(artifact.data, "data")
    content = raw if raw is not None else (text or "").encode()
    now = _now()
    return {
        "id": artifact.id or _new_id(),
        "parent_id": artifact.parent_id,
        "level": level,
        "media_type": artifact.media_type or (JSON if raw is None else BYTES),
        "data": text,
        "content": raw,
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "metadata": plain_text(artifact.metadata, "metadata"),
        "created_at": now,
        "updated_at": now,
    }


def read_info(row: RowMapping) -> dict[str, Any]:
    """Returns the fields that every artifact has, without its data."""
    fields = {name: row[name] for name in ArtifactInfo.model_fields}
    return {**fields, "metadata": json.loads(row["metadata"])}


def read_data(row: RowMapping) -> Any:
    """Returns the saved data: a JSON value or bytes."""
    return row["content"] if row["data"] is None else json.loads(row["data"])


def read_whole(row: RowMapping) -> ArtifactOut:
    """Returns the artifact of a row with all columns."""
    return ArtifactOut(**read_info(row), data=read_data(row))


def read_content(row: RowMapping) -> ArtifactContent:
    """Returns the bytes of a row with all columns."""
    content = row["content"] if row["data"] is None else row["data"].encode()
    filename = json.loads(row["metadata"]).get("filename")
    return ArtifactContent(
        content=content,
        media_type=row["media_type"],
        sha256=row["sha256"],
        filename=filename if isinstance(filename, str) else None,
    )
