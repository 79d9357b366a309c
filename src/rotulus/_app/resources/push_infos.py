"""The resources that pushes need, as an app shows them: those that are wanted, and a plan."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple, Protocol, runtime_checkable

from rotulus._tasks.registry import TaskRegistry


class MissingSetting(NamedTuple):
    """A setting that pushes need and that has no value: its variable, its meaning, an example."""

    variable: str
    says: str
    example: str


class PushProblem(NamedTuple):
    """Why a resource, or all resources of a route, cannot be provisioned.

    Attributes:
        route: the path of the task; None: it is about all tasks.
        name: the resource, or the path of the task.
        text: the reason.
    """

    route: str | None
    name: str
    text: str


class PushDifference(NamedTuple):
    """A field that differs: its value there, None where it has none, and the wanted one."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class PushPlace:
    """Where resources are.

    Attributes:
        project: the project; None: the settings do not name one.
        owner: the beginning of all names: the environment and the namespace.
        emulator: `host:port` of the emulator; None: it is the service itself.
        scheduler: whether schedules are fired there; not beside an emulator that has no scheduler.
    """

    project: str | None
    owner: str
    emulator: str | None
    scheduler: bool


@dataclass(frozen=True, slots=True)
class PushResource:
    """A resource that the routes want.

    Attributes:
        kind: `topic`, `subscription` or `scheduler job`.
        name: its name, without the project.
        route: the path of its task; None: it is for all tasks.
        task: the registered name of the task.
        fields: all fields that are set.
    """

    kind: str
    name: str
    route: str | None
    task: str | None
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PushWanted:
    """The resources that the routes want. Nobody was asked for them.

    Attributes:
        carried: whether the app has routes at all.
        place: where they are to be; None: nothing is carried, or a setting has a wrong value.
        missing: the settings that have no value.
        resources: the resources, in the order of their creation.
        problems: the routes that cannot be provisioned.
        notes: differences between a route and what can be had, a sentence for each.
    """

    carried: bool
    place: PushPlace | None = None
    missing: tuple[MissingSetting, ...] = ()
    resources: tuple[PushResource, ...] = ()
    problems: tuple[PushProblem, ...] = ()
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Returns all of it as plain data."""
        return asdict(self) | {
            "missing": _dicts(self.missing),
            "problems": _dicts(self.problems),
        }


@dataclass(frozen=True, slots=True)
class PushChange:
    """What would be done to one resource.

    Attributes:
        action: `create`, `update`, `replace`, `delete` or `unchanged`.
        kind: `topic`, `subscription` or `scheduler job`.
        name: its name, without the project.
        route: the path of its task; None: it is for all tasks, or for none any more.
        differences: the fields that differ.
    """

    action: str
    kind: str
    name: str
    route: str | None
    differences: tuple[PushDifference, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class PushPlan:
    """How the resources that are there differ from those that are wanted.

    Attributes:
        place: where they are.
        changes: what would be done to each, also where that is nothing.
        problems: resources that could not be looked at, and routes that cannot be provisioned.
        notes: differences between a route and what can be had, a sentence for each.
    """

    place: PushPlace
    changes: tuple[PushChange, ...]
    problems: tuple[PushProblem, ...] = ()
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Returns all of it as plain data."""
        shown = [
            {**asdict(change), "differences": _dicts(change.differences)} for change in self.changes
        ]
        return asdict(self) | {"changes": shown, "problems": _dicts(self.problems)}


@runtime_checkable
class Provisioned(Protocol):
    """A carrier whose routes need resources at the service that delivers their messages."""

    def wanted(self, registry: TaskRegistry, lease: float) -> PushWanted:
        """Returns the resources that its routes want. Nobody is asked for them.

        Args:
            registry: the tasks.
            lease: seconds after which the app gives up a process that hangs.
        """
        ...

    def planned(self, registry: TaskRegistry, lease: float, seconds: float) -> PushPlan:
        """Returns how the resources that are there differ from those that are wanted.

        Args:
            registry: the tasks.
            lease: seconds after which the app gives up a process that hangs.
            seconds: after so many seconds, what was not looked at is a problem.

        Raises:
            ConfigurationError: a setting, a package or the credentials are missing.
        """
        ...


def _dicts(items: Iterable[Any]) -> list[dict[str, Any]]:
    return [one._asdict() for one in items]
