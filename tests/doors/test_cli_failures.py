"""`rotulus failures`: the groups, one of them, and what is done to it."""

import json

import pytest

from doors.shops import BOTH, opened
from rotulus._jobs.outcome import ErrorInfo, failed
from rotulus._jobs.states import Reason
from rotulus.store import ClaimFilter
from rotulus.testing import drain

pytestmark = pytest.mark.anywhere

SOURCE = """
from rotulus import App, TaskRegistry, task

registry = TaskRegistry()
app = App("sqlite:///shop.db", registry=registry)

@task(registry=registry)
def fail(message: str = "no") -> None:
    raise ValueError(message)

@task(name="mail.send", registry=registry)
def send() -> None:
    raise KeyError("[bold]address[/]")
"""


@pytest.fixture(params=BOTH)
def shop(request, tmp_path):
    """A shop in which three jobs failed in two ways."""
    with opened(tmp_path, SOURCE, request.param) as made:
        for words in (["fail", "one"], ["fail", "two"], ["mail.send"]):
            made("enqueue", *words)
            drain(made.app)
        yield made
        made.app.close()


def group(shop, task):
    """The fingerprint of the group of a task."""
    return next(g.fingerprint for g in shop.app.failures.groups() if task in g.tasks)


def test_failures_shows_the_groups(shop):
    """The last one first, for people and for programs."""
    lines = shop("failures").splitlines()
    assert lines[0].split() == ["group", "jobs", "last", "seen", "first", "seen", "task", "error"]
    assert "mail.send" in lines[1]
    assert "ValueError: two" in lines[2]
    assert "KeyError: '[bold]address[/]'" in lines[1]
    assert [1, 2] == [json.loads(line)["count"] for line in shop("failures", "--json").splitlines()]


def test_more_than_500_groups_are_shown(shop):
    """Where so many are asked for."""
    shop.app.registry.get("fail").enqueue_many(["no"] * 501)
    claims = shop.app.store.claim(ClaimFilter("w"), 501, 30)
    errors = [ErrorInfo("ValueError", "no", "", f"{number:012x}") for number in range(501)]
    shop.app.store.settle(
        [
            failed(claim.id, claim.attempt, Reason.ERROR, error)
            for claim, error in zip(claims, errors, strict=True)
        ]
    )

    assert 503 == len(shop("failures", "--json", "--limit", "10000").splitlines())


def test_failures_takes_filters(shop):
    """A task, also by its beginning; a span; so many."""
    assert "mail.send" not in shop("failures", "--task", "fail")
    assert "mail.send" in shop("failures", "--task", "mail.*", "--since", "60")
    assert 2 == len(shop("failures", "--limit", "1").splitlines())
    assert "" == shop("failures", "--task", "fial")
    assert "did you mean 'fail'?" in shop.err
    assert "" == shop("failures", "--task", "nothing.*")
    assert f"Nothing failed in {shop.place}" in shop.err


def test_a_group_is_shown(shop):
    """With the traceback of its last job."""
    name = group(shop, "fail")
    text = shop("failures", "show", name)

    assert "raise ValueError(message)" in text
    assert "ValueError: two" in text
    assert name in text
    assert ["fail"] == json.loads(shop("failures", "show", name, "--json"))["tasks"]


def test_a_group_is_sent_back_and_deleted_after_a_question(shop):
    """And not without an answer."""
    fail, send = group(shop, "fail"), group(shop, "mail.send")
    shop("failures", "retry", fail, stdin="n\n", code=1)
    shop("failures", "retry", fail, stdin="", code=2)
    assert "retry 2 jobs that failed with ValueError?" in shop.err
    assert "2 jobs sent back" in shop("failures", "retry", fail, stdin="y\n")
    told = json.loads(shop("failures", "delete", send, "--yes", "--json"))
    assert ("delete", 1, False) == (told["verb"], told["total"], told["dry_run"])
    assert "" == shop("failures")
    assert 2 == shop.app.jobs.count(state="queued")


@pytest.mark.parametrize("verb", ["retry", "delete"])
def test_it_can_be_tried_what_becomes_of_a_group(shop, verb):
    """As with all verbs for many jobs; nothing is changed."""
    fail = group(shop, "fail")
    said = shop("failures", verb, fail, "--dry-run").splitlines()
    told = json.loads(shop("failures", verb, fail, "--dry-run", "--json"))

    assert f"Would {verb} 2 jobs that failed with ValueError." == said[0]
    assert {line.split()[0] for line in said[1:]} == {job["id"] for job in told["jobs"]}
    assert (True, 2) == (told["dry_run"], told["total"])
    assert 2 == shop.app.failures.get(fail).count


def test_a_group_is_muted_and_left_out(shop):
    """Until somebody asks for it; the list says so where nothing else is left."""
    fail, send = group(shop, "fail"), group(shop, "mail.send")
    said = shop("failures", "mute", fail, "--until", "2100-01-01", "--note", "#7")
    assert said.startswith("Muted until 2100-01-01")
    assert "mail.send" in shop("failures")
    assert "ValueError" not in shop("failures")
    told = json.loads(shop("failures", "--muted", "--json"))
    assert ("2100-01-01T00:00:00+00:00", "#7") == (told["mute"]["until"], told["mute"]["note"])
    listed = " ".join(shop("failures", "--muted").split())
    assert "#7" in listed
    assert "2100-01-01" in shop("failures", "show", fail)

    assert (
        send == json.loads(shop("failures", "mute", send, "--for", "2h", "--json"))["fingerprint"]
    )
    assert "" == shop("failures")
    assert "what is muted: 'rotulus failures --muted'" in shop.err
    assert "Not muted any more." in shop("failures", "unmute", send)
    assert "It was not muted." in shop("failures", "unmute", send)
    assert "mail.send" in shop("failures")
    assert "for good" in shop("failures", "mute", send)
    for words in (["--for", "1h", "--until", "2100-01-01"], ["--until", "soon"], ["--for", "0"]):
        shop("failures", "mute", fail, *words, code=2)
    shop("failures", "--muted", "show", fail, code=2)


def test_nothing_is_muted(shop):
    """And the list says so."""
    assert "" == shop("failures", "--muted")
    assert "is muted." in shop.err


def test_a_group_that_is_not_there(shop):
    """It was sent back, or is none."""
    shop("failures", "show", "0123456789ab", code=5)
    assert "No failed job has the fingerprint 0123456789ab" in shop.err
    shop("failures", "retry", "nonsense", "--yes", code=2)
    assert "is no fingerprint" in shop.err
    shop("failures", "--task", "fail", "retry", "nonsense", code=2)
    assert "Give the options after 'retry'" in shop.err
