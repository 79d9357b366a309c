"""Plans the work on the resources of routes."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from google.api_core.exceptions import GoogleAPIError
from google.auth.exceptions import GoogleAuthError

from rotulus.errors import OptionError
from rotulus.pubsub import names
from rotulus.pubsub.clients import GoogleClients
from rotulus.pubsub.fit import shortened
from rotulus.pubsub.provision.desired import DesiredState
from rotulus.pubsub.provision.plan import Action, Change, Plan, Problem, compare
from rotulus.pubsub.provision.resource import ForeignResourceError, Resource, reading, short
from rotulus.pubsub.route import TaskRoute
from rotulus.pubsub.settings import PubSubSettings

Told = Callable[[int, int], None]
"""Called with the number of finished parts of the work, and of all parts."""

AT_ONCE = 8
"""The most routes that are worked on at once."""

Check = Callable[[TaskRoute], Iterable[str]]
"""Returns the problems of a route, a sentence for each."""

FAILURES = (GoogleAPIError, GoogleAuthError, ForeignResourceError)
"""The errors of the work on a resource."""


class _Part(NamedTuple):
    """Resources that are created one after the other, and the problems of all of them."""

    route: str | None
    resources: Sequence[Resource] = ()
    problem: Problem | None = None


def plan(
    routes: Sequence[TaskRoute],
    settings: PubSubSettings,
    clients: GoogleClients | None = None,
    told: Told | None = None,
    check: Check = lambda _: (),
) -> Plan:
    """Returns the plan for some routes. Nothing is changed.

    A resource that cannot be read is a problem of its route; the other routes are planned all the
    same.

    Args:
        routes: the routes.
        settings: the project, the names, and the address for pushes.
        clients: Google's; those of the settings unless given.
        told: called with the progress.
        check: returns the problems of a route.

    Raises:
        ConfigurationError: a setting is missing, or this machine has no credentials.
    """
    settings.require("project_id", "service_url", "service_account")
    clients = clients or GoogleClients.of(settings)
    desired = DesiredState(settings, clients)
    parts = [
        _Part(None, list(desired.shared())),
        *(_part(desired, route, check) for route in routes),
    ]
    parts.append(_Part(None, list(desired.tick())))
    changes: list[Change] = []
    problems: list[Problem] = []
    with ThreadPoolExecutor(AT_ONCE, "rotulus-plan") as threads:
        for done, (seen, wrong) in enumerate(threads.map(_compare, parts), 1):
            changes += seen
            problems += wrong
            if told is not None:
                told(done, len(parts))
    orphans, wrong = _orphans(desired, parts)
    notes = tuple(note for route in routes for note in shortened(route))
    return Plan((*changes, *orphans), (*problems, *wrong), notes)


def _part(desired: DesiredState, route: TaskRoute, check: Check) -> _Part:
    """Returns the resources of a route, also of one with problems: its schedule is no orphan."""
    try:
        resources = list(desired.of(route))
    except OptionError as error:  # Google does not take a name
        return _Part(route.path, (), Problem(route.path, route.path, str(error)))
    wrong = "; ".join(check(route))
    return _Part(route.path, resources, Problem(route.path, route.path, wrong) if wrong else None)


def _compare(part: _Part) -> tuple[list[Change], list[Problem]]:
    if part.problem is not None:
        return [], [part.problem]
    changes: list[Change] = []
    for resource in part.resources:
        try:
            changes.append(compare(resource, part.route))
        except FAILURES as error:
            return changes, [Problem(part.route, resource.name, str(error))]
    return changes, []


def _orphans(
    desired: DesiredState, parts: Iterable[_Part]
) -> tuple[Sequence[Change], Sequence[Problem]]:
    """Returns the scheduler jobs under our own prefix that no route needs."""
    if not desired.has_scheduler:
        return (), ()
    needed = {resource.name for part in parts for resource in part.resources}
    try:
        found = [name for name in _our_jobs(desired) if name not in needed]
    except FAILURES as error:
        return (), (Problem(None, desired.jobs, str(error)),)
    return [Change(Action.DELETE, desired.orphan(name)) for name in found], ()


def _our_jobs(desired: DesiredState) -> Iterator[str]:
    """Returns the jobs with a name of ours that publish to a topic of ours.

    The name alone is not enough: namespace `shop-scheduler--x` begins like jobs of `shop`.
    """
    prefix = names.scheduler_prefix(desired.settings)
    options = reading(desired.clients)
    for job in desired.clients.scheduler.list_jobs(parent=desired.jobs, **options):
        ours = job.pubsub_target.topic_name.startswith(desired.topics)
        if ours and short(job.name).startswith(prefix):
            yield job.name
