"""`JobOptions` is the one list of options: the signatures, the store and the guide follow it."""

import inspect
import re
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Unpack

import pytest

from rotulus import App, Retry, Task, scheduled, task
from rotulus._tasks.options import TASK_CHECKS, JobOptions, TaskOptions, UsingOptions
from rotulus._workflows import fingerprint
from rotulus._workflows.tasks import WorkflowTask
from rotulus.errors import OptionError
from rotulus.store import NewJob, Terms

GUIDE = Path(__file__).parents[2] / "docs"
OPTIONS = {field.name for field in fields(JobOptions)} - {"declared"}
OF_AN_ENQUEUE_ALONE = {"delay", "at", "debounce", "max_wait", "headers", "connection", "group"}

GIVEN = {
    "queue": "mail",
    "priority": 5,
    "delay": 60,
    "at": datetime(2027, 3, 31, 8, tzinfo=UTC),
    "expires": 60,
    "window": 60,
    "limit": 2,
    "rate": 2,
    "per": 60,
    "debounce": 60,
    "max_wait": 60,
}

USUAL = {
    "per": {"rate": 1},
    "debounce": {"key": "k"},
    "max_wait": {"key": "k", "debounce": 30},
}
"""What an option needs beside it."""


def rows_of(page):
    """The names in the first cells of the tables of a page."""
    cells = re.findall(r"^\| (`[^|]*`) \|", (GUIDE / page).read_text(), re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}


def test_each_option_is_a_keyword_of_using():
    """And each keyword an option."""
    assert set(UsingOptions.__optional_keys__) == OPTIONS


def test_each_option_is_a_keyword_of_a_declaration():
    """But for those of an enqueue; the others are what is said of its attempts."""
    assert set(TaskOptions.__optional_keys__) == (OPTIONS - OF_AN_ENQUEUE_ALONE) | set(TASK_CHECKS)
    assert set(TASK_CHECKS) <= {field.name for field in fields(Task)}


@pytest.mark.parametrize(
    ("function", "keywords"),
    [
        (task, TaskOptions),
        (scheduled, TaskOptions),
        (Task.using, UsingOptions),
        (WorkflowTask.using, UsingOptions),
        (App.using, UsingOptions),
    ],
    ids=["@task", "@scheduled", "task.using", "workflow.using", "app.using"],
)
def test_a_signature_has_the_keywords(function, keywords):
    """So type checkers and editors know each of them."""
    options = inspect.signature(function).parameters["options"]

    assert inspect.Parameter.VAR_KEYWORD == options.kind
    assert Unpack[keywords] == options.annotation


@pytest.mark.parametrize("name", sorted(OPTIONS - set(NewJob._fields) - {"connection", "group"}))
def test_an_option_is_stored_with_the_job(name):
    """In its terms; keys are filled for each job; connection and group say where it is stored."""
    usual = USUAL.get(name, {})
    without, given = JobOptions.of(usual), JobOptions.of(usual | {name: GIVEN[name]})

    assert without.terms("send") != given.terms("send")
    assert Terms("send") == JobOptions().terms("send")


def test_each_option_of_a_declaration_is_in_the_table_of_the_guide():
    """In docs/tasks.md."""
    assert set() == TaskOptions.__optional_keys__ - rows_of("tasks.md")


def test_each_option_of_an_enqueue_is_in_the_guide():
    """In docs/delivery.md, beside those of the table."""
    page = (GUIDE / "delivery.md").read_text()

    assert [] == [name for name in OF_AN_ENQUEUE_ALONE if f"using({name}=" not in page]


def test_a_key_that_is_taken_back_is_that_of_the_declaration(registry):
    """However often others were chosen."""

    @task(key="k:{n}", limit=1, limit_key="l:{n}", registry=registry)
    def send(n: int): ...

    chosen = send.using(key="a", limit_key="b").using(key="c", queue="mail")
    back = chosen.using(key=None, limit_key=None)

    assert ("c", "b") == (chosen.options.key, chosen.options.limit_key)
    assert ("mail", send.options.key) == (back.options.queue, back.options.key)
    assert send.options.limit_key == back.options.limit_key


def test_a_delay_and_a_moment_take_the_place_of_each_other(registry):
    """The later one counts; both at once contradict each other."""
    plain = task("plain", registry=registry)(print)
    at = datetime(2027, 1, 1, tzinfo=UTC)

    def due(chosen):
        return chosen.options.delay, chosen.options.at

    assert (5.0, None) == due(plain.using(at=at).using(delay=5))
    assert (0.0, at) == due(plain.using(delay=5).using(at=at)) == due(plain.using(delay=0, at=at))
    assert (0.0, None) == due(plain.using(at=at).using(delay=0)) == due(plain.using(at=None))
    assert (5.0, None) == due(plain.using(delay=5, at=None)) == due(plain.using(delay=5).using())
    with pytest.raises(OptionError, match="delay=5 and at=2027-01-01T00:00:00"):
        plain.using(delay=5, at=at)


def test_a_declaration_over_a_task_in_use_takes_its_options(registry):
    """They are declared then: a key that was chosen is the one that others fall back to."""

    @task(key="k:{n}", registry=registry)
    def send(n: int = 0): ...

    again = scheduled("0 3 * * *", registry=registry)(send.using(key="a", queue="mail"))

    assert ("a", "mail") == (again.options.key, again.options.queue)
    assert "a" == again.using(key="b").using(key=None).options.key


@dataclass(kw_only=True, unsafe_hash=True)
class Later(Retry):
    """A policy of a later release."""

    later: int = 0


def test_an_option_that_is_added_counts_where_it_is_given():
    """So no version changes where it is not."""
    assert fingerprint.of(Retry(attempts=2)) == fingerprint.of(Later(attempts=2))
    assert fingerprint.of(Retry(attempts=2)) != fingerprint.of(Later(attempts=2, later=1))
