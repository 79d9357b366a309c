"""Settings of the site whose tasks Rotulus keeps."""

import django_site

SECRET_KEY = django_site.SECRET_KEY
USE_TZ = True
LOGGING_CONFIG = None
INSTALLED_APPS = ["rotulus.django", "shop"]
TASKS = {"default": {"BACKEND": "rotulus.django.DatabaseBackend"}}
DATABASES = django_site.databases()
