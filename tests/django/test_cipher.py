"""A backend with a cipher: nobody reads the calls of tasks in the database, but executions do."""

import pytest
from cryptography.fernet import Fernet
from django.db import connections

import django_examples as tasks
from django_project import database, postgres_settings
from django_site import Site
from rotulus import App, TaskRegistry
from rotulus._jobs.encrypted import is_encrypted
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


CANARY = "Zqx7Vkw9Jpt"

CIPHER = """
import os
from cryptography.fernet import Fernet, MultiFernet
keys = open("keys").read().split()
TASKS["default"]["OPTIONS"] = {"cipher": MultiFernet([Fernet(key) for key in keys])}
"""


@pytest.fixture(params=["sqlite", "postgres"])
def site(request, tmp_path):
    """A project of its own whose backend has a cipher, and whose database has tables."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'shop.db'}"
        settings = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "shop.db")}
    else:
        url = request.getfixturevalue("database")
        settings = postgres_settings(url)
    bare = App(url, registry=TaskRegistry())
    bare.store.migrate()
    made = Site(tmp_path / "project", settings, more=CIPHER)
    made.store = bare.store
    yield made
    made.stop()
    bare.close()


def give_keys(site, *keys):
    """Have a project use these keys, the newest first."""
    site.write("keys", "\n".join(key.decode() for key in keys))


def test_a_project_and_its_worker_have_the_cipher_of_its_options(site):
    """Through two keys: what was enqueued with the first is run and shown with both."""
    first, second = Fernet.generate_key(), Fernet.generate_key()
    give_keys(site, first)
    enqueue = f"from shop.tasks import *; print(note.enqueue('{CANARY}').id)"
    job = site.shell(enqueue).split()[-1]
    assert is_encrypted(site.store.get(job).arguments)
    give_keys(site, second)
    told = site.manage("rotulus_worker", "--burst")
    assert "this process has no key that decrypts them" in told and [] == site.notes()
    give_keys(site, second, first)
    site.shell(f"from rotulus.django import app_of; app_of().jobs.edit('{job}', delay=0)")
    site.manage("rotulus_worker", "--burst")
    give_keys(site, second)

    assert [f"{CANARY} 1"] == site.notes()
    stored = site.store.get(job)
    assert is_encrypted(stored.arguments) and is_encrypted(stored.result)
    shown = site.shell(
        "from rotulus.django.models import TaskExecution as E; from shop.tasks import note\n"
        f"print(E.objects.get(id='{job}').return_value, note.get_result('{job}').return_value)"
    )
    assert f"{CANARY} {CANARY}" == shown.splitlines()[-1]


def test_what_is_no_cipher_is_refused(site):
    """With what it has to be, and without what may be a key."""
    key = Fernet.generate_key()
    give_keys(site, key)
    path = site.folder / "site_settings.py"
    path.write_text(f"{path.read_text()}\nTASKS['default']['OPTIONS'] = {{'cipher': {key!r}}}\n")
    told = site.manage("rotulus_worker", "--burst", code=1)

    assert "cipher= is not allowed to be of type bytes: it has to have encrypt()" in told
    assert key.decode() not in told
