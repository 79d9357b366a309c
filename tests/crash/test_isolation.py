"""Tasks in processes of their own: killed, crashing, hanging, and never in anybody's way."""

import os
import signal
import time
from pathlib import Path

import pytest


@pytest.fixture
def isolating(factory):
    """A factory whose workers have the isolated tasks, too."""
    start = factory.start
    factory.start = lambda *options, **how: start(*options, app="isolating:app", **how)
    return factory


def lives(pid):
    """Whether a process is there, and not only a zombie that nobody has reaped."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def family_of(pid):
    """Every process below one, as (pid, state)."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            fields = (place / "stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == pid:
            found += [(int(place.name), fields[0]), *family_of(int(place.name))]
    return found


def handles(pid):
    """How many files a process has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def pids(factory, task):
    """The processes that have begun a task."""
    return [int(line[4]) for line in factory.ledger() if line[:2] == ["begin", task]]


def test_a_task_that_crashes_thrice_is_given_up_and_nobody_else_is(isolating):
    """Its worker lives on, and its neighbours are not run again."""
    crash = isolating.app.enqueue("crash")
    jobs = isolating.add("isolated", 4, seconds=0.3) + isolating.add("awork", 4, seconds=0.3)
    worker = isolating.start("--slots", "4")
    isolating.all_ended()
    crash = isolating.app.get(crash.id)

    assert ("dead", "crash_loop", 3, 0) == (
        crash.state,
        crash.reason,
        crash.record.losses,
        crash.record.failures,
    )
    assert "the process that ran it was killed by SIGSEGV" == crash.error.message
    assert ["lost", "lost"] == [attempt.reason for attempt in crash.attempts]
    assert 3 == len(set(pids(isolating, "crash")))
    assert [(n, 1) for n in range(4)] * 2 == [(j.result(0), j.refresh().attempt) for j in jobs]
    assert worker.poll() is None
    assert [] == isolating.books()


@pytest.mark.parametrize("code", [0, 3])
def test_a_task_that_ends_its_process_loses_the_attempt(isolating, code):
    """Whatever it says, it has not returned."""
    job = isolating.app.enqueue("leave", code=code)
    isolating.start()
    isolating.until(lambda: job.refresh().record.losses)

    assert f"the process that ran it ended with exit code {code}" in job.refresh().error.message


def test_what_a_lost_process_has_started_does_not_live_on(isolating):
    """It is killed with it."""
    job = isolating.app.enqueue("abandon")
    isolating.start()
    isolating.until(lambda: job.refresh().record.losses)

    isolating.until(lambda: not any(map(lives, pids(isolating, "program"))), 10)


@pytest.mark.parametrize("task", ["spin", "sleep_in_c"])
def test_a_timeout_is_hard(isolating, task):
    """The process is killed, and its slot is free; it is a failure, and no loss."""
    job = isolating.app.enqueue(task)
    after = isolating.add("isolated", 1, seconds=0)
    isolating.start("--slots", "1")
    isolating.all_ended(20)
    job = job.refresh()

    assert ("failed", "timeout", 0) == (job.state, job.reason, job.record.losses)
    assert "TimeoutError: it took longer than its timeout of 0.3 seconds" == str(job.error)
    assert 0 == after[0].result(0)
    isolating.until(lambda: not lives(pids(isolating, task)[0]), 10)


def test_a_coroutine_may_clean_up_at_its_timeout(isolating):
    """It is asked before it is killed."""
    job = isolating.app.enqueue("apolite")
    isolating.start()
    isolating.all_ended(20)

    assert "timeout" == job.refresh().reason
    assert any(line[0] == "cleaned" for line in isolating.ledger())


def test_a_running_one_can_be_cancelled(isolating):
    """Also a plain function, which nobody could interrupt in the worker."""
    job = isolating.add("isolated", 1, seconds=600)[0]
    isolating.start()
    isolating.began(1)
    job.cancel()
    isolating.all_ended(20)

    assert "cancelled" == job.refresh().state
    isolating.until(lambda: not lives(pids(isolating, "isolated")[0]), 10)


@pytest.mark.parametrize("task", ["isolated", "aisolated"])
def test_after_the_deadline_they_are_given_back_and_nothing_runs_on(isolating, task):
    """Without a penalty."""
    jobs = isolating.add(task, 2, seconds=600)
    worker = isolating.start("--slots", "2", "--drain", "0.3")
    isolating.began(2)
    worker.send_signal(signal.SIGTERM)

    assert 0 == worker.wait(20)
    assert [("queued", "shutdown", 1, 0)] * 2 == [
        (r.state, r.reason, r.releases, r.losses) for r in (job.refresh().record for job in jobs)
    ]
    assert [] == [pid for pid in pids(isolating, task) if lives(pid)]
    assert "did not stop" not in isolating.logs()


def test_a_signal_to_the_whole_group_lets_them_finish(isolating):
    """A service manager tells every process; what that means is for the worker to decide."""
    isolating.add("isolated", 2, seconds=0.5)
    worker = isolating.start("--slots", "2", "--drain", "20", start_new_session=True)
    isolating.began(2)
    for pid, _ in [(worker.pid, ""), *family_of(worker.pid)]:
        os.kill(pid, signal.SIGTERM)

    assert 0 == worker.wait(20)
    assert {"succeeded": 2} == isolating.states()


@pytest.mark.parametrize("kill", [os.kill, os.killpg])
def test_nothing_outlives_a_worker_that_is_killed(isolating, kill):
    """Neither the fork server, nor a task process, nor a program that a task has started."""
    isolating.app.enqueue("family")
    isolating.add("isolated", 1, seconds=600)
    isolating.app.enqueue("doze")
    worker = isolating.start("--slots", "3", start_new_session=True)
    isolating.began(4)
    below = [pid for pid, _ in family_of(worker.pid)]
    assert len(below) >= 5
    kill(worker.pid, signal.SIGKILL)
    worker.wait()

    isolating.until(lambda: not any(map(lives, below)), 10)


def test_their_jobs_go_on_at_once_when_the_worker_is_killed(isolating):
    """No process that was forked keeps up the appearance that it lives."""
    [job] = isolating.add("isolated", 1, seconds=1.0)
    victim = isolating.start()
    isolating.began(1)
    victim.send_signal(signal.SIGKILL)
    killed = time.monotonic()
    isolating.start()
    assert 0 == job.result(25)

    assert time.monotonic() - killed < 20  # the lease is 30 seconds
    assert 1 == job.refresh().record.losses


def test_one_that_is_killed_from_outside_loses_an_attempt(isolating):
    """As when the system is out of memory."""
    [job] = isolating.add("isolated", 1, seconds=1.0)
    isolating.start()
    isolating.began(1)
    os.kill(pids(isolating, "isolated")[0], signal.SIGKILL)

    assert 0 == job.result(20)
    [attempt] = job.refresh().attempts
    assert "lost" == attempt.reason
    assert "killed by SIGKILL, as the system does when memory runs out" in attempt.error.message


def test_a_worker_whose_fork_server_is_killed_stops_and_says_so(isolating):
    """It cannot do what it is for; what it ran goes back, and its task processes are dead."""
    jobs = [isolating.app.enqueue("doze")]
    worker = isolating.start("--drain", "5")
    isolating.began(1)
    jobs += [isolating.app.enqueue("murder")]

    assert 1 == worker.wait(20)
    assert "was killed, and its worker has stopped: start it again" in isolating.logs()
    records = [job.refresh().record for job in jobs]
    assert [("queued", "lost", 1)] * 2 == [(r.state, r.reason, r.losses) for r in records]
    assert not lives(pids(isolating, "doze")[0])


def test_hundreds_of_jobs_leave_nothing_behind(isolating):
    """No zombie, no process too many, no open file."""
    jobs = isolating.add("isolated", 200, seconds=0)
    crashes = [isolating.app.enqueue("leave", code=1) for _ in range(5)]
    worker = isolating.start("--slots", "4")
    isolating.until(lambda: all(job.refresh().record.losses for job in crashes))
    before = handles(worker.pid)
    more = isolating.add("isolated", 200, seconds=0)
    isolating.all_ended(60)

    assert list(range(200)) * 2 == [job.result(0) for job in jobs + more]
    assert {"succeeded": 400, "dead": 5} == isolating.states()
    isolating.until(lambda: len(family_of(worker.pid)) <= 5, 10)
    assert "Z" not in {state for _, state in family_of(worker.pid)}
    assert handles(worker.pid) <= before + 4
    worker.send_signal(signal.SIGTERM)
    assert 0 == worker.wait(20)
