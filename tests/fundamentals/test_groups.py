"""Groups, as a user has them: jobs enqueued on the spot, with one callback for all of them."""

import asyncio
import os
import subprocess
import sys

import pytest

import rotulus.workflow as wf
from rotulus import App, Job, JobOutcome, TaskRegistry, task
from rotulus._app.boot import incompatible_jobs
from rotulus._tasks.injection import Injector
from rotulus._tasks.plan import Plans
from rotulus.errors import (
    ArgumentsError,
    GroupClosedError,
    GroupError,
    GroupNotFoundError,
    OptionError,
    WorkflowError,
)
from rotulus.store import ClaimFilter
from rotulus.testing import drain


@pytest.fixture
def parse(app):
    """A task that fails for one line."""

    @task("parse", registry=app.registry)
    def parse(line: str) -> int:
        if line == "bad":
            raise ValueError("no number")
        return len(line)

    return parse


@pytest.fixture
def report(app):
    """A callback that returns what it was given."""

    @task("report", registry=app.registry)
    def report(outcomes: list[JobOutcome]) -> list[JobOutcome]:
        return outcomes

    return report


def test_the_callback_gets_the_outcomes_of_all_jobs(app, parse, report):
    """In the order in which they were added, though the jobs ran while others were added."""
    with app.group("import-7", then=report) as group:
        first = parse.using(group=group).enqueue("a")
        drain(app)
        others = parse.using(group=group, priority=5).enqueue_many(["bad", "ccc"])
        assert "succeeded" == first.refresh().state
        assert "blocked" == group.job.refresh().state
    drain(app)

    outcomes = group.job.result(0)
    jobs = [first, *others]
    assert [job.id for job in jobs] == [outcome.id for outcome in outcomes]
    assert [1, None, 3] == [outcome.result for outcome in outcomes]
    assert ["succeeded", "failed", "succeeded"] == [outcome.state for outcome in outcomes]
    assert [{"line": "a"}, {"line": "bad"}, {"line": "ccc"}] == [o.arguments for o in outcomes]
    assert ["parse"] * 3 == [outcome.task for outcome in outcomes]
    assert (None, "ValueError: no number") == (outcomes[0].error, outcomes[1].error)
    assert [1, 3] == [job.result(0) for job in (first, others[1])]


def test_a_coroutine_has_a_group_too(app, report):
    """With tasks and a callback that are coroutines."""

    @task("double", registry=app.registry)
    async def double(number: int) -> int:
        return 2 * number

    @task("total", registry=app.registry)
    async def total(outcomes: list[JobOutcome]) -> int:
        return sum(outcome.result for outcome in outcomes)

    async def go():
        async with app.group("numbers", then=total) as group:
            await asyncio.gather(*(double.using(group=group).aenqueue(n) for n in range(5)))
            await double.using(group=group).aenqueue_many([5, 6])
            await app.using(group=group).aenqueue("double", 7)
        return group

    group = asyncio.run(go())
    drain(app)
    assert 56 == group.job.result(0)


def test_an_isolated_callback_and_isolated_jobs(app):
    """Are ordinary tasks in processes of their own."""

    @task("pid", registry=app.registry, isolation="process")
    def pid() -> int:
        return os.getpid()

    @task("pids", registry=app.registry, isolation="process")
    def pids(outcomes: list[dict]) -> list[int]:
        return [os.getpid(), *(outcome["result"] for outcome in outcomes)]

    with app.group("pids", then=pids) as group:
        pid.using(group=group).enqueue()
    drain(app)

    assert os.getpid() not in group.job.result(0)
    assert 2 == len(group.job.result(0))


def test_an_empty_group_calls_back(app, report):
    """With nothing."""
    with app.group("empty", then=report) as group:
        pass
    drain(app)

    assert [] == group.job.result(0)


def test_a_task_adds_to_the_group_that_it_is_in(app, report):
    """Found by its name."""

    @task("walk", registry=app.registry)
    def walk(depth: int) -> int:
        if depth:
            walk.using(group=app.group("walk").open()).enqueue(depth - 1)
        return depth

    with app.group("walk", then=report) as group:
        walk.using(group=group).enqueue(3)
        drain(app)
    drain(app)

    assert [3, 2, 1, 0] == [outcome.result for outcome in group.job.result(0)]


