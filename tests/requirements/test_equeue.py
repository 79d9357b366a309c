"""Q-01 to Q-24: the task registry of the second source document."""

import json
import subprocess
import sys

import pytest

from rotulus import (
    App,
    ConfigurationError,
    DuplicateTaskError,
    Retry,
    State,
    TaskNotFoundError,
    TaskRegistry,
    task,
)
from rotulus import (
    registry as global_registry,
)
from rotulus.errors import RegistryFrozenError
from rotulus.testing import drain

pytestmark = pytest.mark.requirement


@pytest.fixture
def extract(registry):
    """The task of the document."""

    @task(name="puzzles.extract_mate_tag", registry=registry)
    def extract_mate_tag(puzzle_id: str) -> dict:
        return {"id": puzzle_id}

    return extract_mate_tag


def test_Q_01_a_producer_needs_only_the_name(tmp_path, extract, registry):
    """It need not import the implementation."""
    producer = App("sqlite:///jobs.db", registry=TaskRegistry())
    job = producer.enqueue("puzzles.extract_mate_tag", puzzle_id="7")
    worker = App("sqlite:///jobs.db", registry=registry)
    drain(worker)

    assert {"id": "7"} == job.result(0)
    producer.close()
    worker.close()


def test_Q_02_what_is_stored_holds_no_code(app, extract):
    """A name and JSON."""
    record = extract.enqueue("7").record

    assert "puzzles.extract_mate_tag" == record.task
    assert {"puzzle_id": "7"} == json.loads(record.arguments)
    assert "extract_mate_tag" not in record.arguments


def test_Q_03_a_name_is_one_callable(app, extract):
    """For as long as the process lives."""
    with app:
        assert {extract} == {app.registry.get("puzzles.extract_mate_tag") for _ in range(3)}
        with pytest.raises(RegistryFrozenError):
            app.registry.unregister("puzzles.extract_mate_tag")


def test_Q_04_the_registry_is_minimal():
    """Names in, tasks out."""
    public = {name for name in vars(TaskRegistry) if not name.startswith("_")}

    assert len(public) <= 19
    assert not public & {"execute", "run", "call", "enqueue", "serialize", "discover", "load"}


def test_Q_05_nothing_is_discovered():
    """Importing the package imports no module of the user's."""
    code = "import sys, rotulus; from rotulus import App; App('sqlite://'); print(len(sys.modules))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(told.stdout) > 0
    sources = "importlib.metadata", "pkgutil", "entry_points"
    code = (
        "import sys, rotulus; from rotulus import App; print([m for m in {} if m in sys.modules])"
    )
    told = subprocess.run(
        [sys.executable, "-c", code.format(sources)], capture_output=True, text=True, check=True
    )

    assert "pkgutil" not in told.stdout


def test_Q_06_there_are_no_plugins(app):
    """No entry points are read."""
    import importlib.metadata

    groups = importlib.metadata.entry_points().groups

    assert [] == [group for group in groups if group.startswith("rotulus")]


def test_Q_07_tasks_are_not_reloaded_under_a_worker(app, extract):
    """`dev` starts a new process instead."""
    with app, pytest.raises(RegistryFrozenError, match="close the app first"):
        app.registry.clear()


