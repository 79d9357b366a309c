"""W-01 to W-36: workflows, their steps, contexts and handles, of the fourth source document."""

import itertools
import json
import os
import threading
from datetime import UTC, datetime, timedelta

import pytest

import rotulus
import rotulus.workflow as cloaca
from requirements import cloaca_examples as examples
from rotulus import App, Retry, State, TaskRegistry
from rotulus.errors import HandleConsumedError, OptionError
from rotulus.testing import SettableClock, drain
from server_clock import ServerClock

pytestmark = [pytest.mark.anywhere, pytest.mark.requirement]


@pytest.fixture(params=["sqlite", "postgres"])
def place(request):
    """Where the runs are."""
    return request.param


@pytest.fixture
def url(request, place):
    """A store on the real clock."""
    if place == "sqlite":
        return "sqlite:///runs.db"
    return request.getfixturevalue("migrated")(clock=False)


@pytest.fixture
def clock(request, place):
    """A clock that moves only when it is told to."""
    if place == "sqlite":
        return SettableClock()
    return ServerClock(request.getfixturevalue("migrated")())


@pytest.fixture
def still_app(request, place, clock, registry):
    """An app on a clock that stands still, for what takes its time."""
    address = "sqlite://" if place == "sqlite" else request.getfixturevalue("migrated")()
    made = App(address, registry=registry, clock=clock)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def tidy():
    """The global registry is left as it was."""
    before = rotulus.registry.list_all()
    yield
    examples.done.clear()
    for name in rotulus.registry.list_all():
        if name not in before and rotulus.registry.has(name):
            rotulus.registry.unregister(name)


@pytest.fixture
def run(url):
    """Makes a workflow of steps that are declared already, and runs it."""

    def make(*steps, given=None, name="example", **config):
        builder = cloaca.WorkflowBuilder(name)
        with builder:
            for step in steps:
                builder.add_task(step)
        made = cloaca.DefaultRunnerConfig(**config)
        with cloaca.DefaultRunner(url, made) as runner:
            return runner.execute(name, cloaca.Context(given))

    return make


@pytest.fixture
def tries(still_app, clock):
    """Declares a step that fails as often as it is run; how long each further attempt waited."""

    def run_it(error=ValueError, **options):
        seen = []
        with cloaca.WorkflowBuilder("tries", registry=still_app.registry):

            @cloaca.task(id="fail", **options)
            def fail(context):
                seen.append(clock.now())
                raise error("no")

        job = still_app.enqueue("tries")
        while not job.refresh().state.ended:
            drain(still_app)
            [step] = still_app.jobs(run=job.id, step="fail")
            if not step.state.ended:
                clock.advance((step.run_at - clock.now()).total_seconds())
        assert State.FAILED == job.refresh().state
        return [(b - a).total_seconds() for a, b in itertools.pairwise(seen)]

    return run_it


def test_W_01_a_task_is_declared_with_an_id(run):
    """It is given the context, and returns it."""
    result = run(examples.my_task)

    assert ("Completed", None) == (result.status, result.error_message)
    assert {"result": "Task completed successfully"} == result.final_context


def test_W_02_an_id_is_unique_within_its_workflow(run):
    """Another workflow may have the same."""
    with pytest.raises(ValueError, match="two steps 'one'"), cloaca.WorkflowBuilder("twice"):

        @cloaca.task(id="one")
        def first(context): ...

        @cloaca.task(id="one")
        def second(context): ...

    assert not rotulus.registry.has("twice")
    assert "Completed" == run(examples.my_task, name="w1").status
    assert "Completed" == run(examples.my_task, name="w2").status


def test_W_03_dependencies_end_before_a_task_runs(run):
    """In whatever order they are declared, by id or by function."""
    order = []

    @cloaca.task(id="w03_third", dependencies=["w03_first", "w03_second"])
    def third(context):
        order.append("third")

    @cloaca.task(id="w03_first")
    def first(context):
        order.append("first")

    @cloaca.task(id="w03_second", dependencies=[first])
    def second(context):
        order.append("second")

    assert "Completed" == run(third, second, first).status
    assert ["first", "second", "third"] == order


