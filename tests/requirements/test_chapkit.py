"""C-18 to C-60: task execution over HTTP, of the third source document; the first are beside it.

Each listing of the document is imported as it stands there, with only its imports changed.
"""

import asyncio
import re
import subprocess
import sys
import textwrap
import threading
import time
import uuid

import pytest
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from requirements import listings
from rotulus import Job
from rotulus import registry as TaskRegistry
from rotulus._tasks.registry import registered_tasks
from rotulus.errors import InjectionError, TaskNotFoundError
from rotulus.service import (
    INJECTABLE_TYPES,
    ArtifactHierarchy,
    ArtifactIn,
    ArtifactManager,
    ArtifactRepository,
    Database,
    JobScheduler,
    ServiceBuilder,
    ServiceInfo,
    SqliteDatabaseBuilder,
    TaskExecutor,
    TaskRouter,
    get_database,
    run_shell,
)

pytestmark = [pytest.mark.anywhere, pytest.mark.requirement]

TASKS = "/api/v1/tasks"


@pytest.fixture(autouse=True)
def empty_registry():
    """The registry is a global one, and each test has it for itself."""
    before = list(TaskRegistry)
    TaskRegistry.clear()
    yield
    TaskRegistry.clear()
    for task in before:
        registered_tasks(TaskRegistry).add(task)


@pytest.fixture
def serve():
    """Serves an application for the length of a test: gives a client."""
    clients = []

    def begin(app):
        client = TestClient(app)
        client.__enter__()
        clients.append(client)
        return client

    yield begin
    for client in clients:
        client.__exit__(None, None, None)
        client.app.state.rotulus.app.close()


@pytest.fixture
def served(tmp_path, serve):
    """Serves a listing."""
    return lambda name: serve(listings.load(name, tmp_path).app)


def service():
    """A service of the tasks that are registered by then."""
    return ServiceBuilder(info=ServiceInfo(display_name="T")).with_tasks()


@pytest.fixture
def simple(served):
    """The simple set-up."""
    return served("quick_start")


@pytest.fixture
def advanced(served):
    """The advanced set-up."""
    return served("advanced")


def execute(client, name, params=None):
    """The envelope of an execution."""
    body = {} if params is None else {"params": params}
    response = client.post(f"{TASKS}/{name}/$execute", json=body)
    assert 200 == response.status_code, response.text
    return response.json()


