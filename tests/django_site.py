"""A Django project in a folder, as people have them: settings, `manage.py`, and an app `shop`."""

import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import django

MANAGE = """\
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "site_settings"
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
"""

SETTINGS = """\
SECRET_KEY = "not-a-secret"
USE_TZ = True
DEBUG = {debug}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = {apps}
DATABASES = {{"default": {database}}}
TASKS = {{
    "default": {{
        "BACKEND": "rotulus.django.DatabaseBackend",
        "QUEUES": ["default", "mail"],
    }},
    "immediate": {{"BACKEND": "{tasks}.backends.immediate.ImmediateBackend"}},
}}
ROOT_URLCONF = "site_urls"
STATIC_URL = "static/"
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {{
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {{
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        }},
    }}
]
{more}
"""

URLS = """\
from django.contrib import admin
from django.urls import path

urlpatterns = [path("admin/", admin.site.urls)]
"""

TASKS = '''\
"""Tasks of the shop."""
import os
import time

from rotulus.django.compat import task

VERSION = 1


@task
def note(text: str) -> str:
    """Write a line into the file of notes."""
    with open("notes", "a") as file:
        file.write(f"{text} {VERSION}\\\\n")
    return text


@task
def slow(seconds: float) -> None:
    """Take a while."""
    note.func("began")
    time.sleep(seconds)
    note.func("ended")


@task
def worker_pid() -> int:
    """Which process runs it."""
    return os.getpid()
'''.replace("\\\\n", "\\n")

APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    *(["django_tasks"] if django.VERSION < (6, 0) else []),
    "rotulus.django",
    "shop",
]


class Site:
    """A project in a folder, with the admin at `/admin/`.

    Args:
        folder: where it is made.
        database: the settings of its database.
        debug: whether it is being developed.
        more: further lines of its settings.
    """

    def __init__(self, folder, database, *, debug=False, more=""):
        self.folder = Path(folder)
        self.started = []
        tasks = "django_tasks" if django.VERSION < (6, 0) else "django.tasks"
        self.write(
            "site_settings.py",
            SETTINGS.format(debug=debug, database=database, apps=APPS, tasks=tasks, more=more),
        )
        self.write("site_urls.py", URLS)
        self.write("manage.py", MANAGE)
        self.write("shop/__init__.py", "")
        self.write("shop/tasks.py", TASKS)

    def write(self, name, text):
        """Write a file of it."""
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    def command(self, *words):
        """The words that run a command of it."""
        return [sys.executable, "manage.py", *words]

    def manage(self, *words, code=0):
        """Run a command to its end; what it wrote."""
        ended = subprocess.run(
            self.command(*words),
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=60,
            env=self._environment(),
        )
        assert code == ended.returncode, ended.stdout + ended.stderr
        return ended.stdout + ended.stderr

    def pytest(self):
        """Run its tests, by a pytest of their own with pytest-django; what that wrote."""
        words = ["-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:cacheprovider"]
        ended = subprocess.run(
            [sys.executable, *words],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=120,
            env=self._environment(),
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def start(self, *words):
        """Start a command."""
        with (self.folder / "errors").open("a") as errors:
            process = subprocess.Popen(
                self.command(*words),
                cwd=self.folder,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                env=self._environment(),
            )
        self.started.append(process)
        return process

    def shell(self, code):
        """Run some code in it; what that printed."""
        return self.manage("shell", "-c", code, *_QUIET).strip()

    def notes(self):
        """What its tasks have noted."""
        path = self.folder / "notes"
        return path.read_text().splitlines() if path.exists() else []

    def errors(self):
        """What its processes have written on standard error."""
        path = self.folder / "errors"
        return path.read_text() if path.exists() else ""

    def wait(self, until):
        """Wait until something holds."""
        end = time.monotonic() + 60
        while not (value := until()):
            assert time.monotonic() < end, self.errors()
            threading.Event().wait(0.05)
        return value

    def stop(self):
        """End what it has started."""
        for process in self.started:
            process.terminate()  # a process that starts another one anew ends that, too
            with suppress(subprocess.TimeoutExpired):
                process.wait(30)
            process.kill()
            process.wait()

    def _environment(self):
        return {k: v for k, v in os.environ.items() if not k.startswith("ROTULUS_")}


_QUIET = ["--no-imports"] if django.VERSION >= (5, 2) else []
