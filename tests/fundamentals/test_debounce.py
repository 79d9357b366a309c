"""Debounce, as a user has it: the last enqueue of a key runs, once it is quiet for a while."""

import asyncio
from datetime import timedelta

import pytest

import rotulus.workflow as wf
from rotulus import task
from rotulus.errors import OptionError
from rotulus.testing import drain

KEYED = {"key": "k", "debounce": 30}


@pytest.fixture
def built(still_app):
    """A task whose bodies take note of what they are given."""

    @task("build", key="page:{page}", registry=still_app.registry)
    def build(page: int, text: str = "") -> str:
        return f"{page}: {text}"

    return build


def test_the_last_one_runs_when_it_is_quiet(still_app, clock, built):
    """Once; the earlier ones are the same job."""
    soon = built.using(debounce=timedelta(seconds=30), max_wait=timedelta(minutes=5))
    first = soon.enqueue(7, "a")
    other = soon.enqueue(8, "b")
    clock.advance(20)
    again = soon.enqueue(7, "c")
    assert (first, True, True) == (again, again.existed, again.as_asked)
    assert (False, True) == (first.existed, first.as_asked)
    assert clock.now() + timedelta(seconds=30) == again.run_at

    clock.advance(20)
    assert [other] == drain(still_app)
    clock.advance(20)
    assert [first] == drain(still_app)
    assert "7: c" == first.result(0)
    assert first.id != soon.enqueue(7, "d").id


def test_jobs_of_one_call_and_of_coroutines_are_moved(still_app, clock, built):
    """All of them come to the last one."""
    soon = built.using(debounce=30)
    first = soon.enqueue_many([(7, "a"), (8, "b"), (7, "c")])
    assert [False, False, True] == [job.existed for job in first]
    assert ["c", "b", "c"] == [job.arguments["text"] for job in first]

    async def go():
        await asyncio.gather(*(soon.aenqueue(7, f"{number}") for number in range(20)))
        return await soon.aenqueue_many([(7, "y"), (7, "z")])

    last = asyncio.run(go())
    assert [first[0]] * 2 == last
    clock.advance(31)
    assert {first[0], first[1]} == set(drain(still_app))
    assert "7: z" == first[0].result(0)


def test_a_body_that_runs_is_followed_by_another(still_app, clock):
    """What comes while it runs is not lost."""
    seen = []

    @task("echo", registry=still_app.registry)
    def echo(text: str) -> None:
        seen.append(text)
        if text == "first":
            echo.using(**KEYED).enqueue("second")
            echo.using(**KEYED).enqueue("third")

    echo.using(**KEYED).enqueue("first")
    for _ in range(2):
        clock.advance(31)
        drain(still_app)

    assert ["first", "third"] == seen


def test_a_workflow_is_moved_before_it_begins(still_app, clock):
    """Its steps come when it is due, and get the newer arguments."""

    @task("double", registry=still_app.registry)
    def double(n: int) -> dict[str, int]:
        return {"n": 2 * n}

    with wf.WorkflowBuilder("flow", registry=still_app.registry) as builder:
        builder.add_task(double)
    soon = still_app.using(**KEYED)
    first = soon.enqueue("flow", n=1)
    assert first == soon.enqueue("flow", n=2)
    clock.advance(31)
    drain(still_app)

    assert 4 == first.result(0)["n"]
    assert first != soon.enqueue("flow", n=3)


def test_listeners_are_told_of_moves(still_app, built):
    """By the job."""
    soon = built.using(debounce=30)
    first = soon.enqueue(7)
    with still_app.changes() as changes:
        soon.enqueue(7, "b")
        change = next(iter(changes))

    assert (first.id, "delayed") == (change.name, change.what)


def test_jobs_by_name_are_moved(still_app, clock):
    """Of a task that only workers know, too."""
    soon = still_app.using(unchecked=True, **KEYED)
    first = soon.enqueue("elsewhere", n=1)
    clock.advance(10)

    assert {"n": 2} == soon.enqueue("elsewhere", n=2).arguments
    assert {"n": 2} == first.refresh().arguments


@pytest.mark.anywhere
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"debounce": 30}, "give key= as well"),
        ({"key": "k", "max_wait": 30}, "give debounce= as well"),
        ({**KEYED, "max_wait": 29}, "shorter than debounce=30"),
        ({**KEYED, "delay": 5}, "leave delay= and at= out"),
        ({**KEYED, "window": 5}, "give window=None beside debounce="),
        ({"key": "k", "debounce": 0}, "give more than 0"),
        ({"key": "k", "debounce": "soon"}, "give seconds"),
        ({"key": "k", "debounce": True}, "give seconds"),
    ],
)
def test_options_that_contradict_each_other_are_refused(registry, options, words):
    """With what to do."""
    plain = task("plain", registry=registry)(print)

    with pytest.raises(OptionError, match=words):
        plain.using(**options)


@pytest.mark.anywhere
def test_a_declaration_has_no_debounce(registry):
    """It is for one enqueue."""
    with pytest.raises(OptionError, match="no option 'debounce'"):
        task("plain", registry=registry, **KEYED)(print)
