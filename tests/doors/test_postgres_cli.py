"""The command line on PostgreSQL, also when something is wrong: one line that says what to do."""

import json
import re
import signal
import subprocess
import sys
import tempfile
import threading

import psycopg
import pytest

from rotulus import App, TaskRegistry, task
from rotulus.errors import StoreBusyError, StoreError
from rotulus.stores.postgres import PostgresStore, read_address
from rotulus.stores.postgres.connection import OLDEST_SERVER, check_version
from servers.ports import free_port
from servers.postgres import PostgresServer, usual

pytestmark = pytest.mark.anywhere


def rotulus(*words, code=0, cwd=None):
    """Run the program in a process of its own; what it says, when it ends with this code."""
    told = subprocess.run(
        [sys.executable, "-m", "rotulus", *words], capture_output=True, text=True, cwd=cwd
    )
    assert code == told.returncode, told.stderr
    return told.stdout if code == 0 else told.stderr


def refusal(url, *words, code=4):
    """What the program says in one line when it cannot work on a store."""
    told = rotulus(*(words or ("ls", "jobs")), "--url", url, code=code)
    assert "Traceback" not in told
    assert 1 == len(told.splitlines()), told
    assert told.startswith("rotulus: ")
    return told


def double(n: int) -> int:
    """A task."""
    return 2 * n


def say(text: str) -> str:
    """Another one."""
    return text.upper()


@pytest.fixture
def migrated(database):
    """A database with tables."""
    rotulus("migrate", "--url", database)
    return database


def database_of(url):
    """The name of a database, from its URL."""
    return url.partition("?")[0].rpartition("/")[2]


def test_a_port_where_nobody_listens(database):
    """Is the server running there?"""
    url = re.sub(r":\d+/", f":{free_port()}/", database)

    assert re.search(r"Cannot use postgresql://.*refused.*is the server running", refusal(url))


def test_a_host_that_does_not_exist(database):
    """Check the host in the URL."""
    url = database.replace("127.0.0.1", "nowhere.invalid")

    assert "check the host in the URL" in refusal(url)


def test_a_database_that_does_not_exist(database):
    """Create it, or name another one."""
    assert re.search(r'database "\w+" does not exist; create it', refusal(f"{database}nono"))


def test_a_role_that_does_not_exist(database):
    """The same for a role."""
    told = refusal(database.replace("rotulus@", "nobody@"))

    assert re.search(r'role "nobody" does not exist; create it', told)


@pytest.mark.anywhere
def test_a_wrong_password_is_not_shown():
    """Nor is the right one."""
    binaries = usual()
    folder = tempfile.mkdtemp(prefix="rotulus-")
    server = PostgresServer(binaries, folder, ["fsync=off"], password="quill")
    server.start()
    try:
        wrong = refusal(server.url().replace("quill", "feather"))
        none = refusal(server.url().replace(":quill", ""))
        right = rotulus("migrate", "--url", server.url())
    finally:
        server.remove()

    assert "check the user and the password in the URL" in wrong
    assert "check the user and the password in the URL" in none
    assert "applied 0001 jobs" in right
    assert not re.search("feather|quill", wrong + none + right)


def test_a_server_that_is_too_old_is_refused():
    """Only the check: there is no such server to be had here."""
    with pytest.raises(StoreError, match=rf"PostgreSQL 9: use {OLDEST_SERVER} or newer"):
        check_version(90_624, "postgresql://old/jobs")
    check_version(OLDEST_SERVER * 10_000, "postgresql://new/jobs")


def test_a_database_without_tables(database):
    """Run migrate: for those who look and for those who work."""
    assert "run 'rotulus migrate'" in refusal(database, code=7)
    told = refusal(database, "enqueue", "t", "--unchecked", code=7)
    assert "run 'rotulus migrate'" in told


def test_a_worker_on_a_database_without_tables(database, tmp_path):
    """It does not start."""
    (tmp_path / "shop.py").write_text(
        f"from rotulus import App, task\napp = App({database!r})\n@task\ndef t(): ..."
    )
    told = rotulus("worker", "shop:app", code=7, cwd=tmp_path)

    assert re.search(
        r"^rotulus: .*missing: 0001 jobs, 0002 outbox, 0003 operations, 0004 access, 0005 steering.*run 'rotulus migrate'$",
        told.strip(),
    )


def test_tables_of_a_later_version(migrated, postgres):
    """Upgrade Rotulus."""
    row = "(99, '0099 later', 'x')"
    columns = "rotulus_migrations (number, name, checksum)"
    postgres.sql(f"INSERT INTO {columns} VALUES {row}", database_of(migrated))

    assert "is from a later version of Rotulus" in refusal(migrated, "migrate", code=7)
    assert "upgrade Rotulus" in refusal(migrated, "migrate", code=7)


