"""Settings of the Django site in which its tasks are measured."""

from urllib.parse import urlsplit

import contender

_place = urlsplit(contender.URL)

SECRET_KEY = "bench"  # nothing is served
USE_TZ = True
LOGGING_CONFIG = None
INSTALLED_APPS = ["django_tasks_db"]
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _place.path.lstrip("/"),
        "USER": _place.username,
        "HOST": _place.hostname,
        "PORT": _place.port,
        "CONN_MAX_AGE": None,
    }
}
