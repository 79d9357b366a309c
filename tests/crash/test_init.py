"""A worker whose process gets orphans: they are reaped, and signals and exit codes pass through."""

import ctypes
import os
import pty
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.anywhere,
    pytest.mark.skipif(sys.platform != "linux", reason="process 1 is a matter of Linux"),
]

FLEET = pytest.mark.parametrize("options", [[], ["--processes", "1", "--recycle-jobs", "1000"]])

PROCESS_ONE = ("unshare", "--user", "--map-root-user", "--pid", "--mount-proc", "--fork")

SET_CHILD_SUBREAPER = 36


def get_orphans():
    """Make this process the parent of orphans among its descendants, as process 1 is."""
    assert 0 == ctypes.CDLL(None).prctl(SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def start(factory, *options, **how):
    """A worker of tasks that leave processes behind."""
    return factory.start(*options, app="launching:app", **how)


def children(pid):
    """The children of a process, and their state: Z is a zombie."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # gone meanwhile
            words = stat.read_text().rpartition(")")[2].split()
            if int(words[1]) == pid:
                found[int(stat.parent.name)] = words[0]
    return found


def has_left(factory, count):
    """The processes that tasks left behind, when so many have."""
    factory.until(lambda: sum(line[0] == "left" for line in factory.ledger()) >= count)
    return [int(line[1]) for line in factory.ledger() if line[0] == "left"]


@FLEET
def test_what_tasks_leave_behind_is_reaped(factory, options):
    """And each exit code reaches who waits for it."""
    jobs = factory.add("launch", 5)
    worker = start(factory, *options, preexec_fn=get_orphans)
    factory.all_ended()
    left = has_left(factory, 5)

    factory.until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in left))
    assert [7] * 5 == [job.result(0) for job in jobs]
    assert worker.poll() is None
    worker.send_signal(signal.SIGTERM)
    assert 0 == worker.wait(30)


@FLEET
def test_a_worker_is_process_1_of_a_container(factory, options):
    """It reaps, and it heeds a signal, which the kernel keeps from process 1 by default."""
    tried = subprocess.run([*PROCESS_ONE, "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip(f"no namespace of processes here: {tried.stderr.strip()}")
    jobs = factory.add("launch", 5)
    launcher = start(factory, *options, under=PROCESS_ONE)
    factory.all_ended()
    [init] = children(launcher.pid)

    factory.until(lambda: "Z" not in children(init).values() and len(children(init)) == 1)
    assert [7] * 5 == [job.result(0) for job in jobs]
    assert "1" not in {line[2] for line in factory.ledger() if line[0] == "left"}
    os.kill(init, signal.SIGTERM)
    assert 0 == launcher.wait(30)


def test_a_signal_lets_running_jobs_finish(factory):
    """As it does without an init process."""
    factory.add("work", 2, seconds=0.5)
    worker = start(factory, "--slots", "2", preexec_fn=get_orphans)
    factory.began(2)
    worker.send_signal(signal.SIGTERM)

    assert 0 == worker.wait(30)
    assert {"succeeded": 2} == factory.states()


def test_a_second_signal_gives_them_back_at_once(factory):
    """Whatever the time to drain."""
    factory.add("work", 1, seconds=60)
    worker = start(factory, "--drain", "60", preexec_fn=get_orphans)
    factory.began()
    worker.send_signal(signal.SIGTERM)
    factory.until(lambda: factory.told("worker_draining"))
    worker.send_signal(signal.SIGTERM)

    assert 0 == worker.wait(20)
    assert {"queued": 1} == factory.states()


def test_ctrl_c_arrives_once(factory):
    """A terminal sends it to every process in its foreground: running jobs finish."""
    ours, theirs = pty.openpty()

    def on_terminal():
        get_orphans()
        os.login_tty(theirs)

    factory.add("work", 1, seconds=1)
    worker = start(factory, preexec_fn=on_terminal, pass_fds=[theirs])
    factory.began()
    os.write(ours, b"\x03")

    assert 0 == worker.wait(30)
    assert {"succeeded": 1} == factory.states()
    os.close(ours)
    os.close(theirs)


def test_its_exit_code_is_that_of_the_worker(factory):
    """Of one that was killed, 128 and the number of the signal."""
    factory.app.enqueue("poison")
    killed = start(factory, preexec_fn=get_orphans)

    assert 128 + signal.SIGKILL == killed.wait(30)


def test_a_killed_init_process_takes_its_worker_along(factory):
    """Nobody could stop that worker any more."""
    factory.add("work", 1, seconds=60)
    init = start(factory, preexec_fn=get_orphans)
    factory.began()
    [worker] = children(init.pid)
    init.kill()
    init.wait()

    factory.until(lambda: not Path(f"/proc/{worker}").exists())
