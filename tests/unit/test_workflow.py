"""Workflows: what may be one, in which order it runs, and how it enters a registry."""

import dataclasses
import functools
import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotulus import DuplicateTaskError, Retry, TaskRegistry, task
from rotulus._workflows.registration import find, register_workflow
from rotulus._workflows.tasks import StepTask, WorkflowTask, takes, workflow_task
from rotulus.errors import ConfigurationError, OptionError, RegistryFrozenError
from rotulus.workflow import Context, Step, Workflow, WorkflowError, any_failed, task_failed

HOME = TaskRegistry()


def body(context):
    return context


def step(step_id, *needs, workflow="etl", function=body, **options):
    """A step of a workflow, with the task it runs."""
    task_options = {name: options.pop(name) for name in ("retry", "timeout") if name in options}
    own = StepTask(function, f"{workflow}.{step_id}", HOME, takes=takes(function), **task_options)
    return Step(step_id, own, needs, **options)


def graph(needs, name="etl"):
    """A workflow of steps that need each other like this."""
    return Workflow.of(name, [step(one, *others, workflow=name) for one, others in needs.items()])


@st.composite
def acyclic(draw):
    """What each of some steps needs, in any order of declaration."""
    names = [f"s{number}" for number in range(draw(st.integers(1, 8)))]
    needs = {
        n: draw(st.lists(st.sampled_from(names[:i]), unique=True)) if i else []
        for i, n in enumerate(names)
    }
    return {name: needs[name] for name in draw(st.permutations(names))}


@given(acyclic())
def test_every_step_stands_after_what_it_needs(needs):
    """Once each, and in a level after those of its needs; roots are first, leaves needed by none."""
    workflow = graph(needs)
    order, levels = workflow.topological_sort(), workflow.get_execution_levels()
    level = {one: number for number, group in enumerate(levels) for one in group}

    assert sorted(needs) == sorted(order) == sorted(level)
    assert all(order.index(need) < order.index(one) for one in needs for need in needs[one])
    assert all(level[one] == 1 + max((level[n] for n in needs[one]), default=-1) for one in needs)
    assert workflow.get_roots() == [one for one in needs if not needs[one]] == levels[0]
    assert workflow.get_leaves() == [o for o in needs if not any(o in n for n in needs.values())]
    assert workflow.validate() is None


@given(st.integers(1, 8))
def test_steps_that_could_run_at_once_keep_the_order_of_declaration(count):
    """So that what is merged last does not depend on chance."""
    names = [f"s{n}" for n in range(count)]

    assert [*names, "end"] == graph({**{n: [] for n in names}, "end": names}).topological_sort()


@given(acyclic(), st.data())
def test_a_cycle_is_shown(needs, data):
    """From a step to itself, each needing the next."""
    first, last = (data.draw(st.sampled_from(sorted(needs))) for _ in range(2))
    needs = needs | {first: [*needs[first], last]}
    try:
        graph(needs)
    except WorkflowError as error:
        shown = str(error).rpartition(": ")[2].split(" → ")
        assert shown[0] == shown[-1]
        assert all(after in needs[one] for one, after in itertools.pairwise(shown))
    else:
        graph(needs).topological_sort()
        assert first != last


def test_a_cycle_of_three_reads_as_it_goes():
    """With its workflow, and without what hangs on it."""
    with pytest.raises(WorkflowError, match=r"'etl': .* in a cycle: a → c → b → a$"):
        graph({"a": ["c"], "b": ["a"], "c": ["b"], "behind": ["a"], "before": []})
    with pytest.raises(WorkflowError, match=r": a → a$"):
        graph({"a": ["a"]})


@pytest.mark.parametrize("shape", ["chain", "fan"])
def test_ten_thousand_steps_are_no_trouble(shape):
    """Neither deep nor wide ones."""
    names = [f"s{number}" for number in range(10_000)]
    begun = time.perf_counter()
    needs = {
        n: [] if not i else [names[i - 1 if shape == "chain" else 0]] for i, n in enumerate(names)
    }
    workflow = graph(needs)

    assert (10_000 if shape == "chain" else 2) == len(workflow.get_execution_levels())
    assert names == workflow.topological_sort()
    assert 16 == len(workflow.version)
    with pytest.raises(WorkflowError, match="cycle"):
        graph(needs | {"s0": ["s9999"], "s9999": ["s0"]})
    assert time.perf_counter() - begun < 30


def test_a_need_that_is_not_there_is_named():
    """With the step that has it, and the nearest one."""
    with pytest.raises(
        WorkflowError, match="step 'load' depends on 'fetsh', which is not one .* 'fetch'"
    ) as caught:
        graph({"fetch": [], "load": ["fetsh"]})

    assert isinstance(caught.value, ValueError | ConfigurationError)


def test_an_id_is_given_once():
    """Both places are shown."""
    with pytest.raises(WorkflowError, match="has two steps 'a'") as caught:
        Workflow.of("etl", [step("a"), step("a")])

    assert 2 == str(caught.value).count("test_workflow.py:")


