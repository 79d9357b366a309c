"""What provisioning is going to do: each resource, how it differs, and what hinders a route."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from rotulus.pubsub.provision.resource import Resource


class Action(StrEnum):
    """What is to be done to a resource."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    KEEP = "unchanged"


class Difference(NamedTuple):
    """A field that is to change; `before` is None where it is not set or there is no resource."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Change:
    """What is to be done to one resource.

    Args:
        action: what.
        resource: the resource, as it is to be.
        differences: the fields that change.
        route: the path of the task that it is for; None: it is for all.
    """

    action: Action
    resource: Resource
    differences: tuple[Difference, ...] = ()
    route: str | None = None


class Problem(NamedTuple):
    """Why a resource, or all of a route, cannot be provisioned."""

    route: str | None
    name: str
    text: str


@dataclass(frozen=True)
class Plan:
    """What provisioning is going to do.

    Args:
        changes: every resource, also those that stay as they are, in the order of the work.
        problems: what hinders; routes with problems are left out of the work.
        notes: where a resource cannot have what its route says, a sentence for each.
    """

    changes: tuple[Change, ...]
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def work(self) -> Sequence[Change]:
        """The changes that do something, without those of routes that have a problem."""
        hindered = {problem.route for problem in self.problems if problem.route is not None}
        doing = [change for change in self.changes if change.action is not Action.KEEP]
        return [change for change in doing if change.route not in hindered]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do, and nothing that hinders."""
        return not self.work and not self.problems


class Applied(NamedTuple):
    """What has been done, and what has not."""

    done: tuple[Change, ...]
    problems: tuple[Problem, ...]
