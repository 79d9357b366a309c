"""Every option of a step, a branch, a workflow and a runner has an effect, or is refused."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

import rotulus.workflow as wf
from rotulus import State, task
from rotulus.errors import OptionError, WorkflowError
from rotulus.testing import drain
from rotulus.workflow import Run


class Meter:
    """How many bodies of each key run at once, at most; and in all."""

    def __init__(self):
        self.now, self.most, self._lock = {}, {}, threading.Lock()
        self._met = threading.Event()

    def __call__(self, key):
        for name in (key, "all"):
            with self._lock:
                self.now[name] = self.now.get(name, 0) + 1
                self.most[name] = max(self.most.get(name, 0), self.now[name])
        self._met.wait(0.1)
        for name in (key, "all"):
            with self._lock:
                self.now[name] -= 1


def test_branches_are_limited_by_what_they_are_given(app, build):
    """The template is filled from the item, and from the context, as it is for a plain job."""
    meter = Meter()

    @task(limit=1, limit_key="{tenant}:{kind}", registry=app.registry)
    def crunch(tenant: str, kind: str = "usual"):
        meter(tenant)

    with build() as builder:
        builder.add_task(crunch, for_each="tenants")
    job = app.enqueue("flow", tenants=["a", "b", "a", "b"], kind="rare")
    app.run_worker(burst=True, slots=4)

    assert State.SUCCEEDED == job.refresh().state
    assert (1, 1, 2) == (meter.most["a"], meter.most["b"], meter.most["all"])


def test_a_first_step_is_limited_by_the_initial_context(app, build):
    """Its arguments are known when it is added."""

    @task(rate=1, per=60, limit_key="tenant:{tenant}", registry=app.registry)
    def crunch(tenant: str): ...

    with build() as builder:
        builder.add_task(crunch)
    run = Run(app, app.enqueue("flow", tenant="x").id)

    assert "tenant:x" == run.step("crunch").record.limit_key


def test_a_later_step_with_a_template_is_refused(app, build):
    """Where it is declared."""

    @task(limit=1, limit_key="tenant:{tenant}", registry=app.registry)
    def crunch(tenant: str): ...

    builder = build()
    builder.add_task(task("first", registry=app.registry)(lambda: None))
    builder.add_task(crunch, dependencies=["first"])
    with pytest.raises(WorkflowError, match=r"limit_key='tenant:\{tenant\}'.*use for_each"):
        builder.build()


@pytest.mark.parametrize(
    ("declared", "using", "said"),
    [
        ({"key": "a"}, {}, "key='a'"),
        ({"key": "{x}"}, {}, r"key='\{x\}'"),
        ({}, {"key": "a"}, "key='a'"),
        ({"key": "a", "window": 5}, {}, "key='a'"),
        ({}, {"window": 5}, "window=5"),
        ({}, {"connection": object()}, "connection="),
    ],
)
def test_what_a_step_cannot_heed_is_refused(app, build, declared, using, said):
    """Keys, their windows and connections are for whole runs."""
    step = task("step", registry=app.registry, **declared)(lambda x=1: None).using(**using)
    builder = build().add_task(step)
    with pytest.raises(WorkflowError, match=f"Step 'step': .*{said}"):
        builder.build()


@pytest.mark.parametrize("each", [None, "items"])
def test_what_a_step_says_of_its_delivery_is_heard(app, build, each):
    """Queue, priority, delay, moment, expiry, limit and rate, also of branches."""
    at = datetime.now(UTC) + timedelta(hours=1)
    options = {"queue": "own", "priority": 7, "expires": 90, "limit": 3, "rate": 5, "per": 9}
    step = task("step", registry=app.registry)(lambda x=1: None)
    with build() as builder:
        builder.add_task(step.using(**options, limit_key="k"), id="one", for_each=each)
        builder.add_task(step.using(at=at), id="late")
        builder.add_task(step.using(delay=50), id="slow")
    run = Run(app, app.enqueue("flow", items=[1]).id)
    app.run_worker(burst=True)
    record = run.step("one/0" if each else "one").record

    assert ("own", 7, 3, 5, 9_000_000, "k") == (
        record.queue,
        record.priority,
        record.limit_to,
        record.rate_to,
        record.rate_per,
        record.limit_key,
    )
    assert record.expires_at is not None
    assert at == run.step("late").run_at
    assert State.DELAYED == run.step("slow").state


def test_the_terms_of_a_run_hold_for_its_beginning(still_app, clock):
    """Rate, delay and expiry; its end waits for none of them."""
    began = []
    with wf.WorkflowBuilder("flow", registry=still_app.registry):
        wf.task(id="a")(lambda context: began.append(1))
    rated = [still_app.using(rate=1, per=30, limit_key="r").enqueue("flow") for _ in range(3)]
    drain(still_app)
    assert 1 == len(began)
    assert State.SUCCEEDED == rated[0].refresh().state
    clock.advance(31)
    drain(still_app)
    assert 2 == len(began)
    clock.advance(31)
    drain(still_app)

    late = still_app.using(delay=10).enqueue("flow")
    drain(still_app)
    assert 3 == len(began)
    clock.advance(11)
    drain(still_app)
    assert State.SUCCEEDED == late.refresh().state

    gone = still_app.using(expires=5).enqueue("flow")
    clock.advance(6)
    drain(still_app)
    assert (State.DEAD, "expired") == (gone.refresh().state, gone.refresh().reason)
    assert 4 == len(began)


def test_queue_priority_and_key_of_a_run_are_heard(app, build):
    """Its steps have the first two; a key is for the whole run."""
    with build():
        wf.task(id="a")(lambda context: None)
    using = app.using(queue="own", priority=3, key="once", window=60)
    job = using.enqueue("flow")
    step = Run(app, job.id).step("a")

    assert ("own", 3) == (step.queue, step.priority)
    assert job == using.enqueue("flow")


def test_a_limit_of_a_run_is_refused(app, build):
    """On the line that enqueues it; by a worker, where nobody knew better."""
    with build():
        wf.task(id="a")(lambda context: None)
    with pytest.raises(OptionError, match="limit=1 is not allowed on workflow 'flow'"):
        app.using(limit=1, limit_key="x").enqueue("flow")


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            lambda: wf.task(dependancies=["a"]),
            "'dependancies'; did you mean 'dependencies'",
        ),
        (lambda: wf.WorkflowBuilder("x", tenat="y"), "'tenat'; did you mean 'tenant'"),
        (
            lambda: wf.WorkflowBuilder("x").add_task("y", triger=1),
            "'triger'; did you mean 'trigger'",
        ),
        (
            lambda: wf.DefaultRunnerConfig(max_concurent_tasks=1),
            "did you mean 'max_concurrent_tasks'",
        ),
        (lambda: wf.DefaultRunnerConfig(max_concurrent_tasks="4"), "max_concurrent_tasks='4'"),
        (lambda: wf.DefaultRunnerConfig(max_concurrent_tasks=1.5), "a whole number"),
        (lambda: wf.DefaultRunnerConfig(enable_recovery=1), "enable_recovery=1"),
        (lambda: wf.DefaultRunnerConfig(task_timeout_seconds=None), "task_timeout_seconds=None"),
        (lambda: wf.DefaultRunnerConfig(db_pool_size=20), "db_pool_size=20 is not allowed"),
        (lambda: wf.DefaultRunnerConfig(cron_max_recovery_attempts=9), "only 3"),
    ],
)
def test_what_is_not_an_option_is_refused_with_the_nearest(call, said):
    """And what would have no effect."""
    with pytest.raises(OptionError, match=said):
        call()


def test_none_is_no_filter_in_the_lists_of_a_runner(registry):
    """And no end."""
    with wf.WorkflowBuilder("flow", registry=registry):
        wf.task(id="a")(lambda context: None)
    config = wf.DefaultRunnerConfig(enable_cron_scheduling=False)
    with wf.DefaultRunner("sqlite://", config, registry=registry) as runner:
        ids = [runner.register_cron_workflow("flow", f"{minute} * * * *") for minute in (1, 2)]
        assert ids == [one["id"] for one in runner.list_cron_schedules(None, None, None)]
        assert [] == runner.get_cron_execution_history(ids[0], None, None)
        assert 0 == runner.get_cron_execution_stats(None)["total_executions"]


def test_a_result_that_is_too_large_says_which_and_what_helps(app, build):
    """A larger max_bytes and a retry run no branch again."""
    ran = []

    @task(registry=app.registry)
    def each(item: int):
        ran.append(item)
        return "x" * 400

    with build() as builder:
        builder.add_task(each, for_each="items")
    small, large = (type(app)("sqlite:///big.db", like=app, max_bytes=n) for n in (1000, 10_000))
    job = small.enqueue("flow", items=[1, 2, 3])
    small.run_worker(burst=True)
    error = Run(small, job.id).step("each").error
    assert "the result of step 'each' takes 1,2" in error.message
    assert "at most 1,000 are stored: give the app a larger max_bytes, and retry" in error.message
    assert "no branch runs again" in error.message
    small.close()

    Run(large, job.id).retry()
    large.run_worker(burst=True)
    assert 3 == len(large.get(job.id).result(0)["each"])
    assert [1, 2, 3] == sorted(ran)
    large.close()
