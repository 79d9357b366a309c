"""Jobs are found by what they are: pages, cursors, and an end where few of many match."""

from datetime import timedelta

import pytest

from rotulus import task
from rotulus.errors import OptionError
from rotulus.stores.shared import searching
from rotulus.testing import drain


@pytest.fixture
def mail(app):
    """A task that fails for odd numbers."""

    @task("mail.send", registry=app.registry)
    def mail(number: int, to: dict[str, str] | None = None) -> None:
        if number % 2:
            raise TimeoutError(f"no answer to {number}")

    return mail


@pytest.fixture
def other(app):
    """Another task."""

    @task(registry=app.registry)
    def other() -> None: ...

    return other


def test_tasks_are_found_by_the_beginning_of_their_name(app, mail, other):
    """With an asterisk at its end."""
    job = mail.enqueue(2)
    other.enqueue()

    assert [job] == app.jobs.find(task="mail.*") == app.jobs.find(task="mail.send")
    assert 2 == len(app.jobs.find(task="*"))


def test_jobs_are_found_by_what_went_wrong(app, mail):
    """By the text of the error, and by its fingerprint."""
    jobs = mail.enqueue_many(range(4))
    drain(app)
    failed = [job.refresh() for job in reversed(jobs) if job.arguments["number"] % 2]

    assert failed == app.jobs.find(error="NO ANSWER") == app.jobs.find(error="timeouterror")
    assert [failed[0]] == app.jobs.find(error="to 3")
    assert failed == app.jobs.find(fingerprint=failed[0].error.fingerprint)
    assert [] == app.jobs.find(error="number % 2")  # that stands in the traceback


def test_jobs_are_found_by_their_arguments(app, mail):
    """By one path, or several."""
    one, two = mail.enqueue(2, {"name": "Zoë"}), mail.enqueue(4, {"name": "Zoë"})

    assert [two, one] == app.jobs.find(args={"to.name": "Zoë"})
    assert [two] == app.jobs.find(args={"to.name": "Zoë", "number": 4})
    assert [] == app.jobs.find(args={"number": "4"})


def test_jobs_are_found_by_their_labels(app, other):
    """All of those that are asked for."""
    one = other.using(labels={"customer": "7", "kind": "a"}).enqueue()
    two = other.using(labels={"customer": "7", "kind": "b"}).enqueue()
    other.using(labels={"customer": "8"}).enqueue()

    assert [two, one] == app.jobs.find(label={"customer": "7"})
    assert [one] == app.jobs.find(label={"customer": "7", "kind": "a"}, state="queued")
    assert [] == app.jobs.find(label={"customer": "9"})
    assert (2, [one]) == (
        app.jobs.count(label={"customer": "7"}),
        app.jobs.cancel(label={"kind": "a"}),
    )
    with pytest.raises(OptionError, match="label="):
        app.jobs.find(label={"customer": 7})


def test_jobs_are_found_by_when_they_were_added(still_app, clock):
    """By moments, or by how long ago that was."""

    @task(registry=still_app.registry)
    def note() -> None: ...

    first = note.enqueue()
    clock.advance(100)
    second = note.enqueue()

    assert [second] == still_app.jobs.find(since=50) == still_app.jobs.find(since=clock.now())
    assert [first] == still_app.jobs.find(until=timedelta(seconds=50))
    assert [] == still_app.jobs.find(since=50, until=50)
    with pytest.raises(OptionError, match="since=50 is after until=60: swap the two"):
        still_app.jobs.find(since=50, until=60)


def test_jobs_are_found_by_their_worker(app, mail):
    """Who had them last."""
    job = mail.enqueue(2)
    drain(app)

    assert [job] == app.jobs.find(worker=job.refresh().worker)
    assert [] == app.jobs.find(worker="nobody")


def test_a_cursor_is_for_its_filters(app, other):
    """However they are spelt; it is refused with others, and when it was changed."""
    other.enqueue_many([{}] * 3)
    cursor = app.jobs.find(limit=1, state=["queued", "failed"]).next

    assert 1 == len(app.jobs.find(limit=1, after=cursor, state=("failed", "queued")))
    assert app.jobs.find(limit=1, after=cursor, state=["queued", "failed"], task=None)
    for wrong in (cursor[:-1], cursor + "A", cursor.swapcase(), "nobody", ""):
        with pytest.raises(OptionError, match="no cursor of these filters. Give page.next"):
            app.jobs.find(after=wrong, state=["queued", "failed"])
    with pytest.raises(OptionError, match="no cursor of these filters"):
        app.jobs.find(after=cursor, state="queued")


def test_a_page_says_how_far_it_has_looked(app, other, monkeypatch):
    """Where few of many jobs match; the next page goes on there."""
    monkeypatch.setattr(searching, "_MOST_MISSES", 200)
    first = app.enqueue("other")
    others = other.using(queue="b").enqueue_many([{}] * 250)
    page = app.jobs.find(queue="default", since=3600)

    assert ([], app.get(others[50].id).created_at) == (page, page.looked_to)
    rest = app.jobs.find(queue="default", since=3600, after=page.next)
    assert ([first], None, None) == (rest, rest.next, rest.looked_to)
    assert (1, True) == ((count := app.jobs.count(queue="default", since=3600)), count.exact)


def test_a_count_that_has_not_looked_at_all_jobs_says_so(app, other, monkeypatch):
    """It is at least that many."""
    monkeypatch.setattr(searching, "_MOST_MISSES", 2)
    app.enqueue("other")
    other.using(queue="b").enqueue_many([{}] * 2_500)
    count = app.jobs.count(queue="default")

    assert ("0+", False) == (str(count), count.exact)
    assert "2,500" == str(app.jobs.count(queue="b"))
    assert "2,501" == str(app.jobs.count())
