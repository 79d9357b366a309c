"""Why a job waits, in sentences: the job or the worker that is really in the way, and until when."""

import asyncio
import threading
import time

import pytest

import rotulus.workflow as wf
from rotulus import App, Retry, State, task
from rotulus.errors import JobFailedError, ResultTimeoutError
from rotulus.events import ResultAwaited, WorkerStarted
from rotulus.store import ClaimFilter, Renewal, WorkerInfo
from rotulus.testing import drain

TOO_LONG = 20.0


class Working:
    """A worker of an app in a thread, for the length of a block; bodies wait for its `gate`."""

    def __init__(self, app):
        self.app = app
        self.gate = threading.Event()

    def __call__(self, **options):
        self._thread = threading.Thread(target=lambda: self.app.run_worker(**options))
        return self

    def __enter__(self):
        begun = threading.Event()
        stop = self.app.events.subscribe(lambda _: begun.set(), WorkerStarted)
        self._thread.start()
        assert begun.wait(TOO_LONG)  # what forks for isolated tasks is forked while nobody is busy
        stop()
        self.until(lambda: self.app.store.fleet().workers)  # it is announced beside its first claim
        return self

    def __exit__(self, *_):
        self.gate.set()
        self.app.stop()
        self._thread.join(TOO_LONG)

    def until(self, true):
        """Wait until something holds, and give it."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            if found := true():
                return found
            self.app.store.wait(ClaimFilter(queues=["nobody serves this"]), 0.02)
        raise AssertionError("it has not come about")


@pytest.fixture
def working(app):
    """A worker of the app."""
    return Working(app)


@pytest.fixture
def nap(app, working):
    """A task that runs until the gate is open."""

    @task(name="nap", registry=app.registry)
    def nap():
        working.gate.wait(TOO_LONG)

    return nap


def test_all_slots_are_taken_and_by_whom(working, nap):
    """That is what a person asks nine times out of ten."""
    first, second = nap.enqueue(), nap.enqueue()
    third = nap.enqueue()
    with working(slots=2, name="w"):
        working.until(lambda: first.refresh().worker and second.refresh().worker)
        [reason] = third.why()

    assert reason.startswith("All 2 slots of worker w are taken, by nap ")
    assert first.id in reason
    assert second.id in reason


def test_a_free_slot_of_another_worker_counts(app, nap):
    """Then nothing is in the way."""
    app.store.extend([], 30, WorkerInfo("idle", "h", 1, None, 1, nap.enqueue().created_at))

    assert ["It is due, and nothing is in its way: a worker should take it now."] == (
        nap.using(priority=1).enqueue().why()
    )
    assert ["It is due; 2 jobs are ahead in queue 'default'."] == nap.enqueue().why()


def parents(registry, told):
    """Tasks that wait for a child within their own attempt."""

    @task(registry=registry)
    def child():
        return 1

    def wait(child):
        told.append(child.id)
        return child.result(TOO_LONG)

    @task(registry=registry)
    def plain():
        return wait(child.enqueue())

    @task(registry=registry, timeout=60)
    async def coroutine():
        job = await child.aenqueue()
        told.append(job.id)
        return await job.aresult(TOO_LONG)

    return {"plain": plain, "coroutine": coroutine}


@pytest.mark.parametrize("kind", ["plain", "coroutine"])
def test_a_task_that_waits_for_its_own_child(app, working, kind):
    """Both say so, and the log warns of it once."""
    told, warned = [], []
    app.events.subscribe(warned.append, ResultAwaited)
    parent = parents(app.registry, told)[kind].enqueue()
    with working(slots=1, name="w"):
        working.until(lambda: (parent.refresh().reason or "").startswith("awaits"))
        [of_parent], [of_child] = parent.why(), app.get(told[0]).why()
        app.cancel(told[0])

    assert f"waits within its task for the result of child {told[0]}: the slot of" in of_parent
    assert of_child.startswith(f"The slot of worker w is taken, by {kind} {parent.id} for ")
    assert f"{kind} {parent.id} waits for this job within its task" in of_child
    assert [(parent.id, told[0])] == [(event.job.id, event.awaited) for event in warned]


def test_an_isolated_task_that_waits_for_its_own_child(tmp_path, registry):
    """It waits in another process, and its slot is as taken."""
    app = App(f"sqlite:///{tmp_path / 'jobs.db'}", registry=registry)
    warned, working = [], Working(app)
    app.events.subscribe(warned.append, ResultAwaited)

    @task(registry=registry)
    def child(): ...

    @task(isolation="process", registry=registry)
    def apart():
        child.enqueue().result(TOO_LONG)

    parent = apart.enqueue()
    with working(slots=1):
        working.until(lambda: (parent.refresh().reason or "").startswith("awaits"))
        [waiting] = app.jobs(task="child")
        assert f"apart {parent.id} waits for this job within its task" in waiting.why()[0]
        waiting.cancel()
    app.close()
    assert [parent.id] == [event.job.id for event in warned]


def test_a_result_that_is_there_is_no_danger(app, registry):
    """Nobody waits for it."""
    warned = []
    app.events.subscribe(warned.append, ResultAwaited)

    @task(registry=registry)
    def child():
        return 1

    @task(registry=registry)
    def parent(job: str):
        return app.get(job).result()

    ended = child.enqueue()
    drain(app)
    later = parent.enqueue(ended.id)
    drain(app)
    assert (1, []) == (later.result(0), warned)


def test_two_that_wait_for_one_another_come_to_an_end(app, nap):
    """Of what is said."""
    one, other = nap.enqueue(), nap.enqueue()
    claims = app.store.claim(ClaimFilter("w"), 2, 30)
    waits = {one.id: other.id, other.id: one.id}
    app.store.extend([Renewal(c.id, c.attempt, None, f"awaits {waits[c.id]}") for c in claims], 30)

    assert f"result of nap {other.id}: it has been running" in one.why()[0]


def test_a_timeout_says_the_same(app, working, nap):
    """As `why` does."""
    nap.enqueue()
    second = nap.enqueue()
    with working(slots=1, name="w"):
        working.until(lambda: len(app.jobs(state="running")) == 1)
        with pytest.raises(ResultTimeoutError, match="The slot of worker w is taken, by nap "):
            second.result(0.05)
        with pytest.raises(ResultTimeoutError, match="The slot of worker w is taken, by nap "):
            asyncio.run(second.aresult(0.05))


@pytest.fixture
def gallery(build):
    """Two branches that fail, and are tried again in a minute; a step after them; all nested."""
    with build("thumbs"):

        @wf.task(id="list")
        def many(context):
            context.set("files", ["a", "b"])
            return context

        @wf.task(
            id="thumb",
            dependencies=["list"],
            for_each="files",
            retry_attempts=3,
            retry_delay_ms=60_000,
        )
        def thumb(context):
            raise ValueError("no date")

        @wf.task(id="zip", dependencies=["thumb"])
        def pack(context): ...

    with build("gallery") as builder:
        builder.add_task("thumbs", id="inner")


@pytest.mark.parametrize("step", ["", "inner", "inner/thumb", "inner/zip"])
def test_a_run_leads_to_the_branch_that_waits(app, gallery, step):
    """Through steps, branches and a workflow within, and says until when."""
    run = app.enqueue("gallery")
    drain(app)
    [job] = app.jobs(run=run.id, step=step) if step else [run.refresh()]
    first, second, *more = job.why()

    assert State.BLOCKED == job.state
    assert first.startswith("It waits for 'inner/thumb/")
    assert "attempt 1 failed (ValueError: no date); it is due in " in first
    assert {"inner/thumb/0", "inner/thumb/1"} == {text.split("'")[1] for text in (first, second)}
    assert "no worker is running: start one with 'rotulus worker'." in more[0]


def test_a_long_chain_is_followed_to_its_end(app, build):
    """However many steps are behind one another."""
    with build():
        for number in range(30):
            needs = [f"s{number - 1}"] if number else []
            wf.task(id=f"s{number}", dependencies=needs)(lambda context: None)
    run = app.enqueue("flow")
    [claimed] = app.store.claim(ClaimFilter("w"), 1, 30)
    app.store.extend([], 30, WorkerInfo("w", "h", 1, ("other",), 1, run.created_at))
    app.store.rescue(worker="w")
    [last] = app.jobs(run=run.id, step="s29")

    assert claimed.id != last.id
    assert last.why()[0].startswith("It waits for 's0' (job ")
    assert "no worker serves queue 'default'; the 1 that run serve other." in last.why()[0]


def test_who_holds_a_limit(app, nap):
    """All of them by name, unless there are many."""
    jobs = [nap.using(limit=1, limit_key="k").enqueue() for _ in range(2)]
    [claimed] = app.store.claim(ClaimFilter("w"), 2, 30)
    app.store.extend([], 30, WorkerInfo("w", "h", 1, None, 5, jobs[0].created_at))

    assert [f"1 job with limit_key 'k' is running, and that is its limit: {claimed.id}."] == jobs[
        1
    ].why()


def test_who_holds_the_key_of_a_job_that_ended(app, registry):
    """So that nobody wonders why it cannot be sent back."""

    @task(registry=registry)
    def fail():
        raise ValueError

    first = fail.using(key="k").enqueue()
    drain(app)
    assert f"rotulus retry {first.id}" in first.why()[0]
    second = fail.using(key="k").enqueue()
    ended, held = first.why()

    assert "rotulus retry" not in ended
    assert f"Its key 'k' is held by job {second.id} (queued)" in held


def test_who_had_the_key_of_a_job_that_ended(app, registry):
    """It may hold the key still, after its own end; of a step, the key is that of its run."""
    with wf.WorkflowBuilder("flow", registry=registry):

        @wf.task(id="fail")
        def fail(context):
            raise ValueError

    first = app.using(key="k").enqueue("flow")
    drain(app)
    step = app.runs.step(first.id, "fail").job
    second = app.using(key="k", window=60).enqueue("flow")
    live = step.why()[-1]
    drain(app)
    ended, had = step.why()

    assert [] == app.retry(step.id, first.id)
    assert live.startswith(f"The key of its run 'k' is held by job {second.id} (blocked)")
    assert had.startswith(f"The key of its run 'k' was given to job {second.id} (failed) since")
    assert first.why()[-1].startswith(f"Its key 'k' was given to job {second.id} (failed) since")
    assert f"rotulus retry {step.id}" in ended
    assert 1 == len(second.why())


def test_a_job_that_was_lost_twice_waits_for_another_such(still_app, clock):
    """As it runs alone of its kind."""

    @task(name="t", registry=still_app.registry)
    def t(): ...

    store, jobs = still_app.store, [t.enqueue(), t.enqueue()]
    for _ in range(2):
        store.claim(ClaimFilter("gone"), 2, 30)
        store.rescue(worker="gone")
    waiting = jobs[0].why()
    assert waiting[0].startswith("Its worker died 2 times; it is due in 4 s, at ")
    clock.advance(5)
    [claimed] = store.claim(ClaimFilter("w"), 2, 30)
    store.extend([], 30, WorkerInfo("w", "h", 1, None, 5, clock.now()))
    [other] = [job for job in jobs if job.id != claimed.id]

    [reason] = other.why()
    assert reason.startswith("It was lost 2 times with its worker, so it runs beside no other such")
    assert reason.endswith(f" job: t {claimed.id} on worker w has to end.")


def test_when_a_job_expires(still_app, clock):
    """And what becomes of it then."""

    @task(name="t", registry=still_app.registry)
    def t(): ...

    job = t.using(expires=90).enqueue()
    assert "It expires in 90 s, at 2026-01-01 00:01:30Z: unless it has been " in job.why()[1]
    clock.advance(90)
    assert "It expired at 2026-01-01 00:01:30Z: a worker that takes it " in job.why()[1]


def test_jobs_ahead_are_counted_as_far_as_one_can_see(app, registry):
    """The others are not read."""

    @task(name="t", registry=registry)
    def t(): ...

    t.enqueue_many([() for _ in range(1001)])
    app.store.extend([], 30, WorkerInfo("w", "h", 1, None, 5, t.enqueue().created_at))

    assert ["It is due; 1,000+ jobs are ahead in queue 'default'."] == t.enqueue().why()


def test_a_worker_that_serves_the_queue_and_does_not_know_the_task(app, nap):
    """And another one the other way round."""
    job = nap.enqueue()
    for name, queues, names in (("a", None, ("other",)), ("b", ("mail",), ("nap",))):
        info = WorkerInfo(name, "h", 1, queues, 5, job.created_at, names=names)
        app.store.extend([], 30, info)

    assert [
        "No worker that serves queue 'default' knows task 'nap'; b does, and serves other queues."
    ] == job.why()


def test_a_retry_says_until_when_and_what_else_is_in_the_way(app, registry):
    """As far as it will still be in the way then."""

    @task(retry=Retry(attempts=2, delay=60, jitter=False), registry=registry)
    def fail():
        raise ValueError("no")

    job = fail.enqueue()
    drain(app)
    app.pause("default")
    first, *more = job.why()

    assert "Attempt 1 failed (ValueError: no); it is due in " in first
    assert more[0].startswith("Queue 'default' is paused since ")
    assert "No worker is running: start one with 'rotulus worker'." == more[1]
    with pytest.raises(ResultTimeoutError, match="Attempt 1 failed"):
        job.result(0)
    job.cancel()
    with pytest.raises(JobFailedError):
        job.result(0)
