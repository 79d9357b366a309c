"""The schedules that workers fire: of routes with tasks of a `DatabaseBackend`.

Cloud Scheduler fires the schedules of a `PubSubBackend`, so each schedule is fired by one of the
two.
"""

from collections.abc import Iterable
from typing import Any

from rotulus import TaskRegistry, scheduled, task
from rotulus.django.compat import Task, task_backends
from rotulus.django.declaring import around_of
from rotulus.django.discovery import find_routes
from rotulus.django.tasks import register
from rotulus.pubsub import TaskRoute

_USUAL = "default"
"""The backend of a plain function, which names none."""


def schedule_routes(registry: TaskRegistry, alias: str) -> None:
    """Have the app of a registry fire the routes with jobs in a database.

    The task modules of the installed apps are imported.

    Raises:
        ImproperlyConfigured: the routes are not right.
        OptionError: a task has options that a schedule cannot have.
    """
    for route in find_routes(strict=False):
        if route.is_scheduled and workers_database(route) == alias:
            _schedule(registry, route)


def workers_database(route: TaskRoute) -> str | None:
    """Returns the alias of the database with workers for a route; None: Google fires it."""
    backends: Iterable[Any] = task_backends.all()
    if isinstance(route.func, Task):
        name = route.func.backend
    elif any(_is_carried(backend) for backend in backends):
        return None
    else:
        name = _USUAL
    backend: Any = task_backends[name] if name in task_backends.settings else None
    return backend.database if _is_carried(backend) is False else None


def _is_carried(backend: object) -> bool | None:
    """Returns whether Pub/Sub delivers the jobs of a backend; None: the backend is not ours."""
    return getattr(backend, "is_carried", None)


def _schedule(registry: TaskRegistry, route: TaskRoute) -> None:
    name = route.task_name
    options: dict[str, Any] = {}
    if isinstance(route.func, Task):
        register(route.func)  # also a task that was declared for another backend
        options = {"queue": route.func.queue_name, "priority": route.func.priority}
    elif not registry.has(name):
        task(name, registry=registry)(around_of(registry)(route.function))
    known = registry.get(name)
    if known.schedule is None:
        scheduled(
            route.schedule, name, timezone=route.schedule_timezone, registry=registry, **options
        )(known)