def until(ask, holds, seconds=20):
    """What is asked for, as soon as something holds for it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = ask()
        if holds(found):
            return found
        threading.Event().wait(0.02)
    raise AssertionError(f"still {found}")


def run(coroutine):
    """What a coroutine comes to."""
    return asyncio.run(coroutine)


async def memory():
    """A database in memory."""
    database = SqliteDatabaseBuilder().in_memory().build()
    await database.init()
    return database


def test_C_18_an_executor_takes_a_database_a_scheduler_and_an_artifact_manager():
    """By their places."""

    async def make():
        database = await memory()
        scheduler = JobScheduler()
        async with database.session() as session:
            manager = ArtifactManager(ArtifactRepository(session), hierarchy=None)
        TaskExecutor(database)
        TaskExecutor(database, scheduler, manager)
        await database.dispose()

    run(make())


def test_C_19_execute_gives_the_result_itself():
    """And not an envelope."""

    @TaskRegistry.register("up")
    async def up(value: str) -> dict[str, str]:
        return {"result": value.upper()}

    async def ask():
        return await TaskExecutor(await memory()).execute("up", {"value": "hello"})

    assert {"result": "HELLO"} == run(ask())


def test_C_20_it_is_filled_by_the_type_and_not_by_the_name():
    """Whatever the parameter is called."""

    @TaskRegistry.register("it")
    async def it(whatever: Database, database: str = "mine") -> list:
        return [isinstance(whatever, Database), database]

    async def ask():
        return await TaskExecutor(await memory()).execute("it", {})

    assert [True, "mine"] == run(ask())


def test_C_21_four_types_are_filled_as_far_as_they_are_there(serve):
    """Session and database always, scheduler and artifact manager when they are configured."""

    @TaskRegistry.register("both")
    async def both(session: AsyncSession, database: Database) -> list:
        return [type(session).__name__, type(database).__name__]

    @TaskRegistry.register("optional")
    async def optional(scheduler: JobScheduler | None = None) -> bool:
        return scheduler is None

    @TaskRegistry.register("needs_it")
    async def needs_it(scheduler: JobScheduler) -> bool:
        return isinstance(scheduler, JobScheduler)

    async def ask(name):
        return await TaskExecutor(await memory()).execute(name, {})

    assert ["AsyncSession", "Database"] == run(ask("both"))
    assert run(ask("optional"))
    with pytest.raises(InjectionError, match="with_jobs"):
        run(ask("needs_it"))
    built = service().build()
    with pytest.raises(InjectionError, match="with_jobs"):  # it refuses to start
        built.state.rotulus.app.check()
    built.state.rotulus.app.close()
    client = serve(service().with_jobs().build())
    assert not execute(client, "optional")["result"]
    assert execute(client, "needs_it")["result"]


def test_C_22_the_types_are_listed():
    """For those who want to know them."""
    assert {AsyncSession, Database, JobScheduler, ArtifactManager, Job} == INJECTABLE_TYPES


def test_C_23_every_other_parameter_comes_from_the_request(simple):
    """Or has a default; a framework type never comes from it."""
    missing = execute(simple, "process_data", {"database": "sqlite://"})

    assert "filled by the framework" in missing["error"]["message"]


def test_C_24_all_three_kinds_go_into_one_function(advanced):
    """What is filled, what is given, and what has a default."""
    done = execute(advanced, "with_dependencies", {"custom_param": "mine"})

    assert "mine" == done["result"]["custom_param"]
    assert "default" == execute(advanced, "with_dependencies")["result"]["custom_param"]


def test_C_25_a_task_reads_the_url_and_opens_a_session(serve):
    """The session is for an `async with`."""

    @TaskRegistry.register("url")
    async def url(database: Database) -> str:
        return str(database.url)

    @TaskRegistry.register("count")
    async def count(database: Database) -> int:
        async with database.session() as session:
            return (await session.execute(text("select 41 + 1"))).scalar_one()

    client = serve(service().build())
    assert execute(client, "url")["result"].startswith("sqlite")
    assert 42 == execute(client, "count")["result"]


def test_C_26_a_plain_function_does_not_block_the_loop():
    """It waits for what a coroutine does on the loop meanwhile."""
    passed = threading.Event()

    @TaskRegistry.register("plain")
    def plain() -> bool:
        return passed.wait(10)

    async def both():
        running = asyncio.create_task(TaskExecutor().execute("plain", {}))
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_later(0.01, passed.set)
        return await running

    assert run(both())


def test_C_27_the_result_comes_back_in_the_same_call_and_is_not_kept(advanced):
    """No job is left of it."""
    assert {"result": 8} == execute(advanced, "add", {"a": 5, "b": 3})["result"]
    assert [] == advanced.get("/api/v1/jobs").json()["items"]


def test_C_28_the_limit_of_jobs_does_not_limit_executions(serve):
    """Two executions wait for each other while one job may run."""
    first, second = threading.Event(), threading.Event()

    @TaskRegistry.register("one")
    def one() -> bool:
        first.set()
        return second.wait(10)

    @TaskRegistry.register("two")
    def two() -> bool:
        second.set()
        return first.wait(10)

    client, done = serve(service().with_jobs(1).build()), []
    other = threading.Thread(target=lambda: done.append(execute(client, "one")))
    other.start()
    done.append(execute(client, "two"))
    other.join()

    assert [True, True] == [envelope["result"] for envelope in done]


def test_C_29_the_router_is_made_and_included():
    """In an application of the user's own as well."""

    @TaskRegistry.register("hello", tags=["demo"])
    async def hello() -> dict[str, str]:
        return {"message": "Hello!"}

    made = TaskRouter.create(prefix="/tasks", tags=["Mine"])
    app = FastAPI()
    app.include_router(made.router)

    response = TestClient(app).post("/tasks/hello/$execute", json={})
    assert {"message": "Hello!"} == response.json()["result"]


@pytest.mark.parametrize("kind", ["plain", "async"])
def test_C_30_the_factory_is_a_dependency_with_dependencies_of_its_own(kind):
    """Plain or `async`."""

    @TaskRegistry.register("name")
    async def name(database: Database) -> str:
        return str(database.url)

    database = SqliteDatabaseBuilder().in_memory().build()

    def plain(found: Database = Depends(lambda: database)) -> TaskExecutor:
        return TaskExecutor(found)

    async def asynchronous(found: Database = Depends(lambda: database)) -> TaskExecutor:
        return TaskExecutor(found)

    factory = plain if kind == "plain" else asynchronous
    app = FastAPI()
    app.include_router(TaskRouter.create(executor_factory=factory).router)

    response = TestClient(app).post(f"{TASKS}/name/$execute", json={})
    assert str(database.url) == response.json()["result"]