def test_a_group_is_a_run(app, parse, report):
    """Listed, counted, cancelled, retried and replayed as one."""
    with app.group("run", then=report) as group:
        jobs = parse.using(group=group).enqueue_many(["bad", "b"])
    assert group.id == app.runs.get(group.id).id == jobs[0].run
    assert {job.id for job in jobs} | {group.id} == {job.id for job in app.jobs(run=group.id)}
    app.runs.cancel(group.id)
    assert ["cancelled"] * 3 == [job.refresh().state for job in (*jobs, group.job)]

    app.runs.retry(group.id)
    reached = wf.Run(app, group.id).reached()
    assert (0, 2) == (reached.done, reached.total)
    drain(app)
    assert ["failed", "succeeded"] == [outcome.state for outcome in group.job.result(0)]
    step = jobs[1].refresh().step
    assert [jobs[1]] == app.runs.replay(group.id, step)
    assert {"line": "b"} == jobs[1].refresh().arguments
    drain(app)
    assert 2 == group.job.refresh().attempt
    with pytest.raises(WorkflowError, match="has its arguments"):
        app.runs.replay(group.id, step, {"line": "c"})
    with pytest.raises(WorkflowError, match="is replayed by replaying one of its jobs"):
        app.runs.replay(group.id, "")


def test_how_a_group_stands_is_told_in_numbers(app, parse, report):
    """As of a step with branches; what it came to is told as of a workflow."""
    with app.group("g", then=report) as group:
        bad, *others = parse.using(group=group).enqueue_many(["bad", "b", "c"])
        app.store.claim(ClaimFilter("w", ids=[others[0].id]), 1, 30.0)
        drain(app)
        whole, run = app.runs.step(group.id, ""), wf.Run(app, group.id)
        assert {"failed": 1, "succeeded": 1, "running": 1} == whole.branches
        assert ([bad], [], []) == (whole.wrong, whole.waits_for, app.runs.steps(group.id))
        assert ("Running", (2, 3, "")) == (run.status, run.reached())
        assert ("g", None) == (group.job.group, bad.group)
        app.store.rescue(worker="w")
    drain(app)

    result = run.wait(0)
    assert ("Completed", None) == (result.status, result.error_message)
    assert [bad.id, *(job.id for job in others)] == [
        outcome["id"] for outcome in result.final_context["result"]
    ]
    assert result == asyncio.run(run.await_end(0))


def test_an_error_leaves_the_group_open(app, parse, report):
    """Another block of the name goes on with it."""
    with pytest.raises(ZeroDivisionError), app.group("g", then=report) as group:
        parse.using(group=group).enqueue("a")
        raise ZeroDivisionError
    drain(app)
    job = app.get(group.id)
    assert "blocked" == job.state
    assert any("1 of 1 jobs of group 'g' has ended (1 succeeded)" in text for text in job.why())
    assert any("It is open: rotulus close g, or" in text for text in job.why())

    with app.group("g", then=report) as again:
        parse.using(group=again).enqueue("bb")
    drain(app)
    assert again.id == group.id
    assert [1, 2] == [outcome.result for outcome in group.job.result(0)]


PROGRAM = """
import os, sys
from rotulus import App, task

@task("parse")
def parse(line: str) -> int:
    return len(line)

@task("report")
def report(outcomes: list) -> int:
    return len(outcomes)

app = App(sys.argv[1])
with app.group("left open", then=report) as group:
    parse.using(group=group).enqueue("a")
    print(group.id, flush=True)
    os._exit(9)
"""


