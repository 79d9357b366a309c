"""Which jobs are meant: what names none, or is no filter at all, is refused before anything is done."""

import pytest

from rotulus import State, task
from rotulus.errors import JobNotFoundError, OptionError
from rotulus.testing import drain

TEXTS = ("task", "queue", "key", "schedule", "run", "step", "worker", "fingerprint", "error")
FILTERS = ("state", *TEXTS, "since", "until", "label", "args")
HALF = "\ud800"
"""Half of a character, which no database can hold."""


@pytest.fixture
def note(app):
    """A task that fails when it is told to."""

    @task(registry=app.registry)
    def note(number: int) -> None:
        if number < 0:
            raise ValueError(number)

    return note


@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize("where", [{}, *({name: None} for name in FILTERS)], ids=str)
def test_neither_ids_nor_filters_mean_no_job(app, note, where, dry_run):
    """A filter whose value is missing does not cancel, or retry, everything there is."""
    failed = note.enqueue(-1)
    drain(app)
    waiting = note.enqueue(1)
    for verb in (app.jobs.cancel, app.jobs.retry):
        with pytest.raises(OptionError, match="neither ids nor filters"):
            verb(dry_run=dry_run, **where)

    assert ("failed", "queued") == (failed.refresh().state, waiting.refresh().state)


def test_the_short_verbs_take_at_least_one_id(app):
    """So do those of runs."""
    for verb in (app.cancel, app.retry):
        with pytest.raises(OptionError, match="neither ids nor filters"):
            verb()
    for verb in (app.runs.cancel, app.runs.retry, app.runs.pause, app.runs.resume):
        with pytest.raises(OptionError, match="which runs"):
            verb()


def test_all_of_a_state_are_meant_when_it_is_given(app, note):
    """Beside filters that are None; and ids go with those, too."""
    failed = note.enqueue(-1)
    drain(app)
    first, second = note.enqueue_many([1, 2])

    assert [first] == app.jobs.cancel(first.id, task=None)
    assert [second] == app.jobs.cancel(state="queued", task=None)
    assert [failed] == app.jobs.retry(state="failed", queue=None)


@pytest.mark.parametrize("value", [7, State, ["a"], b"a", HALF, "a\0b"], ids=repr)
@pytest.mark.parametrize("name", TEXTS)
def test_a_filter_is_a_text_that_a_store_can_hold(app, name, value):
    """Whichever store it is, and whichever verb."""
    for verb in (app.jobs, app.jobs.find, app.jobs.count, app.jobs.cancel, app.jobs.retry):
        with pytest.raises(OptionError):
            verb(**{name: value})


@pytest.mark.parametrize("limit", [2**31, 2**70])
def test_a_limit_is_no_larger_than_a_store_can_hold(app, limit):
    """The largest is said."""
    with pytest.raises(OptionError, match="2147483647 at most"):
        app.jobs.find(limit=limit)
    assert [] == app.jobs.find(limit=2**31 - 1)


@pytest.mark.parametrize("wrong", [7, None, ["a"], State], ids=repr)
def test_an_id_is_a_text(app, wrong):
    """Also the one after which a page begins."""
    for verb in (app.get, app.jobs.get, app.runs.get, app.cancel, app.retry):
        with pytest.raises(OptionError, match="job id=.* give one text"):
            verb(wrong)
    if wrong is not None:
        with pytest.raises(OptionError, match="after=.* give one text"):
            app.jobs.find(after=wrong)


@pytest.mark.parametrize("text", [HALF, "a\0b", "", "nobody"], ids=repr)
def test_a_text_that_is_no_id_finds_no_job(app, text):
    """Wherever it is asked for."""
    with pytest.raises(JobNotFoundError):
        app.get(text)
    assert [] == app.cancel(text) == app.retry(text)
    with pytest.raises(OptionError, match="after= is not allowed: it is no cursor"):
        app.jobs.find(after=text)
    for verb in (app.runs.pause, app.runs.resume):
        with pytest.raises(JobNotFoundError):
            verb(text)
