"""`PubSubBackend`: Django's tasks in Django's own database, pushed by Pub/Sub."""

import json
from dataclasses import replace
from typing import Any

from django.core.checks import CheckMessage
from django.core.exceptions import ImproperlyConfigured

from rotulus import pubsub
from rotulus.django.backend import RotulusBackend
from rotulus.django.checks import (
    check_routes,
    check_settings,
    check_single,
    check_url,
    no_routes,
)
from rotulus.django.compat import AnyResult, Task, task_backends
from rotulus.django.discovery import find_routes
from rotulus.django.publishing import is_publishing
from rotulus.django.schedules import workers_database
from rotulus.django.tasks import register
from rotulus.errors import ArgumentsError, OptionError
from rotulus.pubsub import PubSubSettings, TaskRoute


class PubSubBackend(RotulusBackend):
    """Keeps Django's tasks in the tables of Rotulus; Google Pub/Sub pushes them to a view.

    `TASKS = {"default": {"BACKEND": "rotulus.django.PubSubBackend", "OPTIONS": {"project_id":
    ...}}}`. Its tasks are those with a `TaskRoute`. An enqueue in an `atomic` block belongs to the
    block, and its message is published once the block is committed. A message that could not be
    published is published later: the enqueue does not fail.

    Args:
        alias: its key in `settings.TASKS`.
        params: its value there. In `OPTIONS`, `project_id` is the Google Cloud project, in place of
            `GCP_PROJECT_ID`, and `database` is as for `DatabaseBackend`. With `insecure_local`,
            pushes from this machine need no token: for an emulator, nothing else.
    """

    supports_defer = False
    supports_async_task = False
    supports_priority = False
    is_carried = True
    known_options = RotulusBackend.known_options | {"project_id", "insecure_local"}

    @property
    def carrier(self) -> "pubsub.PubSubCarrier":
        """The carrier of its jobs. Raises `ImproperlyConfigured`."""
        found = self.app.carrier
        if isinstance(found, pubsub.PubSubCarrier):
            return found
        raise ImproperlyConfigured(
            f"Jobs of database {self.database!r} are carried by another backend of settings.TASKS"
        )

    @property
    def insecure_local(self) -> bool:
        """Whether pushes from this machine are let in without a token."""
        return self.options.get("insecure_local") is True

    @property
    def settings(self) -> PubSubSettings:
        """The settings of Pub/Sub: of `OPTIONS`, of Django, else of the environment.

        Raises:
            ImproperlyConfigured: a value is not allowed.
        """
        try:
            found = PubSubSettings.from_env()
        except OptionError as error:
            raise ImproperlyConfigured(str(error)) from None
        project = self.options.get("project_id")
        return replace(found, project_id=project) if project else found

    def make_carrier(self, *, to_workers: bool = True) -> "pubsub.PubSubCarrier":
        """Returns a carrier of its jobs.

        Args:
            to_workers: whether it also carries tasks of a `DatabaseBackend` that have a route.

        Raises:
            ImproperlyConfigured: the routes or the settings are not right.
            ConfigurationError: the packages for Google are not installed.
        """
        routes = find_routes()
        for route in routes:
            if isinstance(route.func, Task):
                register(route.func)  # also a task that was declared for another backend
        own = [_unscheduled(route) if workers_database(route) else route for route in routes]
        chosen = own if to_workers else [one for one in own if not workers_database(one)]
        return pubsub.PubSubCarrier(chosen, self.settings, publishes=is_publishing)

    def enqueue(self, task: Any, args: Any, kwargs: Any) -> AnyResult:
        """Store a job of a task, and publish its message once it is committed.

        Raises:
            InvalidTask: the task is not one for this backend.
            ValueError: the task has no route.
            ArgumentsError: the arguments do not fit the task, or have no JSON form; it is a
                `ValueError`, too.
            StoreError: the job could not be stored.
        """
        if not self.carrier.carries(task.module_path):
            raise ValueError(
                f"Task '{task.name}' not registered. Pub/Sub delivers tasks that have a route: "
                f"put TaskRoute({task.name}) into the list `tasks` of its app's module `tasks`"
            )
        try:
            return super().enqueue(task, args, kwargs)
        except ArgumentsError as error:
            if _is_json([args, kwargs]):
                raise
            raise ArgumentsError(
                f"Task arguments for '{task.name}' are not JSON-serializable: {error}",
                error.problems,
            ) from None

    def check(self, **options: Any) -> "list[CheckMessage]":
        """Returns the problems of its settings and its routes, for `manage.py check`."""
        wrong = [*check_settings(self), *check_url(self), *check_single(_all())]
        try:
            find_routes()
        except ImproperlyConfigured as error:  # without routes there is no app to check
            return [*wrong, no_routes(error)]
        here = list(super().check(**options))
        return [*wrong, *here] if here else [*wrong, *check_routes(self, find_routes())]

    def _as_enqueued(self, task: Any, job: Any) -> Any:  # noqa: ARG002 - nothing can differ
        return task


def _unscheduled(route: TaskRoute) -> TaskRoute:
    """A route that Cloud Scheduler does not fire, as workers do."""
    return replace(route, schedule=None)


def the_backend() -> PubSubBackend | None:
    """Returns the `PubSubBackend` of `settings.TASKS` that pushes are for, if there is one."""
    return next(iter(_all()), None)


def _all() -> list[PubSubBackend]:
    return [backend for backend in task_backends.all() if isinstance(backend, PubSubBackend)]


def _is_json(value: object) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        return False
    return True