def test_a_workflow_has_steps():
    """At least one."""
    with pytest.raises(WorkflowError, match="'etl' cannot be empty"):
        graph({})


@pytest.mark.parametrize("step_id", ["", "a.b", "a/b", "17", "a b", "ä", "a\n", None, 5])
def test_an_id_is_one_segment(step_id):
    """And no number, which would be a branch."""
    with pytest.raises(WorkflowError, match="Step id .* is not allowed"):
        Step(step_id, task("t", registry=TaskRegistry())(body))


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"on_success": "print"}, "on_success='print' is not allowed"),
        ({"on_failure": 5}, "on_failure=5 is not allowed"),
        ({"for_each": ""}, "for_each='' is not a key"),
        ({"for_each": 5}, "for_each=5 is not a key"),
        ({"trigger": "always"}, "trigger='always' is not a trigger rule"),
        ({"trigger": task_failed("fetsh")}, "its trigger names 'fetsh', .*did you mean 'fetch'"),
    ],
)
def test_what_a_step_cannot_have_is_named(options, why):
    """With the step."""
    with pytest.raises(WorkflowError, match=f"Step 'load': {why}"):
        step("load", "fetch", **options)


def test_a_need_counts_once():
    """However often it is given."""
    assert ("a", "b") == step("c", "a", "b", "a").needs


def test_a_step_is_found_by_its_id():
    """Or the nearest one is suggested."""
    workflow = graph({"fetch": []})

    assert "fetch" == workflow.step("fetch").id
    with pytest.raises(WorkflowError, match="no step 'fetsh'; did you mean 'fetch'"):
        workflow.step("fetsh")


def test_a_workflow_does_not_change():
    """Neither it nor its steps."""
    workflow = graph({"a": []})

    with pytest.raises(dataclasses.FrozenInstanceError):
        workflow.name = "other"
    with pytest.raises(TypeError):
        workflow.steps["b"] = step("b")
    assert "<Workflow 'etl' of 1 steps>" == repr(workflow)


def on_end(step_id, context): ...


VARIANTS = [
    lambda: Workflow.of("etl", [step("a"), step("b", "a")]),
    lambda: Workflow.of("other", [step("a", workflow="other"), step("b", "a", workflow="other")]),
    lambda: Workflow.of("etl", [step("a"), step("b", "a")], description="nightly"),
    lambda: Workflow.of("etl", [step("a"), step("b", "a")], tags={"team": "data"}),
    lambda: Workflow.of("etl", [step("a"), step("b")]),
    lambda: Workflow.of("etl", [step("b"), step("a", "b")]),
    lambda: Workflow.of("etl", [step("a"), step("b", "a", trigger=any_failed)]),
    lambda: Workflow.of("etl", [step("a"), step("b", "a", trigger=task_failed("a"))]),
    lambda: Workflow.of("etl", [step("a"), step("b", "a", for_each="k")]),
    lambda: Workflow.of("etl", [step("a"), step("b", "a", on_success=on_end)]),
    lambda: Workflow.of("etl", [step("a"), step("b", "a", on_success=lambda i, c: None)]),
    lambda: Workflow.of("etl", [step("a"), step("b", "a", on_failure=functools.partial(on_end))]),
    lambda: Workflow.of("etl", [step("a"), step("b", "a", retry=Retry(attempts=2))]),
    lambda: Workflow.of("etl", [step("a"), step("b", "a", retry=Retry(attempts=3))]),
    lambda: Workflow.of("etl", [step("a"), step("b", "a", retry=Retry(on=OSError))]),
    lambda: Workflow.of("etl", [step("a"), step("b", "a", timeout=5.0)]),
    lambda: Workflow.of(
        "etl", [step("a"), Step("b", workflow_task(graph({"x": []}, "in"), HOME), ("a",))]
    ),
    lambda: Workflow.of(
        "etl", [step("a"), Step("b", workflow_task(graph({"y": []}, "in"), HOME), ("a",))]
    ),
]


def test_the_version_tells_what_a_workflow_is_made_of():
    """The same content has the same, anything else another."""
    versions = [make().version for make in VARIANTS]

    assert versions == [make().version for make in VARIANTS]
    assert len(versions) == len(set(versions))