@pytest.mark.parametrize(("attempts", "further"), [(None, 0), (0, 0), (1, 1), (3, 3)])
def test_W_04_retry_attempts_are_further_attempts(tries, attempts, further):
    """After the first; none unless asked for."""
    assert further == len(tries(retry_attempts=attempts, retry_delay_ms=10, retry_jitter=False))


@pytest.mark.parametrize(
    ("backoff", "waits"),
    [("fixed", [0.2, 0.2, 0.2]), ("linear", [0.2, 0.4, 0.6]), ("exponential", [0.2, 0.4, 0.8])],
)
def test_W_05_delays_grow_as_asked(tries, backoff, waits):
    """In one of three ways; another word is refused where it stands."""
    found = tries(retry_attempts=3, retry_backoff=backoff, retry_delay_ms=200, retry_jitter=False)

    assert waits == pytest.approx(found)
    with pytest.raises(ValueError, match="'fixed', 'linear', 'exponential'"):
        cloaca.task(id="a", retry_backoff="fixd")


def test_W_06_the_first_delay_is_in_milliseconds(tries):
    """It is 1000 unless given."""
    assert [0.25] == pytest.approx(tries(retry_attempts=1, retry_delay_ms=250, retry_jitter=False))
    assert [1.0] == pytest.approx(tries(retry_attempts=1, retry_jitter=False))


def test_W_07_no_delay_is_longer_than_the_longest(tries):
    """It is 60 seconds unless given."""
    found = tries(retry_attempts=3, retry_delay_ms=300, retry_max_delay_ms=500, retry_jitter=False)

    assert [0.3, 0.5, 0.5] == pytest.approx(found)
    assert [40, 60] == pytest.approx(
        tries(retry_attempts=2, retry_delay_ms=40_000, retry_jitter=False)
    )


class Lost(ConnectionError):
    pass


@pytest.mark.parametrize(
    ("condition", "error", "further"),
    [
        ("never", ValueError, 0),
        ("all", ValueError, 2),
        ("transient", ValueError, 0),
        ("transient", Lost, 2),
        ("transient", TimeoutError, 2),
        ("transient", lambda text: RuntimeError("service temporarily unavailable"), 2),
    ],
)
def test_W_08_a_condition_says_what_is_retried(tries, condition, error, further):
    """Nothing, what passes, or everything; another word is refused where it stands."""
    found = tries(error, retry_attempts=2, retry_condition=condition, retry_delay_ms=1)

    assert further == len(found)
    with pytest.raises(ValueError, match="'never', 'transient', 'all'"):
        cloaca.task(id="a", retry_condition="sometimes")


def test_W_09_jitter_spreads_delays(tries):
    """By a quarter each way, unless it is turned off."""
    found = tries(retry_attempts=8, retry_backoff="fixed", retry_delay_ms=1000)

    assert all(0.75 <= wait <= 1.25 for wait in found)
    assert len(set(found)) > 1


def test_W_10_callbacks_are_options(run, capfd):
    """And have to be functions."""
    assert "Completed" == run(examples.monitored_task).status
    assert "Task 'monitored_task' completed successfully" in capfd.readouterr().out
    with pytest.raises(ValueError, match="on_success='log' is not allowed"):
        cloaca.task(id="a", on_success="log")


def test_W_11_a_task_reads_what_the_one_before_it_set(run):
    """The example of dependencies."""
    result = run(examples.fetch_data, examples.process_data)

    assert {
        "raw_data": {"raw_data": [1, 2, 3, 4, 5]},
        "processed_data": {"processed_data": [2, 4, 6, 8, 10]},
    } == result.final_context


