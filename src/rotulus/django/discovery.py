"""Finds the routes of a project: the lists `tasks` in the modules of its installed apps."""

import functools
from collections.abc import Iterator, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any, cast

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.utils.module_loading import module_has_submodule

from rotulus._text.names import did_you_mean
from rotulus.pubsub import TaskRoute

APPS = "ROTULUS_TASK_APPS"
"""The setting with the apps that are searched for routes; unless set, all apps are."""

MODULES = "ROTULUS_TASK_MODULES"
"""The setting with the modules of each app that are searched."""

_USUAL = ("tasks", "tasks.registry")
_LIST = "tasks"
"""The name of the list of routes."""


@functools.cache
def find_routes(*, strict: bool = True) -> tuple[TaskRoute, ...]:
    """Returns the routes of the installed apps, in their order. Their task modules are imported.

    `settings.ROTULUS_TASK_APPS` restricts the apps, and `settings.ROTULUS_TASK_MODULES` names the
    modules: `["tasks", "tasks.registry"]` unless it is set. The search runs once.

    Args:
        strict: whether every `tasks` has to be a list of routes. Otherwise a list without a route
            in it is ignored: without Pub/Sub it may be something else.

    Raises:
        ImproperlyConfigured: a list holds something else than routes; or two routes have one task;
            or a setting names an app that is not installed.
    """
    found: dict[str, tuple[TaskRoute, str]] = {}
    for module, routes in _lists(strict):
        for route in routes:
            entry = route, module
            first = found.setdefault(route.path, entry)
            if first is not entry:
                other = first[1]
                where = f"in {module} twice" if other == module else f"in {other} and in {module}"
                raise ImproperlyConfigured(
                    f"Task {route.path} has a route {where}: it can have one, so leave one out"
                )
    return tuple(route for route, _ in found.values())


def import_task_modules() -> list[ModuleType]:
    """Returns the modules of the installed apps that have tasks and routes, imported.

    Raises:
        ImproperlyConfigured: a setting names an app that is not installed, or is no list of
            strings.
    """
    names = _setting(MODULES, _USUAL)
    found = [_module(config, name) for config in _configs() for name in names]
    return [module for module in found if module is not None]


def _lists(strict: bool) -> Iterator[tuple[str, Sequence[TaskRoute]]]:
    """Returns each list once, with the module where it was found first."""
    seen: list[object] = []
    for module in import_task_modules():
        routes = getattr(module, _LIST, None)
        if routes is None or isinstance(routes, ModuleType) or not (strict or _has_route(routes)):
            continue
        if not any(routes is one for one in seen):  # a package may re-export one
            seen.append(routes)
            yield module.__name__, _routes(module, routes)


def _configs() -> list[AppConfig]:
    """Returns the apps to search."""
    every = list(apps.get_app_configs())
    if getattr(settings, APPS, None) is None:
        return every
    chosen: list[AppConfig] = []
    for name in _setting(APPS, ()):
        of_it = [one for one in every if f"{one.name}.".startswith(f"{name}.")]
        if not of_it:
            raise ImproperlyConfigured(
                f"settings.{APPS} has {name!r}, and no app of INSTALLED_APPS is called that, or "
                f"stands below it{did_you_mean(name, [one.name for one in every])}"
            )
        chosen += [one for one in of_it if one not in chosen]
    return chosen


def _module(config: AppConfig, name: str) -> ModuleType | None:
    """Returns a module of an app, imported; None where there is none."""
    package = config.module
    for part in name.split("."):
        if package is None or not module_has_submodule(package, part):
            return None
        package = _imported(f"{package.__name__}.{part}")
    return package


def _imported(name: str) -> ModuleType:
    try:
        return import_module(name)
    except ImportError as error:
        error.add_note(f"{name} is imported for its tasks: settings.{APPS} can leave its app out")
        raise


def _routes(module: ModuleType, value: object) -> Sequence[TaskRoute]:
    if not isinstance(value, list | tuple):
        raise _no_routes(module, f"is a {type(value).__name__}")
    entries = cast("Sequence[Any]", value)
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry, TaskRoute):
            raise _no_routes(module, f"has {entry!r} as entry {number}")
    return entries


def _has_route(value: object) -> bool:
    entries = cast("Sequence[Any]", value) if isinstance(value, list | tuple) else ()
    return any(isinstance(entry, TaskRoute) for entry in entries)


def _no_routes(module: ModuleType, problem: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(
        f"{module.__name__}.{_LIST} {problem}; it is a list of routes: {_LIST} = "
        f"[TaskRoute(send_welcome)]. If it is not meant for this, settings.{APPS} can leave its "
        f"app out"
    )


def _setting(name: str, usual: Sequence[str]) -> Sequence[str]:
    value = getattr(settings, name, None)
    if value is None:
        return usual
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
        raise ImproperlyConfigured(f"settings.{name} is {value!r}; give a list of texts")
    return cast("Sequence[str]", value)


def _forget(*, setting: str, **_: Any) -> None:
    if setting in ("INSTALLED_APPS", APPS, MODULES):
        find_routes.cache_clear()


setting_changed.connect(_forget)
