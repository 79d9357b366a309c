"""Checks that the numbers of a route, its task and its app fit together.

A killed process leaves a lease behind. Deliveries are refused while the lease holds, and refused
deliveries count towards the dead-letter limit. So the lease, the back-off and the limit have to
leave room for the attempts of the task.
"""

from collections.abc import Iterable, Iterator

from rotulus import Retry, TaskRegistry
from rotulus.errors import ConfigurationError
from rotulus.pubsub.route import TaskRoute

LONGEST_DELAY = 600
"""The longest delay of Pub/Sub between two deliveries, in seconds."""

AFTER_A_LOSS = 2
"""The least attempts of a job: one that is lost, and one more."""


def check_fit(routes: Iterable[TaskRoute], registry: TaskRegistry, lease: float) -> None:
    """Check the routes of a program.

    Args:
        routes: the routes.
        registry: their tasks; a task that is not there has no timeout and no retry policy.
        lease: seconds after which the app gives up a process that hangs.

    Raises:
        ConfigurationError: some numbers do not fit; the message names all of them.
    """
    problems = [problem for route in routes for problem in route_problems(route, registry, lease)]
    if problems:
        raise ConfigurationError("Routes do not fit: " + "; ".join(problems))


def route_problems(route: TaskRoute, registry: TaskRegistry, lease: float) -> Iterator[str]:
    """Yields the problems of a route, a sentence for each."""
    task = registry.get(route.task_name) if registry.has(route.task_name) else None
    timeout, retry = (None, None) if task is None else (task.timeout, task.retry)
    if timeout is not None and timeout >= route.ack_deadline:
        yield (
            f"{route!r}: the task's timeout of {timeout:g} seconds is not shorter than its "
            f"ack_deadline of {route.ack_deadline}, after which Pub/Sub delivers the message again"
        )
    refused, attempts = refusals(route, lease), _attempts(retry)
    if refused is None:
        yield (
            f"{route!r}: with min_retry_delay={route.min_retry_delay} any number of deliveries can "
            f"come while a lease of {lease:g} seconds holds; give 1 or more"
        )
    elif refused + attempts > route.max_delivery_attempts:
        yield (
            f"{route!r}: max_delivery_attempts={route.max_delivery_attempts} is less than "
            f"{refused + attempts}: {attempts} attempts, and {refused} deliveries that are refused "
            f"while a lease of {lease:g} seconds holds after a crash; raise it, or "
            f"min_retry_delay={route.min_retry_delay}"
        )


def shortened(route: TaskRoute) -> Iterator[str]:
    """Yields the delays of a route that are too long for Pub/Sub, a sentence for each."""
    for name in ("min_retry_delay", "max_retry_delay"):
        seconds = getattr(route, name)
        if seconds > LONGEST_DELAY:
            yield (
                f"{route!r}: {name}={seconds} is longer than Pub/Sub waits: its subscription gets "
                f"{LONGEST_DELAY} seconds"
            )


def refusals(route: TaskRoute, lease: float) -> int | None:
    """Returns how many deliveries are refused, at most, while the lease of a killed process holds.

    The first delivery was killed; the others come after delays that double.

    Args:
        route: the route.
        lease: the lease, in seconds.

    Returns:
        The number; None: there is no limit.
    """
    delay = float(min(route.min_retry_delay, LONGEST_DELAY))
    longest = min(route.max_retry_delay, LONGEST_DELAY)
    if not delay:
        return None
    count, since = 0, delay
    while since <= lease:
        count += 1
        delay = min(delay * 2, longest)
        since += delay
    return count


def _attempts(retry: Retry | None) -> int:
    """Returns how many attempts a job should have."""
    return AFTER_A_LOSS if retry is None else max(AFTER_A_LOSS, retry.attempts)