def test_C_31_the_list_has_all_that_is_known_of_each_task(simple):
    """As the document shows it."""
    listed = simple.get(TASKS).json()

    assert ["greet_user", "process_data"] == [one["name"] for one in listed]
    assert {
        "name": "greet_user",
        "docstring": "Simple task that returns a greeting.",
        "signature": "(name: str = 'World') -> dict[str, str]",
        "parameters": [
            {
                "name": "name",
                "annotation": "<class 'str'>",
                "default": "'World'",
                "required": False,
            }
        ],
        "tags": ["demo", "simple"],
    } == listed[0]


def test_C_32_one_task_is_described_and_an_unknown_one_is_not_found(simple):
    """The status is 404."""
    assert "greet_user" == simple.get(f"{TASKS}/greet_user").json()["name"]

    missing = simple.get(f"{TASKS}/nobody")
    assert 404 == missing.status_code
    assert "not found" in missing.json()["detail"]


def test_C_33_the_body_holds_params_or_nothing(simple):
    """An empty object will do, and no body at all."""
    assert "Hello, Bob!" == execute(simple, "greet_user", {"name": "Bob"})["result"]["message"]
    assert "Hello, World!" == execute(simple, "greet_user")["result"]["message"]
    assert 200 == simple.post(f"{TASKS}/greet_user/$execute").status_code


def test_C_34_a_success_has_four_members(simple):
    """And nothing else."""
    assert {
        "task_name": "greet_user",
        "params": {"name": "Alice"},
        "result": {"message": "Hello, Alice!"},
        "error": None,
    } == execute(simple, "greet_user", {"name": "Alice"})


def test_C_35_an_exception_is_an_error_in_a_success(advanced):
    """The status is 200, and the error has type, message and traceback."""
    failed = execute(advanced, "failing_task")

    assert failed["result"] is None
    assert {"type", "message", "traceback"} == set(failed["error"])
    assert "ValueError" == failed["error"]["type"]
    assert "Something went wrong" == failed["error"]["message"]
    assert failed["error"]["traceback"].startswith("Traceback (most recent call last)")


def test_C_36_an_unknown_task_cannot_be_executed(simple):
    """It is not found, whatever the body is."""
    response = simple.post(f"{TASKS}/nobody/$execute", json={})

    assert 404 == response.status_code
    assert "not found" in response.json()["detail"]
    assert 404 == simple.post(f"{TASKS}/nobody/$execute", json=[]).status_code


def test_C_37_params_are_empty_when_none_were_sent(simple):
    """An empty object."""
    assert {} == execute(simple, "greet_user")["params"]


def test_C_38_an_error_that_a_task_returns_is_a_result(serve):
    """The member `error` is for what it raises."""

    @TaskRegistry.register("safe")
    async def safe(risky_param: str) -> dict[str, object]:
        try:
            return {"status": "success", "result": int(risky_param)}
        except Exception as e:
            return {"status": "error", "error": str(e)}

    done = execute(serve(service().build()), "safe", {"risky_param": "x"})

    assert done["error"] is None
    assert "error" == done["result"]["status"]


def test_C_39_a_service_is_built_step_by_step(advanced):
    """And each step is there."""
    assert "Advanced Task Service" in advanced.get("/").text
    for path in ("/health", "/api/v1/system", "/api/v1/jobs", "/api/v1/artifacts", TASKS):
        assert 200 == advanced.get(path).status_code, path


def test_C_40_database_and_scheduler_are_dependencies(advanced):
    """They are those of the service."""
    state = advanced.app.state.rotulus

    @advanced.app.get("/mine")
    async def mine(database: Database = Depends(get_database)) -> bool:
        return database is state.database

    assert advanced.get("/mine").json() is True


def test_C_41_artifacts_have_a_hierarchy_a_repository_and_a_manager():
    """With labels for levels."""
    hierarchy = ArtifactHierarchy(name="task_results", level_labels={0: "task_run"})

    async def save():
        database = await memory()
        async with database.session() as session:
            manager = ArtifactManager(ArtifactRepository(session), hierarchy=hierarchy)
            return await manager.save(ArtifactIn(data={"a": 1}))

    assert 0 == run(save()).level
    assert "task_run" == hierarchy.label(0)


