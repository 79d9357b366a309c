"""Settings of a server process of this project: what it shares with the tests comes by variables."""

import json
import os

from django_project import SETTINGS

globals().update(SETTINGS)

INSTALLED_APPS = [*SETTINGS["INSTALLED_APPS"], "django_shop"]
ROOT_URLCONF = "django_shop.urls"
ALLOWED_HOSTS = ["127.0.0.1"]
DATABASES = SETTINGS["DATABASES"] | {"jobs": json.loads(os.environ["SHOP_DATABASE"])}
TASKS = {
    "pubsub": {
        "BACKEND": "rotulus.django.PubSubBackend",
        "OPTIONS": {"database": "jobs", "insecure_local": True},
    }
}
