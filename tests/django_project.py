"""Django, configured once in a process: for tests that have databases of their own."""

from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import django
from asgiref.sync import SyncToAsync
from django.conf import settings

TASKS = "django_tasks" if django.VERSION < (6, 0) else "django.tasks"

SETTINGS = {
    "DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
    "INSTALLED_APPS": [
        "django.contrib.contenttypes",
        "django.contrib.auth",
        *(["django_tasks"] if django.VERSION < (6, 0) else []),
        "rotulus.django",
    ],
    "TASKS": {
        "default": {
            "BACKEND": "rotulus.django.DatabaseBackend",
            "QUEUES": [],
            "OPTIONS": {"database": "jobs"},
        },
        "immediate": {"BACKEND": f"{TASKS}.backends.immediate.ImmediateBackend", "QUEUES": []},
        "routed": {"BACKEND": "rotulus.django.DatabaseBackend", "QUEUES": []},
        "dummy": {"BACKEND": f"{TASKS}.backends.dummy.DummyBackend", "QUEUES": []},
    },
    "SECRET_KEY": "not-a-secret",
    "USE_TZ": True,
}


def configure():
    """Set Django up, unless it is."""
    if not settings.configured:
        settings.configure(**SETTINGS)
        django.setup()


def postgres_settings(url):
    """A database of Django's settings by the URL of a PostgreSQL database."""
    parts = urlsplit(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path[1:],
        "USER": parts.username or "",
        "PASSWORD": parts.password or "",
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
    }


def sqlite_settings(path):
    """A database of Django's settings in a file."""
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(path)}


@contextmanager
def database(alias, given):
    """Have a database under an alias for the length of a block."""
    from django.db import connections

    def forget():
        with suppress(AttributeError):
            del connections[alias]

    whole = connections.configure_settings({"default": {}} | {alias: given})
    before = connections.settings.get(alias)
    if before is not None:
        connections[alias].close()
        del connections[alias]
    connections.settings[alias] = whole[alias]
    opened, make = [], connections.create_connection

    def create_connection(name):
        opened.append(make(name))
        return opened[-1]

    connections.create_connection = create_connection
    try:
        yield
    finally:
        connections.create_connection = make
        for connection in opened:  # those of other threads, too
            connection.inc_thread_sharing()
            connection.close()
        forget()
        SyncToAsync.single_thread_executor.submit(forget).result()  # where coroutines use it
        if before is None:
            del connections.settings[alias]
        else:
            connections.settings[alias] = before
