"""Finds the route of a message among the routes of a program."""

from collections import Counter
from collections.abc import Iterable

from rotulus import TaskRegistry
from rotulus._tasks.registry import registered_tasks
from rotulus._tasks.task import Task
from rotulus.errors import ConfigurationError, OptionError
from rotulus.pubsub import names
from rotulus.pubsub.messages import TASK, PushedMessage
from rotulus.pubsub.route import TaskRoute

QUEUE = "_pubsub"
"""The queue of the jobs of routes. It is private: workers serve it only by name."""


class Routing:
    """The routes of a program, by every name that messages may have.

    Args:
        routes: the routes.
        place: the owner of the resources.

    Raises:
        OptionError: two routes have the same task, or functions with the same path.
    """

    def __init__(self, routes: Iterable[TaskRoute], place: names.Place) -> None:
        self.routes = tuple(routes)
        check_single(self.routes)
        self._by_task = {route.task_name: route for route in self.routes}
        self._by_subscription = {
            names.subscription_name(route.path, place): route for route in self.routes
        }
        count = Counter(route.name for route in self.routes)
        self._by_name = {route.name: route for route in self.routes if count[route.name] == 1}

    def find(self, message: PushedMessage) -> TaskRoute | None:
        """Returns the route of a message, by its attribute, its subscription, or its function."""
        envelope = message.envelope
        return (
            self._by_task.get(envelope.attributes.get(TASK, ""))
            or self._by_subscription.get(envelope.subscription)
            or self._by_name.get(message.task_name)
        )

    def register(self, registry: TaskRegistry) -> None:
        """Register the plain functions among the routes, each under its path.

        Raises:
            ConfigurationError: a route has a task of another registry.
            RegistryFrozenError: an app serves the registry already, and a function is missing in
                it.
        """
        tasks = registered_tasks(registry)
        for route in self.routes:
            if registry.has(route.task_name):
                continue
            if route.func is not route.function:
                raise ConfigurationError(
                    f"{route!r}: no task {route.task_name!r} is registered in the registry of the "
                    f"app; give the app the registry of that task"
                )
            tasks.add(Task(route.function, route.task_name, tasks))


def check_single(routes: Iterable[TaskRoute]) -> None:
    """Raise `OptionError` when two routes have one task, or one path."""
    for name in ("task_name", "path"):
        known: dict[str, TaskRoute] = {}
        for route in routes:
            other = known.setdefault(getattr(route, name), route)
            if other is not route:
                raise OptionError(
                    f"Two routes are of {getattr(route, name)!r}: {other!r} and {route!r}; leave "
                    f"one out"
                )
