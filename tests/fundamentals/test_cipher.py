"""A cipher: nothing of arguments and results can be read in the database, and everything works."""

import os
from pathlib import Path

import psycopg
import pytest
from cryptography.fernet import Fernet, MultiFernet

import rotulus.workflow as wf
from rotulus import App, JobOutcome, State, TaskRegistry, task
from rotulus.errors import ConfigurationError, OptionError
from rotulus.events import AttemptFailed
from rotulus.store import Edit
from rotulus.testing import drain
from server_clock import empty

pytestmark = pytest.mark.anywhere

CANARY = "Zqx7Vkw9Jpt"


@pytest.fixture
def cipher():
    """A cipher with a key of its own."""
    return Fernet(Fernet.generate_key())


@pytest.fixture(params=["sqlite", "postgres"])
def url(request):
    """An empty place for jobs."""
    if request.param == "sqlite":
        return "sqlite:///jobs.db"
    place = request.getfixturevalue("migrated")(clock=False)
    with psycopg.connect(place, autocommit=True) as connection:
        empty(connection)
    return place


@pytest.fixture
def stored(url):
    """Returns everything that is stored, as bytes."""

    def read():
        if url.startswith("sqlite"):
            return b"".join(
                path.read_bytes() for path in sorted(Path().glob("jobs.db*")) if path.is_file()
            )
        with psycopg.connect(url) as connection:
            tables = connection.execute(
                "SELECT relname FROM pg_class WHERE relkind = 'r' AND starts_with(relname, 'rotulus_')"
            ).fetchall()
            rows = [
                connection.execute(f"SELECT t::text FROM {name} t").fetchall() for (name,) in tables
            ]
        return repr(rows).encode()

    return read


@pytest.fixture
def open_app(url):
    """Opens apps on one place, each with the same tasks, and with a cipher of its own."""
    opened = []

    def open_one(cipher=None, **options):
        app = App(url, registry=declared(), cipher=cipher, **options)
        opened.append(app)
        return app

    yield open_one
    for app in opened:
        app.close()


def declared():
    """A registry with tasks of all kinds."""
    registry = TaskRegistry()

    @task("greet", registry=registry)
    def greet(name: str, needs: str = "") -> str:
        return f"hello {name}"

    @task("refuse", registry=registry)
    def refuse(name: str) -> None:
        raise RuntimeError("no")

    @task("together", registry=registry)
    def together(outcomes: list[JobOutcome]) -> list[str]:
        return [f"{one.arguments['name']} {one.result}" for one in outcomes]

    with wf.WorkflowBuilder("flow", registry=registry):

        @wf.task(id="ask")
        def ask(context):
            return {"asked": context["name"] + str(context["count"])}

        @wf.task(id="answer", dependencies=["ask"])
        def answer(context):
            return {"answered": context["asked"].upper()}

    return registry


def test_arguments_and_results_cannot_be_read_in_the_database(open_app, cipher, stored):
    """Neither of a job that waits nor of one that ended; those who have the key read both."""
    app = open_app(cipher)
    job = app.enqueue("greet", name=CANARY)
    assert {"name": CANARY} == app.get(job.id).arguments
    assert CANARY.encode() not in stored()
    drain(app)

    assert f"hello {CANARY}" == job.result(1)
    assert b"$cipher" in stored() and CANARY.encode() not in stored()


def test_without_a_cipher_they_can_be_read(open_app, stored):
    """So the search for them finds what there is."""
    app = open_app()
    app.enqueue("greet", name=CANARY)

    assert CANARY.encode() in stored() and b"$cipher" not in stored()
    assert "Sqlite" in type(app.store).__name__ or "Postgres" in type(app.store).__name__


def test_jobs_of_before_are_read_and_run(open_app, cipher, stored):
    """A cipher may be switched on while jobs wait."""
    old = open_app()
    job = old.enqueue("greet", name="Ada")
    old.close()
    app = open_app(cipher)

    assert {"name": "Ada"} == app.get(job.id).arguments
    drain(app)
    assert "hello Ada" == app.get(job.id).result(1)
    assert b'"hello Ada"' not in stored() and b"Ada" in stored()


