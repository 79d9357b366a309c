"""The admin of executions: its cases are run by a pytest of their own, on both databases."""

from pathlib import Path

import pytest

from django_project import postgres_settings
from django_site import TASKS, Site

pytestmark = pytest.mark.anywhere

KINDS = ["sqlite", pytest.param("postgres", marks=pytest.mark.long)]

FAILING = """

@task
def fail(text: str):
    raise LookupError(text)


@task
def break_page(text: str):
    raise ValueError(text)
"""


@pytest.mark.parametrize("kind", KINDS)
def test_executions_are_looked_at_and_steered(request, tmp_path, kind):
    """Every case of admin_cases.py holds."""
    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "shop.db")}
    if kind == "postgres":
        database = postgres_settings(request.getfixturevalue("database"))
    site = Site(tmp_path / "project", database)
    site.write("shop/tasks.py", TASKS + FAILING)
    site.write("conftest.py", 'pytest_plugins = ["rotulus.django.pytest_plugin"]\n')
    site.write("pytest.ini", "[pytest]\nDJANGO_SETTINGS_MODULE = site_settings\n")
    site.write("test_shop.py", Path(__file__).with_name("admin_cases.py").read_text())

    site.pytest()


@pytest.mark.parametrize("kind", KINDS)
def test_executions_of_several_databases_are_looked_at_and_steered(request, tmp_path, kind):
    """Every case of admin_databases.py holds: a filter chooses the database."""
    first = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "shop.db")}
    if kind == "postgres":
        first = postgres_settings(request.getfixturevalue("database"))
    other = first | {"NAME": f"{first['NAME']}_other"}
    more = f"""
DATABASES["other"] = {other}
TASKS["other"] = TASKS["default"] | {{"OPTIONS": {{"database": "other"}}}}
"""
    site = Site(tmp_path / "project", first, more=more)
    site.write("shop/tasks.py", TASKS + FAILING)
    site.write("conftest.py", 'pytest_plugins = ["rotulus.django.pytest_plugin"]\n')
    site.write("pytest.ini", "[pytest]\nDJANGO_SETTINGS_MODULE = site_settings\n")
    site.write("test_shop.py", Path(__file__).with_name("admin_databases.py").read_text())

    site.pytest()