@pytest.fixture
def role(migrated, postgres):
    """A role without rights, and a way to give it some; its URL."""
    name = f"clerk_{database_of(migrated)}"
    postgres.sql(f"CREATE ROLE {name} LOGIN")
    yield name, migrated.replace("rotulus@", f"{name}@")
    postgres.sql(f"DROP OWNED BY {name}", database_of(migrated))
    postgres.sql(f"DROP ROLE {name}")


def test_a_role_without_rights_is_told_which(role):
    """And what to grant."""
    _, url = role
    told = refusal(url)

    assert re.search(r"lacks a right: permission denied for .* rotulus_\w+", told)
    assert "'rotulus migrate --grants worker' (or producer, viewer) prints what to grant" in told


def test_a_role_with_the_rights_of_a_worker_runs_jobs(role, postgres, migrated):
    """It need not own the tables, nor be allowed to make any."""
    name, url = role
    grants = rotulus("migrate", "--grants", "worker", "--role", name, "--url", migrated)
    postgres.sql(grants, database_of(migrated))
    app = App(url, registry=TaskRegistry())
    task("double", registry=app.registry)(double)
    job = app.using(key="a").enqueue("double", 4)
    app.run_worker(burst=True)
    app.cancel(app.using(delay=60).enqueue("double", 5).id)

    assert 8 == job.result(0)
    assert {"succeeded", "cancelled"} == {job.state for job in app.jobs()}
    app.close()


def test_migrate_says_what_it_did(database):
    """And that there is nothing to do."""
    assert (
        f"{database}: applied 0001 jobs, 0002 outbox, 0003 operations, 0004 access, 0005 steering\n"
        == rotulus("migrate", "--url", database)
    )
    assert f"{database} is up to date.\n" == rotulus("migrate", "--url", database)


@pytest.mark.parametrize("place", ["", "?schema=archive"])
def test_the_script_does_what_migrate_does(database, postgres, place):
    """Whoever applies it, the next migrate has nothing to do."""
    url = database + place
    script = rotulus("migrate", "--sql", "--url", url)
    assert "run 'rotulus migrate'" in refusal(url, code=7)
    postgres.script(script, database_of(url))
    postgres.script(script.partition("COMMIT;")[2], database_of(url))  # as after a kill

    assert "is up to date" in rotulus("migrate", "--url", url)
    assert "" == rotulus("ls", "jobs", "--url", url)


def test_an_index_that_is_missing_is_told_and_built(migrated, postgres, tmp_path):
    """Whether a migration was killed before it, or somebody has dropped it."""
    postgres.sql("DROP INDEX rotulus_jobs_key_id", database_of(migrated))
    (tmp_path / "shop.py").write_text(
        f"from rotulus import App, task\n\napp = App({migrated!r})\n\n"
        "@task\ndef say(text: str) -> str:\n    return text\n"
    )

    def checked():
        return json.loads(rotulus("check", "--app", "shop:app", "--json", cwd=tmp_path))

    assert ["rotulus_jobs_key_id is not built yet"] == checked()["unfinished"]
    told = subprocess.run(
        [sys.executable, "-m", "rotulus", "migrate", "--url", migrated],
        capture_output=True,
        text=True,
        check=True,
    )
    build = "CREATE INDEX CONCURRENTLY IF NOT EXISTS rotulus_jobs_key_id ON rotulus_jobs (key, id)"
    assert told.stderr.endswith(f"{build}\n")
    assert "is up to date" in told.stdout
    assert [] == checked()["unfinished"]


IMPATIENT = """
import sys
from rotulus.cli import admin
from rotulus.cli.main import main
admin._EVERY = 0.1
main(["migrate", "--url", sys.argv[1]])
"""


def test_an_index_that_takes_long_is_shown_again_and_again(migrated, postgres):
    """With what the server does for it, which may be to wait for an old transaction."""
    postgres.sql("DROP INDEX rotulus_jobs_key_id", database_of(migrated))
    command = [sys.executable, "-c", IMPATIENT, migrated]
    with psycopg.connect(migrated) as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        reader.execute("SELECT 1")
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            assert any("waiting for old snapshots" in line for line in process.stderr)
            reader.rollback()
            process.communicate(timeout=60)
        assert 0 == process.returncode


def test_eight_may_migrate_at_once(database):
    """One of them does it; the others wait, and find it done."""
    command = [sys.executable, "-m", "rotulus", "migrate", "--url", database]
    migrating = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(8)
    ]
    told = [process.communicate(timeout=60)[0] for process in migrating]

    assert {0} == {process.returncode for process in migrating}, told
    assert 1 == sum("applied 0001 jobs" in text for text in told)
    assert 7 == sum("is up to date" in text for text in told)


