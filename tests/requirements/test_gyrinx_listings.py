"""G-01, G-13, G-19 to G-21: the listings of the fifth source document, in a project of Django.

They stand in `gyrinx/`, and are run with only the names of their imports changed.
"""

import ast
import os
import subprocess
import sys
from pathlib import Path

import django
import pytest

from requirements import gyrinx_tasks
from rotulus.pubsub import TaskRoute
from rotulus.pubsub.fake import FakeGoogle

pytestmark = pytest.mark.requirement

FOLDER = Path(__file__).parent / "gyrinx"
DJANGO = "django_tasks" if django.VERSION < (6, 0) else "django.tasks"
MOVES = {
    "from gyrinx.tasks import": "from rotulus.django import",
    "gyrinx.tasks.backend.": "rotulus.django.",
    "django.tasks.": f"{DJANGO}.",
}

TASKS = f"""
from {DJANGO} import task

@task()
def my_task(number: int) -> int:
    return number + 1
"""

REST = f"""
INSTALLED_APPS = [
    *({DJANGO!r},)[: {int("_" in DJANGO)}], "rotulus.django", "gyrinx", "gyrinx.core"
]
DATABASES = {{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": "shop.db"}}}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "gyrinx.urls"
SECRET_KEY = "not-a-secret"
USE_TZ = True
"""

URLS = """
from django.urls import include, path

urlpatterns = [path("tasks/", include("rotulus.django.urls"))]
"""

SETUP = "import django; django.setup(); from gyrinx.core.tasks import my_task"


def ours(name):
    """The text of a listing, with the names of its imports changed."""
    text = (FOLDER / f"{name}.py").read_text()
    for theirs, here in MOVES.items():
        text = text.replace(theirs, here)
    return text


@pytest.fixture
def project(tmp_path):
    """Runs words of Python in a project that has the listings; what they print."""
    files = {
        "gyrinx/core/tasks.py": TASKS,
        "gyrinx/tasks/registry.py": ours("registry"),
        "gyrinx/settings.py": "import os\n" + ours("settings") + REST,
        "gyrinx/settings_prod.py": "import os\nfrom gyrinx.settings import *\n"
        'GCP_PROJECT_ID = os.environ["GCP_PROJECT_ID"]\n' + ours("settings_prod"),
        "gyrinx/urls.py": URLS,
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        (path.parent / "__init__.py").touch()

    def run(*words, settings="settings", **variables):
        found = subprocess.run(
            [sys.executable, *words],
            env=os.environ
            | {"DJANGO_SETTINGS_MODULE": f"gyrinx.{settings}", "PYTHONPATH": str(tmp_path)}
            | variables,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert 0 == found.returncode, found.stderr
        return found.stdout.strip()

    return run


def test_G_01_routes_stand_in_a_list_of_the_registry_module(project):
    """It is found by its place in an app, and by its name."""
    code = "from rotulus.django.discovery import find_routes; print(*find_routes())"

    assert "TaskRoute(my_task, ack_deadline=300)" == project("-c", f"{SETUP}; {code}")
    code = "from gyrinx.tasks.registry import tasks; print(tasks[0].path, tasks[0].topic_name)"
    path = "gyrinx.core.tasks.my_task"
    named = project("-c", f"{SETUP}; {code}", TASKS_NAMESPACE="gyrinx", TASKS_ENVIRONMENT="prod")
    assert f"{path} prod--gyrinx.tasks--{path}" == named


def test_G_13_the_examples_are_routes():
    """Expression by expression, as they stand there."""
    names = vars(gyrinx_tasks) | {"TaskRoute": TaskRoute}
    lines = ast.parse(ours("configuration")).body
    routes = [eval(ast.unparse(line), names) for line in lines]

    assert [
        ("send_welcome_email", 300, 10, 600, None, "UTC"),
        ("generate_report", 600, 30, 600, None, "UTC"),
        ("cleanup_old_data", 300, 10, 600, "0 3 * * *", "UTC"),
        ("send_daily_report", 300, 10, 600, "0 9 * * *", "Europe/London"),
    ] == [
        (
            route.name,
            route.ack_deadline,
            route.min_retry_delay,
            route.max_retry_delay,
            route.schedule,
            route.schedule_timezone,
        )
        for route in routes
    ]


@pytest.mark.parametrize(("given", "named"), [({}, "dev"), ({"TASKS_ENVIRONMENT": "qa"}, "qa")])
def test_G_19_and_G_20_development_runs_tasks_at_once(project, given, named):
    """With Django's own backend, in the environment that the settings read."""
    code = (
        "result = my_task.enqueue(3)",
        "from gyrinx.tasks.registry import tasks",
        "from django.conf import settings",
        "print(result.status.name, result.return_value)",
        "print(settings.TASKS_ENVIRONMENT, tasks[0].topic_name.partition('--')[0])",
    )
    told = project("-c", "; ".join((SETUP, *code)), **given)

    assert f"SUCCESSFUL 4\n{named} {named}" == told


@pytest.mark.anywhere
def test_G_21_production_publishes_to_the_project_that_is_named(project):
    """The checks find nothing, provisioning makes the topic, and a message waits in it."""
    with FakeGoogle() as google:
        production = google.environment | {
            "settings": "settings_prod",
            "GCP_PROJECT_ID": "gyrinx-prod",
            "CLOUD_RUN_SERVICE_URL": "http://127.0.0.1:9",
            "TASKS_SERVICE_ACCOUNT": "pubsub-invoker@project.iam.gserviceaccount.com",
            "TASKS_NAMESPACE": "gyrinx",
            "TASKS_ENVIRONMENT": "prod",
        }
        project("-m", "django", "migrate", **production)
        project("-m", "django", "check", "--fail-level", "WARNING", **production)
        project("-m", "django", "provision_tasks", "--force", **production)
        code = (
            "result = my_task.enqueue(3)",
            "from rotulus.django import app_of",
            "entry = app_of().store.outbox.entry(result.id)",
            "print(result.status.name, entry.tries, entry.published_at is not None)",
        )
        told = project("-c", "; ".join((SETUP, *code)), **production)

    assert "READY 1 True" == told