def test_W_12_tasks_may_be_async(run):
    """They are awaited, and what they set is kept."""
    assert {"async_result": "Async operation completed"} == run(examples.async_task).final_context


def test_W_13_a_task_that_catches_its_errors_has_succeeded(run):
    """And says so in the context."""
    result = run(examples.safe_task)

    assert "Completed" == result.status
    assert result.final_context["success"] is False
    assert "risky_operation" in result.final_context["error"]


def test_W_14_callbacks_are_told_in_words(run):
    """The id, the error as text, and the context."""
    seen = []

    @cloaca.task(id="good", on_success=lambda *told: seen.append(told))
    def good(context):
        context.set("set", 1)

    @cloaca.task(id="bad", on_failure=lambda *told: seen.append(told))
    def bad(context):
        raise ValueError("broken")

    assert "Failed" == run(good, bad, max_concurrent_tasks=1).status
    (name, context), (failed, error, _) = sorted(seen, key=len)
    assert ("good", {"set": 1}, "bad") == (name, context, failed)
    assert isinstance(context, cloaca.Context)
    assert "broken" in error


def test_W_15_a_callback_fires_at_its_end_only(run):
    """Neither fires on the other's."""
    seen = []
    both = {
        "on_success": lambda name, context: seen.append((name, "succeeded")),
        "on_failure": lambda name, error, context: seen.append((name, "failed")),
    }

    @cloaca.task(id="good", **both)
    def good(context): ...

    @cloaca.task(id="bad", **both)
    def bad(context):
        raise ValueError

    run(good, bad)
    assert {("good", "succeeded"), ("bad", "failed")} == set(seen)
    assert 2 == len(seen)


def test_W_16_both_callbacks_may_be_set(run, capfd):
    """Here the operation fails."""

    @cloaca.task(id="monitored", on_success=examples.log_success, on_failure=examples.alert_failure)
    def monitored(context):
        raise ValueError("no operation")

    assert "Failed" == run(monitored).status
    out = capfd.readouterr().out
    assert "ALERT: Task 'monitored' failed: ValueError: no operation" in out
    assert "completed successfully" not in out


def test_W_17_what_a_callback_raises_is_logged(run, caplog):
    """And changes nothing."""
    result = run(examples.resilient_task)

    assert "Completed" == result.status
    assert "Callback error!" in caplog.text
    assert "resilient_task" in caplog.text


def test_W_18_callbacks_see_the_context_of_the_task(run, tmp_path, monkeypatch):
    """The three patterns of the document: an alert, a metric, a clean-up."""
    monkeypatch.setenv("SLACK_WEBHOOK", "https://hooks.example")
    (tmp_path / "mess").mkdir()

    @cloaca.task(id="alerted", on_failure=examples.slack_alert)
    def alerted(context):
        raise ValueError("no")

    @cloaca.task(id="measured", on_success=examples.record_metrics)
    def measured(context):
        context.set("duration_ms", 12)

    @cloaca.task(id="cleaned", on_failure=examples.cleanup_temp_files)
    def cleaned(context):
        context.set("temp_dir", str(tmp_path / "mess"))
        raise ValueError("no")

    run(alerted, measured, cleaned)
    assert ("task.measured.duration", 12) in examples.done
    text = "Task alerted failed: ValueError: no"
    assert ("https://hooks.example", {"text": text}) in examples.done
    assert not (tmp_path / "mess").exists()


def test_W_19_a_context_gets_and_sets(run):
    """With a default, or without."""
    context = cloaca.Context()
    context.set("key", [1])

    assert ([1], "other", None) == (
        context.get("key"),
        context.get("missing", "other"),
        context.get("missing"),
    )
    assert {"output_key": "DEFAULT_VALUE", "processing_complete": True} == run(
        examples.context_example
    ).final_context
    result = run(examples.context_example, given={"input_key": "a"})
    assert "A" == result.final_context["output_key"]


