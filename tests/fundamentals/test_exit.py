"""The end of a program: what it still enqueues then is stored."""

import subprocess
import sys

import pytest

from rotulus import App, TaskRegistry

PROGRAM = """
import atexit, sys

def last(word):
    print(word, last_words.enqueue(word).id)

{early}
from rotulus import App, task

@task
def last_words(word: str) -> None:
    pass

{before}
app = App(sys.argv[1])
{used}
{after}
"""

REGISTERED = "atexit.register(last, '{}')"


def ended(url, **places):
    """The end of a program that has so many lines at these places: what it said of its errors."""
    text = PROGRAM.format(**{"early": "", "before": "", "used": "", "after": ""} | places)
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", text, url]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert 0 == told.returncode
    return told.stderr


def words(url):
    """What has been stored, in the order of the words."""
    with App(url, registry=TaskRegistry()) as app:
        return sorted(job.arguments["word"] for job in app.jobs())


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.anywhere)])
def url(request, tmp_path):
    """A store that other processes may use."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'jobs.db'}"
    database = request.getfixturevalue("database")
    app = App(database, registry=TaskRegistry())
    app.store.migrate()
    app.close()
    return database


@pytest.mark.parametrize("used", ["last('while it ran')", ""])
def test_an_enqueue_at_exit_is_stored(url, used):
    """By a function registered before or after the app was made, and used."""
    before, after = REGISTERED.format("before"), REGISTERED.format("after")
    told = ended(url, before=before, used=used, after=after)

    assert "" == told
    assert ["after", "before", *(["while it ran"] if used else [])] == words(url)


def test_an_enqueue_at_the_very_end_is_stored(url):
    """By a function registered before anything of ours was imported."""
    told = ended(url, early=REGISTERED.format("early"), used="last('while it ran')")

    assert "Error" not in told
    assert ["early", "while it ran"] == words(url)


def test_an_enqueue_at_exit_in_memory_is_no_error():
    """The store is there as long as the program."""
    used, after = "last('while it ran')", REGISTERED.format("after")

    assert "" == ended("sqlite://", before=REGISTERED.format("before"), used=used, after=after)


def test_a_program_that_closes_nothing_leaves_one_file(tmp_path):
    """SQLite's journal is written back when the last connection is closed."""
    url = f"sqlite:///{tmp_path / 'jobs.db'}"

    assert "" == ended(url, used="last('while it ran')", after=REGISTERED.format("after"))
    assert ["jobs.db"] == [path.name for path in tmp_path.glob("jobs.db*") if path.is_file()]
