"""Settings of the newsletter: everything in one SQLite file, for a laptop.

`NEWSLETTER_BACKEND` chooses the runner of the tasks: `database`, which is `manage.py
rotulus_worker`, or
`pubsub`, which is Google Pub/Sub by pushes to this very server.
"""

import os
from pathlib import Path

BASE_DIR = Path(os.environ.get("NEWSLETTER_FOLDER", Path(__file__).parent.parent))
BACKENDS = {
    "database": "rotulus.django.DatabaseBackend",
    "pubsub": "rotulus.django.PubSubBackend",
}

DEBUG = True
SECRET_KEY = "of this example only"
ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
TIME_ZONE = "UTC"
USE_TZ = True
ROOT_URLCONF = "newsletter.urls"
WSGI_APPLICATION = "newsletter.wsgi.application"
STATIC_URL = "static/"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "rotulus.django",
    "letters",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": BASE_DIR / "newsletter.db",
        # A transaction that writes waits for its turn at its beginning, and not half-way.
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20},
    }
}
EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"

TASKS = {"default": {"BACKEND": BACKENDS[os.environ.get("NEWSLETTER_BACKEND", "database")]}}
