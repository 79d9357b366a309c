"""The values of artifacts, to be saved and as they are read, and the names of their levels."""

import re
from datetime import datetime
from types import MappingProxyType
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    WithJsonSchema,
    field_serializer,
    field_validator,
    model_validator,
)

from rotulus._text.ids import is_id
from rotulus.service.artifacts.plain import plain_text


class ArtifactHierarchy(BaseModel):
    """A name for the artifacts of a service, and one for each level.

    `ArtifactHierarchy(name="training", level_labels={0: "dataset", 1: "model"})`.

    Attributes:
        name: the name of the hierarchy.
        level_labels: the name of each level, by its number; level 0 has no parent.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    level_labels: dict[int, str] = Field(default_factory=dict[int, str])

    def label(self, level: int) -> str:
        """Returns the name of a level: `level_2` unless another one was given."""
        return label_of(self, level)


_NONE = MappingProxyType[int, str]({})


def label_of(hierarchy: ArtifactHierarchy | None, level: int) -> str:
    """Returns the name of a level, also without a hierarchy."""
    labels = hierarchy.level_labels if hierarchy else _NONE
    return labels.get(level, f"level_{level}")


JSON = "application/json"
BYTES = "application/octet-stream"

_MEDIA_TYPE = re.compile(
    r"[\w!#$&^.+-]+/[\w!#$&^.+-]+(?:; ?[\w-]+=(?:[\w.+-]+|\"[ !#-\[\]-~]*\"))*"
)
_LONGEST = 255


def check_media_type(value: str) -> str:
    """A media type, such as `image/png` or `text/csv; charset=utf-8`. Raises `ValueError`."""
    if len(value) > _LONGEST or not value.isascii() or not _MEDIA_TYPE.fullmatch(value):
        raise ValueError("is no media type, such as image/png or text/csv; charset=utf-8")
    return value


def is_json_type(media_type: str) -> bool:
    """Returns whether data of a media type is JSON."""
    kind = media_type.partition(";")[0].strip().lower()
    return kind == JSON or kind.endswith("+json")


def _check_id(value: str) -> str:
    if not is_id(value):
        raise ValueError("is no id: write a UUID, such as 0198c2f0-0000-7000-8000-000000000000")
    return value


_Id = Annotated[
    str,
    BeforeValidator(lambda value: str(value).lower()),
    AfterValidator(_check_id),
    WithJsonSchema({"type": "string", "format": "uuid"}),
]


class ArtifactIn(BaseModel):
    """An artifact to be saved: `ArtifactIn(data={"rows": 3}, metadata={"day": "2026-11-20"})`.

    A value that JSON cannot hold is refused here, with its place: `data['rows'][2]`.

    Attributes:
        data: any JSON value, or bytes.
        metadata: a JSON object about it. `filename` is the name of a download.
        parent_id: the artifact it belongs to. Its level is one more than that of its parent.
        media_type: the type of the data; `application/json` or `application/octet-stream` unless
            given.
        id: a UUID; a new one unless given. An existing artifact with the id gets new data and
            metadata, and stays where it is.

    Raises:
        ValidationError: it cannot be saved; a `ValueError`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    data: Any
    metadata: dict[str, Any] = Field(default_factory=dict[str, Any])
    parent_id: _Id | None = None
    media_type: Annotated[str, AfterValidator(check_media_type)] | None = None
    id: _Id | None = None

    @field_validator("metadata", mode="before")
    @classmethod
    def _nothing_said(cls, value: Any) -> Any:
        return {} if value is None else value

    @field_validator("data", mode="before")
    @classmethod
    def _as_bytes(cls, value: Any) -> Any:
        return bytes(value) if isinstance(value, bytearray) else value

    @model_validator(mode="after")
    def _check(self) -> Self:
        plain_text(self.metadata, "metadata")
        if isinstance(self.data, bytes):
            return self
        plain_text(self.data, "data")
        if self.media_type is not None and not is_json_type(self.media_type):
            raise ValueError(f"data of {self.media_type} is bytes: give them as such")
        return self


class ArtifactInfo(BaseModel):
    """An artifact without its data.

    Attributes:
        id: its id.
        parent_id: the parent; None: it has none.
        level: the number of artifacts above it when it was first saved.
        media_type: the type of its data.
        size: the bytes of the data, or of the JSON text.
        sha256: the hash of the same bytes, in hexadecimal.
        metadata: a JSON object about it.
        created_at: when it was first saved.
        updated_at: when it was last saved.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    parent_id: str | None
    level: int
    media_type: str
    size: int
    sha256: str
    metadata: dict[str, Any]
    created_at: datetime
    updated_at: datetime


_EXAMPLE: dict[str, JsonValue] = {
    "id": "0198c2f0-0000-7000-8000-000000000000",
    "parent_id": "0198c2ef-0000-7000-8000-000000000000",  # FastAPI leaves a null out of examples
    "level": 1,
    "media_type": JSON,
    "size": 10,
    "sha256": "2bafd4629cc04e701c66d3854982e073924fa77d4fdc31b2803184ff5a42cecc",
    "metadata": {"day": "2026-11-20"},
    "created_at": "2026-11-20T08:00:00Z",
    "updated_at": "2026-11-20T08:00:00Z",
    "data": {"rows": 3},
}


class ArtifactOut(ArtifactInfo):
    """An artifact.

    Attributes:
        data: a JSON value, or bytes. In JSON, bytes are null.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    data: Any

    @field_serializer("data", when_used="json")
    def _json_only(self, data: Any) -> Any:
        return None if isinstance(data, bytes) else data


class ArtifactNode(ArtifactInfo):
    """An artifact in a tree.

    Attributes:
        data: a JSON value. None for bytes, and where data were not asked for.
        level_label: the name of its level.
        hierarchy: the name of the hierarchy, if it has one.
        children: its children, oldest first; None: they were not read.
    """

    data: Any = None
    level_label: str
    hierarchy: str | None
    children: "list[ArtifactNode] | None" = None


class ArtifactContent(BaseModel):
    """The data of an artifact as bytes.

    Attributes:
        content: the bytes; of JSON, its text in UTF-8.
        media_type: the type of the bytes.
        sha256: the hash of the bytes, in hexadecimal.
        filename: the `filename` of the metadata, if that is text.
    """

    model_config = ConfigDict(frozen=True)

    content: bytes
    media_type: str
    sha256: str
    filename: str | None
