"""`PubSubBackend`: Django's tasks in Django's own database, run where Pub/Sub pushes them."""

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
    """Keeps Django's tasks in the tables of Rotulus, and has Google Pub/Sub push them to a view.

    `TASKS = {"default": {"BACKEND": "rotulus.django.PubSubBackend", "OPTIONS": {"project_id":
    ...}}}`. Its tasks are those that have a `TaskRoute`. An enqueue in an `atomic` block belongs to
    that, and its message is published once the block is committed. What could not be published is
    published later: the enqueue does not fail.

    Args:
        alias: its key in `settings.TASKS`.
        params: what stands there. Of the `OPTIONS`, `project_id` is the Google Cloud project, in
            place of `GCP_PROJECT_ID`; `database` as for `DatabaseBackend`; and with
            `insecure_local`, pushes of this machine need no token: for an emulator, nothing else.
    """

    supports_defer = False
    supports_async_task = False
    supports_priority = False
    is_carried = True
    known_options = RotulusBackend.known_options | {"project_id", "insecure_local"}

    @property
    def carrier(self) -> "pubsub.PubSubCarrier":
        """What publishes the messages of its jobs. Raises `ImproperlyConfigured`."""
        found = self.app.carrier
        if isinstance(found, pubsub.PubSubCarrier):
            return found
        raise ImproperlyConfigured(
            f"Jobs of database {self.database!r} are carried by another backend of settings.TASKS"
        )

    @property
    def insecure_local(self) -> bool:
        """Whether pushes of this machine are let in without a token."""
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
        """What publishes the messages of its jobs.

        Args:
            to_workers: whether it carries the tasks of a `DatabaseBackend`, too, that have a route.

        Raises:
            ImproperlyConfigured: the routes or the settings are not right.
            ConfigurationError: what speaks with Google is not installed.
        """
        routes = find_routes()
        for route in routes:
            if isinstance(route.func, Task):
                register(route.func)  # also one that was declared for another backend
        own = [_unscheduled(route) if workers_database(route) else route for route in routes]
        chosen = own if to_workers else [one for one in own if not workers_database(one)]
        return pubsub.PubSubCarrier(chosen, self.settings, publishes=is_publishing)

    def enqueue(self, task: Any, args: Any, kwargs: Any) -> AnyResult:
        """Store a job of a task, and publish its message once it is committed.

        Raises:
            InvalidTask: the task is not one for this backend.
            ValueError: no route is of this task.
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

    def check(self, **given: Any) -> "list[CheckMessage]":
        """What is wrong with its settings and its routes, for `manage.py check`."""
        wrong = [*check_settings(self), *check_url(self), *check_single(_all())]
        try:
            find_routes()
        except (
            ImproperlyConfigured
        ) as error:  # without routes there is no app that could be looked at
            return [*wrong, no_routes(error)]
        here = list(super().check(**given))
        return [*wrong, *here] if here else [*wrong, *check_routes(self, find_routes())]

    def _as_enqueued(self, task: Any, job: Any) -> Any:  # noqa: ARG002 - nothing can differ
        return task


def _unscheduled(route: TaskRoute) -> TaskRoute:
    """A route that Cloud Scheduler does not fire, as workers do."""
    return replace(route, schedule=None)


def the_backend() -> PubSubBackend | None:
    """The `PubSubBackend` of `settings.TASKS`, if there is one: that which pushes are for."""
    return next(iter(_all()), None)


def _all() -> list[PubSubBackend]:
    return [backend for backend in task_backends.all() if isinstance(backend, PubSubBackend)]


def _is_json(value: object) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        return False
    return True