def test_W_20_what_a_task_sets_its_dependents_see(run):
    """Also those further down."""
    seen = {}

    @cloaca.task(id="w20_a")
    def a(context):
        context.set("a", 1)

    @cloaca.task(id="w20_b", dependencies=[a])
    def b(context):
        context.set("b", context["a"] + 1)
        return context

    @cloaca.task(id="w20_c", dependencies=[b])
    def c(context):
        seen.update(context.to_dict())

    run(a, b, c, given={"given": 0})
    assert {"given": 0, "a": 1, "b": 2} == seen


def test_W_21_a_missing_key_is_none(run):
    """So a task may ask whether it has run before."""
    result = run(examples.idempotent_task)
    again = run(examples.idempotent_task, given=result.final_context.to_dict())

    assert {"result": 42, "already_processed": True} == result.final_context
    assert again.final_context == result.final_context
    assert 1 == examples.done.count("operation")


def test_W_22_a_context_holds_plain_json(run):
    """As it is; what is none is refused."""
    held = {"dict": {"a": [1, None]}, "list": [1, "two"], "text": "ü", "true": True, "half": 0.5}

    assert held == run(examples.resilient_task, given=held).final_context.to_dict()
    with pytest.raises(ValueError, match="'when'.* not JSON"):
        cloaca.Context().set("when", datetime.now(UTC))


def test_W_23_a_second_parameter_is_given_the_handle(run):
    """By either name."""

    @cloaca.task(id="one")
    def one(context, handle):
        context.set("one", type(handle).__name__)

    @cloaca.task(id="two")
    async def two(context, task_handle):
        context.set("two", type(task_handle).__name__)

    assert {"one": "TaskHandle", "two": "TaskHandle"} == run(one, two).final_context


def test_W_24_another_name_is_given_no_handle(run):
    """With a default it keeps that; without, it is refused where it stands."""

    @cloaca.task(id="other")
    def other(context, grip=None):
        context.set("grip", grip)

    assert {"grip": None} == run(other).final_context
    with pytest.raises(OptionError, match="'grip'.*'handle' or 'task_handle'"):

        @cloaca.task(id="wrong")
        def wrong(context, grip): ...


def test_W_25_the_signature_is_looked_at_when_it_is_declared(run):
    """What becomes of it later does not matter."""

    @cloaca.task(id="plain")
    def plain(context, handle):
        context.set("handle", handle is not None)

    plain.__signature__ = None
    plain.__defaults__ = (None,)

    assert {"handle": True} == run(plain).final_context


def test_W_26_defer_until_takes_a_condition_and_an_interval(run, monkeypatch):
    """The condition is required, and a function; the examples run."""
    exists = os.path.exists
    monkeypatch.setattr(os.path, "exists", lambda path: path == "/data/input.csv" or exists(path))
    result = run(examples.wait_for_ready, examples.wait_for_file)

    assert {"ready": True, "file_path": "/data/input.csv"} == result.final_context
    assert 3 == examples.done.count("check")

    @cloaca.task(id="wrong")
    def wrong(context, handle):
        for arguments in ((), (5,), (lambda: True, 0), (lambda: True, -1)):
            try:
                handle.defer_until(*arguments)
            except (TypeError, ValueError) as error:
                context.set("errors", [*context.get("errors", []), type(error).__name__])

    errors = run(wrong).final_context["errors"]
    assert ["TypeError", "OptionError", "OptionError", "OptionError"] == errors


def test_W_27_the_slot_is_free_while_the_condition_does_not_hold(run):
    """With one slot, another task runs in it; the slot is taken back before the task goes on."""
    told, order = threading.Event(), []

    @cloaca.task(id="waiting")
    def waiting(context, handle):
        order.append(("begins", handle.is_slot_held()))

        def condition():
            order.append(("asks", handle.is_slot_held()))
            return told.is_set()

        handle.defer_until(condition, poll_interval_ms=20)
        order.append(("goes on", handle.is_slot_held()))

    @cloaca.task(id="other")
    def other(context):
        order.append(("other", None))
        told.set()

    assert "Completed" == run(waiting, other, max_concurrent_tasks=1).status
    assert ("begins", True) == order[0]
    assert ("other", None) in order
    assert ("asks", True) not in order
    assert ("goes on", True) == order[-1]