def test_keys_are_rotated(open_app, stored):
    """What the old key has encrypted is read as long as that is given, and what is new has the new."""
    old, new = (Fernet(Fernet.generate_key()) for _ in range(2))
    first = open_app(old)
    waiting, done = first.enqueue("greet", name="a"), first.enqueue("greet", name="b", needs=CANARY)
    assert 2 == len(first.jobs())
    first.close()
    both = open_app(MultiFernet([new, old]))
    drain(both)
    assert ["hello a", "hello b"] == [both.get(job.id).result(1) for job in (waiting, done)]
    both.close()
    only_new = open_app(new)
    job = only_new.get(waiting.id)

    assert "hello a" == job.result(1)  # written by a process that had the new key first
    assert ["$cipher"] == list(job.arguments)
    assert CANARY.encode() not in stored()


@pytest.mark.parametrize("other", ["none", "another"])
def test_a_worker_that_has_not_the_key_leaves_a_job_to_others(open_app, cipher, other, caplog):
    """It says so plainly, the attempt counts as no failure, and a worker with the key runs it."""
    job = open_app(cipher).enqueue("greet", name=CANARY)
    stranger = open_app(None if other == "none" else Fernet(Fernet.generate_key()))
    told = []
    stranger.events.subscribe(told.append, AttemptFailed)
    drain(stranger)
    seen = stranger.get(job.id)

    assert (State.DELAYED, "unreadable", 0, 1) == (
        seen.state,
        seen.reason,
        seen.record.failures,
        seen.record.releases,
    )
    assert 0 < seen.record.run_at - seen.record.created_at
    assert (
        "this process has no key" in seen.error.message and "App(cipher=...)" in seen.error.message
    )
    assert "left it to others" in " ".join(seen.why())
    [event] = told
    assert "released greet" in event.line() and "again in 1.0 s" in event.line()
    assert ["ERROR"] == [r.levelname for r in caplog.records if "Unreadable" in r.getMessage()]
    owner = open_app(cipher)
    owner.jobs.edit(job.id, delay=0)
    drain(owner)
    done = owner.get(job.id)
    assert (f"hello {CANARY}", State.SUCCEEDED, 0) == (
        done.result(1),
        done.state,
        done.record.failures,
    )


def test_each_time_it_is_left_for_longer(open_app, cipher):
    """Up to five minutes."""
    job = open_app(cipher).enqueue("greet", name=CANARY)
    stranger = open_app()
    told = []
    stranger.events.subscribe(told.append, AttemptFailed)
    for _ in range(10):
        drain(stranger)
        stranger.jobs.edit(job.id, delay=0)

    assert [1, 2, 4, 8, 16, 32, 64, 128, 256, 300] == [event.outcome.delay for event in told]


def test_a_result_that_cannot_be_read_is_not_taken_for_one(open_app, cipher):
    """The error says what is missing; looking at the job does not raise."""
    app = open_app(cipher)
    job = app.enqueue("greet", name=CANARY)
    drain(app)
    app.close()
    stranger = open_app()

    with pytest.raises(
        ConfigurationError, match=r"result of job .* cannot be read: its values are"
    ):
        stranger.get(job.id).result(1)
    assert ["$cipher"] == list(stranger.jobs()[0].to_dict()["arguments"])


def test_a_run_keeps_its_contexts_to_itself(open_app, cipher, stored):
    """Steps hand on what nobody reads in the database; a replay does, too."""
    app = open_app(cipher)
    job = app.enqueue("flow", name=CANARY, count=1)
    drain(app)

    assert f"{CANARY}1".upper() == job.result(1)["answered"]
    assert CANARY.encode() not in stored() and CANARY.upper().encode() not in stored()
    app.runs.replay(job.id, "ask", {"name": CANARY, "count": 2})
    drain(app)
    assert f"{CANARY}2".upper() == app.get(job.id).result(1)["answered"]
    assert CANARY.encode() not in stored() and CANARY.upper().encode() not in stored()


