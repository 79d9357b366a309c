"""Calls of tasks on the event loop of whoever makes them."""

import asyncio
import os
import threading

import pytest

from rotulus import App, Cancel, Job, Retry, TaskRegistry, task
from rotulus._app.inline import InlineCalls
from rotulus.errors import InjectionError, OptionError, TaskNotFoundError
from rotulus.events import AttemptFailed, AttemptStarted, AttemptSucceeded


class Engine:
    """Something to be filled in."""


class Absent:
    """Something that is the framework's, and that nobody has."""


def calls(registry, **reserved):
    """Calls that fill in an `Engine`, and never an `Absent`."""
    return InlineCalls(registry, {Engine: Engine}, {Absent: "buy one"})


def run(registry, name, payload="{}"):
    """What came of a call."""

    async def once():
        inline = calls(registry)
        try:
            return await inline.run(name, payload)
        finally:
            await inline.close()

    return asyncio.run(once())


def test_a_coroutine_runs_on_the_loop_of_its_caller_and_a_function_in_a_thread():
    """So a session of the caller's loop can be used, and nothing that blocks blocks it."""
    registry = TaskRegistry()

    @task(registry=registry)
    async def here() -> bool:
        return threading.current_thread() is threading.main_thread()

    @task(registry=registry)
    def there() -> bool:
        return threading.current_thread() is threading.main_thread()

    assert run(registry, "here").record.result == "true"
    assert run(registry, "there").record.result == "false"


def test_arguments_are_checked_by_the_types_of_the_function():
    """What does not fit is an outcome with a name for it, and the body has not run."""
    registry = TaskRegistry()

    @task(registry=registry)
    async def double(x: int) -> int:
        return 2 * x

    assert run(registry, "double", '{"x": 4}').record.result == "8"
    refused = run(registry, "double", '{"x": "four"}')
    assert (refused.record.state, refused.record.reason) == ("dead", "invalid_arguments")
    assert refused.outcome.error.type == "ArgumentsError"


def test_what_is_provided_is_filled_in_and_cannot_be_given():
    """By its type, whatever the parameter is called, and with the job itself."""
    registry = TaskRegistry()

    @task(registry=registry)
    async def show(it: Engine, job: Job) -> list[str]:
        return [type(it).__name__, job.task]

    assert run(registry, "show").record.result == '["Engine","show"]'
    refused = run(registry, "show", '{"it": 1}')
    assert "filled by the framework" in refused.outcome.error.message


def test_what_is_reserved_keeps_its_default_and_is_never_taken_from_a_call():
    """One that has no default cannot be filled, and the message says what to do."""
    registry = TaskRegistry()

    @task(registry=registry)
    async def optional(it: Absent | None = None) -> bool:
        return it is None

    @task(registry=registry)
    async def needed(it: Absent) -> None: ...

    assert run(registry, "optional").record.result == "true"
    refused = run(registry, "optional", '{"it": null}')
    assert "filled by the framework" in refused.outcome.error.message
    missing = run(registry, "needed")
    assert isinstance(missing.error, InjectionError)
    assert "buy one" in missing.outcome.error.message


def test_the_exception_itself_is_handed_on_and_nothing_is_tried_again():
    """A retry policy is for jobs: here the caller decides."""
    registry = TaskRegistry()
    ran = []

    @task(registry=registry, retry=Retry(attempts=5, delay=0))
    async def fail() -> None:
        ran.append(1)
        raise LookupError("nobody")

    failed = run(registry, "fail")

    assert len(ran) == 1
    assert isinstance(failed.error, LookupError)
    assert failed.outcome.error.message == "nobody"


def test_the_subscribers_of_the_app_are_told_as_of_a_worker():
    """Of the start, and of each end."""
    registry = TaskRegistry()
    told = []

    @task(registry=registry)
    async def work(fail: bool) -> None:
        if fail:
            raise Cancel("enough")

    with App("sqlite://", registry=registry) as app:
        app.events.subscribe(told.append, AttemptStarted, AttemptSucceeded, AttemptFailed)
        run(registry, "work", '{"fail": false}')
        run(registry, "work", '{"fail": true}')

    kinds = [type(event) for event in told]
    assert kinds == [AttemptStarted, AttemptSucceeded, AttemptStarted, AttemptFailed]
    assert told[-1].outcome.state == "cancelled"


def test_what_the_app_provides_is_filled_in_and_what_it_provides_later_as_well():
    """How a task is filled is worked out anew when that changes."""
    registry = TaskRegistry()

    @task(registry=registry)
    async def show(number: float = 1.5, it: Absent | None = None) -> str:
        return f"{number} {type(it).__name__}"

    async def twice():
        inline = InlineCalls(registry, {}, {})
        app.provide(Absent, Absent)
        first = await inline.run("show", "{}")
        app.provide(Absent, lambda: None)
        second = await inline.run("show", "{}")
        await inline.close()
        return first.record.result, second.record.result

    app = App("sqlite://", registry=registry)
    try:
        assert asyncio.run(twice()) == ('"1.5 Absent"', '"1.5 NoneType"')
    finally:
        app.close()


@pytest.mark.anywhere
def test_an_isolated_task_runs_in_a_process_of_its_own():
    """And its timeout and its memory are those that it was declared with."""
    registry = TaskRegistry()

    @task(registry=registry, isolation="process")
    def pid() -> int:
        return os.getpid()

    assert run(registry, "pid").record.result != str(os.getpid())


def test_who_is_cancelled_meanwhile_is_cancelled_and_the_body_with_them():
    """The body has not failed: nobody waits for it any more."""
    registry = TaskRegistry()
    ended = []

    @task(registry=registry)
    async def wait() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(1)

    async def cancel():
        nonlocal started
        started = asyncio.Event()
        waiting = asyncio.create_task(calls(registry).run("wait", "{}"))
        await started.wait()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    started = None
    asyncio.run(cancel())
    assert ended == [1]


def test_an_unknown_task_and_a_workflow_are_refused():
    """The one is not there, the other runs in workers."""
    import rotulus.workflow as wf

    registry = TaskRegistry()
    with wf.WorkflowBuilder("flow", registry=registry) as builder:

        @wf.task(id="a")
        def a(context):
            return context

        assert builder

    with pytest.raises(TaskNotFoundError):
        run(registry, "nothing")
    with pytest.raises(OptionError, match="enqueue it"):
        run(registry, "flow")
