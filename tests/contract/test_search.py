"""search: what matches a filter, newest first, without ever looking at all jobs."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.workbench import ERROR, OUTCOMES
from rotulus._jobs.outcome import failed
from rotulus._jobs.states import ENDED, LIVE, Reason, State
from rotulus.store import Filter
from rotulus.stores.shared import searching


def found(bench, limit=100, **fields):
    """The ids of all jobs that match, in pages."""
    ids, before = [], None
    while True:
        page = bench.store.search(Filter(**fields), limit, before)
        ids += page.ids
        before = page.after
        if before is None:
            return ids


def newest(jobs):
    """The ids of jobs that were added in this order, as they are found."""
    return [job.id for job in reversed(jobs)]


def fail(bench, message, **fields):
    """A job that has failed with a message."""
    job = bench.running(**fields)
    error = ERROR._replace(message=message, traceback="get(url, timeout=3)", fingerprint="abc")
    bench.store.settle([failed(job.id, job.attempt, Reason.ERROR, error)])
    return bench.store.get(job.id)


def test_the_last_added_come_first(bench):
    """Page by page, each job once; the last page says that there is no more."""
    jobs = bench.add_many(7)

    assert newest(jobs) == found(bench) == found(bench, limit=3)
    page = bench.store.search(Filter(), 7)
    assert (newest(jobs), page.ids[-1]) == (page.ids, page.after)
    assert ([], None, None) == bench.store.search(Filter(), 7, page.after)


def test_the_beginning_of_a_name_finds_tasks(bench):
    """As it is: no letter of it stands for others."""
    one, other, _, near = (
        bench.add("mail.send"),
        bench.add("mail.drop"),
        bench.add("mailer"),
        bench.add("m_il.x"),
    )

    assert newest([one, other]) == found(bench, task_prefix="mail.")
    assert [near.id] == found(bench, task_prefix="m_il")
    assert [other.id] == found(bench, task_prefix="mail.", task="mail.drop")


def test_jobs_are_found_by_when_they_were_added(bench):
    """From a moment on, and before another."""
    jobs = []
    for _ in range(4):
        jobs.append(bench.add())
        bench.clock.advance(1.0)
    first, second, third, _ = (job.created_at for job in jobs)

    assert newest(jobs[1:]) == found(bench, since=second)
    assert newest(jobs[:2]) == found(bench, until=third)
    assert newest(jobs[1:2]) == found(bench, since=first + 1, until=third)


def test_a_text_is_looked_for_in_type_and_message(bench):
    """Not in the traceback, in either case, and with signs that mean something to a database."""
    late = fail(bench, 'Timeout of "x" after 100% é_!\n')
    fail(bench, "refused")

    assert [late.id] == found(bench, error="timeout")
    assert [late.id] == found(bench, error='"X" AFTER 100% É_!\n')
    assert 2 == len(found(bench, error="valueerror"))
    assert [] == found(bench, error="url")
    assert [] == found(bench, error="100_")


def test_a_fingerprint_is_that_of_the_last_attempt(bench):
    """And gone once the job has succeeded."""
    job = fail(bench, "no")

    assert [job.id] == found(bench, fingerprint="abc")
    assert [job.id] == found(bench, fingerprint="abc", states=[State.FAILED])
    assert [] == found(bench, fingerprint="abd")
    assert [job.id] == [one.id for one in bench.store.find(Filter(fingerprint="abc"))]


@pytest.mark.parametrize(
    ("path", "value", "is_found"),
    [
        ("order.id", 42, True),
        ("order.id", "42", False),
        ("order.id", 42.0, True),
        ("order.id", 4, False),
        ("order", 42, False),
        ("items.1.name", "Zoë \"'%_!\\", True),
        ("items.2.name", "Zoë", False),
        ("items.0", None, True),
        ("items.9", None, False),
        ("flag", True, True),
        ("flag", 1, False),
        ("half", 0.5, True),
        ("none.at.all", None, False),
    ],
)
def test_arguments_are_found_by_a_path(readable, path, value, is_found):
    """By what they are as JSON, however they were written."""
    arguments = {
        "order": {"id": 42},
        "items": [None, {"name": "Zoë \"'%_!\\"}],
        "flag": True,
        "half": 0.5,
    }
    job = readable.add(arguments=json.dumps(arguments))
    readable.add(arguments='{"order":{"id":7}}')
    readable.add(arguments="42")
    where = [(path.split("."), json.dumps(value))]

    assert [job.id] * is_found == found(readable, arguments=where)


def test_a_search_ends_where_few_match(bench):
    """It says how far it got, and the next one goes on there."""
    first = bench.add("rare")
    bench.add_many(searching._MOST_MISSES + 1)
    page = bench.store.search(Filter(task="rare"), 10)

    assert [] == page.ids
    assert first.id < page.after
    assert bench.store.get(page.after).created_at == page.looked_to
    assert ([first.id], None, None) == bench.store.search(Filter(task="rare"), 10, page.after)


def test_more_jobs_than_are_read_at_once_are_found_by_walking(bench, monkeypatch):
    """Where those in a state are too many to be read whole."""
    monkeypatch.setattr(searching, "_MOST_UNORDERED", 5)
    jobs = bench.add_many(12)
    rare = bench.add("rare")

    assert newest([*jobs, rare]) == found(bench, limit=4, states=[State.QUEUED])
    assert [rare.id] == found(bench, task="rare", states=[State.QUEUED, State.FAILED])


@pytest.mark.parametrize("field", ["key", "schedule", "run"])
def test_a_large_set_is_read_in_its_order(bench, monkeypatch, field):
    """Behind many other jobs, too, page by page from its index: no page is empty."""
    for name, most in (("UNORDERED", 5), ("BY_INDEX", 5), ("MISSES", 5)):
        monkeypatch.setattr(searching, f"_MOST_{name}", most)
    monkeypatch.setattr(searching, "_FIRST_LOOK", 2)
    if field == "run":
        where = {"run": bench.add_run({f"step{number}": [] for number in range(11)})[""]}
    else:
        where = {field: "k"}
        for _ in range(12):
            bench.ended(**where)
    expected = [job.id for job in bench.store.find(Filter(**where))]
    bench.add_many(20)
    pages, before = [], None
    while not pages or before is not None:
        page = bench.store.search(Filter(**where), 5, before)
        pages, before = [*pages, page.ids], page.after

    assert [5, 5, 2] == list(map(len, pages))
    assert expected == sum(pages, [])
    assert 12 == bench.store.tally(Filter(**where), 100).jobs


def test_every_state_is_found(bench):
    """Alone and with others."""
    shown = {
        State.DELAYED: [bench.add(delay=9.0)],
        State.BLOCKED: [],
        State.SUCCEEDED: [bench.ended("succeeded")],
        State.FAILED: [bench.ended("failed")],
        State.DEAD: [bench.ended("dead")],
        State.CANCELLED: [bench.ended("cancelled")],
        State.SKIPPED: [bench.ended("skipped")],
        State.RUNNING: [bench.running()],
        State.QUEUED: [bench.add(), bench.add(limit_key="l", limit_to=1), bench.add(queue="other")],
    }
    for state, jobs in shown.items():
        assert newest(jobs) == found(bench, states=[state])
    everything = sorted((job.id for jobs in shown.values() for job in jobs), reverse=True)
    unsuccessful = ENDED - {State.SUCCEEDED}

    assert everything == found(bench, states=list(State)) == found(bench, states=LIVE | ENDED)
    assert everything == sorted(
        found(bench, states=LIVE | unsuccessful) + found(bench, states=[State.SUCCEEDED]),
        reverse=True,
    )
    assert newest(shown[State.QUEUED][2:]) == found(bench, states=[State.QUEUED], queue="other")


def test_what_no_job_can_have_matches_none(bench):
    """Whatever the database can hold."""
    bench.add()
    for text in ("\0", "\ud800", "nobody"):
        for field in ("task", "queue", "key", "schedule", "worker", "run", "step", "fingerprint"):
            assert [] == found(bench, **{field: text})
        assert [] == bench.store.search(Filter(), 5, text).ids
    assert [] == bench.store.search(Filter(), 0).ids
    assert [] == bench.store.records(["nobody"])


@settings(max_examples=30)
@given(
    limit=st.integers(1, 5),
    states=st.none() | st.sets(st.sampled_from([State.RUNNING, State.FAILED, State.SUCCEEDED])),
    task=st.none() | st.sampled_from(["a", "b"]),
    queue=st.none() | st.sampled_from(["x", "y"]),
    unordered=st.sampled_from([0, 20_000]),
)
def test_a_search_finds_what_find_finds(file, limit, states, task, queue, unordered):
    """In the same order, whatever index leads there."""
    if not file.store.find(limit=1):
        for number in range(24):
            job = file.running(task="ab"[number % 2], queue="xy"[number % 3 == 0])
            if number % 4:
                file.store.settle([OUTCOMES["failed" if number % 4 == 1 else "succeeded"](job)])
    fields = {"states": states, "task": task, "queue": queue}
    expected = [job.id for job in file.store.find(Filter(**fields), 1000)]
    before = searching._MOST_UNORDERED
    searching._MOST_UNORDERED = unordered
    try:
        assert expected == found(file, limit, **fields)
    finally:
        searching._MOST_UNORDERED = before


@pytest.mark.parametrize("field", ["key", "schedule", "run"])
def test_few_jobs_are_found_where_an_index_leads(bench, field):
    """However many others there are."""
    bench.add_many(5)
    if field == "run":
        ids = bench.add_run({"one": [], "two": ["one"]})
        value = ids[""]
        expected = [job.id for job in bench.store.find(Filter(run=value))]
        assert [ids["two"]] == found(bench, run=value, step="two")
    else:
        job = bench.add(**{field: "k"})
        expected, value = [job.id], "k"
    bench.add_many(5)

    assert expected == found(bench, **{field: value}) == found(bench, 1, **{field: value})
    assert [] == found(bench, **{field: value}, states=[State.FAILED])
