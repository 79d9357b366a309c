"""The app of each database, and the Django tasks that are declared: those that a worker can run."""

import threading
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from django.db import DEFAULT_DB_ALIAS

from rotulus import App, TaskRegistry, task
from rotulus.django.addresses import url_of
from rotulus.django.connections import connection_of
from rotulus.django.old_connections import closing_old
from rotulus.errors import NoAppError

Around = Callable[[Callable[..., Any]], Callable[..., Any]]

_LOCK = threading.RLock()
_APPS: dict[str, tuple[str, App]] = {}
"""The apps on Django's own connections, by the alias of the database; each with its name."""


class Declared(NamedTuple):
    """A Django task as it was declared.

    Attributes:
        task: the task of Django.
        function: what is called for its jobs.
        options: those of `rotulus.task`.
    """

    task: Any
    function: Callable[..., Any]
    options: Mapping[str, Any]


_DECLARED: dict[str, Declared] = {}
"""The Django tasks of this process, by their module path."""


def declare(name: str, declared: Declared) -> None:
    """Let the workers of every database know a task; a later one of the same path replaces it."""
    with _LOCK:
        _DECLARED[name] = declared
        for _, app in _APPS.values():
            app.registry.unregister(name)
            _register(app.registry, name, declared)


def declared(name: str) -> Declared | None:
    """The Django task of a module path, if this process has imported it."""
    return _DECLARED.get(name)


def app_of(alias: str = DEFAULT_DB_ALIAS) -> App:
    """The app whose jobs live in a database of Django's settings.

    Its calls run on Django's own connection of the thread: what is enqueued in an `atomic` block
    belongs to that. It knows every Django task that this process has imported.

    Args:
        alias: a key of `settings.DATABASES`.

    Raises:
        ConfigurationError: there is no such database, or no store for its kind.
    """
    name = str(connection_of(alias).settings_dict["NAME"])
    with _LOCK:
        known, app = _APPS.get(alias, ("", None))
        if app is None or known != name or _is_closed(app):
            # The runner of tests puts another database in the place of the one that was there.
            app = App(f"django://{alias}", registry=registry_of_all())
            _APPS[alias] = name, app
        return app


def worker_app(alias: str = DEFAULT_DB_ALIAS, **options: Any) -> App:
    """An app for a worker on the same tables, with connections of its own beside Django's.

    What its tasks enqueue goes by way of `app_of`, and so joins their transactions. Around each job
    old connections of Django are closed.

    Args:
        alias: a key of `settings.DATABASES`.
        options: those of `App`, without `url` and `registry`.

    Raises:
        ConfigurationError: no other process could open that database.
    """
    return App(url_of(connection_of(alias)), registry=registry_of_all(closing_old), **options)


def registry_of_all(around: Around | None = None) -> TaskRegistry:
    """A registry of every Django task of this process: each app has one of its own.

    Args:
        around: makes of the function of each task what is called in its place.
    """
    registry = TaskRegistry()
    with _LOCK:
        for name, one in _DECLARED.items():
            function = around(one.function) if around else one.function
            _register(registry, name, one._replace(function=function))
    return registry


def _is_closed(app: App) -> bool:
    try:
        app.registry.desk()
    except NoAppError:
        return True
    return False


def _register(registry: TaskRegistry, name: str, one: Declared) -> None:
    task(name, registry=registry, **one.options)(one.function)
