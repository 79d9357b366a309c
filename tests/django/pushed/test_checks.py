"""System checks: what is wrong with settings, routes and URLs is told before a message comes."""

import pytest
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings
from django.urls import include, path

from django_shop import odd
from django_shop.backends import pubsub_backend
from rotulus.django import TaskRoute
from rotulus.django.compat import task, task_backends

urlpatterns = [path("jobs/", include("rotulus.django.urls"))]
"""They lead to the view, but from elsewhere than where Pub/Sub is told to push to."""


@pytest.fixture
def kind():
    """One kind of database is enough: nothing is stored."""
    return "sqlite"


def found():
    """What the checks find of ours, by its id."""
    return {one.id: one for one in checks.run_checks() if str(one.id).startswith("rotulus.")}


def test_nothing_is_found_where_all_is_right_but_a_plain_function(shop):
    """A route of one can be fired, and not be enqueued: that is a warning."""
    told = found()
    assert {"rotulus.W002": told["rotulus.W002"]} == told

    warning = told["rotulus.W002"]
    assert checks.WARNING == warning.level
    assert "backfill" in warning.msg
    assert "Decorate django_shop.tasks.backfill with @task" in warning.hint


def test_a_task_without_a_route_is_found(shop):
    """It could not be enqueued. And one backend of this kind is enough."""
    with pubsub_backend("lone", project_id="shop"):
        task(backend="lone")(odd.lonely)
        wrong = found()

    error = wrong["rotulus.E001"]
    assert checks.ERROR == error.level
    assert "django_shop.odd.lonely is one of TASKS['lone']" in error.msg
    assert "TaskRoute(lonely)" in error.hint
    assert "'pubsub', 'lone'" in wrong["rotulus.E008"].msg


@pytest.mark.requirement("G-16")
def test_G_16_settings_that_are_missing_are_found(make_shop, fake):
    """Each by name, with an example; so is one that is wrong."""
    without = dict.fromkeys(["CLOUD_RUN_SERVICE_URL", "TASKS_SERVICE_ACCOUNT"])
    with make_shop(fake.host, options={"project_id": None}, **without):
        problem = found()["rotulus.E003"].msg
        for name in ("GCP_PROJECT_ID=", *without):
            assert name in problem
    with make_shop(fake.host), override_settings(CLOUD_RUN_SERVICE_URL="shop"):
        assert "CLOUD_RUN_SERVICE_URL='shop'" in found()["rotulus.E003"].msg


def test_a_delay_that_pubsub_does_not_have_is_found(make_shop, fake):
    """It works, but not as the route says: a warning."""
    with make_shop(fake.host, routes=lambda tasks: [TaskRoute(tasks.add, max_retry_delay=3600)]):
        warning = found()["rotulus.W007"]

    assert checks.WARNING == warning.level
    assert "max_retry_delay=3600" in warning.msg
    assert "django_shop.tasks.add" == warning.obj


def test_pushes_without_a_token_are_for_emulators(make_shop, fake):
    """A project of Google's has them."""
    with make_shop(fake.host, options={"insecure_local": True}, TASKS_SERVICE_ACCOUNT=""):
        assert "rotulus.E003" not in found()
    with make_shop("", options={"insecure_local": True}):
        assert "PUBSUB_EMULATOR_HOST" in found()["rotulus.E003"].msg


@pytest.mark.parametrize(
    ("routes", "problem"),
    [
        (lambda tasks: [tasks.add], "as entry 1"),
        (lambda tasks: [TaskRoute(tasks.add), TaskRoute(tasks.add)], "twice"),
        (lambda tasks: {}, "is a dict"),
    ],
)
def test_routes_that_are_none_are_found(make_shop, fake, monkeypatch, routes, problem):
    """Nothing can be enqueued until they are right."""
    with make_shop(fake.host) as shop:
        monkeypatch.setattr(shop.tasks, "tasks", routes(shop.tasks))
        with override_settings(ROTULUS_TASK_APPS=["django_shop"]):  # looked for again
            assert problem in found()["rotulus.E004"].msg
            shop.app.close()
            with pytest.raises(ImproperlyConfigured, match=problem):
                shop.tasks.add.enqueue(1)


def test_a_timeout_that_is_longer_than_the_ack_deadline_is_found(make_shop, fake):
    """With the two numbers."""

    def routes(_):
        with pubsub_backend("lone", project_id="shop"):  # others find no task of "pubsub" more
            made = task(backend="lone", timeout=400)(odd.hasty)
        return [TaskRoute(made, ack_deadline=60, min_retry_delay=1)]

    with make_shop(fake.host, routes=routes):
        problem = found()["rotulus.E005"].msg

    assert "timeout of 400 seconds is not shorter than its ack_deadline of 60" in problem


def test_urls_that_do_not_lead_to_the_view_are_found(make_shop, fake):
    """Because they are not included, or elsewhere."""
    with make_shop(fake.host, ROOT_URLCONF="django_shop.odd_urls"):
        error = found()["rotulus.E006"]
        assert "no URL leads there" in error.msg
        assert 'path("tasks/", include("rotulus.django.urls"))' in error.hint
    with make_shop(fake.host, ROOT_URLCONF=__name__):
        assert "/tasks/pubsub/, and the view is at /jobs/pubsub/" in found()["rotulus.E006"].msg


def test_a_database_that_jobs_cannot_live_in_is_found(make_shop, fake):
    """Only PostgreSQL and SQLite."""
    other = {"ENGINE": "django.db.backends.dummy", "NAME": "x"}
    with make_shop(fake.host, database_settings=other, routes=lambda _: []):
        task_backends["pubsub"].app.close()
        assert "PostgreSQL or SQLite" in found()["rotulus.E011"].msg


def test_the_tables_are_to_be_installed(make_shop, fake):
    """The app of Django has to be among the installed ones."""
    with make_shop(fake.host):
        apps = ["django.contrib.contenttypes", "django.contrib.auth", "django_shop"]
        with override_settings(INSTALLED_APPS=apps):
            [error] = [one for one in task_backends["pubsub"].check() if one.id == "rotulus.E010"]

    assert "INSTALLED_APPS" in error.hint