HALT = """
CREATE FUNCTION halt() RETURNS event_trigger LANGUAGE plpgsql AS
  'BEGIN PERFORM pg_advisory_xact_lock(42); END';
CREATE EVENT TRIGGER halt ON ddl_command_end WHEN TAG IN ('CREATE INDEX') EXECUTE FUNCTION halt();
"""


def test_killed_half_way_it_leaves_nothing(database, postgres):
    """The first index is being made: there are tables by then, seen by nobody else."""
    name = database_of(database)
    postgres.sql(HALT, name)
    holder = PostgresStore(read_address(database))._connections
    with holder._borrowed(float("inf")) as connection:
        connection.execute(b"SELECT pg_advisory_lock(42)")
        command = [sys.executable, "-m", "rotulus", "migrate", "--url", database]
        migrating = subprocess.Popen(command)
        waiting = f"FROM pg_locks JOIN pg_database d ON d.oid = database WHERE datname = '{name}'"
        until(lambda: postgres.sql(f"SELECT 1 {waiting} AND NOT granted"))
        migrating.send_signal(signal.SIGKILL)
        migrating.wait()
        connection.execute(b"SELECT pg_advisory_unlock_all()")
    until(lambda: not postgres.sql(f"SELECT 1 {waiting} AND locktype = 'advisory'"))
    tables = "SELECT count(*) FROM pg_class WHERE relname LIKE 'rotulus%'"

    assert "0" == postgres.sql(tables, name)
    postgres.sql("DROP EVENT TRIGGER halt", name)
    assert "applied 0001 jobs" in rotulus("migrate", "--url", database)
    holder.close()


def until(holds):
    """Wait for what another process brings about."""
    pause = threading.Event()
    for _ in range(1000):
        if holds():
            return
        pause.wait(0.02)
    raise AssertionError("it did not come about")


def test_migrate_while_workers_run(migrated):
    """Nobody notices."""
    app = App(migrated, registry=TaskRegistry())
    task("double", registry=app.registry)(double)
    jobs = [app.enqueue("double", n) for n in range(300)]
    worker = threading.Thread(target=lambda: app.run_worker(slots=2))
    worker.start()
    other = PostgresStore(read_address(migrated))
    for _ in range(20):
        assert [] == other.migrate()
        jobs.append(app.enqueue("double", 7))
    results = [job.result(30) for job in jobs]
    app.stop()
    worker.join()
    app.close()
    other.close()

    assert [2 * n for n in range(300)] == results[:300]


def test_tables_that_somebody_holds_are_waited_for_and_not_for_ever(migrated):
    """The error says so, and the call may be repeated."""
    holder = PostgresStore(read_address(migrated))._connections
    store = PostgresStore(read_address(f"{migrated}?deadline=1"))
    with holder._borrowed(float("inf")) as connection, connection.transaction():
        connection.execute(b"LOCK TABLE rotulus_jobs")
        with pytest.raises(StoreBusyError, match="did not answer in time.*try again"):
            store.find()
    assert [] == store.find()
    holder.close()
    store.close()


def test_a_schema_of_its_own_sees_nothing_of_the_other(migrated):
    """Two stores in one database: neither jobs nor workers nor pauses are shared."""
    apps = []
    for place in ("", "?schema=jobs"):
        rotulus("migrate", "--url", migrated + place)
        app = App(migrated + place, registry=TaskRegistry())
        task("say", registry=app.registry)(say)
        apps.append(app)
    main, other = apps
    first = main.using(key="same").enqueue("say", "main")
    second = other.using(key="same", delay=0.1).enqueue("say", "other")
    other.pause("mail")
    main.run_worker(burst=True)

    assert first != second
    assert ["MAIN", "delayed"] == [first.result(0), second.refresh().state]
    assert ({}, ["mail"]) == (main.store.fleet().paused, list(other.store.fleet().paused))
    assert second.refresh().id in rotulus("ls", "jobs", "--url", f"{migrated}?schema=jobs")
    assert second.id not in rotulus("ls", "jobs", "--url", migrated)
    worker = threading.Thread(target=other.run_worker)
    worker.start()
    assert "OTHER" == second.result(20)
    third = other.enqueue("say", "told")  # the worker is idle: it has to hear of this
    assert "TOLD" == third.result(20)
    assert 1 == len(other.store.fleet().workers)
    assert 0 == len(main.store.fleet().workers)
    other.stop()
    worker.join()
    [app.close() for app in apps]


@pytest.mark.parametrize(
    "query", ["schema=Jobs", "schema=a;b", "listen=maybe", "deadline=soon", "deadline=0"]
)
def test_a_url_that_is_not_allowed_is_refused(query):
    """Before anything is opened; exit code 2, as of every word that is not allowed."""
    told = refusal(f"postgresql://127.0.0.1/jobs?{query}", code=2)

    name, _, value = query.partition("=")
    assert f"{name}={value!r} has to be" in told
