"""The door of workflows: steps are declared, gathered in blocks, built and registered."""

import functools
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from rotulus import DuplicateTaskError, Retry, TaskRegistry, task
from rotulus import registry as global_registry
from rotulus._tasks.options import JobOptions
from rotulus.errors import OptionError, RegistryFrozenError
from rotulus.workflow import (
    Context,
    Workflow,
    WorkflowBuilder,
    WorkflowError,
    any_failed,
    get_workflow,
    register_workflow_constructor,
    task_success,
)
from rotulus.workflow import task as step
from rotulus.workflow.retrying import is_transient


@pytest.fixture
def build(registry):
    """Makes builders of workflows in a registry of the test's own."""
    return functools.partial(WorkflowBuilder, registry=registry)


def needs(workflow):
    """What each step of a workflow needs."""
    return {one.id: one.needs for one in workflow.steps.values()}


@step(id="solo", retry_attempts=2, timeout=5)
def solo(context): ...


@step(dependencies=[solo])
def second(context): ...


def noted(*args): ...


def test_steps_declared_in_a_block_are_of_its_workflow(build, registry):
    """It is registered when the block is left, and functions stay what they are."""
    with build("etl") as builder:
        builder.description("nightly").tag("team", "data")

        @step(id="fetch")
        def fetch(context):
            return Context({"rows": 3})

        @step(id="load", dependencies=["fetch"])
        async def load(context, handle): ...

        assert [] == registry.list_all()

    workflow = get_workflow("etl", registry)
    assert ["etl", "etl.fetch", "etl.load"] == registry.list_all()
    assert {"fetch": (), "load": ("fetch",)} == needs(workflow)
    assert ("nightly", {"team": "data"}) == (workflow.description, workflow.tags)
    assert Context({"rows": 3}) == fetch(None)
    assert registry.get("etl.load").takes_handle
    assert not fetch.__test__
    assert fetch.__name__ == "fetch"


def test_an_error_in_the_block_registers_nothing(build, registry):
    """And what is declared afterwards belongs to nobody."""
    with pytest.raises(ZeroDivisionError), build("etl"):

        @step(id="lost")
        def lost(context): ...

        raise ZeroDivisionError

    @step(id="later")
    def later(context): ...

    assert [] == registry.list_all()
    assert {"later": ()} == needs(build("other").add_task("later").build())
    with pytest.raises(WorkflowError, match="'lost' is neither the id of a declared step"):
        build("other").add_task("lost")


def test_a_block_may_stand_in_a_block(build, registry):
    """A step belongs to the innermost one."""
    with build("outer") as outer:

        @step(id="first")
        def first(context): ...

        with build("inner"):

            @step(id="deep")
            def deep(context): ...

        outer.add_task("inner", dependencies=[first])

        @step(id="last", dependencies=["inner"])
        def last(context): ...

    assert {"first": (), "inner": ("first",), "last": ("inner",)} == needs(
        get_workflow("outer", registry)
    )
    assert {"deep": ()} == needs(get_workflow("inner", registry))


def test_a_block_does_not_see_what_other_threads_declare(build):
    """Each thread has blocks of its own."""

    def elsewhere():
        @step(id="elsewhere")
        def function(context): ...

    with build("etl") as builder:
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        builder.add_task("solo")

    assert {"solo": ()} == needs(builder.build())


def test_steps_declared_elsewhere_are_added_by_id_or_function(build):
    """With what they were declared with."""
    workflow = build("etl").add_task("solo").add_task(second).build()

    assert {"solo": (), "second": ("solo",)} == needs(workflow)
    assert ["etl.solo", "etl.second"] == [one.task.name for one in workflow.steps.values()]
    assert 3 == workflow.step("solo").task.retry.attempts
    assert 5.0 == workflow.step("solo").task.timeout


def test_what_is_said_of_a_step_replaces_what_was_declared(build):
    """Option by option."""
    builder = build("etl").add_task("solo", id="first").add_task(solo, id="again")
    again = {
        "dependencies": ["first"],
        "trigger": task_success("first"),
        "for_each": "rows",
        "on_success": noted,
        "on_failure": noted,
    }
    said = builder.add_task(second, **again).build().step("second")

    assert ("first",) == said.needs
    assert ["second"] == [said.id]
    assert all(getattr(said, name) == again[name] for name in again if name != "dependencies")


