"""Results: they fit the annotation and come back as they were, or the attempt has failed in words."""

import datetime as dt
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

import pydantic
import pytest

import rotulus.workflow as wf
from rotulus import App, Job, task
from rotulus.errors import JobFailedError, OptionError, ResultError
from rotulus.testing import drain


@dataclass
class Report:
    day: dt.date
    data: bytes


class Answer(pydantic.BaseModel):
    code: int = pydantic.Field(serialization_alias="Code")


REPORT = Report(dt.date(2026, 5, 5), b"\xff\x00")
FITTING = [
    (bytes, b"\x89PNG\xff"),
    (dict[str, bytes], {"a": b"\xff"}),
    (dict[int, str], {1: "a"}),
    (tuple[int, ...], (1, 2)),
    (set[str], {"a"}),
    (Report, REPORT),
    (list[Report], [REPORT]),
    (Answer, Answer(code=7)),
    (Report | None, None),
    (None, None),
    (dt.datetime | str, dt.datetime(2026, 1, 1)),
    (list, [1, {"a": None}]),
]
MISFITS = [
    (int, "seven"),
    (None, 5),
    (str, 5),
    (list[int], ["x"]),
    (dict, {1: 2}),
    (dt.datetime | str, "2026-01-01T00:00:00"),
    (Report, None),
    (pydantic.SecretStr, pydantic.SecretStr("hunter2")),
]


def declare(app, kind, value, **options):
    """A plain task and a coroutine that return a value and say that it is of a type."""

    def plain():
        return value

    async def awaited():
        return value

    for body in (plain, awaited):
        body.__annotations__["return"] = kind
    return [task(registry=app.registry, **options)(body) for body in (plain, awaited)]


@pytest.mark.parametrize(("kind", "value"), FITTING)
def test_a_result_is_what_was_returned(app, kind, value):
    """Equal and of the same type, also when the task is run here."""
    jobs = [one.enqueue() for one in declare(app, kind, value)]
    drain(app)

    for found in [*(job.result(0) for job in jobs), app.run("plain"), app.run("awaited")]:
        assert value == found
        assert type(value) is type(found)


@pytest.mark.parametrize(("kind", "value"), MISFITS)
def test_a_result_that_does_not_fit_is_a_failure_that_says_so(app, kind, value):
    """With the annotation and the line, and without the value."""
    jobs = [one.enqueue() for one in declare(app, kind, value)]
    drain(app)

    for job in (job.refresh() for job in jobs):
        error = str(job.error)
        assert ("failed", "result") == (job.state, job.reason)
        assert "() -> " in error and "test_results.py:" in error
        assert "seven" not in error and "hunter2" not in error
    with pytest.raises(JobFailedError, match="the result"):
        app.run("plain")


def test_without_an_annotation_a_result_is_plain_json(app):
    """What JSON would change is refused."""

    @task(registry=app.registry)
    def pair():
        return {"day": (1, 2)}

    job = pair.enqueue()
    drain(app)

    assert "the result[…] is a tuple and would come back as a list" in str(job.refresh().error)


def test_a_trusted_result_is_stored_as_it_comes(app):
    """And read by the annotation where it fits."""
    fitting, _ = declare(app, dt.date, dt.date(2026, 5, 5), result="trust")
    job = fitting.enqueue()

    @task(registry=app.registry, result="trust")
    def loose() -> int:
        return ("a", dt.date(2026, 5, 5))

    other = loose.enqueue()
    drain(app)

    assert dt.date(2026, 5, 5) == job.result(0)
    assert ["a", "2026-05-05"] == other.result(0)


@pytest.mark.parametrize("value", ["trusted", None, True])
def test_an_unknown_way_to_take_results_is_refused(app, value):
    """Where it is declared, with those that there are."""
    with pytest.raises(OptionError, match=r"result=.* is not allowed: choose 'check'.*'trust'"):
        declare(app, int, 1, result=value)


def test_a_plain_function_may_hand_back_a_coroutine(app):
    """What it comes to has to fit what the annotation says it comes to."""

    async def real() -> bytes:
        return b"\xff"

    @task(registry=app.registry)
    def wrapper() -> Coroutine[Any, Any, bytes]:
        return real()

    job = wrapper.enqueue()
    drain(app)

    assert b"\xff" == job.result(0)


def test_an_isolated_result_goes_the_same_way(app):
    """Its process writes it, by the annotation."""
    if "memory" in str(app.store.url):
        pytest.skip("a store in memory is not shared")
    good, _ = declare(app, Report, REPORT, isolation="process")

    @task(registry=app.registry, isolation="process")
    def bad() -> int:
        return "seven"

    fits, misfit = good.enqueue(), bad.enqueue()
    app.run_worker(burst=True)

    assert REPORT == fits.result(0)
    assert ("failed", "result") == (misfit.refresh().state, misfit.refresh().reason)


def test_a_completed_job_has_a_result_that_fits(app):
    """It is refused on the line of `complete`; a body that says None may complete with plain JSON."""
    told = []

    @task(registry=app.registry)
    def pay(job: Job) -> int:
        with pytest.raises(ResultError, match=r"pay\(\) -> int: the result.*test_results.py"):
            job.complete(None, "seven")
        told.append("refused")
        return 1

    job = pay.enqueue()
    drain(app)

    assert (["refused"], 1) == (told, job.result(0))


def test_a_result_that_is_too_large_says_what_would_take_it(registry):
    """Its size, the limit, and the option."""
    app = App("sqlite://", registry=registry, max_bytes=100)

    @task(registry=registry)
    def long(n: int) -> str:
        return "x" * n

    job, fits = long.enqueue(200), long.enqueue(98)
    drain(app)

    for word in ("the result takes 202 bytes", "at most 100", "App(max_bytes=)"):
        assert word in str(job.refresh().error)
    assert 98 == len(fits.result(0))
    app.close()


def test_a_step_hands_on_what_its_annotation_says(app):
    """In its JSON form, from which the next step reads it by its own type."""

    @task(registry=app.registry)
    def draw() -> Report:
        return REPORT

    @task(registry=app.registry)
    def check(draw: Report) -> dict:
        return {"same": draw == REPORT}

    with wf.WorkflowBuilder("flow", registry=app.registry) as flow:
        flow.add_task(draw)
        flow.add_task(check, dependencies=["draw"])
    job = app.enqueue("flow")
    drain(app)

    assert job.result(0)["same"] is True


def test_a_result_that_was_stored_for_another_annotation_is_told(app):
    """A deployment may have changed it; the text is still there."""
    old, _ = declare(app, str, "seven")
    job = old.enqueue()
    drain(app)
    app.registry.clear()
    declare(app, int, 7)

    with pytest.raises(ResultError, match="another annotation"):
        job.result(0)
    assert '"seven"' == job.refresh().record.result