def test_W_28_a_handle_that_is_consumed_raises(run):
    """Once its task has returned."""
    kept = []

    @cloaca.task(id="keeps")
    def keeps(context, handle):
        kept.append(handle)

    run(keeps)
    assert issubclass(HandleConsumedError, ValueError)
    with pytest.raises(ValueError, match="consumed"):
        kept[0].defer_until(lambda: True)


def test_W_29_the_slot_can_be_asked_for(run):
    """True or False; an error once the handle is consumed."""
    kept = []

    @cloaca.task(id="keeps")
    def keeps(context, handle):
        kept.append(handle)
        context.set("held", handle.is_slot_held())

    assert {"held": True} == run(keeps).final_context
    with pytest.raises(ValueError, match="consumed"):
        kept[0].is_slot_held()


def test_W_30_tasks_with_and_without_a_handle_mix(url):
    """In one workflow: the example."""
    examples.mixed_pipeline()
    with cloaca.DefaultRunner(url) as runner:
        result = runner.execute("mixed_pipeline", cloaca.Context())

    assert "Completed" == result.status
    assert {"step_1": True, "step_2": True} == result.final_context


def test_W_31_a_condition_that_holds_keeps_nobody_waiting(run):
    """However long the interval: it is asked at once."""

    @cloaca.task(id="prompt")
    def prompt(context, handle):
        begun = datetime.now(UTC)
        handle.defer_until(lambda: True, poll_interval_ms=10)
        handle.defer_until(lambda: True, poll_interval_ms=600_000)
        context.set("seconds", (datetime.now(UTC) - begun).total_seconds())

    assert run(prompt).final_context["seconds"] < 5


def test_W_32_tasks_declared_in_a_block_are_of_its_workflow():
    """Without being added; what is declared outside is not."""
    examples.mixed_pipeline()
    workflow = cloaca.get_workflow("mixed_pipeline")

    assert ["normal_task", "deferred_task"] == list(workflow.steps)
    assert ("normal_task",) == workflow.steps["deferred_task"].needs


def test_W_33_the_default_runner_executes_workflows(url):
    """By name."""
    builder = cloaca.WorkflowBuilder("of_one")
    with builder:
        builder.add_task("my_task")
    runner = cloaca.DefaultRunner(url)
    result = runner.execute("of_one", cloaca.Context({"in": 1}))
    runner.shutdown()

    assert "Completed" == result.status
    assert {"in": 1, "result": "Task completed successfully"} == result.final_context


def test_W_34_a_task_is_called_directly():
    """It stays the function that it is."""
    context = cloaca.Context()

    assert examples.my_task(context) is context
    assert "Task completed successfully" == context.get("result")

    @cloaca.task(id="with_handle")
    def with_handle(context, handle):
        return handle

    assert with_handle(cloaca.Context(), None) is None


def test_W_35_without_a_handle_nothing_is_deferred():
    """The call fails there."""
    with pytest.raises(AttributeError):
        examples.wait_for_ready(cloaca.Context(), None)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {"error": "Required 'data' field is missing", "valid": False}),
        ({"data": [1]}, {"data": [1], "error": "Expected dict, got list", "valid": False}),
        ({"data": {"a": 1}}, {"data": {"a": 1}, "valid": True}),
    ],
)
def test_W_36_the_best_practices_run_as_they_are_written(run, given, expected):
    """The one that validates; W-21 has the one that can be repeated."""
    assert expected == run(examples.validation_task, given=given).final_context


# What those who know the source rely on besides.


