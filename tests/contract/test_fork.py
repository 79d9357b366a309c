"""A forked child: it opens connections of its own, and leaves the parent's as they are."""

import os
import threading
import time
from pathlib import Path

import pytest

from rotulus import _forking
from rotulus._forking import ForkBarrier
from rotulus.errors import StoreUnavailableError
from rotulus.testing import SettableClock


def in_a_fork(act):
    """What an act in a forked child came to, as text; what it raised, if it did."""
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            told = str(act())
        except BaseException as error:
            told = f"{type(error).__name__}: {error}"
        os.write(theirs, told.encode())
        os._exit(0)
    os.close(theirs)
    with open(ours) as pipe:
        told = pipe.read()
    os.waitpid(pid, 0)
    return told


pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")


def test_a_child_adds_claims_and_settles(shared):
    """And the parent goes on, with what the child did."""
    shared.add_many(2)
    assert "1" == in_a_fork(lambda: len([shared.ended()]))
    assert 3 == len(shared.store.find())
    assert 3 == len([shared.add(), *shared.claim()])


def test_a_child_does_not_keep_its_parents_worker_alive(file):
    """A worker that died is seen to be dead, whatever it has forked."""
    file.claim(worker="w1")
    other = file.open_another()
    told = in_a_fork(lambda: [os.path.realpath(link) for link in Path("/proc/self/fd").iterdir()])

    assert str(file.store.url.removeprefix("sqlite:///")) + "-rotulus" not in told
    assert [] == other.rescue(10)


def test_a_child_that_was_forked_while_others_write_is_not_held_up(file):
    """A lock that a thread of the parent holds is not one of the child's, nor is what waits."""
    commit = file.store._commit
    held, leave = threading.Event(), threading.Event()

    def hold():
        held.set()
        leave.wait(20)

    holder = threading.Thread(target=commit.alone, args=(hold,))
    holder.start()
    held.wait(20)
    added = []
    waiting = threading.Thread(target=lambda: added.append(file.add().id))
    waiting.start()
    while not commit._coalescer._waiting:
        waiting.join(0.01)
    told = in_a_fork(lambda: file.store.add([file.new(key="child")])[0].key)
    leave.set()
    for thread in (holder, waiting):
        thread.join()

    assert "child" == told
    assert 1 == len(added)
    assert [None, "child"] == [job.key for job in file.store.find()]


@pytest.mark.parametrize("does", ["write", "read"])
def test_a_fork_waits_for_a_thread_that_is_inside_sqlite(does, file):
    """SQLite remembers the locks of a file in memory: a child would find them held for ever."""
    inside, asked, pause = threading.Event(), threading.Event(), threading.Event()
    os.register_at_fork(before=asked.set)  # which comes before the hooks of what was imported

    def stay(connection):
        connection.execute("SELECT count(*) FROM rotulus_jobs").fetchone()
        inside.set()
        asked.wait(20)
        pause.wait(0.3)  # in vain: a fork that does not wait has long happened

    def read():
        with file.store._connections.reading() as connection:
            stay(connection)

    calls = {"write": lambda: file.store._commit.run(stay), "read": read}
    other = threading.Thread(target=calls[does])
    other.start()
    inside.wait(20)
    told = in_a_fork(lambda: file.store.add([file.new(key="child")])[0].key)
    other.join()

    assert "child" == told
    assert ["child"] == [job.key for job in file.store.find()]


def test_a_fork_does_not_wait_for_its_own_thread_nor_for_ever(monkeypatch):
    """Nobody could leave in the first case, and a program is not held up in the second."""
    monkeypatch.setattr(_forking, "_FORK_WAIT", 0.2)
    barrier, inside, leave = ForkBarrier(), threading.Event(), threading.Event()

    def stay():
        with barrier:
            inside.set()
            leave.wait(20)

    other = threading.Thread(target=stay)
    with barrier:
        barrier.close()
        with barrier:
            barrier.open()
        other.start()
        inside.wait(20)
        barrier.close()
        barrier.open()
        began = time.monotonic()
        barrier.close()
        took = time.monotonic() - began
        barrier.open()
    leave.set()
    other.join()

    assert took < 0.2, "it waits for nobody twice"
    assert [] == barrier._inside


def test_a_store_in_memory_refuses(registry):
    """What a child did there, nobody would ever see."""
    from rotulus import App

    app = App("sqlite://", registry=registry, clock=SettableClock())
    app.jobs()
    told = in_a_fork(app.jobs)
    app.close()

    assert told.startswith(StoreUnavailableError.__name__)
    assert "use a file" in told
