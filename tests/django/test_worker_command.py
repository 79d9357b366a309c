"""`manage.py rotulus_worker`, in a project of its own, on both databases."""

import signal
from pathlib import Path

import pytest

from django_project import postgres_settings
from django_site import Site
from rotulus import App, TaskRegistry

pytestmark = pytest.mark.anywhere

KINDS = ["sqlite", pytest.param("postgres", marks=pytest.mark.long)]


@pytest.fixture
def make_site(tmp_path):
    """Makes a project on a file of SQLite."""
    made = []

    def make(**given):
        database = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "shop.db")}
        made.append(Site(tmp_path / "project", given.pop("database", database), **given))
        return made[-1]

    yield make
    for site in made:
        site.stop()


@pytest.fixture(params=KINDS)
def site(request, tmp_path, make_site):
    """A project with tables."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'shop.db'}"
        made = make_site()
    else:
        url = request.getfixturevalue("database")
        made = make_site(database=postgres_settings(url))
    migrate(url)
    return made


def migrate(url):
    """Make the tables."""
    app = App(url, registry=TaskRegistry())
    app.store.migrate()
    app.close()


@pytest.fixture
def file_site(tmp_path, make_site):
    """A project with tables in a file."""
    migrate(f"sqlite:///{tmp_path / 'shop.db'}")
    return make_site()


def test_it_runs_what_was_enqueued(site):
    """In a burst until nothing is due, and then it ends."""
    site.shell("from shop.tasks import *; note.enqueue('one'); note.enqueue('two')")

    told = site.manage("rotulus_worker", "--burst")

    assert ["one 1", "two 1"] == sorted(site.notes())
    assert "stopped after 2 attempts" in told


def test_sigterm_lets_a_running_job_finish(site):
    """And then the worker ends, with 0."""
    site.shell("from shop.tasks import *; slow.enqueue(1.5)")
    worker = site.start("rotulus_worker")
    site.wait(site.notes)

    worker.send_signal(signal.SIGTERM)

    assert 0 == worker.wait(30)
    assert ["began 1", "ended 1"] == site.notes()


def test_it_runs_in_several_processes(site):
    """Those start manage.py again; a signal to the first of them ends them all."""
    worker = site.start("rotulus_worker", "--processes", "2", "--slots", "1", "--drain", "30")
    site.shell("from shop.tasks import *; [slow.enqueue(2) for _ in range(2)]")
    site.wait(lambda: site.notes() == ["began 1", "began 1"])

    worker.send_signal(signal.SIGTERM)

    assert 0 == worker.wait(60)
    assert ["began 1", "began 1", "ended 1", "ended 1"] == site.notes()


def test_it_starts_again_when_code_changes_while_debug_is_set(tmp_path, make_site):
    """After what runs has finished; the next job is run by the new code, and SIGTERM still ends it."""
    migrate(f"sqlite:///{tmp_path / 'shop.db'}")
    site = make_site(debug=True)
    worker = site.start("rotulus_worker")
    site.shell("from shop.tasks import *; slow.enqueue(1.5)")
    site.wait(site.notes)

    code = Path(site.folder / "shop/tasks.py").read_text()
    site.write("shop/tasks.py", code.replace("VERSION = 1", "VERSION = 22"))
    site.wait(lambda: "shop/tasks.py has changed" in site.errors())
    site.shell("from shop.tasks import *; note.enqueue('later')")
    site.wait(lambda: len(site.notes()) == 3)
    worker.send_signal(signal.SIGTERM)

    assert 0 == worker.wait(30)
    assert ["began 1", "ended 1", "later 22"] == site.notes()


def test_code_that_cannot_be_imported_is_waited_out(tmp_path, make_site):
    """Its error is shown; when it has been mended, jobs are run."""
    migrate(f"sqlite:///{tmp_path / 'shop.db'}")
    site = make_site(debug=True)
    code = Path(site.folder / "shop/tasks.py").read_text()
    site.shell("from shop.tasks import *; note.enqueue('mended')")
    site.write("shop/tasks.py", "VERSION =\n")
    site.start("rotulus_worker")
    site.wait(lambda: "Waiting for a change" in site.errors())
    assert "SyntaxError: invalid syntax (" in site.errors()
    assert "shop/tasks.py:1)" in site.errors()

    site.write("shop/tasks.py", code)

    assert ["mended 1"] == site.wait(site.notes)


@pytest.mark.parametrize("words", [["--no-reload"], ["--burst"], ["--name", "a"]])
def test_what_runs_to_an_end_of_its_own_is_not_started_again(tmp_path, make_site, words):
    """Nor what is told so."""
    migrate(f"sqlite:///{tmp_path / 'shop.db'}")
    site = make_site(debug=True)
    site.shell("from shop.tasks import *; note.enqueue('one')")
    worker = site.start("rotulus_worker", *words)
    site.wait(site.notes)
    if words != ["--burst"]:
        worker.send_signal(signal.SIGTERM)

    assert 0 == worker.wait(30)
    assert "Watching" not in site.errors()


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--backend", "imediate"], 3, "no backend 'imediate' in settings.TASKS; did you mean"),
        (["--backend", "immediate"], 3, "its backend is ImmediateBackend"),
        (["--slots", "many"], 2, "'many' is not a whole number from 1 to 10,000"),
        (["--lease", "0"], 2, "lease = 0.0 is not allowed"),
        (["--queues", ","], 2, "it names no queue"),
    ],
)
def test_a_wrong_option_ends_it_with_a_code_that_says_so(file_site, words, code, message):
    """And a message that says what would do."""
    assert message in file_site.manage("rotulus_worker", "--burst", *words, code=code)


def test_it_makes_no_tables_itself(make_site, tmp_path):
    """It says who does."""
    told = make_site().manage("rotulus_worker", code=7)

    assert "run 'manage.py migrate --database default'" in told


def test_a_database_that_is_away_ends_it(make_site):
    """With the code of a store that cannot be reached."""
    nobody = postgres_settings("postgresql://rotulus@127.0.0.1:1/shop")
    told = make_site(database=nobody).manage("rotulus_worker", code=4)

    assert "Cannot use django://default: connection failed" in told


def test_another_engine_is_refused(make_site):
    """Jobs live in PostgreSQL or SQLite."""
    site = make_site(database={"ENGINE": "django.db.backends.dummy"})
    told = site.manage("rotulus_worker", "--skip-checks", code=3)

    assert "jobs live in PostgreSQL or SQLite" in told


def test_a_queue_that_the_backend_does_not_have_is_told(file_site):
    """It may be misspelt; jobs of others may be in it, so it is no error."""
    told = file_site.manage("rotulus_worker", "--burst", "--queues", "mial,default")

    assert "TASKS['default'] has no queue 'mial'; did you mean 'mail'?" in told
    assert "'default'?" not in told


def test_the_verbosity_says_what_is_logged(file_site):
    """Nothing but warnings with 0; each job with 2."""
    file_site.shell("from shop.tasks import *; note.enqueue('one')")
    assert "" == file_site.manage("rotulus_worker", "--burst", "-v", "0", "--slots", "1")

    file_site.shell("from shop.tasks import *; note.enqueue('two')")
    assert "shop.tasks.note" in file_site.manage("rotulus_worker", "--burst", "-v", "2")


def test_settings_say_where_the_log_goes(make_site, tmp_path):
    """Where they have a handler for it, it gets no other one."""
    migrate(f"sqlite:///{tmp_path / 'shop.db'}")
    handler = {"class": "logging.FileHandler", "filename": "log"}
    logging = {
        "version": 1,
        "handlers": {"file": handler},
        "loggers": {"rotulus": {"handlers": ["file"], "level": "INFO"}},
    }
    site = make_site(more=f"LOGGING = {logging}")

    assert "" == site.manage("rotulus_worker", "--burst", "-v", "2")
    assert "stopped after 0 attempts" in (site.folder / "log").read_text()


def test_called_from_a_program_it_is_one_process(file_site):
    """What starts manage.py again is refused there."""
    call = "from django.core.management import call_command as call; call('rotulus_worker', "
    file_site.shell(f"from shop.tasks import *; note.enqueue('one'); {call}burst=True)")
    assert ["one 1"] == file_site.notes()

    told = file_site.manage("shell", "-c", f"{call}processes=2)", code=3)
    assert "are for its command line" in told


def test_settings_say_in_which_modules_tasks_are(make_site, tmp_path):
    """As they do for routes; others are not imported."""
    migrate(f"sqlite:///{tmp_path / 'shop.db'}")
    site = make_site(more='ROTULUS_TASK_MODULES = ["jobs"]')
    site.write("shop/jobs.py", (site.folder / "shop/tasks.py").read_text())
    site.write("shop/tasks.py", "raise RuntimeError\n")
    site.shell("from shop.jobs import note; note.enqueue('one')")

    site.manage("rotulus_worker", "--burst")

    assert ["one 1"] == site.notes()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ('ROTULUS_TASK_APPS = ["shpo"]', "no app of INSTALLED_APPS is called that"),
        ('TASKS["default"]["OPTIONS"] = {"databse": "default"}', "did you mean 'database'?"),
    ],
)
def test_a_wrong_setting_ends_it_with_a_code_that_says_so(make_site, tmp_path, more, message):
    """Also where no check has told it before."""
    migrate(f"sqlite:///{tmp_path / 'shop.db'}")

    told = make_site(more=more).manage("rotulus_worker", "--burst", "--skip-checks", code=3)

    assert message in told and "Traceback" not in told
