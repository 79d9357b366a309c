"""Django's own backends and ours keep the same promises, so that one stands in for another."""

import asyncio
from datetime import timedelta

import pytest
from django.utils import timezone

import django_examples as tasks
from rotulus.django.compat import (
    InvalidTask,
    TaskContext,
    TaskResult,
    TaskResultDoesNotExist,
    TaskResultStatus,
    task_backends,
    task_enqueued,
)
from rotulus.testing import drain

BACKENDS = ["default", "immediate", "dummy"]


@pytest.fixture(params=BACKENDS)
def backend(request, jobs, worker):
    """One of the three; what is enqueued to it is run by `run`."""
    made = task_backends[request.param]
    made.run = lambda: drain(worker) if request.param == "default" else None
    yield made
    del made.run


def on(backend, task):
    """A task as that of a backend."""
    return task.using(backend=backend.alias)


def test_an_enqueue_gives_a_result_of_its_task(backend):
    """With the arguments as they were given, and an id that is a text of 64 characters at most."""
    task = on(backend, tasks.add)
    result = task.enqueue(1, b=5)

    assert isinstance(result, TaskResult)
    assert (task, [1], {"b": 5}, backend.alias) == (
        result.task,
        result.args,
        result.kwargs,
        result.backend,
    )
    assert 0 < len(result.id) <= 64
    assert isinstance(result.id, str)
    assert abs(timezone.now() - result.enqueued_at) < timedelta(seconds=30)


def test_the_methods_of_the_backend_do_the_same(backend):
    """`task.enqueue` is short for them."""
    result = backend.enqueue(on(backend, tasks.note), ("a",), {"b": [1, None, 2.5, True]})

    assert (["a"], {"b": [1, None, 2.5, True]}) == (result.args, result.kwargs)


def test_coroutines_enqueue(backend):
    """With the form that begins with an a."""
    result = asyncio.run(on(backend, tasks.add_later).aenqueue(1, b=2))

    assert [1] == result.args


def test_the_signal_is_sent_by_the_class_of_the_backend(backend):
    """Once, with the result."""
    told = []

    def note(sender, task_result, **_):
        told.append((sender, task_result.id))

    task_enqueued.connect(note)
    try:
        result = on(backend, tasks.add).enqueue(1)
    finally:
        task_enqueued.disconnect(note)

    assert [(type(backend), result.id)] == told


def test_a_result_that_has_ended_says_how(backend):
    """Where the backend runs tasks: what it returned, or what it raised, and when."""
    good, bad = on(backend, tasks.add).enqueue(1, b=2), on(backend, tasks.give_up).enqueue()
    backend.run()
    if backend.supports_get_result:
        good.refresh()
        bad.refresh()
    if backend.alias == "dummy":
        assert {TaskResultStatus.READY} == {good.status, bad.status}
        return

    assert (TaskResultStatus.SUCCESSFUL, 3, True) == (
        good.status,
        good.return_value,
        good.is_finished,
    )
    assert (TaskResultStatus.FAILED, True) == (bad.status, bad.is_finished)
    with pytest.raises(ValueError, match="Task failed"):
        _ = bad.return_value
    [error] = bad.errors
    assert LookupError is error.exception_class
    assert error.traceback.endswith("LookupError: gone\n")
    for result in (good, bad):
        assert result.enqueued_at <= result.started_at <= result.finished_at
        assert result.started_at == result.last_attempted_at
        assert (1, 1) == (result.attempts, len(result.worker_ids))


def test_a_task_is_given_its_context(backend):
    """As its first argument, which no call gives."""
    result = on(backend, tasks.tell).enqueue(0)
    backend.run()
    if backend.supports_get_result:
        result.refresh()
    if backend.alias != "dummy":
        assert {"attempt": 1, "id": result.id, "errors": 0} == result.return_value
    assert TaskContext(task_result=result).attempt == result.attempts


def test_priorities_are_from_minus_100_to_100(backend):
    """Whole numbers."""
    on(backend, tasks.add).using(priority=-100).enqueue(1)
    on(backend, tasks.add).using(priority=100).enqueue(1)
    for wrong in (-101, 101, 1.5):
        with pytest.raises(InvalidTask):
            on(backend, tasks.add).using(priority=wrong)


def test_a_backend_that_defers_wants_aware_moments(backend):
    """And one that does not says so."""
    task = on(backend, tasks.add)
    later = timezone.now() + timedelta(hours=1)
    if backend.supports_defer:
        assert later == task.using(run_after=later).enqueue(1).task.run_after
        with pytest.raises(InvalidTask, match="aware"):
            task.using(run_after=later.replace(tzinfo=None))
    else:
        with pytest.raises(InvalidTask):
            task.using(run_after=later)


def test_what_is_no_function_of_a_module_is_refused(backend):
    """A worker could not find it."""

    def inner():
        """Be found nowhere."""

    for wrong in (inner, lambda: None, "text"):
        with pytest.raises(InvalidTask):
            backend.task_class(func=wrong, backend=backend.alias)


def test_what_has_no_form_in_json_is_refused(backend):
    """Where the call is made."""
    for wrong in (object(), {1, 2}, [object()]):
        with pytest.raises(TypeError):
            on(backend, tasks.note).enqueue(wrong)


def test_a_result_that_does_not_exist_is_an_error(backend):
    """Of a backend that has results."""
    if backend.alias == "immediate":
        with pytest.raises(NotImplementedError):
            backend.get_result("nonsense")
        return
    for get in (backend.get_result, lambda it: asyncio.run(backend.aget_result(it))):
        with pytest.raises(TaskResultDoesNotExist):
            get("nonsense")


def test_a_task_is_still_called_as_a_function(backend):
    """Here and now, and nothing is stored."""
    assert 3 == on(backend, tasks.add).call(1)
    assert 3 == on(backend, tasks.add_later).call(1, b=2)
    assert 3 == asyncio.run(on(backend, tasks.add_later).acall(1, b=2))
