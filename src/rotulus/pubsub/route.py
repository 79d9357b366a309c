"""The route of a task: how Pub/Sub delivers it, when Cloud Scheduler fires it, and its messages."""

import functools
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, cast

from rotulus import TaskRegistry
from rotulus._jobs.retry import Retry
from rotulus._tasks.registry import registered_tasks
from rotulus._tasks.task import Task
from rotulus._text.names import refuse_unknown
from rotulus.errors import ConfigurationError, OptionError
from rotulus.pubsub import names
from rotulus.pubsub.cron import check_cron, check_timezone
from rotulus.pubsub.messages import TASK, PushedMessage

MAX_DELIVERY_ATTEMPTS = 10
"""The default number of deliveries of a message. With delays of 10 to 600
seconds the last delivery comes 40 minutes after the first."""


@refuse_unknown
@dataclass(frozen=True, repr=False)
class TaskRoute:
    """How Pub/Sub delivers a task, and Cloud Scheduler fires it.

    A task has two names here. `path` is the place of its function in the code: topics and
    subscriptions are named after it. `task_name` is the registered name of the task: jobs carry it,
    and lists show it.

    Args:
        func: the task: one of Rotulus, one of Django, or a plain function.
        ack_deadline: seconds for which Pub/Sub waits for the answer before it delivers the message
            again, 10 to 600. The task's timeout has to be shorter.
        min_retry_delay: seconds from the first failure to the next delivery. It doubles each time.
        max_retry_delay: the longest of these delays, in seconds. Pub/Sub waits 600 at most, so
            provisioning shortens longer delays to 600, and reports that.
        schedule: a cron expression of five fields.
        schedule_timezone: the IANA time zone of the schedule.
        max_delivery_attempts: the number of deliveries before a message goes to the dead-letter
            topic, 5 to 100. Refused deliveries count, too.

    Raises:
        OptionError: an argument is not allowed.
    """

    func: Any
    ack_deadline: int = 300
    min_retry_delay: int = 10
    max_retry_delay: int = 600
    schedule: str | None = None
    schedule_timezone: str = "UTC"
    max_delivery_attempts: int = field(default=MAX_DELIVERY_ATTEMPTS, kw_only=True)

    def __post_init__(self) -> None:
        _function_of(self.func)
        self._check("ack_deadline", 10, 600)
        self._check("min_retry_delay", 0)
        self._check("max_retry_delay", 0)
        self._check("max_delivery_attempts", 5, 100)
        if self.min_retry_delay > self.max_retry_delay:
            raise OptionError(
                f"{self!r}: min_retry_delay={self.min_retry_delay} is longer than "
                f"max_retry_delay={self.max_retry_delay}; give a shorter one"
            )
        if self.schedule is not None:
            object.__setattr__(self, "schedule", check_cron(self.schedule))
            check_timezone(self.schedule_timezone)

    @property
    def function(self) -> Callable[..., Any]:
        """The plain function of the task."""
        return _function_of(self.func)

    @property
    def name(self) -> str:
        """The name of the function, such as `send_welcome_email`."""
        return self.function.__name__

    @property
    def path(self) -> str:
        """The module and the name of the function, such as `shop.tasks.send_welcome_email`."""
        return f"{self.function.__module__}.{self.name}"

    @property
    def task_name(self) -> str:
        """The registered name of the task: its own, else its path."""
        task = _task_of(self.func)
        return self.path if task is None else task.name

    @property
    def topic_name(self) -> str:
        """The topic, by the environment of this moment. Raises `OptionError`."""
        return names.topic_name(self.path, names.PlaceNow.read())

    @property
    def subscription_name(self) -> str:
        """The subscription, by the environment of this moment. Raises `OptionError`."""
        return names.subscription_name(self.path, names.PlaceNow.read())

    @property
    def scheduler_job_name(self) -> str:
        """The scheduler job, by the environment of this moment.

        Raises:
            OptionError: the route has no schedule, or Google would not take the name.
        """
        if not self.is_scheduled:
            raise OptionError(f"Task {self.name} has no schedule configured")
        return names.scheduler_job_name(self.path, names.PlaceNow.read())

    @property
    def is_scheduled(self) -> bool:
        """Whether there is a schedule."""
        return self.schedule is not None

    @property
    def retry(self) -> Retry:
        """The policy for a task without one: an attempt for each delivery."""
        return Retry(
            attempts=self.max_delivery_attempts,
            delay=self.min_retry_delay,
            cap=self.max_retry_delay,
            jitter=False,
        )

    def __repr__(self) -> str:
        schedule = f", schedule={self.schedule!r}" if self.is_scheduled else ""
        return f"TaskRoute({self.name}, ack_deadline={self.ack_deadline}{schedule})"

    def _check(self, option: str, least: int, most: int | None = None) -> None:
        value = getattr(self, option)
        if type(value) is int and least <= value and (most is None or value <= most):
            return
        span = f"{least} or more" if most is None else f"from {least} to {most}"
        raise OptionError(f"{self!r}: {option}={value!r} is not allowed: give a number, {span}")


def _task_of(func: object) -> Task[..., Any, Any] | None:
    """Returns the task of Rotulus, if it is one."""
    return cast("Task[..., Any, Any]", func) if isinstance(func, Task) else None


def _function_of(func: object) -> Callable[..., Any]:
    """Returns the function of a task of any kind. Raises `OptionError` for anything else."""
    task = _task_of(func)
    if task is not None:
        return task.function
    function: object = getattr(func, "func", func)
    partial = isinstance(func, functools.partial)  # its `func` lacks arguments
    if not partial and callable(function) and isinstance(getattr(function, "__name__", None), str):
        return cast("Callable[..., Any]", function)
    raise OptionError(
        f"TaskRoute({func!r}): func has to be a task, or a function with a name: TaskRoute(send)"
    )


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
