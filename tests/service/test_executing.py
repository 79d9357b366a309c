"""`$execute` and its envelope, beyond what the source document says."""

import asyncio
import logging

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from rotulus import Cancel, Job, Snooze, task
from rotulus.errors import ConfigurationError
from rotulus.service import (
    ArtifactIn,
    ArtifactManager,
    JobScheduler,
    ServiceBuilder,
    ServiceInfo,
    SqliteDatabaseBuilder,
    TaskExecutor,
    TaskRouter,
)


@pytest.fixture
def client(app):
    """Serves the tasks that are registered by then."""
    clients = []

    def serve(step=lambda builder: builder, **headers):
        builder = ServiceBuilder(info=ServiceInfo(display_name="T"), app=app).with_tasks()
        made = TestClient(step(builder).build(), headers=headers)
        made.__enter__()
        clients.append(made)
        return made

    yield serve
    for made in clients:
        made.__exit__(None, None, None)


def execute(client, name, **params):
    """The envelope."""
    answer = client.post(f"/api/v1/tasks/{name}/$execute", json={"params": params})
    assert 200 == answer.status_code, answer.text
    return answer.json()


def test_a_result_that_is_no_json_is_an_error_in_the_envelope(app, client):
    """And so is one that does not fit what `@task` says."""

    @task(registry=app.registry)
    def thing():
        return object()

    @task(registry=app.registry)
    def number() -> int:
        return "one"

    served = client()
    for name in ("thing", "number"):
        told = execute(served, name)
        assert (None, "ResultError") == (told["result"], told["error"]["type"])
        assert told["error"]["traceback"].startswith("Traceback (most recent call last)")


@pytest.mark.parametrize("how", ["elsewhere", "told"])
def test_a_traceback_stays_at_the_server_unless_only_this_machine_asks(app, client, caplog, how):
    """The answer has an id that the line in the log has, too."""

    @task(registry=app.registry)
    def fail():
        raise LookupError("nobody")

    if how == "elsewhere":
        served = client(lambda b: b.with_auth(token="t0"), authorization="Bearer t0")
        served.headers["host"] = "shop.example"
    else:
        served = client(lambda b: b.with_tracebacks(False))
    with caplog.at_level(logging.INFO, "rotulus"):
        error = execute(served, "fail")["error"]

    assert ("LookupError", "nobody", None) == tuple(
        error[k] for k in ("type", "message", "traceback")
    )
    line = next(r for r in caplog.records if error["error_id"] in r.getMessage())
    assert "LookupError: nobody" in line.exc_text


def test_what_asks_for_another_attempt_or_cancels_itself_is_told_so(app, client):
    """There is no job that could be sent back."""

    @task(registry=app.registry)
    def later():
        raise Snooze(60)

    @task(registry=app.registry)
    def enough():
        raise Cancel("enough")

    served = client()
    assert ("Snooze", "enqueue it") == (
        execute(served, "later")["error"]["type"],
        execute(served, "later")["error"]["message"][-10:],
    )
    assert ("Cancel", "enough") == tuple(execute(served, "enough")["error"].values())[:2]


def test_each_execution_has_a_session_of_its_own_which_nobody_commits(app, client):
    """What a task does not commit is gone when it has returned."""

    @task(registry=app.registry)
    async def write(session: AsyncSession, commit: bool) -> int:
        await session.execute(text("CREATE TABLE IF NOT EXISTS notes (x int)"))
        await session.execute(text("INSERT INTO notes VALUES (1)"))
        if commit:
            await session.commit()
        return (await session.execute(text("SELECT count(*) FROM notes"))).scalar_one()

    served = client()
    assert [1, 2, 2] == [
        execute(served, "write", commit=commit)["result"] for commit in (True, False, True)
    ]


