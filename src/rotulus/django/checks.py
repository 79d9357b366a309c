"""System checks of Pub/Sub for `manage.py check`: of settings, routes and URLs.

Their ids are `rotulus.E001` and so on; `docs/django.md` lists them.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning  # noqa: A004 - Django's name for it
from django.core.exceptions import ImproperlyConfigured
from django.urls import NoReverseMatch, get_script_prefix, reverse

from rotulus import App
from rotulus.django.declaring import all_declared
from rotulus.errors import ConfigurationError
from rotulus.pubsub import PubSubSettings, TaskRoute
from rotulus.pubsub.fit import route_problems, shortened
from rotulus.pubsub.http import PUSH_PATH

_INCLUDE = 'path("tasks/", include("rotulus.django.urls"))'


class Checked(Protocol):
    """The backend that is checked."""

    alias: str

    @property
    def app(self) -> App:
        """Its app."""
        ...

    @property
    def insecure_local(self) -> bool:
        """Whether this machine may push without a token."""
        ...

    @property
    def settings(self) -> PubSubSettings:
        """Its settings. Raises `ImproperlyConfigured`."""
        ...


def missing_settings(backend: Checked) -> str:
    """Returns the missing settings of a backend, in a sentence; "" if it has all.

    Raises:
        ImproperlyConfigured: a value is not allowed.
    """
    names = ["project_id"] if backend.insecure_local else [*_NEEDED]
    found = backend.settings
    try:
        found.require(*names)
    except ConfigurationError as error:
        return str(error)
    if backend.insecure_local and not found.pubsub_emulator:
        return (
            f"TASKS[{backend.alias!r}]['OPTIONS']['insecure_local'] lets pushes in without a "
            f"token, and is for emulators: set PUBSUB_EMULATOR_HOST, or leave it out"
        )
    return ""


_NEEDED = ("project_id", "service_url", "service_account")


def check_settings(backend: Checked) -> list[CheckMessage]:
    """E003: a setting is missing, or has a value that is not allowed."""
    try:
        problem = missing_settings(backend)
    except ImproperlyConfigured as error:
        problem = str(error)
    if not problem:
        return []
    hint = "It is read from Django's settings, then from the environment."
    return [Error(problem, hint=hint, id="rotulus.E003")]


def check_url(backend: Checked) -> list[CheckMessage]:
    """E006: pushes would not reach the view."""
    hint = f"Have {_INCLUDE} in the urlpatterns of settings.ROOT_URLCONF."
    try:
        found = reverse("rotulus:pubsub") if hasattr(settings, "ROOT_URLCONF") else None
    except NoReverseMatch:
        found = None
    if found is None:
        problem = (
            f"TASKS[{backend.alias!r}] has tasks pushed to {PUSH_PATH}, and no URL leads there."
        )
    elif found != get_script_prefix().rstrip("/") + PUSH_PATH:
        problem = f"Pub/Sub is configured to push to {PUSH_PATH}, and the view is at {found}."
    else:
        return []
    return [Error(problem, hint=hint, id="rotulus.E006")]


def no_routes(error: ImproperlyConfigured) -> CheckMessage:
    """E004: the routes are not right."""
    hint = "A route stands once, in the list `tasks` of a module `tasks` of an installed app."
    return Error(str(error), hint=hint, id="rotulus.E004")


def check_routes(backend: Checked, routes: Sequence[TaskRoute]) -> list[CheckMessage]:
    """E001, W002, E005, W007: tasks without a route, and routes that do not fit."""
    fit = [*_route_problems(backend.app, routes), *_shortened(routes)]
    return [*_without_route(backend, routes), *_plain(routes), *fit]


def _without_route(backend: Checked, routes: Sequence[TaskRoute]) -> Iterator[CheckMessage]:
    routed = {route.path for route in routes}
    for task in [one.task for one in all_declared().values()]:
        if task.backend == backend.alias and task.module_path not in routed:
            yield Error(
                f"Task {task.module_path} is one of TASKS[{backend.alias!r}], which has tasks "
                f"pushed by Pub/Sub, and it has no route.",
                hint=f"Put TaskRoute({task.name}) into the list `tasks` of its app.",
                obj=task.module_path,
                id="rotulus.E001",
            )


def _plain(routes: Sequence[TaskRoute]) -> Iterator[CheckMessage]:
    for route in routes:
        if route.func is route.function and not _is_declared(route):
            yield Warning(
                f"{route!r} has a plain function: it can be fired by a schedule, and cannot be "
                f"enqueued.",
                hint=f"Decorate {route.path} with @task.",
                obj=route.path,
                id="rotulus.W002",
            )


def _is_declared(route: TaskRoute) -> bool:
    return route.path in all_declared()


def _route_problems(app: App, routes: Sequence[TaskRoute]) -> Iterator[CheckMessage]:
    lease: float = app.settings["lease"].value
    for route in routes:
        for problem in route_problems(route, app.registry, lease):
            yield Error(
                f"{problem}.",
                hint="Change the number in the route, or that of the task.",
                obj=route.path,
                id="rotulus.E005",
            )


def _shortened(routes: Sequence[TaskRoute]) -> Iterator[CheckMessage]:
    for route in routes:
        for note in shortened(route):
            hint = "Give the route a shorter delay."
            yield Warning(f"{note}.", hint=hint, obj=route.path, id="rotulus.W007")


def check_single(backends: Sequence[Checked]) -> list[CheckMessage]:
    """E008: there is a second backend of this kind."""
    if len(backends) < 2:
        return []
    names = ", ".join(repr(one.alias) for one in backends)
    hint = "Pushes come to one view, which serves one of them: leave the others out."
    return [Error(f"TASKS has several PubSubBackends: {names}.", hint=hint, id="rotulus.E008")]
