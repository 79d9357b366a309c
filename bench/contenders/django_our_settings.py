"""Settings of the site whose tasks Rotulus keeps."""

import site_database

SECRET_KEY = site_database.SECRET_KEY
USE_TZ = True
LOGGING_CONFIG = None
INSTALLED_APPS = ["rotulus.django", "shop"]
TASKS = {"default": {"BACKEND": "rotulus.django.DatabaseBackend"}}
DATABASES = site_database.databases()
