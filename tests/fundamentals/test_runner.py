"""`DefaultRunner`: workflows run in this program, by one runner or by several, now or by a clock."""

import asyncio
import threading
from datetime import UTC, datetime, timedelta

import pytest

import rotulus.workflow as wf
from fundamentals.test_scheduling import duty
from rotulus import App, TaskRegistry
from rotulus.errors import ResultTimeoutError, StoreClosedError
from rotulus.testing import drain
from rotulus.workflow import DefaultRunner, DefaultRunnerConfig, cron_schedules
from rotulus.workflow.cron_schedules import CronSchedules

pytestmark = pytest.mark.anywhere

KINDS = ["sqlite", pytest.param("postgres", marks=pytest.mark.anywhere)]


@pytest.fixture(params=KINDS)
def url(request):
    """A store that several may use."""
    if request.param == "sqlite":
        return "sqlite:///runs.db"
    return request.getfixturevalue("migrated")(clock=False)


@pytest.fixture
def runner(url, registry):
    """Makes runners; they are shut down at the end."""
    made = []

    def make(**config):
        made.append(DefaultRunner(url, DefaultRunnerConfig(**config), registry=registry))
        return made[-1]

    yield make
    for one in made:
        one.shutdown()


@pytest.fixture
def gate(registry):
    """A workflow whose first step waits until it is let go; the gate, and what has run."""
    opened, ran = threading.Event(), []
    with wf.WorkflowBuilder("gated", registry=registry):

        @wf.task(id="first")
        def first(context):
            ran.append("first")
            opened.wait(20)

        @wf.task(id="second", dependencies=["first"])
        def second(context):
            ran.append("second")
            context.set("done", True)

    yield opened, ran
    opened.set()


def test_a_run_is_submitted_and_waited_for(runner, gate):
    """By its id, from anywhere."""
    opened, _ = gate
    one = runner()
    run = one.submit("gated", {"given": 1})
    with pytest.raises(ResultTimeoutError):
        run.wait(0.1)
    assert run.status in ("Pending", "Running")
    assert ["first", "second"] == [job.step for job in run.steps()]
    opened.set()
    result = one.run(run.id).wait(20)

    assert ("Completed", run.id) == (result.status, result.run_id)
    assert {"given": 1, "done": True} == result.final_context


def test_a_coroutine_awaits_a_run(runner, gate):
    """And the event loop goes on meanwhile."""
    opened, _ = gate
    one = runner()

    async def main():
        execution = asyncio.create_task(one.aexecute("gated", wf.Context({"given": 1})))
        await asyncio.sleep(0.05)
        opened.set()
        return await execution

    assert {"given": 1, "done": True} == asyncio.run(main()).final_context


def test_a_run_that_takes_too_long_is_cancelled(runner, gate):
    """It has failed, and says why; what had not begun never does."""
    opened, ran = gate
    result = runner(workflow_timeout_seconds=0.3).execute("gated")
    opened.set()

    assert "Failed" == result.status
    assert "timeout of 0.3 seconds" in result.error_message
    assert "second" not in ran


def test_steps_have_the_timeout_of_the_config(runner, registry):
    """Unless they have one of their own."""
    with wf.WorkflowBuilder("slow", registry=registry):

        @wf.task(id="standing")
        async def standing(context):
            await asyncio.sleep(20)

        @wf.task(id="own", timeout=15)
        async def own(context):
            await asyncio.sleep(0.5)
            context.set("own", 1)

    result = runner(task_timeout_seconds=0.2).execute("slow")
    assert ("Failed", {"own": 1}) == (result.status, result.final_context)
    assert "1 task(s) failed, 1 completed, 0 skipped" == result.error_message


def test_no_more_steps_run_at_once_than_the_config_says(runner, registry):
    """However many there are."""
    running, most, lock = [], [], threading.Lock()
    with wf.WorkflowBuilder("wide", registry=registry):

        @wf.task(id="each", for_each="items")
        def each(context):
            with lock:
                running.append(1)
                most.append(len(running))
            threading.Event().wait(0.005)
            with lock:
                running.pop()

    runner(max_concurrent_tasks=2).execute("wide", {"items": list(range(40))})
    assert 2 == max(most)


def test_what_a_runner_leaves_the_next_one_takes_up(runner, gate, url, registry):
    """When it begins: no workflow needs to be asked for."""
    opened, ran = gate
    app = App(url, registry=registry)
    job = app.enqueue("gated")
    opened.set()
    app.close()
    one = runner()

    assert "Completed" == one.run(job.id).wait(20).status
    assert ["first", "second"] == ran


def test_two_runners_share_the_work(runner, registry):
    """Each step is run once."""
    seen, lock = [], threading.Lock()
    with wf.WorkflowBuilder("wide", registry=registry):

        @wf.task(id="each", for_each="items")
        def each(context):
            with lock:
                seen.append(context["item"])
            return context["item"]

    runners = [runner(), runner()]
    runs = [runners[n % 2].submit("wide", {"items": list(range(30))}) for n in range(6)]
    for run in runs:
        assert list(range(30)) == run.wait(60).final_context["each"]
    assert sorted(list(range(30)) * 6) == sorted(seen)


def test_a_shutdown_lets_running_steps_finish(runner, registry):
    """One that takes its time is not hurried, and runs once."""
    began, ran = threading.Event(), []
    with wf.WorkflowBuilder("slow", registry=registry):

        @wf.task()
        def slow(context):
            began.set()
            threading.Event().wait(2.5)
            ran.append("to its end")

    one = runner()
    run = one.submit("slow")
    assert began.wait(20)
    one.shutdown()

    step = runner().run(run.id).step("slow")
    assert ("succeeded", 1, ["to its end"]) == (step.state, step.attempt, ran)


