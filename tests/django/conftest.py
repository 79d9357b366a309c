"""Django with databases of its own for each test: a file, or a database of the server."""

import sys

import pytest

from django_project import configure, database, postgres_settings, sqlite_settings

configure()

KINDS = ["sqlite", pytest.param("postgres", marks=pytest.mark.anywhere)]


@pytest.fixture(autouse=True)
def no_left_tasks():
    """Tasks that a test declares end with it, but for those of a module that stays imported.

    Tests come in any order, and system checks look at every task that is declared.
    """
    from rotulus.django import declaring

    before = declaring.all_declared()
    yield
    for name, one in declaring.all_declared().items():
        module, _, function = name.rpartition(".")
        if name not in before and getattr(sys.modules.get(module), function, None) is not one.task:
            del declaring._DECLARED[name]


@pytest.fixture
def jobs_settings(tmp_path, migrated):
    """Gives the settings of a database of a kind, with tables; its clock is the machine's."""

    def made(kind):
        from rotulus.stores.sqlite import SqliteStore

        if kind == "postgres":
            return postgres_settings(migrated("postgres", clock=False))
        path = str(tmp_path / "django.db")
        store = SqliteStore(path)
        store.migrate()
        store.close()
        return sqlite_settings(path)

    return made


@pytest.fixture(params=KINDS)
def jobs(request, jobs_settings):
    """The app of the database `jobs`, on Django's connections; the default backend uses it."""
    from rotulus.django import app_of

    with database("jobs", jobs_settings(request.param)):
        app = app_of("jobs")
        yield app
        app.close()


@pytest.fixture
def worker(jobs):
    """An app for a worker, on connections of its own to the same tables."""
    from rotulus.django import worker_app

    app = worker_app("jobs")
    yield app
    app.close()


@pytest.fixture
def settings_with():
    """Sets settings of Django for the length of a test."""
    from django.test.utils import override_settings

    overrides = []

    def override(**given):
        overrides.append(override_settings(**given))
        overrides[-1].enable()

    yield override
    for one in reversed(overrides):
        one.disable()
