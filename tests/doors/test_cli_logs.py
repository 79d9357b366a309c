"""`rotulus logs`: what a job has logged, chosen, followed and for programs."""

import json
import threading

import pytest

from doors.shops import BOTH, opened
from rotulus.testing import drain

pytestmark = pytest.mark.anywhere

SOURCE = """
import logging
import threading

from rotulus import INJECTED, App, Job, Retry, TaskRegistry, task

registry = TaskRegistry()
app = App("sqlite:///shop.db", registry=registry)
logger = logging.getLogger("shop")
may_end = threading.Event()

@task(registry=registry, retry=Retry(attempts=2, delay=0, jitter=False))
def talk(job: Job = INJECTED) -> None:
    logger.warning("attempt %d \\x1b[31m", job.attempt)
    job.log("two\\nlines")
    raise ValueError("no")

@task(registry=registry)
def silent() -> None: ...

@task(registry=registry)
def slow(job: Job = INJECTED) -> None:
    job.log("begun")
    may_end.wait(30)
    job.log("ended")
"""


@pytest.fixture(params=BOTH)
def shop(request, tmp_path):
    """A shop with tasks that talk."""
    with opened(tmp_path, SOURCE, request.param) as made:
        yield made
        made.app.close()


def test_logs_shows_the_lines_of_each_attempt(shop):
    """None of them paints the terminal, or pretends to be another one."""
    shop("enqueue", "talk")
    drain(shop.app)
    lines = shop("logs", "-").splitlines()

    assert ["attempt 1", "attempt 2"] == [lines[0], lines[4]]
    assert lines[1].endswith(r"shop: attempt 1 \x1b[31m")
    assert "  warning   " in lines[1]
    assert lines[2].endswith("  info      two")
    assert "  lines" == lines[3]
    assert 8 == len(lines)


def test_logs_are_chosen(shop):
    """By attempt and level; for programs, each line is an object."""
    shop("enqueue", "talk")
    drain(shop.app)

    assert 3 == len(shop("logs", "-", "--attempt", "2").splitlines())
    assert "two" not in shop("logs", "-", "--level", "warning")
    found = [json.loads(line) for line in shop("logs", "-", "--json").splitlines()]
    assert [(1, 1), (1, 2), (2, 1), (2, 2)] == [(line["attempt"], line["number"]) for line in found]
    assert "two\nlines" == found[1]["text"]


def test_nothing_was_logged(shop):
    """It says why that may be."""
    shop("enqueue", "silent")
    assert "" == shop("logs", "-")
    assert "has not run yet" in shop.err
    drain(shop.app)
    assert "" == shop("logs", "-")
    assert "has logged nothing that is kept" in shop.err
    assert "" == shop("logs", "-", "--json")
    shop("logs", "nonsense", code=5)


def test_a_job_is_followed_until_its_end(shop):
    """Lines come while it runs, and none is missing at the end."""
    shop("enqueue", "slow")
    app, module = shop.app, __import__(shop.name)  # both before the variables of a command are set
    worker = threading.Thread(target=drain, args=(app,))
    told = []
    following = threading.Thread(
        target=lambda: told.append(shop("logs", "-", "--follow", "--json"))
    )
    worker.start()
    [job] = app.jobs()
    while not job.logs():
        assert worker.is_alive()
    following.start()  # not before: threads share the variables that a command is given
    module.may_end.set()
    worker.join()
    following.join(30)

    assert ["begun", "ended"] == [json.loads(line)["text"] for line in told[0].splitlines()]
