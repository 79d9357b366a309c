"""A backend with a cipher: nobody reads the calls of tasks in the database, but executions do."""

import pytest
from cryptography.fernet import Fernet
from django.db import connections

import django_examples as tasks
from django_project import database
from rotulus.django import app_of, worker_app
from rotulus.django.compat import task_backends
from rotulus.django.models import TaskExecution
from rotulus.testing import drain

pytestmark = pytest.mark.anywhere

executions = TaskExecution.objects.using("jobs")


@pytest.fixture(params=["sqlite", "postgres"])
def jobs(request, jobs_settings, monkeypatch):
    """The app of a database whose backend has a cipher."""
    cipher = Fernet(Fernet.generate_key())
    monkeypatch.setitem(task_backends["default"].options, "cipher", cipher)
    with database("jobs", jobs_settings(request.param)):
        app = app_of("jobs")
        yield app
        app.close()


def test_an_execution_shows_what_the_table_does_not(jobs):
    """The worker has the cipher of the backend, too."""
    result = tasks.add.enqueue(40_000_001, b=2)
    with worker_app("jobs") as worker:
        drain(worker)
    execution = executions.get(id=result.id)

    assert ([], {"a": 40_000_001, "b": 2}) == (execution.args, execution.kwargs)
    assert 40_000_003 == execution.return_value
    result.refresh()
    assert 40_000_003 == result.return_value
    with connections["jobs"].cursor() as cursor:
        cursor.execute("SELECT arguments, result FROM rotulus_jobs")
        [row] = cursor.fetchall()
    assert all(text.startswith('{"$cipher":') for text in row)


def test_a_key_that_is_gone_leaves_what_is_stored(jobs, monkeypatch):
    """To look at an execution does not raise."""
    result = tasks.add.enqueue(1)
    jobs.close()
    monkeypatch.setitem(task_backends["default"].options, "cipher", None)

    assert ["$cipher"] == list(executions.get(id=result.id).kwargs)
    app_of("jobs").close()
