"""What the routes of an app want at Google, and what is there, as an app shows it: plain values."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from functools import partial

from rotulus import (
    MissingSetting,
    PushChange,
    PushDifference,
    PushPlace,
    PushPlan,
    PushProblem,
    PushResource,
    PushWanted,
    TaskRegistry,
)
from rotulus.errors import OptionError
from rotulus.pubsub.clients import GoogleClients
from rotulus.pubsub.fit import route_problems, shortened
from rotulus.pubsub.provision.desired import DesiredState
from rotulus.pubsub.provision.plan import Change, Problem
from rotulus.pubsub.provision.planning import plan
from rotulus.pubsub.provision.resource import Resource, short
from rotulus.pubsub.route import TaskRoute
from rotulus.pubsub.settings import PubSubSettings

NEEDED = ("project_id", "service_url", "service_account")
"""The settings without which nothing is provisioned."""


def wanted(
    routes: Sequence[TaskRoute],
    settings: Callable[[], PubSubSettings],
    registry: TaskRegistry,
    lease: float,
) -> PushWanted:
    """Returns the resources that routes want. Google is not asked.

    Args:
        routes: the routes.
        settings: gives the settings; what is wrong with them is a problem.
        registry: the tasks.
        lease: seconds after which the app gives up a process that hangs.
    """
    try:
        known = settings()
    except OptionError as error:
        return PushWanted(bool(routes), problems=(PushProblem(None, "", str(error)),))
    desired = DesiredState(known, GoogleClients.of(known))
    resources = list(_shown(desired.shared(), None)) if routes else []
    problems: list[PushProblem] = []
    for route in routes:
        try:
            resources += _shown(desired.of(route), route)
        except OptionError as error:  # Google does not take a name
            problems.append(PushProblem(route.path, route.path, str(error)))
            continue
        wrong = "; ".join(route_problems(route, registry, lease))
        problems += [PushProblem(route.path, route.path, wrong)] if wrong else []
    if routes:
        resources += _shown(desired.tick(), None)
    return PushWanted(
        bool(routes),
        _place(desired),
        tuple(MissingSetting(*one) for one in known.missing(*NEEDED)),
        tuple(resources),
        tuple(problems),
        tuple(note for route in routes for note in shortened(route)),
    )


def planned(
    routes: Sequence[TaskRoute],
    settings: PubSubSettings,
    registry: TaskRegistry,
    lease: float,
    patience: float,
) -> PushPlan:
    """Returns how what is at Google differs from what routes want.

    Args:
        routes: the routes.
        settings: the settings.
        registry: the tasks.
        lease: seconds after which the app gives up a process that hangs.
        patience: seconds; what was not looked at then is a problem.

    Raises:
        ConfigurationError: a setting is missing, or this machine has no credentials.
    """
    check = partial(route_problems, registry=registry, lease=lease)
    with closing(GoogleClients.of(settings, patience=patience)) as clients:
        made = plan(routes, settings, clients, check=check)
        return PushPlan(
            _place(DesiredState(settings, clients)),
            tuple(map(_change, made.changes)),
            tuple(map(_problem, made.problems)),
            made.notes,
        )


def _place(desired: DesiredState) -> PushPlace:
    settings = desired.settings
    emulator, project = settings.pubsub_emulator or None, settings.project_id or None
    return PushPlace(project, desired.owner, emulator, desired.has_scheduler)


def _shown(resources: Iterable[Resource], route: TaskRoute | None) -> Iterator[PushResource]:
    path, task = (None, None) if route is None else (route.path, route.task_name)
    for one in resources:
        yield PushResource(one.kind, short(one.name), path, task, dict(one.fields))


def _change(change: Change) -> PushChange:
    differences = tuple(PushDifference(*one) for one in change.differences)
    resource = change.resource
    name = short(resource.name)
    return PushChange(change.action.value, resource.kind, name, change.route, differences)


def _problem(problem: Problem) -> PushProblem:
    return PushProblem(problem.route, short(problem.name), problem.text)