def test_a_step_whose_context_cannot_be_read_is_left_to_others(open_app, cipher):
    """Its own arguments say nothing but what it needs, and these can be read."""
    owner = open_app(cipher)
    run = owner.enqueue("flow", name=CANARY, count=1).id
    [first] = owner.jobs(run=run, step="ask")
    assert owner.jobs.run(first.id).ran
    stranger = open_app()
    drain(stranger)
    [step] = stranger.jobs(run=run, step="answer")

    assert (State.DELAYED, "unreadable", 0) == (step.state, step.reason, step.record.failures)
    assert step.record.arguments.startswith('{"needs":')
    owner = open_app(cipher)
    owner.jobs.edit(step.id, delay=0)
    drain(owner)
    assert f"{CANARY}1".upper() == owner.get(run).result(1)["answered"]


def test_a_job_is_edited_once_by_those_who_saw_the_same(open_app, cipher, stored):
    """Encrypted texts of one value differ, so what was seen is compared in plain."""
    app = open_app(cipher)
    job = app.enqueue("greet", name="a")
    seen = app.store.get(job.id)
    app.jobs.edit(job.id, arguments={"name": CANARY})

    assert app.store.edit(seen, Edit("{}")) is None
    assert {"name": CANARY} == app.get(job.id).arguments
    assert CANARY.encode() not in stored()
    drain(app)
    assert f"hello {CANARY}" == app.get(job.id).result(1)


def test_a_job_that_failed_is_retried(open_app, cipher, stored):
    """With the arguments that it had."""
    app = open_app(cipher)
    job = app.enqueue("refuse", name=CANARY)
    drain(app)
    [again] = app.jobs.retry(job.id)
    drain(app)

    assert (2, {"name": CANARY}) == (app.get(job.id).attempt, again.arguments)
    assert CANARY.encode() not in stored()
    [group] = app.failures.groups()
    assert {"name": CANARY} == group.example.arguments


def test_an_isolated_task_is_given_what_was_encrypted(open_app, cipher, stored):
    """Its process needs no key: the worker has decrypted the arguments, and encrypts the result."""
    app = open_app(cipher)

    @task("isolated", registry=app.registry, isolation="process")
    def isolated(name: str) -> list:
        return [name, os.getpid()]

    job = isolated.enqueue(CANARY)
    app.run_worker(burst=True)
    name, pid = job.result(1)

    assert (CANARY, True) == (name, pid != os.getpid())
    assert CANARY.encode() not in stored()


def test_a_group_is_closed_with_the_outcomes_of_its_jobs(open_app, cipher, stored):
    """Its callback sees their arguments and results."""
    app = open_app(cipher)
    with app.group("letters", then=app.registry.get("together")) as group:
        app.using(group=group).enqueue("greet", name=CANARY)
    drain(app)

    assert [f"{CANARY} hello {CANARY}"] == app.get(group.id).result(1)
    assert CANARY.encode() not in stored()


def test_filters_that_look_into_arguments_are_refused(open_app, cipher):
    """With the reason, and what to do; other filters work."""
    app = open_app(cipher)
    job = app.using(labels={"who": "a"}).enqueue("greet", name=CANARY)

    with pytest.raises(OptionError, match=r"args\.name cannot be looked for: arguments are enc"):
        app.jobs(args={"name": CANARY})
    with pytest.raises(OptionError, match="give jobs a label"):
        app.jobs.count(args={"name": CANARY})
    assert [job.id] == [one.id for one in app.jobs(label={"who": "a"})]


def test_schedules_keep_their_arguments_encrypted(open_app, cipher, stored):
    """They are shown, fired and changed; one that cannot be read does not fire, and says why."""
    app = open_app(cipher)
    added = app.schedules.add("s", task="greet", cron="0 0 * * *", arguments={"name": CANARY})
    assert {"name": CANARY} == dict(added.schedule.arguments)
    job = app.schedules.run_now("s")
    drain(app)
    assert f"hello {CANARY}" == job.result(1)
    assert CANARY.encode() not in stored()
    app.close()
    with pytest.raises(ConfigurationError, match="Schedule 's' cannot fire here: its values are"):
        open_app().schedules.run_now("s")