def test_a_function_that_several_steps_run_is_no_dependency(build):
    """It does not say which; one that no step runs says nothing."""
    builder = build("etl").add_task(solo).add_task(solo, id="again").add_task("second")

    with pytest.raises(WorkflowError, match=r"step 'second' .* several steps run \(solo, again\)"):
        builder.build()
    with pytest.raises(WorkflowError, match="step 'second' depends on the function solo, which no"):
        build("etl").add_task(second).build()


def test_a_function_depended_on_is_the_step_it_was_added_as(build):
    """Whatever it was declared as."""
    assert {"first": (), "second": ("first",)} == needs(
        build("etl").add_task(solo, id="first").add_task(second).build()
    )


def test_any_task_and_workflow_can_be_a_step(build, registry):
    """Itself or by name; its id is the last segment of its name."""
    send = task("mail.send", registry=registry)(lambda rows=(): None)
    registry.register_function("plain", noted)
    with build("inner.one") as inner:
        inner.add_task(solo)
    builder = build("outer").add_task(send.using(queue="slow")).add_task(noted)
    builder.add_task("inner.one", dependencies=[noted, send])
    builder.add_task(inner.build(), id="two", dependencies=["one"])
    workflow = builder.build()

    assert {"send": (), "plain": (), "one": ("plain", "send"), "two": ("one",)} == needs(workflow)
    assert JobOptions(queue="slow") == workflow.step("send").task.options
    assert "inner.one" == workflow.step("two").task.workflow.name


def test_a_step_of_another_workflow_is_made_ones_own(build, registry):
    """By the name it is registered under."""
    with build("one") as one:
        one.add_task("solo")

    assert "two.solo" == build("two").add_task("one.solo").build().step("solo").task.name


def test_saying_it_again_says_more(build):
    """The same step is added once, and keeps what was said before."""
    with build("etl") as builder:

        @step(id="fetch", on_success=noted)
        def fetch(context): ...

        builder.add_task(fetch, for_each="rows").add_task("solo")

    fetched = builder.build().step("fetch")
    assert ["fetch", "solo"] == list(builder.build().steps)
    assert ("rows", noted) == (fetched.for_each, fetched.on_success)


def test_an_id_stands_for_one_step(build, registry):
    """The second function of one id is refused on its line, with both places."""
    with pytest.raises(WorkflowError, match="'etl' has two steps 'fetch'") as caught, build("etl"):

        @step(id="fetch")
        def fetch(context): ...

        @step(id="fetch")
        def other(context): ...

    assert 2 == str(caught.value).count("test_builder.py:")
    assert [] == registry.list_all()


def test_what_does_not_make_a_workflow_is_not_registered(build, registry):
    """The error leaves the block."""
    with pytest.raises(WorkflowError, match="'empty' cannot be empty"), build("empty"):
        pass
    with pytest.raises(WorkflowError, match="cycle: a → b → a"), build("circle"):

        @step(id="a", dependencies=["b"])
        def a(context): ...

        @step(id="b", dependencies=[a])
        def b(context): ...

    assert [] == registry.list_all()


def test_a_workflow_is_declared_anew(build, registry):
    """The later one counts, as when a cell of a notebook is run again."""
    for name in ("one", "two"):
        with build("etl"):

            @step(id=name)
            def function(context): ...

    assert ["etl", "etl.two"] == registry.list_all()
    task("busy", registry=registry)(lambda: None)
    with pytest.raises(DuplicateTaskError), build("busy") as builder:
        builder.add_task("solo")


def test_a_builder_keeps_what_it_is_told():
    """Where a workflow belongs, for those who keep track of it."""
    builder = WorkflowBuilder("etl", tenant="acme", package="nightly")

    assert ("acme", "nightly", "etl") == (builder.tenant, builder.package, builder.workflow)
    assert "w" == WorkflowBuilder("etl", workflow="w").workflow