def test_a_timeout_and_a_process_of_its_own_hold_as_in_a_worker(app, client):
    """The options of the task are those of a job."""

    @task(registry=app.registry, timeout=0.05)
    async def slow():
        await asyncio.Event().wait()

    @task(registry=app.registry, isolation="process")
    def apart(x: int) -> int:
        return x + 1

    served = client()
    assert "TimeoutError" == execute(served, "slow")["error"]["type"]
    assert 4 == execute(served, "apart", x=3)["result"]


def test_the_running_job_is_filled_in(app, client):
    """It tells its task, and takes progress; it is in no store."""

    @task(registry=app.registry)
    def look(job: Job) -> list:
        job.progress(1, 2)
        return [job.task, job.attempt, list(job.reached)]

    assert ["look", 1, [1, 2, ""]] == execute(client(), "look")["result"]
    assert [] == app.jobs.find()


def test_an_execution_raises_what_the_task_raises(app):
    """`execute` is for Python: nothing is wrapped."""

    @task(registry=app.registry)
    async def fail():
        raise LookupError("nobody")

    with pytest.raises(LookupError, match="nobody"):
        asyncio.run(TaskExecutor(registry=app.registry).execute("fail"))
    with pytest.raises(ConfigurationError, match="needs a Database"):
        TaskExecutor("sqlite://")


def test_a_service_begins_again_after_it_has_ended(app, client):
    """As it does in every test of an application that uses its lifespan."""

    @task(registry=app.registry)
    async def spawn(scheduler=None) -> int:
        return 1

    built = ServiceBuilder(info=ServiceInfo(display_name="T"), app=app).with_tasks().with_jobs()
    service = built.with_artifacts().build()
    for _ in range(2):
        with TestClient(service) as made:
            assert 1 == execute(made, "spawn")["result"]
            assert 201 == made.post("/api/v1/artifacts", json={"data": 1}).status_code
            scheduler = service.state.rotulus.scheduler
            assert [] == made.portal.call(scheduler.list_records)


def test_requests_are_logged_with_an_id_that_the_answer_has(app, client, caplog):
    """The client's own, if it has one that fits into a line."""
    served = client(lambda builder: builder.with_logging().with_health())
    with caplog.at_level(logging.INFO, "rotulus.service.requests"):
        mine = served.get("/health", headers={"X-Request-ID": "mine-7"})
        odd = served.get("/health?secret=1", headers={"X-Request-ID": "a b"})

    assert "mine-7" == mine.headers["x-request-id"]
    assert "a b" != odd.headers["x-request-id"]
    said = [
        record.getMessage()
        for record in caplog.records
        if record.name == "rotulus.service.requests"
    ]
    assert "GET '/health' 200" in said[0]
    assert "mine-7" in said[0]
    assert not any("secret" in line for line in said)


def test_artifacts_and_jobs_are_there_without_an_executor_of_ones_own(app, client):
    """As they are in a worker of the service."""

    @task(registry=app.registry)
    async def save(artifacts: ArtifactManager, scheduler: JobScheduler) -> str:
        saved = await artifacts.save(ArtifactIn(data=1))
        await scheduler.wait(await scheduler.spawn(asyncio.sleep(0)))
        return saved.id

    served = client(lambda builder: builder.with_jobs().with_artifacts())
    saved = execute(served, "save")["result"]
    assert 1 == served.get(f"/api/v1/artifacts/{saved}").json()["data"]


def test_a_router_needs_a_path_as_its_prefix():
    """It is refused where it is made."""
    for prefix in ("tasks", "/tasks/", ""):
        with pytest.raises(ConfigurationError, match="prefix="):
            TaskRouter.create(prefix=prefix)


def test_an_own_database_is_that_of_the_service(app, client):
    """Given to the builder."""
    database = SqliteDatabaseBuilder().in_memory().build()

    @task(registry=app.registry)
    async def fill(session: AsyncSession) -> str:
        return str(session.bind.url)

    builder = ServiceBuilder(
        info=ServiceInfo(display_name="T"), app=app, database=database
    ).with_tasks()
    with TestClient(builder.build()) as made:
        assert "memdb" in execute(made, "fill")["result"]
