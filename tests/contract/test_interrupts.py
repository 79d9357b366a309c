"""Ctrl-C at each bytecode of an enqueue: what is told is true, and the next one goes on."""

import sqlite3
import threading

import pytest

from contract.workbench import job_id
from interrupting import Interrupted, interrupted_everywhere
from rotulus.errors import StoreUnavailableError
from rotulus.store import NewJob, Terms
from rotulus.stores.postgres import PostgresStore, read_address
from rotulus.stores.sqlite import SqliteStore

pytestmark = pytest.mark.anywhere

COALESCER = ["_concurrency/coalescer.py", "_concurrency/exclusive.py"]
SQLITE = [
    *COALESCER,
    *(f"stores/sqlite/{name}.py" for name in ("batches", "commit", "connection", "session")),
]
POSTGRES = [
    *COALESCER,
    *(f"stores/postgres/{name}.py" for name in ("adding", "batches", "connection")),
]


class Adding:
    """Adds jobs one after the other, and remembers which of them were accepted."""

    def __init__(self, store):
        self.store = store
        self.accepted = []
        self.number = 0

    def new(self):
        self.number += 1
        return NewJob(job_id(self.number), "{}", Terms("t"))

    def add(self, job=None):
        """Add a job; what that raises, if anything."""
        job = job or self.new()
        try:
            [record] = self.store.add([job])
        except (Interrupted, StoreUnavailableError) as error:
            return error
        assert job.id == record.id
        self.accepted.append(job.id)
        return None

    def interrupted(self, interrupter):
        """Add a job, interrupted."""
        job = self.new()
        with interrupter.armed():
            try:
                self.store.add([job])
            except Interrupted:
                return
        self.accepted.append(job.id)

    def elsewhere(self):
        """Add a job in another thread."""
        told = []
        thread = threading.Thread(target=lambda: told.append(self.add()), daemon=True)
        thread.start()
        thread.join(10)
        return told

    def assert_all_are_there(self):
        """What was accepted is stored, once."""
        there = [job.id for job in self.store.find(limit=1_000_000)]
        assert len(there) == len(set(there))
        assert set(self.accepted) <= set(there)


@pytest.fixture
def quick_file(tmp_path):
    """A store in a file that does not wait for the disk."""
    store = SqliteStore(str(tmp_path / "jobs.db"), synchronous="NORMAL")
    store.migrate()
    yield store
    store.close()


@pytest.fixture
def server(migrated):
    """A store on a server."""
    store = PostgresStore(read_address(migrated("postgres", clock=False)))
    yield store
    store._connections.run(lambda session: session.run_script("TRUNCATE rotulus_jobs CASCADE"))
    store.close()


def assert_survives(adding, files, check=lambda: None):
    """Interrupt an add at each bytecode; afterwards this thread and others add as before."""

    def after(where, _):
        check()
        assert [None] == adding.elsewhere(), f"interrupted at {where}"
        assert adding.add() is None, f"interrupted at {where}"

    assert interrupted_everywhere(adding.interrupted, after, files) > 500
    adding.assert_all_are_there()


def test_an_add_to_a_file_may_be_interrupted_anywhere(quick_file, tmp_path):
    """And whatever it had begun, no other process finds the file locked afterwards."""
    other = sqlite3.connect(tmp_path / "jobs.db", timeout=0, isolation_level=None)

    def is_free():
        other.execute("BEGIN IMMEDIATE")
        other.execute("ROLLBACK")

    assert_survives(Adding(quick_file), SQLITE, is_free)
    other.close()


def test_an_add_to_a_server_may_be_interrupted_anywhere(server):
    """No connection is lost by it."""
    assert_survives(Adding(server), POSTGRES)


def in_one_turn(adding, commit_or_adder, interrupter, others=3):
    """An interrupted add that leads a group with those of others: what those others were told."""
    coalescer = commit_or_adder._coalescer
    held, leave = threading.Event(), threading.Event()

    def hold():
        held.set()
        leave.wait(20)

    told = [[] for _ in range(others)]
    jobs = [adding.new() for _ in told]
    threads = [
        threading.Thread(target=coalescer.alone, args=(hold,), daemon=True),
        threading.Thread(target=adding.interrupted, args=(interrupter,), daemon=True),
        *(
            threading.Thread(
                target=lambda own=own, job=job: own.append(adding.add(job)), daemon=True
            )
            for own, job in zip(told, jobs, strict=True)
        ),
    ]
    for waiting, thread in enumerate(threads):
        thread.start()
        held.wait(20)
        while len(coalescer._waiting) < waiting:
            thread.join(0.0005)
    leave.set()
    for thread in threads:
        thread.join(10)
    assert not any(thread.is_alive() for thread in threads), interrupter.where
    return [error for [error] in told]


LEADING = ["_lead"]


@pytest.mark.parametrize("kind", ["file", "server"])
def test_who_is_in_the_turn_of_an_interrupted_one_has_its_answer(kind, request):
    """Or is told that it is not known, which it is only once a commit has been asked for."""
    store = request.getfixturevalue("quick_file" if kind == "file" else "server")
    adding, unknown = Adding(store), []
    commit_or_adder = store._commit if kind == "file" else store._adder

    def act(interrupter):
        return in_one_turn(adding, commit_or_adder, interrupter)

    def check(where, errors):
        assert {type(error) for error in errors} <= {type(None), StoreUnavailableError}, where
        unknown.extend(where for error in errors if error)

    files = SQLITE if kind == "file" else POSTGRES
    assert interrupted_everywhere(act, check, files, LEADING) > 200
    adding.assert_all_are_there()
    assert len(unknown) < 100


@pytest.mark.parametrize("kind", ["file", "server"])
def test_a_signal_handler_may_add_anywhere_in_an_add(kind, request):
    """Both are stored, and the handler's as soon as it has been told so."""
    store = request.getfixturevalue("quick_file" if kind == "file" else "server")
    adding = Adding(store)

    def handler():
        job = adding.new()
        assert adding.add(job) is None
        found = []
        look = threading.Thread(target=lambda: found.append(store.get(job.id)))
        look.start()
        look.join(10)
        assert job.id == found[0].id

    def act(interrupter):
        adding.interrupted(interrupter)
        return len(adding.accepted)

    def check(where, accepted):
        assert accepted == adding.number, where

    files = SQLITE if kind == "file" else POSTGRES
    assert interrupted_everywhere(act, check, files, handler=handler) > 500
    adding.assert_all_are_there()
