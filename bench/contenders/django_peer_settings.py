"""Settings of the site whose tasks django-tasks-db keeps."""

import site_database

SECRET_KEY = site_database.SECRET_KEY
USE_TZ = True
LOGGING_CONFIG = None
INSTALLED_APPS = ["django_tasks_db", "shop"]
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
DATABASES = site_database.databases()
