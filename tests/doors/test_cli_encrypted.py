"""The command line on a store whose values are encrypted: with the key, and without it."""

import json

import pytest

from doors.shops import Shop
from rotulus import State
from rotulus.testing import drain

pytestmark = pytest.mark.anywhere

CANARY = "Zqx7Vkw9Jpt"
URL = ("--url", "sqlite:///vault.db")

SOURCE = """
from cryptography.fernet import Fernet
from rotulus import App, TaskRegistry, task

registry = TaskRegistry()
app = App("sqlite:///vault.db", registry=registry, cipher=Fernet(KEY))

@task(registry=registry)
def greet(name: str, *, more: str = "") -> str:
    if name == "nobody":
        raise ValueError("no")
    return f"hello {name}"
"""
KEYS = [b"A" * 43 + b"=", b"E" * 43 + b"="]


@pytest.fixture
def make_shop(tmp_path):
    """Makes a shop whose app has one of the keys."""
    made = []

    def make(key):
        made.append(Shop(tmp_path, SOURCE.replace("KEY", repr(key))))
        return made[-1]

    yield make
    for shop in made:
        shop.app.close()


@pytest.fixture
def shop(make_shop):
    """A shop with the key that everything is encrypted with."""
    return make_shop(KEYS[0])


@pytest.fixture
def done(shop):
    """A job that succeeded."""
    job = shop.app.enqueue("greet", name=CANARY)
    drain(shop.app)
    return job


@pytest.fixture
def waiting(shop):
    """A job that waits."""
    return shop.app.using(delay=3600).enqueue("greet", name=CANARY)


def test_with_the_key_a_job_is_shown_as_ever(shop, done):
    """Its arguments and its result."""
    assert f"name = '{CANARY}'" in shop("show", done.id)
    told = json.loads(shop("show", done.id, "--json"))
    assert ({"name": CANARY}, f"hello {CANARY}") == (told["arguments"], told["result"])


def test_without_it_what_is_stored_is_shown(shop, done):
    """And that is said by no error: everything else of the job can be read."""
    text = shop("show", done.id, *URL, app=False)

    assert "succeeded" in text and "greet" in text
    assert 2 == text.count("$cipher") and CANARY not in text
    told = json.loads(shop("show", done.id, *URL, "--json", app=False))
    assert [["$cipher"], ["$cipher"]] == [list(told[name]) for name in ("arguments", "result")]
    assert done.id in shop("ls", "jobs", *URL, "--json", app=False)


def test_without_it_arguments_are_not_changed(shop, waiting):
    """Not one of them, not all of them; with exit code 3, and what to do."""
    for words in (["name=Eva"], ["--args", '{"name": "Eva"}']):
        shop("edit", waiting.id, *words, "--unchecked", *URL, app=False, code=3)
        assert f"The arguments of job {waiting.id} of 'greet' cannot be read" in shop.err
        assert "give App(cipher=...) the key" in shop.err
    shop("edit", waiting.id, "--priority", "7", *URL, app=False)
    now = waiting.refresh()
    assert ({"name": CANARY}, 7) == (now.arguments, now.record.priority)


def test_with_it_one_argument_is_changed(shop, waiting):
    """The others stay."""
    shop("edit", waiting.id, "more=x")

    assert {"name": CANARY, "more": "x"} == waiting.refresh().arguments


def test_without_it_jobs_are_sent_back_cancelled_and_deleted(shop, done):
    """Nothing has to be read for that."""
    job = shop.app.enqueue("greet", name="nobody", more=CANARY)
    drain(shop.app)
    shop("retry", job.id, *URL, app=False)
    drain(shop.app)
    now = job.refresh()
    assert (2, State.FAILED) == (now.attempt, now.state)
    assert "ValueError" in shop("failures", *URL, app=False)
    shop("retry", "--state", "failed", "--yes", *URL, app=False)
    shop("cancel", job.id, *URL, app=False)
    shop("delete", done.id, *URL, app=False)
    assert State.CANCELLED is job.refresh().state


def test_a_filter_that_looks_into_arguments_is_refused(shop, done):
    """With what to do."""
    shop("ls", "jobs", "--args", f"name={CANARY}", code=2)

    assert "arguments are encrypted" in shop.err and "give jobs a label" in shop.err


def test_without_it_the_arguments_of_a_schedule_stay(shop):
    """When it fires can be changed."""
    shop("schedule", "add", "s", "greet", "--cron", "0 0 * * *", f"name={CANARY}")
    assert "$cipher" in shop("schedule", "show", "s", *URL, app=False)
    shop("schedule", "set", "s", "--args", "{}", *URL, app=False, code=3)
    assert "The arguments of schedule 's' cannot be read" in shop.err
    shop("schedule", "set", "s", "--cron", "0 1 * * *", *URL, app=False)

    assert {"name": CANARY} == dict(shop.app.schedules.get("s").schedule.arguments)


def test_a_worker_with_another_key_says_so_and_check_before_it(shop, make_shop, waiting):
    """It leaves the job to others, and ends."""
    shop("schedule", "add", "s", "greet", "--cron", "0 0 * * *", f"name={CANARY}")
    other = make_shop(KEYS[1])
    other("check", code=3)
    assert "2 kinds of jobs cannot run" in other.err
    assert "1 of 'greet': its values are encrypted, and this process has no key" in other.err
    assert "schedule 's': its values are encrypted" in other.err
    assert "Everything fits." in shop("check")
    shop("edit", waiting.id, "--in", "0")
    other("worker", "--burst")

    now = waiting.refresh()
    assert ("unreadable", 0) == (now.reason, now.record.failures)
    assert "this process has no key that decrypts them" in other("why", waiting.id)


def test_what_is_run_here_and_waited_for_needs_the_key(shop, done):
    """With it, a task is run and enqueued as ever."""
    assert f"hello {CANARY}" in shop("run", "greet", f"name={CANARY}")
    job = shop("enqueue", "greet", "name=Eva").split()[0]
    drain(shop.app)

    assert "hello Eva" == shop.app.get(job).result(0)
