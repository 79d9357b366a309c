"""Schedules of routes are fired by workers where the jobs of their tasks are for workers."""

import itertools
import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime
from importlib import import_module

import pytest

from django_shop.backends import pubsub_backend
from django_site import Site
from rotulus import App, TaskRegistry
from rotulus.django import app_of, worker_app
from rotulus.errors import TaskRegistrationError
from rotulus.testing import SettableClock

NUMBERS = itertools.count()

TASKS = """
from rotulus.django import TaskRoute, task

RAN = []


@task(queue_name="mail", priority=3, key="report")
def report(day: str = "today"):
    RAN.append(day)


@task(backend="immediate")
def at_once():
    RAN.append("at once")


def plain():
    RAN.append("plain")


other = [1, 2]
tasks = [
    TaskRoute(report, schedule="0 3 * * *", schedule_timezone="Europe/London"),
    TaskRoute(at_once, schedule="0 3 * * *"),
    TaskRoute(plain, schedule="30 3 * * *"),
]
"""


@pytest.fixture
def install(tmp_path, monkeypatch, settings_with):
    """Installs an app with a module of tasks, and gives the module."""
    monkeypatch.syspath_prepend(tmp_path)
    made = []

    def write(text=TASKS):
        name = f"scheduled{next(NUMBERS)}"
        made.append(name)
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").touch()
        (tmp_path / name / "tasks.py").write_text(text)
        settings_with(INSTALLED_APPS=["rotulus.django", name])
        return import_module(f"{name}.tasks")

    yield write
    for module in [one for one in sys.modules if one.partition(".")[0] in made]:
        del sys.modules[module]


@pytest.fixture
def ahead():
    """A clock that a test can put forward by days."""
    return SettableClock(datetime.now(UTC))


def test_a_worker_fires_them(jobs, install, ahead):
    """By the cron expression and in the zone of the route, into the queue of the task."""
    module = install()
    with worker_app("jobs", clock=ahead) as worker:
        shown = {name: (one.cron, one.timezone) for name, one in worker.provider.schedule.items()}
        worker.tick()
        ahead.advance(86400)
        assert 2 == worker.tick().fired
        assert 0 == worker.tick().fired
        [fired] = worker.jobs.find(task=f"{module.__name__}.report")
        worker.run_worker(burst=True)

    assert {
        f"{module.__name__}.report": ("0 3 * * *", "Europe/London"),
        f"{module.__name__}.plain": ("30 3 * * *", "UTC"),
    } == shown
    assert ("mail", 3) == (fired.queue, fired.priority)
    assert ["plain", "today"] == sorted(module.RAN)


def test_a_tick_fires_them(jobs, install):
    """Each instant once, however many apps look."""
    module = install()
    app = app_of("jobs")
    app.tick()
    shown = {one.name for one in app.schedules.list()}

    assert {f"{module.__name__}.report", f"{module.__name__}.plain"} == shown


def test_a_task_that_wants_an_argument_is_refused(jobs, install):
    """A schedule gives none."""
    install(TASKS.replace('day: str = "today"', "day: str"))

    with (
        pytest.raises(TaskRegistrationError, match="needs 'day', and a schedule passes no"),
        worker_app("jobs") as worker,
    ):
        worker.run_worker(burst=True)


def test_a_list_without_a_route_is_something_else(jobs, install):
    """As a module of tasks may have one, where nothing is published."""
    install(TASKS[: TASKS.index("other")] + 'tasks = ["wash", "dry"]\n')

    with worker_app("jobs") as worker:
        assert {} == worker.provider.schedule


def test_beside_pubsub_each_is_fired_by_one_of_the_two(jobs, install, ahead):
    """Workers fire those of their own tasks; Cloud Scheduler those of its own, and plain ones."""
    jobs.close()
    with pubsub_backend("pubsub", project_id="shop"):
        module = install(TASKS.replace("immediate", "pubsub"))
        carrier = app_of("jobs").carrier
        with worker_app("jobs", clock=ahead) as worker:
            assert [f"{module.__name__}.report"] == list(worker.provider.schedule)
            worker.tick()
            ahead.advance(86400)
            worker.tick()
            [fired] = worker.jobs.find()
        app_of("jobs").close()

    assert {"at_once", "plain"} == {one.name for one in carrier.routes if one.is_scheduled}
    assert carrier.carries(f"{module.__name__}.report")
    assert "mail" == fired.queue


def test_the_worker_command_fires_them(tmp_path):
    """It looks for the routes itself."""
    path = tmp_path / "shop.db"
    app = App(f"sqlite:///{path}", registry=TaskRegistry())
    app.store.migrate()
    app.close()
    site = Site(tmp_path / "site", {"ENGINE": "django.db.backends.sqlite3", "NAME": str(path)})
    site.write("shop/tasks.py", TASKS.replace('"mail"', '"default"'))

    site.manage("rotulus_worker", "--burst")

    with closing(sqlite3.connect(path)) as connection:
        stored = connection.execute("SELECT name, cron, timezone FROM rotulus_schedules").fetchall()
    assert ("shop.tasks.report", "0 3 * * *", "Europe/London") in stored
