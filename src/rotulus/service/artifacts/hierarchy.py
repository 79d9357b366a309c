"""The names of the levels of artifacts."""

from types import MappingProxyType

from pydantic import BaseModel, ConfigDict, Field


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
