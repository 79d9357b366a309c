"""Settings of the site whose tasks django-tasks-db keeps."""

import django_site

SECRET_KEY = django_site.SECRET_KEY
USE_TZ = True
LOGGING_CONFIG = None
INSTALLED_APPS = ["django_tasks_db", "shop"]
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
DATABASES = django_site.databases()
