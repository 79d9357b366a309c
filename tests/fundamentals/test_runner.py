"""`DefaultRunner`: workflows run in this program, by one runner or by several, now or by a clock."""

import asyncio
import threading
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

import rotulus.workflow as wf
from rotulus import App
from rotulus.errors import ResultTimeoutError, StoreClosedError
from rotulus.testing import drain
from rotulus.workflow import DefaultRunner, DefaultRunnerConfig
from rotulus.workflow.cron import Crons
from server_clock import empty

pytestmark = pytest.mark.anywhere

KINDS = ["sqlite", pytest.param("postgres", marks=pytest.mark.anywhere)]
START = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)


@pytest.fixture(params=KINDS)
def url(request):
    """A store that several may use."""
    if request.param == "sqlite":
        return "sqlite:///runs.db"
    address = request.getfixturevalue("migrated")(clock=False)
    with psycopg.connect(address, autocommit=True) as connection:
        empty(connection)
    return address


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
def crons(app, registry):
    """Makes the schedules of runners, on a clock that is set; and the clock, a list of one."""
    with wf.WorkflowBuilder("ticks", registry=registry):
        wf.task(id="tick")(lambda context: context.set("tick", 1))
    now = [START]

    def fire(workflow, key, held):
        app.using(key=key, window=held).enqueue(workflow)

    def make(most=100):
        return Crons(app, fire, lambda: now[0], most, timedelta(minutes=10))

    return make, now


def test_each_moment_becomes_one_run(app, crons):
    """However many runners have registered the same, and however often they look."""
    make, now = crons
    two = [make(), make()]
    [one_id] = {one.register("ticks", "*/5 * * * *", "UTC") for one in two}
    assert 30.0 == two[0].tick()
    for minute in range(1, 12):
        now[0] = START + timedelta(minutes=minute)
        for one in two:
            one.tick()
    drain(app)

    history = two[0].history(one_id, 100, 0)
    assert ["2026-03-01T12:10:00+00:00", "2026-03-01T12:05:00+00:00"] == [
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


@pytest.mark.parametrize(("most", "firings"), [(100, 12), (3, 3)])
def test_missed_moments_are_made_up_for(app, crons, most, firings):
    """As many as the config allows, the latest of them."""
    make, now = crons
    one = make(most)
    one.register("ticks", "*/5 * * * *", "UTC")
    now[0] = START + timedelta(hours=1)
    one.tick()

    assert firings == len(app.jobs(task="ticks"))
    assert any("13:00" in job.key for job in app.jobs(task="ticks"))


def test_a_schedule_that_is_off_does_not_fire(app, crons):
    """Nor does it make up for that afterwards; another expression counts from then on."""
    make, now = crons
    one = make()
    schedule = one.register("ticks", "*/5 * * * *", "UTC")
    one.enable(schedule, enabled=False)
    now[0] = START + timedelta(minutes=20)
    one.tick()
    one.enable(schedule, enabled=True)
    one.tick()
    assert [] == app.jobs(task="ticks")
    one.update(schedule, "*/7 * * * *", "UTC")
    now[0] = START + timedelta(minutes=28)
    one.tick()
    assert ["12:21", "12:28"] == sorted(job.key[-6:-1] for job in app.jobs(task="ticks"))
