"""`rotulus.client`: the same verbs and the same errors as those of an app, over a real server."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from rotulus import INJECTED, App, Job, TaskRegistry, scheduled, task
from rotulus.client import ServiceError, TaskFailedError
from rotulus.errors import (
    ArgumentsError,
    JobConflictError,
    JobFailedError,
    JobNotFoundError,
    OptionError,
    ResultTimeoutError,
    ScheduleConflictError,
    ScheduleNotFoundError,
    TaskNotFoundError,
    WorkerNotFoundError,
)
from rotulus.store import ClaimFilter, WorkerInfo
from rotulus.testing import drain

pytestmark = pytest.mark.anywhere


@pytest.fixture
def app(url):
    """An app with a task that adds, one that fails, and one that a schedule fires."""
    registry = TaskRegistry()

    @task(registry=registry, tags=["sums"])
    def add(a: int, b: int = 1) -> int:
        """Add two numbers."""
        return a + b

    @task(registry=registry)
    def fails():
        raise ValueError("no such file")

    @task(registry=registry)
    def says(job: Job = INJECTED):
        job.log("one")
        job.log("two", "error")

    @scheduled("0 3 * * *", registry=registry)
    def nightly():
        pass

    with App(url, registry=registry) as made:
        yield made


def ids(jobs):
    """The ids of jobs, in order."""
    return [job.id for job in jobs]


def test_a_job_is_stored_and_read(app, door):
    """With its options, its arguments and its result."""
    job = door.using(queue="sums", priority=3, labels={"customer": "7"}).enqueue("add", a=1, b=2)
    assert ("queued", "sums", 3) == (job.state, job.queue, job.priority)
    drain(app)
    found = door.jobs.get(job.id)

    assert ("succeeded", {"customer": "7"}) == (found.state, found.labels)
    assert {"a": 1, "b": 2} == found.arguments
    assert (job.id, job.created_at) == (found.id, found.created_at)


def test_jobs_are_found_page_by_page(door):
    """By each kind of filter, the last one first; counted, too."""
    for number in range(5):
        door.using(queue="q", labels={"of": "7"}).enqueue("add", a=number)
    door.enqueue("add", a=40)
    where = {"queue": "q", "state": ["queued", "running"], "label": {"of": "7"}}
    first = door.jobs.find(**where, limit=3, since=timedelta(hours=1))
    second = door.jobs.find(**where, limit=3, since=timedelta(hours=1), after=first.next)

    assert (3, 2, None) == (len(first), len(second), second.next)
    assert 5 == len({*ids(first), *ids(second)})
    assert (5, True) == (int(door.jobs.count(queue="q")), door.jobs.count(queue="q").exact)
    assert 1 == len(door.jobs.find(args={"a": 40}))
    assert 1 == len(door.jobs.find(args={"a": 2}, until=datetime.now(UTC) + timedelta(1)))


def test_jobs_are_counted_by_what_they_have_in_common(app, door):
    """By their error, with the last of them; and by their task or their queue."""
    jobs = [door.enqueue("fails") for _ in range(2)]
    drain(app)
    door.enqueue("add", a=1)
    failed, none = door.jobs.count_by("error")

    assert (2, True, jobs[1].id) == (int(failed.count), failed.count.exact, failed.example.id)
    assert failed.value == door.jobs.get(jobs[0].id).error.fingerprint
    assert jobs[0].created_at == failed.first_added < failed.last_added
    assert (None, 1) == (none.value, none.count)
    assert ["fails"] == [one.value for one in door.jobs.count_by("task", limit=1)]
    counts = door.jobs.count_by("queue", state="failed")
    assert ([2], None) == ([int(one.count) for one in counts], counts.looked_to)
    with pytest.raises(OptionError):
        door.jobs.count_by("state")


def test_jobs_are_steered_by_ids_and_by_filters(app, door):
    """Dry runs change nothing."""
    one, two, three = (door.enqueue("fails") for _ in range(3))
    assert 3 == door.jobs.cancel(task="fails", dry_run=True).total
    assert 3 == door.jobs.count(state="queued")
    assert [three.id] == ids(door.jobs.cancel(three.id))
    assert 1 == door.jobs.reprioritise(two.id, priority=9).total
    drain(app)
    assert 2 == door.jobs.count(state="failed")
    assert 2 == door.jobs.retry(error="no such").total
    assert 2 == door.jobs.count(state="queued")
    assert 1 == door.jobs.delete(three.id).total
    assert {one.id, two.id} == set(ids(door.jobs.find()))


def test_a_job_that_waits_is_edited(door):
    """As its editor has seen it: whoever comes second is told."""
    job = door.jobs.get(door.enqueue("add", a=1).id)
    edited = door.jobs.edit(job.id, version=job.version, arguments={"a": 2, "b": 3}, priority=4)
    assert ({"a": 2, "b": 3}, 4) == (edited.arguments, edited.priority)
    assert edited.version == door.jobs.get(job.id).version != job.version
    assert "delayed" == door.jobs.edit(job.id[:13], delay=600).state
    for wrong in ({"arguments": {"a": "one"}}, {"version": job.version, "priority": 1}, {}):
        with pytest.raises((ArgumentsError, JobConflictError, ServiceError, OptionError)):
            door.jobs.edit(job.id, **wrong)
    assert 4 == door.jobs.get(job.id).priority


def test_what_is_wrong_raises_the_same_error(app, door):
    """Whoever says it."""
    door.enqueue("add", a=1)
    with pytest.raises(JobNotFoundError):
        door.jobs.get("01020304-0000-7000-8000-000000000000")
    with pytest.raises(TaskNotFoundError, match="ad"):
        door.enqueue("ad", a=1)
    with pytest.raises(ArgumentsError) as refused:
        door.enqueue("add", a="one")
    assert 1 == len(refused.value.problems)
    with pytest.raises(OptionError):
        door.jobs.find(queue="no queue has\x00this name")
    with pytest.raises(OptionError):
        door.jobs.cancel()
    with pytest.raises(ScheduleNotFoundError):
        door.schedules.get("none")
    with pytest.raises(OptionError):
        door.schedules.add("odd", task="add", cron="61 * * * *", arguments={"a": 1})


def test_queues_are_listed_paused_and_resumed(door):
    """With what waits in them, and how many workers they want."""
    door.using(queue="mail").enqueue("add", a=1)
    door.queues.pause("mail")
    (queue,) = [queue for queue in door.queues.list() if queue.name == "mail"]
    assert (True, 1) == (queue.paused, queue.jobs["queued"])
    door.queues.resume("mail")
    assert not door.queues.get("mail").paused
    demand = door.queues.demand("mail", slots=1)
    assert (1, 1, 1) == (demand.waiting, demand.wanted_workers, door.queues.demand().waiting)
    assert [] == list(door.workers.list()) == list(door.limits.list())


def test_workers_are_drained(app, door):
    """By their names, all that are named."""
    since = app.enqueue("add", 1).created_at
    app.store.extend([], 30.0, WorkerInfo("west.1", "here", 7, None, 4, since))
    app.store.claim(ClaimFilter("west.1"), 1, 30.0)
    assert {"west.1": 1} == door.workers.running()
    [worker] = door.workers.drain("west")

    assert ("west.1", True) == (worker.name, worker.draining_at is not None)
    with pytest.raises(WorkerNotFoundError, match="no|No"):
        door.workers.drain("east")
    with pytest.raises(OptionError, match="worker"):
        door.workers.drain()


def test_schedules_are_added_changed_and_removed(door):
    """By whoever has the last version."""
    made = door.schedules.add(
        "often", task="add", every=90, arguments={"a": 1}, end=datetime(2100, 1, 1, tzinfo=UTC)
    )
    assert ("active", "added") == (made.state, made.origin)
    changed = door.schedules.set("often", cron="0 4 * * *", timezone="Asia/Tokyo", end=None)
    assert ("often", made.version + 1) == (changed.name, changed.version)
    first, second = door.schedules.instants("often", 2)
    assert (timedelta(1), 19) == (second - first, first.astimezone(UTC).hour)
    assert "paused" == door.schedules.pause("often").state
    assert "active" == door.schedules.resume("often").state
    assert {"a": 1} == door.jobs.get(door.schedules.run_now("often").id).arguments
    assert ["nightly", "often"] == [one.name for one in door.schedules.list()]
    with pytest.raises(ScheduleConflictError):
        door.schedules.add("often", task="add", every=60, arguments={"a": 1})
    door.schedules.remove("often")
    with pytest.raises(ScheduleNotFoundError):
        door.schedules.get("often")


def test_what_happened_is_measured(app, door):
    """In all, by task, and over time."""
    door.enqueue("add", a=1)
    door.enqueue("fails")
    drain(app)
    (total,) = door.stats.totals()
    assert (2, 2) == (total.enqueued, total.attempts)
    assert {"succeeded": 1, "failed": 1} == {k: n for k, n in total.outcomes.items() if n}
    assert ["add", "fails"] == [one.name for one in door.stats.totals(by="task", since=600)]
    points = door.stats.series("failed", since=600)
    assert 1 == sum(point.value for point in points)
    ran = door.stats.histogram(task="add")
    assert (1, None) == (sum(bucket.count for bucket in ran), list(ran)[-1].below)
    assert {} == door.stats.ages()


def test_a_result_is_waited_for(app, client):
    """It comes as the service has it; a job that fails has none."""
    job, failed = client.enqueue("add", a=1, b=2), client.enqueue("fails")
    with pytest.raises(ResultTimeoutError, match="queued"):
        client.jobs.result(job.id, timeout=0)
    drain(app)

    assert 3 == client.jobs.result(job.id, timeout=5) == asyncio.run(_result(client, job.id))
    with pytest.raises(JobFailedError, match="no such file") as told:
        client.jobs.result(failed.id)
    assert "failed" == told.value.state


async def _result(client, job_id):
    try:
        return await client.jobs.aresult(job_id, timeout=5)
    finally:
        await client.aclose()


def test_lines_are_read(app, client):
    """Those that an attempt has logged, by level and place."""
    job = client.enqueue("says")
    drain(app)
    lines = client.jobs.logs(job.id)
    assert ["one", "two"] == [line.text for line in lines]
    assert ["two"] == [line.text for line in client.jobs.logs(job.id, after=lines[0].cursor)]
    assert ["two"] == [line.text for line in client.jobs.logs(job.id, attempt=1, level="error")]


def test_tasks_are_described_and_executed(client):
    """Without a job."""
    assert ["add"] == [one.name for one in client.tasks.list("sums")]
    assert "Add two numbers." == client.tasks.get("add").docstring
    assert 5 == client.tasks.execute("add", a=4)
    with pytest.raises(TaskFailedError, match="ValueError: no such file"):
        client.tasks.execute("fails")
    with pytest.raises(TaskFailedError, match="missing the argument 'a'") as unfit:
        client.tasks.execute("add")
    assert "ArgumentsError" == unfit.value.type


def test_requests_with_one_key_store_one_job(client):
    """The caller's own key, which its retries share."""
    sender = client.using(idempotency_key="import-7")
    assert sender.enqueue("add", a=1).id == sender.enqueue("add", a=1).id
    assert client.enqueue("add", a=1).id != client.enqueue("add", a=1).id
    with pytest.raises(OptionError, match="no key"):
        client.using(idempotency_key='a"b').enqueue("add", a=1)


