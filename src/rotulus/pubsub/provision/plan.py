"""The plan of provisioning: the work on each resource, and the problems of routes."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from rotulus.pubsub.provision.resource import Resource


class Action(StrEnum):
    """The kind of work on a resource."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    KEEP = "unchanged"


class Difference(NamedTuple):
    """A field to change; `before` is None where it is not set or there is no resource."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Change:
    """The work on one resource.

    Args:
        action: the kind of work.
        resource: the wanted resource.
        differences: the fields that change.
        route: the path of its task; None: it is for all tasks.
    """

    action: Action
    resource: Resource
    differences: tuple[Difference, ...] = ()
    route: str | None = None


class Problem(NamedTuple):
    """The reason why a resource, or a whole route, cannot be provisioned."""

    route: str | None
    name: str
    text: str


@dataclass(frozen=True)
class Plan:
    """A plan of provisioning.

    Args:
        changes: every resource, unchanged ones included, in the order of the work.
        problems: the problems; routes with problems are left out of the work.
        notes: differences between a route and its resource, a sentence for each.
    """

    changes: tuple[Change, ...]
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def work(self) -> Sequence[Change]:
        """The changes with work to do, without those of routes with a problem."""
        hindered = {problem.route for problem in self.problems if problem.route is not None}
        doing = [change for change in self.changes if change.action is not Action.KEEP]
        return [change for change in doing if change.route not in hindered]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do, and no problem."""
        return not self.work and not self.problems


class Applied(NamedTuple):
    """The changes that have been made, and the problems."""

    done: tuple[Change, ...]
    problems: tuple[Problem, ...]


def compare(resource: Resource, route: str | None = None) -> Change:
    """Read a resource. Returns the work that it needs.

    Args:
        resource: the wanted resource.
        route: the path of its task.

    Raises:
        GoogleAPIError: the resource cannot be read.
        ForeignResourceError: it belongs to another program.
    """
    known = resource.read()
    if known is None:
        made = [Difference(name, None, value) for name, value in resource.fields.items()]
        return Change(Action.CREATE, resource, tuple(made), route)
    differences = tuple(
        Difference(name, known.get(name), value)
        for name, value in resource.fields.items()
        if known.get(name) != value
    )
    if not differences:
        return Change(Action.KEEP, resource, (), route)
    replaced = any(one.field in resource.fixed for one in differences)
    return Change(Action.REPLACE if replaced else Action.UPDATE, resource, differences, route)