def test_C_42_a_manager_is_of_use_after_the_block_of_its_session(advanced):
    """The factory of the document returns the executor from inside of it."""
    given = {"dataset_name": "churn", "analysis_type": "classification"}
    stored = execute(advanced, "store_analysis_results", given)["result"]

    found = advanced.get(stored["retrieve_url"]).json()
    assert "churn" == found["data"]["dataset"]


def test_C_43_the_factory_recognises_a_scheduler(advanced):
    """By its class."""
    assert isinstance(advanced.app.state.rotulus.scheduler, JobScheduler)
    assert execute(advanced, "spawn_background_job", {"processing_time": 0})["error"] is None


def test_C_44_spawn_returns_at_once_with_an_id(advanced):
    """However long the job takes."""
    done = execute(advanced, "spawn_background_job", {"processing_time": 120})["result"]

    assert f"/api/v1/jobs/{done['job_id']}" == done["check_status"]
    assert advanced.get(done["check_status"]).json()["status"] in ("pending", "running")


def test_C_45_the_status_of_a_job_is_shown_and_all_are_listed(advanced):
    """Until it is completed."""
    done = execute(advanced, "spawn_background_job", {"processing_time": 0})["result"]

    ended = until(
        lambda: advanced.get(done["check_status"]).json(), lambda job: job["status"] == "completed"
    )
    assert {"status": "completed", "processing_time": 0} == ended["result"]
    assert [done["job_id"]] == [job["id"] for job in advanced.get("/api/v1/jobs").json()["items"]]


def test_C_46_ids_are_uuids(advanced):
    """As in the examples."""
    done = execute(advanced, "spawn_background_job", {"processing_time": 0})["result"]

    assert done["job_id"] == str(uuid.UUID(done["job_id"]))


def test_C_47_so_many_jobs_run_at_once():
    """Five of them, with `max_concurrency=5`."""

    async def spawn():
        scheduler, running, most = JobScheduler(max_concurrency=5), 0, 0

        async def work():
            nonlocal running, most
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.02)
            running -= 1

        ids = [await scheduler.spawn(work(), description=f"job {n}") for n in range(20)]
        for one in ids:
            await scheduler.wait(one, 20)
        await scheduler.close()
        return most

    assert 5 == run(spawn())


def test_C_48_saving_an_artifact_gives_its_id():
    """The metadata are optional."""

    async def save():
        database = await memory()
        async with database.session() as session:
            manager = ArtifactManager(ArtifactRepository(session), hierarchy=None)
            return [
                await manager.save(ArtifactIn(data={"a": 1}, metadata={"b": 2})),
                await manager.save(ArtifactIn(data={"a": 1})),
            ]

    assert all(str(artifact.id) for artifact in run(save()))


def test_C_49_an_artifact_is_read_and_expanded(advanced):
    """By its id."""
    given = {"dataset_name": "churn", "analysis_type": "classification"}
    url = execute(advanced, "store_analysis_results", given)["result"]["retrieve_url"]

    assert 200 == advanced.get(url).status_code
    expanded = advanced.get(f"{url}/$expand").json()
    assert ("task_run", None) == (expanded["level_label"], expanded["children"])


def test_C_50_jobs_that_a_task_spawned_save_artifacts_after_the_request(advanced):
    """The pipeline of the document."""
    done = execute(advanced, "orchestrate_pipeline", {"pipeline_config": {"x": 1}})["result"]

    for job_id in done["jobs"].values():
        until(
            lambda job_id=job_id: advanced.get(f"/api/v1/jobs/{job_id}").json(),
            lambda job: job["status"] == "completed",
        )
    listed = advanced.get("/api/v1/artifacts").json()["items"]
    steps = [one["metadata"].get("step") for one in listed]
    assert {None, 1, 2} == set(steps)


def test_C_51_a_task_saves_its_progress_in_a_loop(advanced):
    """Ten artifacts."""
    assert 10 == execute(advanced, "long_task")["result"]["steps_completed"]
    assert 10 == len(advanced.get("/api/v1/artifacts").json()["items"])


def test_C_52_a_shell_command_has_a_time_a_folder_and_an_environment(tmp_path):
    """All of them optional."""
    done = run(run_shell('echo "$A"; pwd', timeout=20.0, cwd=tmp_path, env={"A": "b"}))

    assert ["b", str(tmp_path)] == done["stdout"].split()
    assert "PATH" in run(run_shell("env", env={"A": "b"}))["stdout"]


def test_C_53_it_gives_four_things():
    """As text."""
    done = run(run_shell("echo out; echo err >&2"))

    assert {"command", "stdout", "stderr", "returncode"} <= set(done)
    assert ("out\n", "err\n", 0) == (done["stdout"], done["stderr"], done["returncode"])