def test_coroutines_have_the_same_verbs(app, client):
    """Each with an `a` in front, on whichever event loop."""

    async def work():
        async with client:
            job = await client.using(queue="q").aenqueue("add", a=1)
            await client.queues.apause("q")
            paused = await client.queues.aget("q")
            await client.queues.aresume("q")
            found = await client.jobs.afind(queue="q")
            changed = await client.jobs.acancel(job.id)
            count = await client.jobs.acount(state="cancelled")
            [alike] = await client.jobs.acount_by("queue")
            assert ("q", 1, job.id) == (alike.value, alike.count, alike.example.id)
            names = [one.name for one in await client.schedules.alist()]
            return job.id, paused.paused, ids(found), ids(changed), int(count), names

    job, *others = asyncio.run(work())
    assert [True, [job], [job], 1, ["nightly"]] == others


def test_a_version_that_stands_no_more_is_not_changed(client):
    """The one who comes second is told."""
    seen = client.schedules.add("often", task="add", every=90, arguments={"a": 1})
    client.schedules.set("often", every=30, version=seen.version)
    with pytest.raises(ServiceError) as refused:
        client.schedules.set("often", every=10, version=seen.version)

    assert (412, "changed_meanwhile") == (refused.value.status, refused.value.code)
    assert "@every 30s" == client.schedules.get("often").cron
