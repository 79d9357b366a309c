"""The app of each database of Django's settings, and the app of a worker on it."""

import threading
from typing import Any

from django.db import DEFAULT_DB_ALIAS

from rotulus import App
from rotulus.django.addresses import url_of
from rotulus.django.connections import connection_of
from rotulus.django.declaring import registry_of_all
from rotulus.django.old_connections import closing_old
from rotulus.django.signals import send_signals
from rotulus.errors import NoAppError

_LOCK = threading.RLock()
_APPS: dict[str, tuple[str, App]] = {}
"""The apps on Django's own connections, by the alias of the database; each with its name."""


def app_of(alias: str = DEFAULT_DB_ALIAS) -> App:
    """The app whose jobs live in a database of Django's settings.

    Its calls run on Django's own connection of the thread: what is enqueued in an `atomic` block
    belongs to that. It knows every Django task that this process has imported.

    Args:
        alias: a key of `settings.DATABASES`.

    Raises:
        ConfigurationError: there is no such database.
    """
    name = str(connection_of(alias).settings_dict["NAME"])
    with _LOCK:
        known, app = _APPS.get(alias, ("", None))
        if app is None or known != name or _is_closed(app):
            # The runner of tests puts another database in the place of the one that was there.
            app = App(f"django://{alias}", registry=registry_of_all())
            send_signals(app)
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
        ConfigurationError: there is no such database, or no other process could open it.
    """
    app = App(url_of(connection_of(alias)), registry=registry_of_all(closing_old), **options)
    send_signals(app)
    return app


def _is_closed(app: App) -> bool:
    try:
        app.registry.desk()
    except NoAppError:
        return True
    return False
