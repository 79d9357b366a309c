"""Settings of the site whose tasks are pushed to it."""

import contender
import signing
import site_database

SECRET_KEY = site_database.SECRET_KEY
USE_TZ = True
LOGGING_CONFIG = None
ALLOWED_HOSTS = ["127.0.0.1"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]  # tells how long an answer is
ROOT_URLCONF = "django_pushed_urls"
INSTALLED_APPS = ["rotulus.django", "pushed_shop"]
ROTULUS_TASK_APPS = ["pushed_shop"]
TASKS = {
    "default": {
        "BACKEND": "rotulus.django.PubSubBackend",
        "OPTIONS": {"project_id": "bench"},
    }
}
DATABASES = site_database.databases()
PUBSUB_EMULATOR_HOST = contender.URL
CLOUD_RUN_SERVICE_URL = signing.AUDIENCE
TASKS_SERVICE_ACCOUNT = signing.ACCOUNT
