"""What tests, notebooks and type checkers rely on: injected parameters, replaced methods, cells."""

import subprocess
import sys
import textwrap
import time
from functools import partial
from unittest import mock

import pytest

from rotulus import INJECTED, App, Job, Progress, TaskRegistry, task
from rotulus.errors import (
    DuplicateTaskError,
    InjectionError,
    JobNotRunningError,
    OptionError,
    ResultTimeoutError,
)
from rotulus.testing import drain, make_job


class Mailer:
    """Something that is provided."""


@pytest.fixture
def count(registry):
    """A task in the form of the guide."""

    @task(registry=registry)
    def count(words: list[str], job: Job = INJECTED, mailer: Mailer = INJECTED) -> list[str]:
        job.progress(len(words))
        return [job.task, type(mailer).__name__]

    return count


def test_a_parameter_with_the_default_of_those_that_are_filled_is_filled(app, count):
    """By its type: the job, and what is provided; a caller cannot give it."""
    app.provide(Mailer, Mailer)
    job = count.enqueue(["a"])
    drain(app)

    assert ["count", "Mailer"] == job.result(0) == app.run("count", ["a"])
    assert {"words": ["a"]} == job.arguments
    assert "job: rotulus.Job = INJECTED" in count.info.signature
    with pytest.raises(TypeError, match="filled by the framework"):
        count.enqueue(["a"], job=1)


def test_what_nobody_provides_stops_the_start(app, count):
    """With the parameter, its type, and where it stands."""
    with pytest.raises(InjectionError, match="'mailer'.*app.provide\\(Mailer, factory\\).*py:"):
        app.check()

    @task(registry=app.registry)
    def bare(job=INJECTED): ...

    with pytest.raises(InjectionError, match="write job: Job = INJECTED"):
        bare.enqueue()


def test_a_factory_that_needs_what_nobody_provides_is_refused(app, count):
    """As if it had no default."""

    def make(size: int = INJECTED) -> Mailer:
        return Mailer()

    app.provide(Mailer, make)
    with pytest.raises(InjectionError, match="needs 'size'"):
        app.check()


def test_a_plain_call_says_what_is_missing(count):
    """Where the value is first used."""
    with pytest.raises(InjectionError, match="make_job"):
        count(["a"])
    assert ["task", "Mailer"] == count(["a"], job=make_job(), mailer=Mailer())


def test_a_key_is_not_made_of_what_is_filled(registry):
    """That is an error at the declaration."""
    with pytest.raises(OptionError, match="job"):

        @task(key="x:{job}", registry=registry)
        def keyed(job: Job = INJECTED): ...


def test_a_job_is_made_for_the_test_of_a_function():
    """It takes what a running job takes, and is in no store."""
    job = make_job("count", {"words": ["a"]}, attempt=2)
    job.progress(1, 3, "a")
    job.complete(None, "done")
    job.raise_if_cancelled()

    assert ("count", {"words": ["a"]}, 2, "running") == (
        job.task,
        job.arguments,
        job.attempt,
        job.state,
    )
    assert Progress(1, 3, "a") == job.reached
    for verb in (job.refresh, job.why, job.cancel, job.retry, lambda: job.result(1)):
        with pytest.raises(JobNotRunningError, match="make_job"):
            verb()
    with pytest.raises(Exception, match="cancelled on request"):
        make_job(cancel_requested=True).raise_if_cancelled()


def test_a_running_job_knows_what_it_has_reported(app):
    """Before that is stored."""

    @task(registry=app.registry)
    def work(job: Job = INJECTED) -> bool:
        job.progress(2, 3)
        return job.reached == Progress(2, 3)

    assert app.run("work") is True


def test_a_method_of_a_task_can_be_replaced_for_a_test(app, count):
    """And is itself again afterwards; what a task is cannot be changed."""
    with mock.patch.object(count, "enqueue") as enqueue:
        count.enqueue(["a"])
    enqueue.assert_called_once_with(["a"])
    app.provide(Mailer, Mailer)
    assert "queued" == count.enqueue(["a"]).state
    with pytest.raises(AttributeError):
        count.name = "other"
    with pytest.raises(AttributeError):
        del count.name


def test_a_wait_ends_though_a_test_has_stopped_the_clocks(app, count, monkeypatch):
    """As libraries for that do: wherever a module has them under a name."""
    app.provide(Mailer, Mailer)
    job = count.enqueue(["a"])
    clocks = (time.monotonic, time.time, time.perf_counter)
    stopped = {id(clock): partial(float, clock()) for clock in clocks}
    for module in [
        m for name, m in list(sys.modules.items()) if name.startswith(("rotulus", "time"))
    ]:
        for name, value in list(vars(module).items()):
            if id(value) in stopped:
                monkeypatch.setattr(module, name, stopped[id(value)])

    with pytest.raises(ResultTimeoutError):
        job.result(0.2)


def cell(text, registry, name="<ipython-input-1>"):
    """Run a cell of a notebook."""
    space = {"__name__": "__main__", "task": task, "registry": registry}
    exec(compile(textwrap.dedent(text), name, "exec"), space)
    return space


def test_a_cell_that_is_run_again_takes_the_place_of_the_first(app):
    """In a notebook and at a prompt: the task is what was typed last."""
    text = "@task(registry=registry)\ndef greet(): return 'hello {}'"
    cell(text.format(1), app.registry)
    cell("\n" + text.format(2), app.registry, "<ipython-input-2>")
    told = subprocess.run(
        [sys.executable, "-i", "-c", "from rotulus import task"],
        input="@task\ndef f(): return 1\n\n@task\ndef f(): return 2\n\nf()\n",
        capture_output=True,
        text=True,
    )

    assert "hello 2" == app.run("greet")
    assert ["greet"] == app.registry.list_all()
    assert "2" == told.stdout.strip(), told.stderr


def test_two_functions_of_one_name_are_still_an_error(tmp_path):
    """Whose names differ, or that stand in a file."""
    registry = TaskRegistry()
    cell("@task('x', registry=registry)\ndef one(): ...", registry)
    with pytest.raises(DuplicateTaskError):
        cell("@task('x', registry=registry)\ndef two(): ...", registry)
    program = tmp_path / "program.py"
    program.write_text("from rotulus import task\n@task\ndef f(): ...\n@task\ndef f(): ...\n")
    told = subprocess.run([sys.executable, program], capture_output=True, text=True)

    assert "DuplicateTaskError" in told.stderr


def test_an_app_is_made_of_what_a_test_replaces(app, count):
    """A task's `enqueue` finds it by itself."""
    other = App("sqlite://", replaces=app)
    other.provide(Mailer, Mailer)
    with other:
        job = count.enqueue(["a"])
        assert [job] == drain(other)
