"""app.limits: who holds which key, and terms that are set in place of those of the code."""

import asyncio
from datetime import timedelta

import pytest

from rotulus import task
from rotulus.errors import OptionError
from rotulus.store import ClaimFilter
from rotulus.testing import drain


@pytest.fixture
def crunch(app):
    """A task of which one job for each tenant may run."""

    @task(registry=app.registry, limit=1, limit_key="tenant:{tenant}")
    def crunch(tenant: str): ...

    return crunch


def claimed(app):
    """How many jobs a worker gets."""
    return len(app.store.claim(ClaimFilter("w"), 100, 30.0))


def test_a_limit_is_set_and_unset_while_jobs_wait(app, crunch):
    """It holds in place of that of the code, which is told beside it."""
    for _ in range(9):
        crunch.enqueue("7")
    assert 1 == claimed(app)
    with app.acting_as("ada"):
        told = app.limits.set("tenant:7", limit=3)
    assert 2 == claimed(app)

    assert (3, 1, "ada", True) == (told.limit, told.code_limit, told.set_by, told.is_set)
    assert (1, 8, ["default"]) == (told.running, told.waiting, told.queues)
    [listed] = app.limits.list()
    assert (3, 6, told.set_at) == (listed.running, listed.waiting, listed.set_at)
    left = app.limits.unset("tenant:7")
    assert (1, None, None, False) == (left.limit, left.set_at, left.set_by, left.is_set)
    assert 0 == claimed(app)


def test_none_starts_of_a_key_whose_limit_is_0(app, crunch):
    """And why says who has decided that."""
    job = crunch.enqueue("7")
    with app.acting_as("ada"):
        app.limits.set("tenant:7", limit=0)
    drain(app)

    assert "queued" == job.refresh().state
    assert "was set to 0 by ada: none of its jobs starts" in " ".join(job.why())
    app.limits.unset("tenant:7")
    drain(app)
    assert "succeeded" == job.refresh().state


def test_a_rate_is_set_with_its_window(app, crunch):
    """A second unless it says otherwise; the limit is that of the code."""
    told = app.limits.set("tenant:7", rate=5)
    assert (None, 5, 1.0) == (told.limit, told.rate, told.per)
    crunch.enqueue("7")

    told = app.limits.set("tenant:7", rate=20, per=timedelta(minutes=1))
    assert (1, 20, 60.0, None) == (told.limit, told.rate, told.per, told.code_rate)


def test_why_tells_of_a_rate_that_is_set(app, crunch):
    """And of a limit that is."""
    jobs = [crunch.enqueue("7") for _ in range(3)]
    app.limits.set("tenant:7", rate=1, per=3600)
    assert 1 == claimed(app)
    said = " ".join(jobs[1].why())
    assert "1 job with limit_key 'tenant:7' was started within the last 3600 s" in said

    app.limits.set("tenant:7", limit=2)
    assert 1 == claimed(app)
    said = " ".join(jobs[2].why())
    assert "2 jobs with limit_key 'tenant:7' are running, and that is its limit" in said


def test_a_key_is_told_that_no_job_has(app):
    """Its terms stay until they are unset."""
    app.limits.set("nobody", limit=4)

    assert ["nobody"] == [one.key for one in app.limits.list()]
    assert (4, None, 0, 0, []) == (
        *(app.limits.get("nobody").limit, app.limits.get("nobody").code_limit),
        *(app.limits.get("nobody").running, app.limits.get("nobody").waiting),
        app.limits.get("nobody").tasks,
    )
    app.limits.unset("nobody")
    assert [] == app.limits.list()
    assert (None, False) == (app.limits.get("nobody").limit, app.limits.get("nobody").is_set)


@pytest.mark.parametrize(
    ("terms", "says"),
    [
        ({}, "Give limit= or rate="),
        ({"per": 5}, "Give limit= or rate="),
        ({"limit": 1, "per": 5}, "give rate= as well"),
        ({"limit": -1}, "from 0 to 1,000,000"),
        ({"limit": True}, "limit=True"),
        ({"rate": 0}, "from 1 to 1,000,000"),
        ({"rate": 1, "per": 0}, "more than 0"),
    ],
)
def test_terms_that_are_none_are_refused(app, terms, says):
    """With what to give."""
    with pytest.raises(OptionError, match=says.replace("(", "\\(")):
        app.limits.set("k", **terms)
    with pytest.raises(OptionError, match="key"):
        app.limits.set("", limit=1)

    assert [] == app.limits.list()


def test_each_verb_has_a_form_for_coroutines(app):
    """It answers as the plain one does."""

    async def steer():
        told = await app.limits.aset("k", limit=2, rate=3, per=60)
        assert told == await app.limits.aget("k")
        assert [told] == await app.limits.alist()
        return await app.limits.aunset("k")

    assert not asyncio.run(steer()).is_set


def test_plain_data_has_all_of_it(app):
    """Moments are texts."""
    told = app.limits.set("k", limit=2).to_dict()

    assert (2, None, []) == (told["limit"], told["code_limit"], told["holders"])
    assert told["set_at"].endswith("+00:00")
