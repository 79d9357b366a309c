"""Carries out a plan, each route by itself."""

import random
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby

from google.api_core.exceptions import Conflict, NotFound

from rotulus.pubsub.provision.plan import Action, Applied, Change, Plan, Problem, compare
from rotulus.pubsub.provision.planning import AT_ONCE, FAILURES, Told

_TRIES = 3
"""The most tries of a change that another process makes at the same moment."""

_PAUSE = 1.0
"""The longest time in seconds between two of these tries."""


def apply(plan: Plan, told: Told | None = None) -> Applied:
    """Carry out a plan.

    A failure ends the work on its route, and on no other. A resource that was created or changed by
    another process since the plan was made is compared again, and changed to the wanted values.

    Args:
        plan: the plan.
        told: called with the number of finished changes, and of all changes.

    Returns:
        The changes that were made, and the problems.
    """
    first, routes, last = _stages(plan.work)
    done: list[Change] = []
    problems = list(plan.problems)
    with ThreadPoolExecutor(AT_ONCE, "rotulus-apply") as threads:
        for stage in (first, routes, last):
            for made, failed in threads.map(_work, stage):
                done += made
                problems += failed
                if told is not None:
                    told(len(done), len(plan.work))
    return Applied(tuple(done), tuple(problems))


def _stages(work: Sequence[Change]) -> tuple[list[list[Change]], ...]:
    """Groups of changes: those for all routes, those of each route, and independent ones."""
    shared = [one for one in work if one.route is None and one.resource.kind != "scheduler job"]
    alone = [[one] for one in work if one.route is None and one.resource.kind == "scheduler job"]
    own = [one for one in work if one.route is not None]
    routes = [list(group) for _, group in groupby(own, lambda one: one.route)]
    return [shared], routes, alone


def _work(changes: Iterable[Change]) -> tuple[list[Change], list[Problem]]:
    done: list[Change] = []
    for change in changes:
        try:
            done.append(_bring_about(change))
        except FAILURES as error:
            return done, [Problem(change.route, change.resource.name, str(error))]
    return done, []


def _bring_about(change: Change) -> Change:
    """Make a change. After a conflict with another process the change is worked out again.

    Raises:
        GoogleAPIError: Google refuses it.
    """
    for left in reversed(range(_TRIES)):
        try:
            _ACTIONS[change.action](change)
        except (Conflict, NotFound):
            if not left:
                raise
            time.sleep(random.uniform(0, _PAUSE))  # noqa: S311 - two processes must not meet again
            if change.action is not Action.DELETE:
                change = compare(change.resource, change.route)
        else:
            break
    return change


def _replace(change: Change) -> None:
    change.resource.delete()
    change.resource.create()


_ACTIONS: dict[Action, Callable[[Change], None]] = {
    Action.CREATE: lambda change: change.resource.create(),
    Action.UPDATE: lambda change: change.resource.update([d.field for d in change.differences]),
    Action.REPLACE: _replace,
    Action.DELETE: lambda change: change.resource.delete(),
    Action.KEEP: lambda _: None,
}
