"""A store in trouble: full, locked, read-only, newer, damaged, gone. Nothing accepted is lost."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from rotulus import App, task
from rotulus.errors import (
    SchemaError,
    StoreBusyError,
    StoreError,
    StoreFullError,
    StoreUnavailableError,
)
from rotulus.store import NewJob, Terms
from rotulus.stores.sqlite import SqliteStore, connection
from rotulus.testing import drain


@pytest.fixture
def file_app(registry):
    """An app on a file."""
    app = App("sqlite:///jobs.db", registry=registry)
    yield app
    app.close()


def fill(app, spare):
    """Let the file grow no more than by so many pages."""

    def limit():
        con = app.store._connections.writer()
        pages = con.execute("PRAGMA page_count").fetchone()[0]
        con.execute(f"PRAGMA max_page_count = {pages + spare}")

    app.store._commit.alone(limit)


def test_a_full_disk_refuses_and_keeps_what_it_has(file_app):
    """The caller is told; when there is room again, things go on."""

    @task(registry=file_app.registry)
    def body(text: str):
        return len(text)

    first = body.enqueue("small")
    fill(file_app, 2)
    with pytest.raises(StoreFullError, match="free some space"):
        body.enqueue("x" * 100_000)
    assert [first] == file_app.jobs()

    fill(file_app, 100_000)
    second = body.enqueue("x" * 100_000)
    drain(file_app)
    assert [5, 100_000] == [first.result(0), second.result(0)]


def test_outcomes_wait_for_room(file_app):
    """A body that has finished while the disk is full is settled when it is not."""
    from rotulus.events import StoreFailed

    @task(registry=file_app.registry)
    def body():
        fill(file_app, 0)
        return "x" * 500_000

    failures = []

    def make_room(event):
        failures.append(event)
        fill(file_app, 100_000)

    file_app.events.subscribe(make_room, StoreFailed)
    job = body.enqueue()
    drain(file_app)

    assert 500_000 == len(job.result(0))
    assert ["settle"] == [event.doing for event in failures]
    assert isinstance(failures[0].error, StoreFullError)
    assert 1 == job.refresh().attempt


def test_a_file_that_somebody_holds_is_waited_for(factory):
    """A backup of a second is no error."""
    holder = factory.run("hold_the_file(1.0)", stdout=subprocess.PIPE)
    holder.stdout.readline()
    job = factory.app.enqueue("awork", number=1, seconds=0)
    holder.wait()
    holder.stdout.close()

    assert "queued" == job.refresh().state


def test_a_file_that_somebody_holds_for_long_is_an_error(factory, monkeypatch):
    """It says what to do."""
    monkeypatch.setattr(connection, "BUSY_TIMEOUT", 0.2)
    holder = factory.run("hold_the_file(60)", stdout=subprocess.PIPE)
    holder.stdout.readline()
    with pytest.raises(
        StoreBusyError, match=r"locked by another process .*using\(connection=.*fuser .*jobs\.db"
    ):
        factory.app.enqueue("awork", number=1, seconds=0)
    holder.kill()
    holder.wait()
    holder.stdout.close()

    assert [] == factory.app.jobs()


def test_a_worker_outlives_a_file_that_is_held(factory, monkeypatch):
    """It goes on when it can."""
    factory.add("awork", 1, seconds=0)
    worker = factory.start()
    factory.all_ended()
    holder = factory.run("hold_the_file(7)", stdout=subprocess.PIPE)
    holder.stdout.readline()
    holder.wait(30)
    holder.stdout.close()
    factory.add("awork", 3, seconds=0)
    factory.all_ended()

    assert worker.poll() is None
    assert {"succeeded": 4} == factory.states()


def test_a_read_only_file_is_refused():
    """It says for whom it has to be writable."""
    folder = Path(tempfile.mkdtemp())
    store = SqliteStore(str(folder / "jobs.db"))
    store.migrate()
    store.close()
    (folder / "jobs.db").chmod(0o444)
    folder.chmod(0o555)

    def attempt():
        if os.getuid() == 0:  # to whom nothing is read-only
            os.setgid(65534)
            os.setuid(65534)
        SqliteStore(str(folder / "jobs.db")).add([NewJob("a", "{}", Terms("t"))])

    told = in_a_fork(attempt)
    folder.chmod(0o755)
    shutil.rmtree(folder)

    assert told.startswith(("StoreReadOnlyError", "StoreUnavailableError")), told
    assert "writable for user" in told


def in_a_fork(act):
    """What is raised in a forked child, as text; nothing if nothing is."""
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            act()
        except BaseException as error:
            os.write(theirs, f"{type(error).__name__}: {error}".encode())
        finally:
            os._exit(0)
    os.close(theirs)
    with open(ours) as pipe:
        told = pipe.read()
    os.waitpid(pid, 0)
    return told


def test_a_file_from_a_newer_version_is_refused(file_app, tmp_path):
    """It is not touched."""
    file_app.jobs()
    file_app.close()
    with sqlite3.connect(tmp_path / "jobs.db") as con:
        con.execute("INSERT INTO rotulus_migrations VALUES (99, '0099 later', 'x', 0)")
    con.close()

    with pytest.raises(SchemaError, match=r"later version .*0099.* upgrade Rotulus"):
        SqliteStore(str(tmp_path / "jobs.db")).migrate()


def test_a_file_of_another_build_is_refused(file_app, tmp_path):
    """Its tables may differ."""
    file_app.jobs()
    file_app.close()
    with sqlite3.connect(tmp_path / "jobs.db") as con:
        con.execute("UPDATE rotulus_migrations SET checksum = 'x'")
    con.close()

    with pytest.raises(SchemaError, match="another build"):
        SqliteStore(str(tmp_path / "jobs.db")).migrate()


def test_a_file_that_is_no_database_is_refused(tmp_path):
    """With what to do."""
    (tmp_path / "jobs.db").write_text(
        "this is not a database, and it is long enough to be read" * 20
    )

    with pytest.raises(
        StoreUnavailableError, match="not a database; give the name of another file"
    ):
        SqliteStore(str(tmp_path / "jobs.db")).migrate()


def test_a_folder_that_does_not_exist_is_named(tmp_path):
    """Not only 'unable to open'."""
    with pytest.raises(StoreUnavailableError, match=r"the folder .*nowhere does not exist"):
        SqliteStore(str(tmp_path / "nowhere" / "jobs.db")).migrate()


def test_a_file_that_is_deleted_under_the_app_is_noticed(file_app, tmp_path):
    """SQLite would go on writing into nothing."""

    @task(registry=file_app.registry)
    def body(): ...

    body.enqueue()
    (tmp_path / "jobs.db").unlink()
    with pytest.raises(StoreUnavailableError, match="deleted or replaced"):
        body.enqueue()


def test_a_file_that_was_overwritten_and_put_back_is_used_again(file_app, tmp_path):
    """By who has it open: nobody is restarted, and nothing is held open meanwhile."""

    @task(registry=file_app.registry)
    def body(): ...

    def fails(call):
        with pytest.raises(StoreError, match="not a database|has no tables"):
            call()

    file = tmp_path / "jobs.db"
    body.enqueue()
    with closing(sqlite3.connect(file)) as one:
        one.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    held = file.read_bytes()
    file.write_bytes(b"x" * len(held))
    calls = (file_app.jobs.count, body.enqueue, file_app.jobs.find)
    [fails(call) for call in calls]
    opened = len(list(Path("/proc/self/fd").iterdir()))
    [fails(call) for call in calls * 20]
    assert len(list(Path("/proc/self/fd").iterdir())) <= opened
    file.write_bytes(held)
    body.enqueue()

    assert 2 == file_app.jobs.count() == len(file_app.jobs.find())
    drain(file_app)
    assert {"succeeded"} == {job.state for job in file_app.jobs.find()}


def test_tables_of_the_users_own_are_left_alone(tmp_path, registry):
    """A file may hold both."""
    with sqlite3.connect(tmp_path / "mine.db") as con:
        con.execute("CREATE TABLE jobs (id)")
    app = App("sqlite:///mine.db", registry=registry)
    app.jobs()
    app.close()
    names = {row[0] for row in con.execute("SELECT name FROM sqlite_master")}
    con.close()

    assert "jobs" in names
    assert {n for n in names if not n.startswith(("rotulus_", "sqlite_"))} == {"jobs"}


def test_a_wal_cut_anywhere_loses_nothing_that_was_there_before(tmp_path):
    """Whatever is left of the last writes, the file opens and is whole."""
    path = tmp_path / "jobs.db"
    code = (
        "import os; from rotulus.stores.sqlite import SqliteStore; from rotulus.store import NewJob, Terms\n"
        "store = SqliteStore('jobs.db'); store.migrate(); store.add([NewJob('first', '{}', Terms('t'))])\n"
        "con = store._connections._writer; con.execute('PRAGMA wal_checkpoint(TRUNCATE)')\n"
        "con.execute('PRAGMA wal_autocheckpoint = 0')\n"
        "for n in range(30): store.add([NewJob(f'j{n}', '{}', Terms('t'))])\n"
        "os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False)
    base, wal = path.read_bytes(), (tmp_path / "jobs.db-wal").read_bytes()
    assert len(wal) > 100_000
    seen = set()
    for cut in [*range(0, len(wal), 7 * 512), len(wal)]:
        path.write_bytes(base)
        (tmp_path / "jobs.db-wal").write_bytes(wal[:cut])
        (tmp_path / "jobs.db-shm").unlink(missing_ok=True)
        store = SqliteStore(str(path))
        ids = {job.id for job in store.find(limit=100)}
        assert ids == {"first", *(f"j{n}" for n in range(len(ids) - 1))}
        seen.add(len(ids))
        store.add([NewJob("again", "{}", Terms("t"))])
        store.close()

    assert 31 == max(seen)
    assert 10 < len(seen)


def test_a_child_that_was_forked_opens_the_file_anew(file_app):
    """SQLite's locks belong to one process."""

    @task(registry=file_app.registry)
    def body(x: int):
        return x

    body.enqueue(0)
    told = [in_a_fork(lambda number=number: body.enqueue(number)) for number in (1, 2)]
    assert ["", ""] == told
    body.enqueue(3)
    drain(file_app)

    assert {0, 1, 2, 3} == {job.result(0) for job in file_app.jobs()}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_signal_in_the_middle_of_a_write_leaves_the_store_usable(file_app):
    """KeyboardInterrupt undoes the write, and nothing else."""

    @task(registry=file_app.registry)
    def body(x: int): ...

    body.enqueue(0)
    before = signal.getsignal(signal.SIGALRM)

    armed = False

    def interrupt(*_):
        if armed:
            raise KeyboardInterrupt

    signal.signal(signal.SIGALRM, interrupt)
    interrupted = added = 0
    for delay in range(1, 60):
        try:
            armed = True
            signal.setitimer(signal.ITIMER_REAL, delay * 0.00002)
            body.enqueue(delay)
            armed = False
            added += 1
        except KeyboardInterrupt:
            armed = False
            interrupted += 1
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)
    body.enqueue(1000)

    assert interrupted
    assert added + 2 <= len(file_app.jobs(limit=1000)) <= added + interrupted + 2


def test_every_store_error_is_one_of_ours(file_app):
    """Nobody has to catch sqlite3's."""
    with pytest.raises(StoreError), file_app.store._connections.reading() as con:
        con.execute("SELECT nonsense FROM nowhere")
