"""`manage.py provision_tasks`: what the routes of a project need is made at Google."""

import json

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import override_settings


@pytest.fixture
def kind():
    """One kind of database is enough: nothing is stored."""
    return "sqlite"


def test_elsewhere_than_on_cloud_run_nothing_is_made_unless_forced(shop, monkeypatch, capsys):
    """It says so, and how to look or to go on; a second time there is nothing to do."""
    monkeypatch.delenv("K_SERVICE", raising=False)
    call_command("provision_tasks")
    assert "--dry-run" in capsys.readouterr().err

    call_command("provision_tasks", "--dry-run", "--json")
    planned = json.loads(capsys.readouterr().out)
    assert shop.project == planned["project"]

    call_command("provision_tasks", "--force")
    capsys.readouterr()
    monkeypatch.setenv("K_SERVICE", "shop")
    call_command("provision_tasks", "--json")
    done = json.loads(capsys.readouterr().out)
    assert [] == done["done"]
    assert {"unchanged"} == {change["action"] for change in done["changes"]}
    assert "subscription" in {change["kind"] for change in done["changes"]}


def test_a_project_without_the_backend_is_told(shop):
    """As `rotulus gcp` ends where nothing is carried: with 3."""
    workers = {"default": {"BACKEND": "rotulus.django.DatabaseBackend"}}
    with (
        override_settings(TASKS=workers),
        pytest.raises(CommandError, match="No backend of settings.TASKS is") as told,
    ):
        call_command("provision_tasks", "--force")
    assert 3 == told.value.returncode