@pytest.mark.parametrize(
    "given",
    [
        "nothing-of-that-name",
        len,
        lambda context: context,
        5,
        None,
        functools.wraps(solo)(lambda c: None),
    ],
)
def test_what_is_neither_step_nor_task_is_not_added(build, given):
    """Not even when it wraps one."""
    with pytest.raises(WorkflowError, match="is neither"):
        build("etl").add_task(given)


def test_ids_that_two_modules_declared_are_added_by_function(build):
    """Each module may have a `load` of its own; the last one of a module counts."""
    for module in ("one", "two"):

        def load(context): ...

        load.__module__ = module
        step(id="shared")(load)

    with pytest.raises(WorkflowError, match="'shared' was declared in several modules"):
        build("etl").add_task("shared")
    assert {"shared": ()} == needs(build("etl").add_task(load).build())


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"retry_backoff": "fixd"}, "retry_backoff='fixd' .*'fixed', 'linear', 'exponential'"),
        ({"retry_condition": "some"}, "retry_condition='some' .*'never', 'transient', 'all'"),
        ({"retry_attempts": -1}, "retry_attempts=-1"),
        ({"retry_attempts": 1.5}, "retry_attempts=1.5"),
        ({"retry_attempts": True}, "retry_attempts=True"),
        ({"retry_delay_ms": -1}, "retry_delay_ms=-1"),
        ({"retry_delay_ms": "1"}, "retry_delay_ms='1'"),
        ({"retry_max_delay_ms": float("nan")}, "retry_max_delay_ms=nan"),
        ({"retry_jitter": "no"}, "retry_jitter='no'"),
        ({"dependencies": "fetch"}, "dependencies='fetch' .* give a list"),
        ({"dependencies": [None]}, "dependencies=.None. is not allowed"),
        ({"on_success": "noted"}, "on_success='noted'"),
        ({"on_failure": 1}, "on_failure=1"),
        ({"trigger": "always"}, "trigger='always'"),
        ({"for_each": ""}, "for_each=''"),
        ({"timeout": 0}, "timeout=0"),
    ],
)
def test_a_wrong_option_is_refused_where_it_is_written(options, why):
    """Before there is a function, by a message that says what is allowed."""
    with pytest.raises(OptionError, match=why):
        step(**options)


@pytest.mark.parametrize("step_id", ["", "a.b", "5", 5])
def test_a_wrong_id_is_refused_on_the_line_of_the_step(step_id):
    """As in a workflow."""
    with pytest.raises(WorkflowError, match="Step id"):
        step(id=step_id)(lambda context: None)


def test_what_is_declared_is_a_plain_function():
    """A task is a step as it is; what cannot be called is none."""
    plain = task("mail.send", registry=TaskRegistry())(lambda rows: None)

    with pytest.raises(
        OptionError, match="'mail.send' is a task already, and any task can be a step"
    ):
        step()(plain)
    with pytest.raises(OptionError, match="5 is none"):
        step()(5)
    with pytest.raises(OptionError, match="takes no argument"):
        step(id="a")(lambda: None)


def declared_retry(build, **options):
    """The retry policy of a step declared with these options."""
    with build("etl") as builder:
        step(id="a", **options)(lambda context: None)
    return builder.build().step("a").task.retry


def test_nothing_is_retried_unless_it_is_asked_for(build):
    """Then as often again as it is said."""
    assert declared_retry(build) is None
    assert declared_retry(build, retry_backoff="fixed", retry_delay_ms=5) is None
    assert Retry(attempts=1) == declared_retry(build, retry_attempts=0)
    assert Retry(attempts=1) == declared_retry(build, retry_attempts=5, retry_condition="never")
    assert Retry(attempts=4, backoff="linear", delay=0.5, cap=2, jitter=False) == declared_retry(
        build,
        retry_attempts=3,
        retry_backoff="linear",
        retry_delay_ms=500,
        retry_max_delay_ms=2000,
        retry_jitter=False,
    )
    assert Retry(attempts=2, on=is_transient) == declared_retry(
        build, retry_attempts=1, retry_condition="transient"
    )