def test_config_defaults():
    """And they are given by name."""
    assert {
        "max_concurrent_tasks": 4,
        "scheduler_poll_interval_ms": 100,
        "task_timeout_seconds": 300,
        "workflow_timeout_seconds": 3600,
        "db_pool_size": 10,
        "enable_recovery": True,
        "enable_cron_scheduling": True,
        "cron_poll_interval_seconds": 30,
        "cron_max_catchup_executions": 100,
        "cron_lost_threshold_minutes": 10,
        "cron_max_recovery_attempts": 3,
    } == cloaca.DefaultRunnerConfig.default().to_dict()
    with pytest.raises(ValueError, match="max_concurrent_tasks=0"):
        cloaca.DefaultRunnerConfig(max_concurrent_tasks=0)


def test_a_result_says_how_a_run_went(run):
    """In words, moments, and a count of what failed."""

    @cloaca.task(id="bad")
    def bad(context):
        raise ValueError("no")

    @cloaca.task(id="after", dependencies=["bad"])
    def after(context): ...

    before = datetime.now(UTC) - timedelta(seconds=5)
    result = run(examples.my_task, bad, after)
    start, end = map(datetime.fromisoformat, (result.start_time, result.end_time))

    assert ("Failed", "1 task(s) failed, 1 completed, 1 skipped") == (
        result.status,
        result.error_message,
    )
    assert before < start <= end < before + timedelta(seconds=60)
    assert isinstance(result.final_context, cloaca.Context)


def test_the_context_of_the_caller_stays(url):
    """It is copied."""
    builder = cloaca.WorkflowBuilder("of_one")
    with builder:
        builder.add_task(examples.my_task)
    context = cloaca.Context({"mine": [1]})
    with cloaca.DefaultRunner(url) as runner:
        result = runner.execute("of_one", context)

    assert {"mine": [1]} == context.to_dict()
    assert 2 == len(result.final_context)


def test_a_workflow_registered_again_replaces_the_first(url):
    """For a runner that has begun, too."""
    with cloaca.DefaultRunner(url) as runner:
        for value in (1, 2):
            with cloaca.WorkflowBuilder("again"):

                @cloaca.task(id=f"step{value}")
                def step(context, value=value):
                    context.set("value", value)

            assert {"value": value} == runner.execute("again").final_context


def test_what_is_wrong_is_a_value_error(url):
    """A workflow nobody knows, a task nobody knows, and what is no workflow."""
    with cloaca.DefaultRunner(url) as runner:
        with pytest.raises(ValueError, match="There is no workflow 'nobody'"):
            runner.execute("nobody", cloaca.Context())
        with pytest.raises(ValueError, match="Failed to get cron schedule"):
            runner.get_cron_schedule("nobody")
    with pytest.raises(ValueError, match="'nobody' is neither"):
        cloaca.WorkflowBuilder("wrong").add_task("nobody")
    with pytest.raises(ValueError, match="neither a step nor a task"):
        cloaca.WorkflowBuilder("wrong").add_task(5)
    with pytest.raises(ValueError, match="cannot be empty"):
        cloaca.WorkflowBuilder("wrong").build()
    builder = cloaca.WorkflowBuilder("wrong").add_task(examples.my_task, dependencies=["missing"])
    with pytest.raises(ValueError, match="depends on 'missing'"):
        builder.build()
    builder = cloaca.WorkflowBuilder("wrong")
    builder.add_task(examples.my_task, id="a", dependencies=["b"])
    builder.add_task(examples.my_task, id="b", dependencies=["a"])
    with pytest.raises(ValueError, match="cycle"):
        builder.build()


