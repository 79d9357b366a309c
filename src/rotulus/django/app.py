"""The app of each database of Django's settings, and the app of a worker on it."""

import threading
from collections.abc import Callable, Iterable
from typing import Any, cast

from django.db import DEFAULT_DB_ALIAS, router

from rotulus import App, Carrier, Cipher, Group, Ticked, current_app
from rotulus.django.compat import task_backends
from rotulus.django.connections import connection_of, url_of
from rotulus.django.declaring import registry_of_all
from rotulus.django.old_connections import closing_old
from rotulus.django.schedules import schedule_routes
from rotulus.django.signals import send_signals
from rotulus.errors import NoAppError

_LOCK = threading.RLock()
_APPS: dict[tuple[str, bool], tuple[str, App]] = {}
"""The apps on Django's own connections, each with the name of its database: by its alias, and by
whether they carry the jobs of a backend."""


def app_of(alias: str = DEFAULT_DB_ALIAS, *, carried: bool = True) -> App:
    """Returns the app with jobs in a database of Django's settings.

    Its calls run on Django's own connection of the thread: a job that is enqueued in an `atomic`
    block belongs to the block. The app knows every Django task that this process has imported.

    Args:
        alias: a key of `settings.DATABASES`.
        carried: whether jobs of tasks with a route are published, if there is a `PubSubBackend` on
            that database; else workers run them.

    Raises:
        ConfigurationError: there is no such database.
        ImproperlyConfigured: the routes are not right.
    """
    name = str(connection_of(alias).settings_dict["NAME"])
    with _LOCK:
        known = _known(alias, carried, name)
    if known is not None:
        return known
    carrier = _carrier(alias) if carried else None  # imports modules, so nothing is locked
    with _LOCK:
        app = _known(alias, carried, name)
        if app is None:
            app = _made(alias, carrier) if carrier or not carried else app_of(alias, carried=False)
            _APPS[alias, carried] = name, app
        return app


def home_of(found_in: str | None, model: Any, **hints: Any) -> str:
    """Returns the alias of the database in which an execution is changed.

    That is the database where the execution was found, if a backend has its jobs there. For a
    read-only copy the routers choose the database for writes.

    Args:
        found_in: the alias.
        model: `TaskExecution`.
        hints: for the routers.
    """
    backends: Iterable[Any] = task_backends.all()
    if any(getattr(backend, "database", None) == found_in for backend in backends):
        return str(found_in)
    return router.db_for_write(model, **hints)


def worker_app(alias: str = DEFAULT_DB_ALIAS, **options: Any) -> App:
    """Returns an app for a worker on the same tables, with connections of its own beside Django's.

    Its tasks enqueue through `app_of`, so their jobs join their transactions. Around each job old
    connections of Django are closed. The app fires the schedules of the routes of its tasks.

    Args:
        alias: a key of `settings.DATABASES`.
        options: the options of `App`, without `url` and `registry`.

    Raises:
        ConfigurationError: there is no such database, or no other process could open it.
        ImproperlyConfigured: the routes are not right.
    """
    carrier = _carrier(alias, to_workers=False)
    registry = registry_of_all(closing_old)
    schedule_routes(registry, alias)
    options = {"cipher": _cipher(alias)} | options
    return _begun(App(url_of(connection_of(alias)), registry=registry, **options), carrier)


class _App(App):
    """The app on Django's own connection. A tick fires the schedules of routes, too.

    Args:
        alias: the database.
        carried: whether Pub/Sub delivers its jobs: then workers fire these schedules.
    """

    def __init__(self, alias: str, *, carried: bool) -> None:
        cipher = _cipher(alias)
        super().__init__(f"django://{alias}", registry=registry_of_all(), cipher=cipher)
        self._fires = None if carried else alias

    def group(self, name: str, *, then: Any = None) -> Group:
        """Returns a group of jobs with one callback, a task of Django or of ours.

        See `App.group`.
        """
        backend = getattr(then, "get_backend", None)
        return super().group(name, then=backend().delivered(then) if backend else then)

    def tick(self) -> Ticked:
        """Do every duty of a worker once. See `App.tick`."""
        alias, self._fires = self._fires, None
        if alias is not None:
            schedule_routes(self.registry, alias)
        return super().tick()


def _known(alias: str, carried: bool, name: str) -> App | None:
    """Returns the existing app. The test runner replaces the databases of the settings."""
    of, app = _APPS.get((alias, carried), ("", None))
    return None if app is None or of != name or _is_closed(app) else app


def _made(alias: str, carrier: Carrier | None) -> App:
    return _begun(_App(alias, carried=carrier is not None), carrier)


def _begun(app: App, carrier: Carrier | None) -> App:
    send_signals(app)
    if carrier is not None:
        app.carry(carrier)
    return app


def _carrier(alias: str, *, to_workers: bool = True) -> Carrier | None:
    """Returns the carrier of a database: of the backend on it that has one.

    Args:
        alias: the database.
        to_workers: whether it also carries tasks that workers would run.
    """
    backends: Iterable[Any] = task_backends.all()
    for backend in backends:
        make: Callable[..., Carrier] | None = getattr(backend, "make_carrier", None)
        if make is not None and getattr(backend, "database", None) == alias:
            return make(to_workers=to_workers)
    return None


def _cipher(alias: str) -> Cipher | None:
    """Returns the cipher of a database: that of the first backend on it that has one."""
    backends: Iterable[Any] = task_backends.all()
    for backend in backends:
        if getattr(backend, "database", None) == alias and backend.options.get("cipher"):
            return cast("Cipher", backend.options["cipher"])
    return None


def _is_closed(app: App) -> bool:
    try:
        current_app(app.registry)
    except NoAppError:
        return True
    return False
