"""Marks: which steps have changed a value of a context, so that two copies can be compared.

The steps of a workflow are told apart by their place in a chain: each step of a chain needs the one
before it. A version is how far each chain had got when a value was last changed, so of two
versions one was built on the other, or each holds a change that the other has not seen: a version
vector, with chains in the place of machines.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from types import MappingProxyType
from typing import Any, NamedTuple, cast

from rotulus._text import jsontext

Place = tuple[str, int]
"""The place of a step: the first step of its chain, and its number there, from 1."""

Version = Mapping[str, int]
"""By the first step of a chain: the number of the last step of it whose change is in a value."""

_NOTHING: Mapping[str, Any] = MappingProxyType({})

MOST_PARTS = 64
"""Marks for more members of an object than this become one mark for all of it."""


class _Missing:
    """There is no value."""


MISSING = _Missing()


class Marks(NamedTuple):
    """The changes of a value: the version of the whole, and of members that differ from it."""

    version: Version = _NOTHING
    parts: Mapping[str, "Marks"] = _NOTHING

    def of(self, key: str) -> "Marks":
        """Returns the marks of one member of an object."""
        return self.parts.get(key) or Marks(self.version)

    @property
    def whole(self) -> Version:
        """The version of the value together with all of its members."""
        return latest([self.version, *(part.whole for part in self.parts.values())])


UNMARKED = Marks()
"""No step has changed the value since the workflow began."""


def latest(versions: Iterable[Version]) -> Version:
    """Returns the version that is built on all of these."""
    found: dict[str, int] = {}
    for version in versions:
        for chain, number in version.items():
            found[chain] = max(number, found.get(chain, 0))
    return found


def within(one: Version, other: Version) -> bool:
    """Returns whether every change of one version is in the other, too."""
    return all(number <= other.get(chain, 0) for chain, number in one.items())


def both(one: Marks, other: Marks) -> Marks:
    """Returns the marks of a value that two copies have become."""
    keys = dict.fromkeys([*one.parts, *other.parts])
    parts = {key: both(one.of(key), other.of(key)) for key in keys}
    return _bounded(Marks(latest([one.version, other.version]), parts))


def marked(before: Any, after: Any, marks: Marks, place: Place) -> Marks:
    """The marks of a value after a step has had it; of an object, those of what it changed there.

    Args:
        before: the value that the step was given, or MISSING.
        after: what became of it, or MISSING.
        marks: those of the value before.
        place: where the step stands.
    """
    if _text(before) == _text(after):
        return marks
    if not (isinstance(before, dict) and isinstance(after, dict)):
        return Marks(latest([marks.whole, dict([place])]))
    was, now = cast("dict[str, Any]", before), cast("dict[str, Any]", after)
    parts = {
        key: marked(was.get(key, MISSING), now.get(key, MISSING), marks.of(key), place)
        for key in {**was, **now}
    }
    own = {key: part for key, part in parts.items() if key in marks.parts or part != marks.of(key)}
    return _bounded(Marks(marks.version, {**marks.parts, **own}))


def to_json(marks: Marks) -> Any:
    """As plain data: a version, or an array of a version and the parts."""
    if not marks.parts:
        return dict(marks.version)
    return [dict(marks.version), {key: to_json(part) for key, part in marks.parts.items()}]


def from_json(data: Any) -> Marks:
    """Returns the marks of plain data."""
    if isinstance(data, dict):
        return Marks(cast("Version", data))
    version, parts = cast("tuple[Version, Mapping[str, Any]]", data)
    return Marks(version, {key: from_json(part) for key, part in parts.items()})


def places(needs: Mapping[str, Sequence[str]]) -> dict[str, Place]:
    """Returns the places of the steps. A step goes on with the chain of a need, if it can.

    Args:
        needs: what each step needs, each step after what it needs.
    """
    found: dict[str, Place] = {}
    followed: set[str] = set()
    for step, needed in needs.items():
        before = next((need for need in needed if need not in followed), None)
        if before is None:
            found[step] = (step, 1)
        else:
            followed.add(before)
            chain, number = found[before]
            found[step] = (chain, number + 1)
    return found


def _bounded(marks: Marks) -> Marks:
    return marks if len(marks.parts) <= MOST_PARTS else Marks(marks.whole)


def _text(value: Any) -> str | None:
    return None if value is MISSING else jsontext.encode_plain(value)


def union(marks: Sequence[Marks]) -> Marks:
    """Returns the marks of a value that several copies have become."""
    return reduce(both, marks, UNMARKED)
