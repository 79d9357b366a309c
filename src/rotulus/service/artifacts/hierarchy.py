"""What the levels of artifacts are called."""

from types import MappingProxyType

from pydantic import BaseModel, ConfigDict, Field


class ArtifactHierarchy(BaseModel):
    """A name for the artifacts of a service, and one for each level of theirs.

    `ArtifactHierarchy(name="training", level_labels={0: "dataset", 1: "model"})`.

    Attributes:
        name: what it is called.
        level_labels: what a level is called, by its number; 0 is what has no parent.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    level_labels: dict[int, str] = Field(default_factory=dict[int, str])

    def label(self, level: int) -> str:
        """The name of a level: `level_2` unless another one was given."""
        return label_of(self, level)


_NONE = MappingProxyType[int, str]({})


def label_of(hierarchy: ArtifactHierarchy | None, level: int) -> str:
    """The name of a level, also where there is no hierarchy."""
    labels = hierarchy.level_labels if hierarchy else _NONE
    return labels.get(level, f"level_{level}")