def test_a_runner_that_is_shut_down_stays_so(runner, gate):
    """It is told, and a second shutdown is harmless."""
    one = runner()
    one.shutdown()
    one.shutdown()
    with pytest.raises(StoreClosedError):
        one.execute("gated")


@pytest.fixture
def crons(still_app, clock):
    """Makes the schedules of runners; and lets so many minutes pass, while they are fired."""
    with wf.WorkflowBuilder("ticks", registry=still_app.registry):
        wf.task(id="tick")(lambda context: context.set("tick", 1))
    duties = []

    def make(most=100):
        return CronSchedules(still_app, most, timedelta(minutes=10))

    def wait(minutes, step=1):
        duties[:] = duties or [duty(still_app.store, still_app.registry, clock) for _ in range(2)]
        for passed in range(0, minutes + 1, step):
            clock.advance(60 * step if passed else 0)
            [one.tick(clock.now()) for one in duties]

    return make, wait


def test_each_moment_becomes_one_run(still_app, crons):
    """However many runners have registered the same, and however often they look."""
    make, wait = crons
    two = [make(), make()]
    [one_id] = {one.register("ticks", "*/5 * * * *", "UTC") for one in two}
    wait(11)
    drain(still_app)

    history = two[0].history(one_id, 100, 0)
    assert ["2026-01-01T00:10:00+00:00", "2026-01-01T00:05:00+00:00"] == [
        firing["scheduled_time"] for firing in history
    ]
    assert {"succeeded"} == {firing["state"] for firing in history}
    assert history[1:] == two[0].history(one_id, 1, 1)
    stats = two[1].stats(datetime(2020, 1, 1, tzinfo=UTC))
    assert (2, 2, 100.0) == (
        stats["total_executions"],
        stats["successful_executions"],
        stats["success_rate"],
    )


def test_figures_read_the_firings_of_their_time(still_app, crons, clock, monkeypatch):
    """However many older ones there are; and as many pages as there are."""
    make, wait = crons
    runner = make()
    made = runner.register("ticks", "*/30 * * * *", "UTC")
    wait(600, step=30)
    read, records = [], still_app.store.records

    def counted(ids):
        read.append(len(ids))
        return records(ids)

    monkeypatch.setattr(still_app.store, "records", counted)
    stats = runner.stats(clock.now() - timedelta(hours=1))

    assert ([3], 3) == (read, stats["total_executions"])
    monkeypatch.setattr(cron_schedules, "_PAGE", 7)
    assert 20 == len(runner.history(made, None, 0)) == sum(read[1:])
    assert [7, 7, 6] == read[1:]


@pytest.mark.parametrize(("most", "firings"), [(100, 12), (3, 3)])
def test_missed_moments_are_made_up_for(still_app, crons, most, firings):
    """As many as the config allows, the latest of them."""
    make, wait = crons
    make(most).register("ticks", "*/5 * * * *", "UTC")
    wait(60, step=60)

    assert firings == len(still_app.jobs(task="ticks"))
    assert any("01:00" in job.key for job in still_app.jobs(task="ticks"))


def test_a_schedule_that_is_off_does_not_fire(still_app, crons):
    """Nor does it make up for that afterwards; another expression counts from then on."""
    make, wait = crons
    one = make()
    schedule = one.register("ticks", "*/5 * * * *", "UTC")
    one.enable(schedule, enabled=False)
    wait(20)
    one.enable(schedule, enabled=True)
    wait(0)
    assert [] == still_app.jobs(task="ticks")
    one.update(schedule, "*/7 * * * *", "UTC")
    wait(8)
    assert ["00:21", "00:28"] == sorted(job.key[-6:-1] for job in still_app.jobs(task="ticks"))


def test_a_second_runner_sees_the_schedules_of_the_first(url, registry):
    """Also when that one has ended: it fires them, changes them and deletes them."""
    with wf.WorkflowBuilder("often", registry=registry):
        wf.task(id="tick")(lambda context: context.set("tick", 1))
    quiet = DefaultRunnerConfig(enable_cron_scheduling=False)
    with DefaultRunner(url, quiet, registry=registry) as one:
        ids = [one.register_cron_workflow("often", f"{m} 9 1 1 *", "UTC") for m in (1, 2)]
        one.set_cron_schedule_enabled(ids[0], False)
        assert ids[0] == one.register_cron_workflow("often", "1 9 1 1 *", "UTC")
        shown = one.list_cron_schedules()
    with DefaultRunner(url, quiet, registry=registry) as two:
        assert ids == [known["id"] for known in two.list_cron_schedules(None, None, None)]
        assert shown == two.list_cron_schedules()
        assert [ids[1]] == [known["id"] for known in two.list_cron_schedules(enabled_only=True)]
        two.update_cron_schedule(ids[1], "* * * * *", "UTC")
        two.delete_cron_schedule(ids[0])
        with pytest.raises(ValueError, match="no schedule has id"):
            two.get_cron_schedule(ids[0])


def test_a_runner_fires_what_another_one_has_registered(url, registry, clock, monkeypatch):
    """In its own worker, unless it is told not to."""
    ran = threading.Event()
    with wf.WorkflowBuilder("often", registry=registry):
        wf.task(id="tick")(lambda context: ran.set())
    quiet = DefaultRunnerConfig(enable_cron_scheduling=False)
    with DefaultRunner(url, quiet, registry=registry) as one:
        schedule = one.register_cron_workflow("often", "0 9 1 1 *", "UTC")
    app = App(url, registry=TaskRegistry())
    app.schedules.set(schedule, every=1)
    app.close()
    with DefaultRunner(url, registry=registry) as two:
        assert ran.wait(30)
        assert two.get_cron_execution_history(schedule)