def test_Q_08_the_registry_is_in_memory(tmp_path, registry, extract):
    """No table holds tasks."""
    import sqlite3

    app = App("sqlite:///jobs.db", registry=registry)
    app.jobs()
    app.close()
    con = sqlite3.connect(tmp_path / "jobs.db")
    tables = [row[0] for row in con.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    con.close()

    assert [] == [name for name in tables if "task" in name or "registry" in name]


def test_Q_09_everything_is_registered_at_start(app, extract):
    """Later is too late."""
    with app, pytest.raises(RegistryFrozenError, match="before the app starts"):
        task("late", registry=app.registry)(lambda: None)


def test_Q_10_a_name_is_unique(registry, extract):
    """One task has it."""
    with pytest.raises(DuplicateTaskError):
        task("puzzles.extract_mate_tag", registry=registry)(lambda: None)


@pytest.mark.parametrize(
    "name", ["puzzles.extract_mate_tag", "emails.send_welcome", "http.fetch_url", "plain"]
)
def test_Q_11_a_namespace_is_recommended(registry, name):
    """And not enforced."""
    assert name == task(name, registry=registry)(lambda: None).name


def test_Q_12_a_name_does_not_depend_on_the_module(registry, extract):
    """Moving the function does not change it."""
    extract.function.__module__ = "somewhere.else"

    assert "puzzles.extract_mate_tag" == extract.name
    assert registry.has(extract.name)


def test_Q_13_registration_is_a_decorator(extract):
    """And the function stays callable."""
    assert {"id": "7"} == extract("7")


def test_Q_14_the_global_registry_is_filled_at_import(tmp_path, monkeypatch):
    """By the decorator."""
    (tmp_path / "q14_tasks.py").write_text(
        "from rotulus import task\n\n@task(name='q14.task')\ndef body(): ...\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert not global_registry.has("q14.task")
    import q14_tasks  # noqa: F401

    assert global_registry.has("q14.task")
    global_registry.unregister("q14.task")


def test_Q_15_duplicates_are_not_allowed(registry, extract):
    """The first one stays."""
    with pytest.raises(ValueError):
        task("puzzles.extract_mate_tag", registry=registry)(lambda: None)

    assert registry.get("puzzles.extract_mate_tag") is extract


def test_Q_16_a_task_has_name_callable_and_metadata(registry):
    """Retry and timeout, among others."""
    found = task("a", retry=Retry(attempts=4), timeout=30, tags=["x"], registry=registry)(len)

    assert ("a", len, 4, 30.0, ("x",)) == (
        found.name,
        found.function,
        found.retry.attempts,
        found.timeout,
        found.tags,
    )


def test_Q_17_the_registry_stores_no_arguments(app, extract):
    """Nor does it run or serialise anything."""
    extract.enqueue("7")

    assert ["puzzles.extract_mate_tag"] == app.registry.list_all()
    assert not any("7" in repr(vars(found)) for found in app.registry if found is not extract)


def test_Q_18_a_worker_reads_looks_up_and_calls(app, extract):
    """The name comes from the record, the arguments from its JSON."""
    job = app.enqueue("puzzles.extract_mate_tag", puzzle_id="9")
    drain(app)

    assert {"id": "9"} == job.result(0)


def test_Q_19_retries_and_timeouts_are_not_the_registrys(registry, extract):
    """It hands out the task; the executor does the rest."""
    with pytest.raises(TypeError):
        registry.get("puzzles.extract_mate_tag")(unknown=1)


def test_Q_20_an_unknown_name_is_dead_without_a_retry(still_app):
    """One claim, no attempt more."""
    job = still_app.enqueue("nobody")
    drain(still_app)
    drain(still_app)
    job = job.refresh()

    assert (State.DEAD, "unknown_task", 1, 0) == (
        job.state,
        job.reason,
        job.attempt,
        job.record.failures,
    )


def test_Q_21_a_duplicate_stops_the_start(tmp_path):
    """The process ends with an error."""
    (tmp_path / "doubled.py").write_text(
        "from rotulus import App, task\napp = App('sqlite://')\n"
        "@task(name='a')\ndef one(): ...\n@task(name='a')\ndef two(): ...\n"
    )
    told = subprocess.run(
        [sys.executable, "-m", "rotulus", "worker", "doubled:app"], capture_output=True, text=True
    )

    assert 3 == told.returncode
    assert "already registered: by doubled.py:3, and now by doubled.py:5" in told.stderr


def test_Q_22_nothing_changes_after_the_start(app, extract):
    """Every way to change it is refused."""
    with app:
        for change in (
            lambda: app.registry.register("b")(len),
            lambda: app.registry.unregister("puzzles.extract_mate_tag"),
            app.registry.clear,
        ):
            with pytest.raises(RegistryFrozenError):
                change()


def test_Q_23_these_are_errors_of_configuration():
    """A category of their own."""
    for kind in (DuplicateTaskError, TaskNotFoundError, RegistryFrozenError):
        assert issubclass(kind, ConfigurationError)


def test_Q_24_what_was_out_of_scope_is_not_in_the_registry():
    """Discovery and versions there are none; limits and retries belong to the task."""
    public = {name for name in vars(TaskRegistry) if not name.startswith("_")}

    assert not [n for n in public if any(w in n for w in ("discover", "version", "retry", "limit"))]
