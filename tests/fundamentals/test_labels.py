"""Labels and headers: given where tasks are declared and enqueued, and carried where they belong."""

import pytest

import rotulus.workflow as wf
from rotulus import INJECTED, Job, TaskRegistry, task
from rotulus.errors import OptionError
from rotulus.testing import drain


def declare(app, name="t", **options):
    """A task that gives the labels and headers of its job."""

    def body(job: Job = INJECTED) -> list:
        return [job.labels, job.headers]

    return task(name, registry=app.registry, **options)(body)


def test_a_body_has_those_of_its_job(app):
    """In the process that runs it, and in every list."""
    job = declare(app, labels={"team": "x"}).using(headers={"id": "1"}).enqueue()
    drain(app)

    assert [{"team": "x"}, {"id": "1"}] == job.result(0)
    assert {"team": "x"} == app.jobs.find()[0].labels == job.to_dict()["labels"]
    assert [{"team": "x"}, {}] == app.run("t")


def test_those_of_an_enqueue_come_to_the_declared(app):
    """However often; where both have a name, the later one counts. None is the declared ones."""
    declared = declare(app, labels={"team": "x", "region": "eu"})
    first = declared.using(labels={"region": "us", "a": "1"}, headers={"h": "1"})
    second = first.using(labels={"b": "2"}, headers={"i": "2"})

    assert {"team": "x", "region": "us", "a": "1"} == first.enqueue().labels
    assert {"team": "x", "region": "us", "a": "1", "b": "2"} == second.enqueue().labels
    assert {"h": "1", "i": "2"} == second.enqueue().headers
    back = second.using(labels=None, headers=None).enqueue()
    assert ({"team": "x", "region": "eu"}, {}) == (back.labels, back.headers)
    assert {"team": "x", "region": "eu"} == declared.enqueue().labels


def test_a_job_of_a_task_that_is_not_known_here_has_them(app):
    """Given by name."""
    given = app.using(unchecked=True, labels={"a": "1"}, headers={"h": "1"})
    job = given.enqueue("elsewhere").refresh()

    assert ({"a": "1"}, {"h": "1"}) == (job.labels, job.headers)


@pytest.mark.anywhere
def test_the_sum_is_checked_where_it_is_made():
    """On the line of the declaration, or of `using`; no job is stored."""
    registry = TaskRegistry()
    with pytest.raises(OptionError, match="labels=.*give texts by name"):
        task("t", registry=registry, labels=["x"])(print)
    declared = task("t", registry=registry, labels={f"a{n}": "1" for n in range(10)})(print)
    with pytest.raises(OptionError, match="labels would be 17 labels"):
        declared.using(labels={f"b{n}": "1" for n in range(7)})
    half = declared.using(headers={"a": "x" * 2100})
    with pytest.raises(OptionError, match="headers would be 4,2.. bytes"):
        half.using(headers={"b": "x" * 2100})


def test_many_jobs_of_one_call_have_the_same(app):
    """In one transaction."""
    jobs = declare(app, labels={"team": "x"}).enqueue_many([(), (), ()])

    assert [{"team": "x"}] * 3 == [job.refresh().labels for job in jobs]


def test_a_step_has_those_of_its_run(app, build):
    """Beside those that its task declares; a branch and a step of a workflow within it, too."""
    declare(app, "leaf", labels={"team": "x", "customer": "0"})
    with build("inner") as inner:
        inner.add_task(app.registry.get("leaf"), id="leaf")
    with build("flow") as builder:
        builder.add_task(app.registry.get("inner"), id="nested")

        @wf.task(id="parse", for_each="files")
        def parse(context):
            return None

    job = app.using(labels={"customer": "7"}, headers={"trace": "1"}).enqueue("flow", files=[1, 2])
    drain(app)

    parts = app.jobs.find(run=job.id)
    assert {"", "nested", "nested/leaf", "parse", "parse/0", "parse/1"} == {p.step for p in parts}
    assert [{"trace": "1"}] * len(parts) == [part.headers for part in parts]
    assert {"customer": "7", "team": "x"} == {p.step: p.labels for p in parts}["nested/leaf"]
    assert [{"customer": "7"}] * 5 == [p.labels for p in parts if p.step != "nested/leaf"]


def test_a_job_that_a_body_enqueues_has_none_of_the_body(app):
    """It is somebody else's."""
    child = declare(app, "child")

    @task(registry=app.registry)
    def parent() -> str:
        return child.enqueue().id

    job = parent.using(labels={"a": "1"}, headers={"b": "2"}).enqueue()
    drain(app)
    born = app.get(job.result(0))

    assert ({}, {}) == (born.labels, born.headers)