@pytest.mark.parametrize(
    ("error", "transient"),
    [
        (TimeoutError(), True),
        (ConnectionResetError(), True),
        (RuntimeError("Connection refused"), True),
        (ValueError("temporary failure in name resolution"), True),
        (RuntimeError("429: Rate limit exceeded"), True),
        (RuntimeError("the service is UNAVAILABLE"), True),
        (RuntimeError("busy"), True),
        (RuntimeError("overloaded"), True),
        (ValueError("no such row"), False),
        (FileNotFoundError("x"), False),
        (SystemExit("timeout"), False),
    ],
)
def test_what_is_transient_is_told_by_type_or_message(error, transient):
    """Whoever raised it."""
    assert transient == is_transient(error)


def test_a_workflow_is_constructed_when_it_is_asked_for(build, registry):
    """Once; then it is registered like any."""
    made = []

    def construct():
        made.append(build("made.here").add_task("solo").build())
        return made[-1]

    register_workflow_constructor("made.here", construct)
    assert [] == made
    assert made == [get_workflow("made.here", registry)]
    assert made == [get_workflow("made.here", registry)]
    assert ["made.here", "made.here.solo"] == registry.list_all()


def test_a_constructor_makes_the_workflow_it_is_for(build, registry):
    """Anything else is an error, and nothing is registered."""
    for made in (None, build("other").add_task("solo").build()):
        register_workflow_constructor("wrong", lambda made=made: made)
        with pytest.raises(WorkflowError, match="constructor of workflow 'wrong' returned"):
            get_workflow("wrong", registry)
    with pytest.raises(OptionError, match="cannot be called"):
        register_workflow_constructor("wrong", None)
    with pytest.raises(OptionError, match="is not allowed"):
        register_workflow_constructor("a b", build)
    assert [] == registry.list_all()


def test_a_workflow_that_is_not_there_has_a_nearest_name(build, registry):
    """And a task is no workflow."""
    task("greet", registry=registry)(lambda: None)
    with build("nightly"):
        step(id="a")(lambda context: None)

    with pytest.raises(WorkflowError, match="no workflow 'nightli'; did you mean 'nightly'"):
        get_workflow("nightli", registry)
    with pytest.raises(WorkflowError, match="no workflow 'xyzzy'; was its module imported"):
        get_workflow("xyzzy", registry)
    with pytest.raises(WorkflowError, match="'greet' is a task and no workflow"):
        get_workflow("greet", registry)


def test_a_frozen_registry_refuses_the_block(build, registry):
    """As it refuses any task."""
    registry.freeze()

    with pytest.raises(RegistryFrozenError), build("etl") as builder:
        builder.add_task("solo", trigger=any_failed)


def test_the_global_registry_is_where_a_workflow_goes_by_itself():
    """Unless it is given another one."""
    try:
        with WorkflowBuilder("of-the-world") as builder:
            builder.add_task(solo)
        assert isinstance(get_workflow("of-the-world"), Workflow)
    finally:
        for name in ("of-the-world", "of-the-world.solo"):
            global_registry.unregister(name)


def test_the_door_opens_lightly():
    """Importing it imports nothing but what has to be last at the exit, and using it no app.

    `threading` alone would be a tenth of the time that importing takes.
    """
    code = (
        "import sys; before = set(sys.modules); import rotulus.workflow as wf\n"
        "heavy = ('rotulus._', 'pydantic', 'threading')\n"
        "print([name for name in sys.modules if name.startswith(heavy) and name not in before])\n"
        "wf.task(id='a')(lambda context: None)\n"
        "print('rotulus._app' in sys.modules, callable(wf.task), callable(wf.WorkflowBuilder))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "['rotulus._exiting']\nFalse True True\n" == told.stdout


def test_a_workflow_is_at_the_line_of_its_block(registry):
    """And not where Rotulus makes the task that stands for it."""
    with WorkflowBuilder("here", registry=registry):
        step(id="a")(lambda context: None)

    path, _, line = registry.get("here").site.rpartition(":")
    assert path.endswith("test_builder.py")
    assert (
        "WorkflowBuilder(" in Path(__file__).read_text(encoding="utf-8").splitlines()[int(line) - 1]
    )