def test_a_group_whose_process_has_died_is_closed_by_its_name(tmp_path, registry):
    """By a program, or at the command line; to close it twice is no error."""
    url = f"sqlite:///{tmp_path / 'jobs.db'}"
    told = subprocess.run(
        [sys.executable, "-c", PROGRAM, url], capture_output=True, text=True, timeout=60
    )
    assert 9 == told.returncode, told.stderr
    closed = subprocess.run(
        [sys.executable, "-m", "rotulus", "close", "left open", "--url", url],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert 0 == closed.returncode, closed.stderr
    assert told.stdout.strip() in closed.stdout
    shown = subprocess.run(
        [sys.executable, "-m", "rotulus", "show", told.stdout.strip(), "--url", url],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "1 queued" in shown.stdout, shown.stderr

    task("parse", registry=registry)(length_of)
    task("report", registry=registry)(len_of)
    with App(url, registry=registry) as app:
        job = app.group("left open").close()
        drain(app)
        assert told.stdout.strip() == job.id
        assert 1 == job.result(0)


def len_of(outcomes: list) -> int:
    return len(outcomes)


def length_of(line: str) -> int:
    return len(line)


def test_a_group_takes_no_more_jobs_when_it_is_closed(app, parse, report):
    """The error says how it stands; the name is free when the callback has ended."""
    with app.group("g", then=report) as group:
        parse.using(group=group).enqueue("a")
    with pytest.raises(GroupClosedError, match="is closed, and its jobs have not ended"):
        parse.using(group=group).enqueue("b")
    with pytest.raises(GroupClosedError, match="is closed"):
        app.group("g", then=report).open()
    drain(app)
    with pytest.raises(GroupClosedError, match=r"has ended \(succeeded\)"):
        parse.using(group=group).enqueue("b")
    with pytest.raises(GroupClosedError, match="has ended"):
        app.group("g").open()

    with app.group("g", then=report) as other:
        app.runs.cancel(other.id)
        with pytest.raises(GroupClosedError, match=r"has ended \(cancelled\)"):
            parse.using(group=other).enqueue("b")
    assert other.id != group.id
    assert 2 == len(app.jobs(task="report"))


def test_what_is_asked_of_a_group_has_to_fit(app, parse, report):
    """Each error says what to do."""
    with pytest.raises(GroupNotFoundError, match="no group 'none'"):
        app.group("none").close()
    with pytest.raises(GroupError, match="is not open here"):
        parse.using(group=app.group("g", then=report)).enqueue("a")
    with pytest.raises(OptionError, match="group=7 is not allowed"):
        parse.using(group=7)
    with pytest.raises(OptionError, match="group name"):
        app.group("")
    with app.group("g", then=report) as group:
        for option in ({"key": "k"}, {"connection": object()}):
            with pytest.raises(OptionError, match=f"{next(iter(option))}="):
                parse.using(group=group, **option)
        with pytest.raises(GroupError, match="with then=report"):
            app.group("g", then=task("other", registry=app.registry)(len_of)).open()
    parse.using(key="group:taken").enqueue("a")
    with pytest.raises(GroupError, match="holds the key 'group:taken'"):
        app.group("taken", then=report).open()


def test_a_callback_has_to_take_the_outcomes(app):
    """It is tried with one before anything is stored."""

    def nothing() -> None: ...
    def two(outcomes: list[JobOutcome], more: int) -> None: ...
    def numbers(outcomes: list[int]) -> None: ...
    def fine(outcomes: list[JobOutcome], job: Job, more: int = 7) -> None: ...

    for function in (nothing, two, numbers):
        then = task(function.__name__, registry=app.registry)(function)
        with pytest.raises(ArgumentsError, match=f"then={function.__name__} cannot be called"):
            app.group("g", then=then).open()
    assert [] == list(app.jobs())
    with app.group("g", then=task("fine", registry=app.registry)(fine)) as group:
        pass
    drain(app)
    assert "succeeded" == group.job.refresh().state


def test_waiting_jobs_of_a_group_are_checked_with_the_others(app, parse, report):
    """Before workers of a new version run them: the callback is tried as when it was opened."""
    with app.group("g", then=report) as group:
        parse.using(group=group).enqueue("a")
    assert [] == app.check()

    newer = TaskRegistry()
    task("parse", registry=newer)(len_of)
    task("report", registry=newer)(length_of)
    told = incompatible_jobs(app.store, newer, Plans(Injector(), show_values=False))
    assert 2 == len(told)
    assert any("then=report cannot be called" in text for text in told)


def test_a_callback_that_cannot_be_one_is_refused(app, build, parse):
    """A function, a workflow, a task of another registry, one with a key."""

    @task("keyed", key="k", registry=app.registry)
    def keyed(outcomes: list) -> None: ...

    with build("flow") as builder:
        builder.add_task(parse)
    flow = app.registry.get("flow")
    foreign = task("foreign", registry=TaskRegistry())(len_of)
    for then, why in [
        (len_of, "give a task"),
        (flow, "is a workflow"),
        (foreign, "another registry"),
        (keyed, "key="),
    ]:
        with pytest.raises(OptionError, match=why):
            app.group("g", then=then).open()
    assert [] == list(app.jobs())


def test_jobs_that_cannot_be_in_a_group_are_refused(app, build, parse, report):
    """A workflow, and a group of another app."""
    with build("flow") as builder:
        builder.add_task(parse)
    with app.group("g", then=report) as group:
        with pytest.raises(OptionError, match="'flow' is a workflow"):
            app.using(group=group).enqueue("flow")
        foreign = TaskRegistry()
        other = task("foreign", registry=foreign)(len_of)
        elsewhere = App("sqlite://", registry=foreign)
        with elsewhere, pytest.raises(GroupError, match="is one of another app"):
            other.using(group=group).enqueue([])
    assert 1 == len(app.jobs())


def test_a_callback_that_failed_is_retried_with_the_outcomes(app, parse):
    """The jobs of the group are left alone."""
    seen = []

    @task("fragile", registry=app.registry)
    def fragile(outcomes: list[JobOutcome]) -> int:
        seen.append(len(outcomes))
        if len(seen) == 1:
            raise ValueError("the first time")
        return len(outcomes)

    with app.group("g", then=fragile) as group:
        job = parse.using(group=group).enqueue("a")
    drain(app)
    assert "failed" == group.job.refresh().state
    app.runs.retry(group.id)
    drain(app)

    assert (1, 1) == (group.job.result(0), job.refresh().attempt)