def test_a_workflow_tells_its_shape():
    """Names, a version, levels, roots and leaves."""

    def make(description):
        builder = cloaca.WorkflowBuilder("shape", tenant="t", package="p", workflow="w")
        builder.description(description).tag("team", "data")
        return (
            builder.add_task(examples.fetch_data)
            .add_task(examples.process_data)
            .add_task(examples.my_task)
            .build()
        )

    workflow = make("one")
    assert ("shape", "one", {"team": "data"}) == (
        workflow.name,
        workflow.description,
        dict(workflow.tags),
    )
    assert make("one").version == workflow.version != make("other").version
    assert ["fetch_data", "process_data", "my_task"] == workflow.topological_sort()
    assert [["fetch_data", "my_task"], ["process_data"]] == workflow.get_execution_levels()
    assert ["fetch_data", "my_task"] == workflow.get_roots()
    assert ["process_data", "my_task"] == workflow.get_leaves()
    assert workflow.validate() is None


def test_a_constructor_is_called_when_its_workflow_is_asked_for(url):
    """By the runner as well."""
    cloaca.register_workflow_constructor(
        "made_late", lambda: cloaca.WorkflowBuilder("made_late").add_task("my_task").build()
    )
    with cloaca.DefaultRunner(url) as runner:
        assert "Completed" == runner.execute("made_late").status


def test_cron_schedules_are_listed_changed_and_forgotten(url):
    """With errors that are values."""
    cloaca.WorkflowBuilder("ticks").add_task(examples.my_task).__exit__(None, None, None)
    with cloaca.DefaultRunner(url) as runner:
        first = runner.register_cron_workflow("ticks", "0 9 1 1 *", "UTC")
        second = runner.register_cron_workflow("ticks", "0 10 1 1 *", "Europe/London")
        assert [first, second] == [one["id"] for one in runner.list_cron_schedules()]
        assert [second] == [one["id"] for one in runner.list_cron_schedules(False, 1, 1)]
        runner.set_cron_schedule_enabled(first, False)
        assert [second] == [one["id"] for one in runner.list_cron_schedules(enabled_only=True)]
        runner.update_cron_schedule(second, "0 11 1 1 *", "UTC")
        shown = runner.get_cron_schedule(second)
        assert ("ticks", "0 11 1 1 *", "UTC", True) == (
            shown["workflow_name"],
            shown["cron_expression"],
            shown["timezone"],
            shown["enabled"],
        )
        json.dumps(shown)
        assert [] == runner.get_cron_execution_history(second)
        stats = runner.get_cron_execution_stats("2026-01-01T00:00:00Z")
        assert {
            "total_executions": 0,
            "successful_executions": 0,
            "lost_executions": 0,
            "success_rate": 0.0,
        } == stats
        runner.delete_cron_schedule(first)
        assert 1 == len(runner.list_cron_schedules())
        for wrong in (
            lambda: runner.register_cron_workflow("ticks", "every minute", "UTC"),
            lambda: runner.register_cron_workflow("ticks", "* * * * *", "Mars/Base"),
            lambda: runner.update_cron_schedule(first, "* * * * *", "UTC"),
            lambda: runner.delete_cron_schedule(first),
            lambda: runner.get_cron_execution_stats("yesterday"),
        ):
            with pytest.raises(ValueError):
                wrong()


def test_without_a_policy_of_its_own_a_step_has_that_of_the_app(place, clock, request):
    """As any task."""
    registry, seen = TaskRegistry(), []
    address = "sqlite://" if place == "sqlite" else request.getfixturevalue("migrated")()
    app = App(
        address, registry=registry, clock=clock, retry=Retry(attempts=3, delay=0, jitter=False)
    )
    with cloaca.WorkflowBuilder("standing", registry=registry):

        @cloaca.task()
        def fail(context):
            seen.append(1)
            raise ValueError

    app.enqueue("standing")
    drain(app)
    assert 3 == len(seen)
    app.close()


def test_a_runner_is_for_many_threads(url):
    """All of them get their own run's context."""
    cloaca.WorkflowBuilder("of_one").add_task(examples.my_task).__exit__(None, None, None)
    found = {}
    with cloaca.DefaultRunner(url) as runner:

        def ask(number):
            found[number] = runner.execute("of_one", {"number": number}).final_context["number"]

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)

    assert {number: number for number in range(8)} == found