def test_C_54_the_code_is_that_of_the_command_and_minus_one_at_the_timeout():
    """Success is 0."""
    assert 7 == run(run_shell("exit 7"))["returncode"]
    late = run(run_shell("echo begun; exec sleep 60", timeout=0.3))
    assert -1 == late["returncode"]
    assert "timed out" in late["stderr"]


def test_C_55_it_never_raises_for_a_status():
    """Nor for a command that is not there."""
    assert 127 == run(run_shell("no-such-command-anywhere"))["returncode"]


def test_C_56_pipes_and_redirections_work(tmp_path):
    """It is a shell."""
    done = run(run_shell("printf 'b\\na\\n' | sort > sorted; cat sorted", cwd=str(tmp_path)))

    assert "a\nb\n" == done["stdout"]


def test_C_57_the_listing_of_shell_tasks_runs(tmp_path):
    """With only its imports changed."""
    listings.load("shell", tmp_path)

    async def ask():
        executor = TaskExecutor()
        (tmp_path / "here").touch()
        return [
            await executor.execute("run_command", {"command": "echo hi"}),
            await executor.execute("list_files", {"directory": str(tmp_path)}),
            await executor.execute("backup_database", {"database_url": "x", "s3_bucket": "y"}),
        ]

    command, files, backup = run(ask())
    assert "hi\n" == command["stdout"]
    assert files["success"]
    assert "here" in files["output"]
    assert "failed" == backup["status"]


def test_C_58_a_long_operation_answers_at_once_and_goes_on(advanced):
    """What takes longer than a request should is spawned."""
    begun = time.monotonic()
    execute(advanced, "spawn_background_job", {"processing_time": 60})

    assert time.monotonic() - begun < 30


def test_C_59_a_database_in_memory_is_built_and_initialised():
    """And usable."""

    async def ask():
        database = SqliteDatabaseBuilder().in_memory().build()
        await database.init()
        async with database.session() as session:
            return (await session.execute(text("select 1"))).scalar_one()

    assert 1 == run(ask())


def test_C_60_the_requests_of_the_examples_give_what_they_show(advanced):
    """With the numbers that they have."""
    assert {"result": 8} == execute(advanced, "add", {"a": 5, "b": 3})["result"]
    assert {"result": 42} == execute(advanced, "multiply_numbers", {"a": 6, "b": 7})["result"]


def test_the_listing_of_the_registry_runs(tmp_path):
    """Its assertions hold."""
    listings.load("registering", tmp_path)


def test_the_listing_of_unit_tests_passes(tmp_path):
    """With pytest-asyncio, as it is written for."""
    path = listings.write("unit_tests", tmp_path)

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "asyncio", "-o", "asyncio_mode=auto", path],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert re.search(r"3 passed", done.stdout), done.stdout + done.stderr


def test_the_listing_of_integration_tests_passes(tmp_path):
    """Against the simple set-up, with a task that fails."""
    listings.write("quick_start", tmp_path).rename(tmp_path / "main.py")
    path = listings.write("integration_tests", tmp_path)
    (tmp_path / "conftest.py").write_text(
        textwrap.dedent("""
            import pytest
            from fastapi.testclient import TestClient
            import main

            @main.TaskRegistry.register("failing_task")
            async def failing_task() -> dict:
                raise ValueError("Something went wrong")

            @pytest.fixture
            def client():
                with TestClient(main.app) as client:
                    yield client
        """)
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", path], capture_output=True, text=True, cwd=tmp_path
    )
    assert re.search(r"2 passed", done.stdout), done.stdout + done.stderr


def test_what_is_registered_after_the_service_was_built_is_served(serve):
    """And described: each task has an operation of its own."""
    built = service().build()

    @TaskRegistry.register("late")
    async def late(x: int) -> int:
        """Comes late."""
        return x

    client = serve(built)
    paths = client.get("/openapi.json").json()["paths"]
    assert "Comes late." == paths[f"{TASKS}/late/$execute"]["post"]["description"]
    assert 3 == execute(client, "late", {"x": 3})["result"]


def test_an_unknown_name_is_a_value_error_too():
    """As the document's executor has it."""
    with pytest.raises(ValueError, match="not found"):
        run(TaskExecutor().execute("nobody", {}))
    with pytest.raises(TaskNotFoundError):
        run(TaskExecutor().execute("nobody", {}))