def wrapped(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


class Connection: ...


@pytest.mark.parametrize(
    ("function", "handle"),
    [
        (lambda context: None, None),
        (lambda ctx, handle: None, "handle"),
        (lambda context, task_handle: None, "task_handle"),
        (lambda context, handle=None: None, "handle"),
        (lambda context, *, handle: None, "handle"),
        (lambda context, other=1, *, task_handle: None, "task_handle"),
        (lambda context, hndl=None: None, None),
        (lambda context, other=1, handle=None: None, None),
        (wrapped(lambda context, handle: None), "handle"),
        (lambda *args: None, None),
        (functools.partial(lambda config, context, handle: None, 1), "handle"),
    ],
)
def test_a_handle_is_asked_for_by_name(function, handle):
    """As the second parameter or by name only; the call that is made of it fits."""
    own = StepTask(function, "etl.a", HOME, takes=takes(function))
    call = own.arguments("C", "H")

    assert handle == own.takes.handle
    assert (handle is not None) == own.takes_handle
    assert handle is None or handle in own.filled
    assert function(*call.args, **call.kwargs) is None
    assert ["C", "H"][: 1 + own.takes_handle] == [*call.args, *call.kwargs.values()]


def test_other_parameters_are_filled_by_type_or_have_a_default():
    """Anything else is refused where it is declared."""

    def late(context, db: Connection, handle): ...

    def typed(context, db: Connection, *more, limit=5, **rest): ...

    assert "context" == takes(typed).context
    with pytest.raises(OptionError, match="Nobody fills the parameter 'hndl' of <lambda>"):
        takes(lambda context, hndl: None)
    with pytest.raises(OptionError, match="'handle' .* is the second parameter, or one by name"):
        takes(late)
    with pytest.raises(OptionError, match="takes no argument"):
        takes(lambda: None)


def test_tasks_of_workflows_are_tasks():
    """With options for one enqueue, and information like any."""
    registry = TaskRegistry()
    whole = register_workflow(graph({"a": []}), registry)
    part = registry.get("etl.a")

    assert isinstance(part.using(queue="slow"), StepTask)
    assert part.using(queue="slow").takes == part.takes
    assert whole.using(priority=5).workflow is whole.workflow
    assert "(**context: Any) -> dict[str, typing.Any]" == registry.get_info("etl").signature
    assert [] == registry.get_info("etl").parameters
    assert Context({"a": 1}) == part(Context({"a": 1}))


def test_a_workflow_cannot_be_called():
    """The error says what to do instead."""
    whole = workflow_task(graph({"a": []}), HOME)

    with pytest.raises(
        WorkflowError, match=r"'etl' cannot be called: it runs as jobs. Use \.enqueue\(day=\.\.\.\)"
    ):
        whole(day=1)


def test_a_workflow_is_registered_with_its_steps():
    """Under its name, and theirs behind it; tasks and workflows of their own keep their names."""
    registry = TaskRegistry()
    plain = task("mail.send", registry=registry)(lambda rows=(): None)
    inner = workflow_task(graph({"x": []}, "inner"), registry)
    outer = Workflow.of(
        "outer", [step("a", workflow="outer"), Step("send", plain), Step("in", inner)]
    )
    register_workflow(outer, registry)

    assert ["mail.send", "outer", "outer.a", "inner", "inner.x"] == registry.list_all()
    assert outer is find("outer", registry)
    assert isinstance(registry.get("inner"), WorkflowTask)
    assert find("mail.send", registry) is None
    assert find("nothing", registry) is None


def test_a_workflow_of_the_same_name_is_replaced_as_a_whole():
    """Steps it no longer has are gone."""
    registry = TaskRegistry()
    register_workflow(graph({"a": [], "b": ["a"]}), registry)
    register_workflow(graph({"b": [], "c": ["b"]}), registry)

    assert ["etl", "etl.b", "etl.c"] == registry.list_all()


@pytest.mark.parametrize("name", ["etl", "etl.b"])
def test_a_plain_task_is_not_replaced(name):
    """Neither by a workflow nor by its step, and everything is as it was."""
    registry = TaskRegistry()
    register_workflow(graph({"a": []}), registry) if name == "etl.b" else None
    task(name, registry=registry)(lambda: None)
    before = list(registry)

    with pytest.raises(DuplicateTaskError):
        register_workflow(graph({"x": [], "b": []}), registry)
    assert before == list(registry)


def test_a_task_of_another_registry_is_no_step():
    """Nobody would find it there."""
    registry = TaskRegistry()
    stranger = task("mail.send", registry=TaskRegistry())(lambda: None)

    with pytest.raises(
        WorkflowError, match="step 'send' runs the task 'mail.send' of .*, which is not in"
    ):
        register_workflow(Workflow.of("etl", [Step("send", stranger)]), registry)
    assert [] == registry.list_all()


def test_a_workflow_is_no_step_of_itself():
    """Not by way of others either."""
    registry = TaskRegistry()
    first = register_workflow(graph({"a": []}, "first"), registry)
    second = register_workflow(Workflow.of("second", [Step("one", first)]), registry)

    with pytest.raises(WorkflowError, match="first → second → first"):
        register_workflow(Workflow.of("first", [Step("two", second)]), registry)
    assert ["first", "first.a", "second"] == registry.list_all()


def test_nothing_is_registered_while_an_app_serves():
    """As with any task."""
    registry = TaskRegistry()
    registry.freeze()

    with pytest.raises(RegistryFrozenError):
        register_workflow(graph({"a": []}), registry)
