"""Worker processes under a supervisor, killed, stopped, hung and recycled."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest

from crash.stores import also_on_postgres, on_both
from rotulus.store import ClaimFilter

pytestmark = pytest.mark.anywhere


def is_there(pid):
    """Whether a process exists and is no zombie."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def gone(pids):
    """Whether no process of these exists any more."""
    return not any(map(is_there, pids))


def attempt_began(factory, job, attempt):
    """Whether the body of that attempt has begun."""
    number = str(job.arguments["number"])
    return any(line[:4] == ["begin", job.task, number, str(attempt)] for line in factory.ledger())


@on_both
def test_jobs_of_a_killed_process_are_run_by_another_at_once(factory, record_property):
    """Not when their lease is over, nor when somebody looks: the supervisor sees it die."""
    factory.start("--processes", "2", "--slots", "4")
    processes = factory.processes(2)
    job = factory.add("awork", 1, seconds=3)[0]
    factory.began(1)
    victim = job.refresh().worker
    for proof in factory.folder.glob("jobs.db-rotulus/*.alive"):
        proof.unlink()  # nobody else can know
    os.kill(processes[victim], signal.SIGKILL)
    killed = time.monotonic()
    factory.until(lambda: attempt_began(factory, job, 2), 20)
    took = time.monotonic() - killed
    record_property("seconds_to_recover", took)
    print(f"recovered after {took * 1000:.0f} ms")

    assert took < 5
    assert job.refresh().worker not in (victim, None)
    assert 0 == job.result(20)
    assert [-9] == [record["code"] for record in factory.told("process_ended")]
    assert 3 == len(factory.told("process_started"))
    assert victim not in {worker.name for worker in factory.app.store.fleet().workers}
    assert [] == factory.books()


@on_both
def test_processes_whose_supervisor_is_killed_give_everything_back(factory):
    """Without a loss counted, and they end; another worker does the rest."""
    supervisor = factory.start("--processes", "2", "--slots", "2")
    pids = factory.processes(2).values()
    jobs = factory.add("awork", 2, seconds=60) + factory.add("work", 2, seconds=60)
    factory.began(4)
    supervisor.send_signal(signal.SIGKILL)
    supervisor.wait()
    factory.until(lambda: gone(pids), 20)

    for job in jobs:
        record = job.refresh().record
        assert ("queued", 0, 1) == (record.state, record.losses, record.releases)
    factory.app.cancel(*[job.id for job in jobs])
    factory.add("awork", 4, seconds=0)
    factory.start()
    factory.all_ended()
    assert {"succeeded": 4, "cancelled": 4} == factory.states()


@on_both
@pytest.mark.parametrize(
    "number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.long)]
)
def test_a_signal_lets_the_jobs_of_all_processes_finish(factory, number):
    """And nothing stays behind; exit code 0."""
    supervisor = factory.start("--processes", "2", "--slots", "1", "--drain", "30")
    pids = factory.processes(2).values()
    factory.add("work", 6, seconds=1.0)
    factory.began(2)
    supervisor.send_signal(number)

    assert 0 == supervisor.wait(30)
    assert {"succeeded": 2, "queued": 4} == factory.states()
    assert gone(pids)
    assert [0, 0] == [record["code"] for record in factory.told("process_ended")]
    assert [] == factory.app.store.fleet().workers
    assert [] == factory.books()


def test_a_second_signal_hurries_all_processes(factory):
    """Whatever the time to drain."""
    supervisor = factory.start("--processes", "2", "--slots", "1", "--drain", "60")
    factory.processes(2)
    jobs = factory.add("work", 2, seconds=60)
    factory.began(2)
    supervisor.send_signal(signal.SIGTERM)
    factory.until(lambda: len(factory.told("worker_draining")) == 2)
    begun = time.monotonic()
    supervisor.send_signal(signal.SIGTERM)

    assert 0 == supervisor.wait(30)
    assert time.monotonic() - begun < 9
    records = [job.refresh().record for job in jobs]
    assert [("queued", 0)] * 2 == [(record.state, record.losses) for record in records]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_everybody_counts_once(factory, number):
    """As a service manager sends it: to the supervisor and to each of its processes."""
    supervisor = factory.start("--processes", "2", "--slots", "1", "--drain", "30")
    pids = factory.processes(2).values()
    factory.add("work", 2, seconds=1.5)
    factory.began(2)
    for pid in [*pids, supervisor.pid, *pids]:
        os.kill(pid, number)

    assert 0 == supervisor.wait(30)
    assert {"succeeded": 2} == factory.states()
    assert 2 == len(factory.told("process_started"))


def test_ctrl_c_reaches_the_processes_through_their_supervisor_only(factory):
    """It goes to a whole process group: theirs are their own, and once is once."""
    supervisor = factory.start(
        "--processes", "2", "--slots", "1", "--drain", "30", start_new_session=True
    )
    pids = factory.processes(2).values()
    groups = {os.getpgid(pid) for pid in (supervisor.pid, *pids)}
    factory.add("awork", 2, seconds=1.5)
    factory.began(2)
    os.killpg(supervisor.pid, signal.SIGINT)

    assert 0 == supervisor.wait(30)
    assert 3 == len(groups)
    assert {"succeeded": 2} == factory.states()


def test_a_process_that_does_not_end_in_time_is_killed(factory):
    """Some seconds after the time to drain; what it held goes back."""
    supervisor = factory.start("--processes", "2", "--slots", "1", "--drain", "0.2")
    processes = factory.processes(2)
    [job] = factory.add("work", 1, seconds=60)
    factory.began(1)
    stuck = processes[job.refresh().worker]
    factory.stop(stuck)
    supervisor.send_signal(signal.SIGTERM)

    assert 0 == supervisor.wait(30)
    record = job.refresh().record
    assert ("queued", 1) == (record.state, record.losses)
    assert [stuck] == [record["pid"] for record in factory.told("process_stuck")]
    assert gone(processes.values())


def test_a_process_that_ends_by_itself_is_replaced(factory):
    """Somebody has sent it a signal: it drains, and another one comes."""
    factory.start("--processes", "2", "--slots", "2")
    first = factory.processes(2)
    os.kill(next(iter(first.values())), signal.SIGTERM)
    factory.until(lambda: len(factory.told("worker_started")) == 3)

    assert [0] == [record["code"] for record in factory.told("process_ended")]
    assert 3 == len(set(factory.processes(2)))


def test_a_process_that_is_wired_wrongly_ends_all(factory):
    """With its exit code: another one would end the same way."""
    supervisor = factory.start("--processes", "2", "--slots", "1")
    processes = factory.processes(2)
    [job] = factory.add("awork", 1, seconds=1.5)
    factory.began(1)
    (factory.folder / "misconfigured").touch()
    idle = next(pid for name, pid in processes.items() if name != job.refresh().worker)
    os.kill(idle, signal.SIGKILL)

    assert 3 == supervisor.wait(30)
    assert "this factory is not to be run" in factory.logs()
    assert "another one would do the same" in factory.logs()
    assert 3 == len(factory.told("process_started"))
    assert "succeeded" == job.refresh().state  # the others drained


def test_wrong_wiring_at_the_start_starts_nothing(factory):
    """The supervisor sees it itself."""
    (factory.folder / "misconfigured").touch()
    supervisor = factory.start("--processes", "2")

    assert 3 == supervisor.wait(30)
    assert [] == factory.told("process_started")


def test_processes_that_crash_at_their_start_are_started_ever_more_slowly(factory):
    """And work goes on as soon as one of them lives."""
    factory.start("--processes", "1", "--recycle-jobs", "1000")
    [pid] = factory.processes(1).values()
    (factory.folder / "explosive").touch()
    os.kill(pid, signal.SIGKILL)
    factory.until(lambda: len(factory.told("process_delayed")) == 3)
    started = len(factory.told("process_started"))
    (factory.folder / "explosive").unlink()
    factory.add("awork", 1, seconds=0)
    factory.all_ended()
    delays = [(record["deaths"], record["seconds"]) for record in factory.told("process_delayed")]

    assert [(2, 1.0), (3, 2.0), (4, 4.0)] == delays
    assert 4 == started
    assert [-9, 9, 9, 9] == [record["code"] for record in factory.told("process_ended")]


@also_on_postgres
def test_a_process_is_recycled_after_so_many_jobs(factory):
    """Exactly so many; what runs long is not given back for it."""
    supervisor = factory.start("--processes", "2", "--slots", "2", "--recycle-jobs", "5")
    factory.processes(2)
    [slow] = factory.add("work", 1, seconds=2)
    factory.began(1)
    jobs = factory.add("awork", 39, seconds=0.01)
    factory.all_ended()
    supervisor.send_signal(signal.SIGTERM)
    code = supervisor.wait(30)
    jobs = [job.refresh() for job in [slow, *jobs]]
    ran = Counter(job.worker for job in jobs)

    assert 0 == code
    assert {5} == set(ran.values())
    assert {1} == {job.attempt for job in jobs}
    assert {0} == {record["code"] for record in factory.told("process_ended")}
    assert {"it has its 5 jobs"} == {r["reason"] for r in factory.told("worker_retiring")}
    assert [] == factory.books()


def test_a_process_is_replaced_before_it_has_finished(factory):
    """One long job does not cost the other slots."""
    factory.start("--processes", "1", "--slots", "2", "--recycle-jobs", "1")
    factory.processes(1)
    [slow] = factory.add("awork", 1, seconds=8)
    factory.began(1)
    jobs = factory.add("awork", 2, seconds=0)

    assert [0, 1] == [job.result(20) for job in jobs]
    assert "running" == slow.refresh().state
    assert 3 == len({job.refresh().worker for job in [slow, *jobs]})


def test_a_process_is_recycled_when_it_has_grown(factory):
    """Between two jobs; nothing is lost."""
    factory.start("--processes", "1", "--slots", "1", "--recycle-memory", "150")
    jobs = []
    for number in range(3):
        jobs.append(factory.app.enqueue("hoard", number=number, megabytes=200))
        factory.until(lambda n=number: len(factory.told("worker_retiring")) == n + 1)
    factory.all_ended()

    assert [0, 1, 2] == [job.result(0) for job in jobs]
    jobs = [job.refresh() for job in jobs]
    assert 3 == len({job.worker for job in jobs})
    assert {1} == {job.attempt for job in jobs}
    assert "and may have 150" in factory.told("worker_retiring")[0]["reason"]


def test_a_body_that_holds_the_interpreter_keeps_its_job(factory):
    """For longer than several leases: its process is alive, so it runs once."""
    factory.start("--processes", "2", "--slots", "1", lease=2)
    factory.processes(2)
    [job] = factory.add("hog", 1, seconds=7)
    factory.began(1)
    factory.until(lambda: factory.told("process_silent"), 20)
    seen = {worker.name for worker in factory.app.store.fleet().workers}

    assert 0 == job.result(30)
    job = job.refresh()
    assert 1 == job.attempt
    assert job.worker in seen
    assert 1 == sum(line[0] == "begin" for line in factory.ledger())
    assert [] == factory.told("jobs_rescued") + factory.told("lease_lost")
    assert {job.worker} == {record["worker"] for record in factory.told("process_silent")}


def test_what_a_process_has_lost_track_of_is_taken_back(factory):
    """A claim whose answer never came is not renewed by anybody, though the process is alive."""
    factory.start("--processes", "2", "--queues", "default", lease=3)
    name = next(iter(factory.processes(2)))
    job = factory.app.using(queue="lost").enqueue("awork", number=0, seconds=0)
    lost = ClaimFilter(name, queues=["lost"])
    assert [job.id] == [record.id for record in factory.app.store.claim(lost, 1, 3)]
    factory.until(lambda: job.refresh().state == "queued", 20)

    assert 1 == job.refresh().record.losses
    assert [] == factory.told("process_ended")


@on_both
def test_a_stopped_process_loses_its_jobs_and_its_late_outcome_is_refused(factory):
    """SIGSTOP looks alive, and does nothing: its jobs go on elsewhere after a lease."""
    factory.start("--processes", "2", "--slots", "1", lease=1)
    processes = factory.processes(2)
    [job] = factory.add("awork", 1, seconds=0.7)
    factory.began(1)
    asleep = job.refresh().worker
    factory.stop(processes[asleep])
    assert 0 == job.result(30)
    before = factory.app.get(job.id).record
    os.kill(processes[asleep], signal.SIGCONT)
    factory.until(lambda: factory.told("lease_lost") + factory.told("outcome_refused"), 20)

    assert before == factory.app.get(job.id).record
    assert 2 == before.attempt
    assert asleep != before.worker
    assert [] == factory.told("process_ended")


@pytest.mark.parametrize(
    "recycling", [(), pytest.param(("--recycle-jobs", "7"), marks=pytest.mark.long)]
)
def test_a_burst_of_processes_ends_when_all_have_ended(factory, recycling):
    """Nothing is left; exit code 0."""
    jobs = factory.add("awork", 60, seconds=0.01)
    supervisor = factory.start("--processes", "2", "--slots", "2", "--burst", *recycling)

    assert 0 == supervisor.wait(60)
    assert {"succeeded": 60} == factory.states()
    assert 60 == len(jobs)
    assert len(factory.told("process_started")) == len(factory.told("process_ended"))


def test_processes_are_listed_as_workers(factory):
    """With the name that was given in front."""
    factory.start("--processes", "2", "--slots", "3", "--name", "west")
    processes = factory.processes(2)
    workers = factory.app.store.fleet().workers
    told = subprocess.run(
        [sys.executable, "-m", "rotulus", "ls", "workers", "--url", "sqlite:///jobs.db"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert {(name, pid, 3) for name, pid in processes.items()} == {
        (worker.name, worker.pid, worker.slots) for worker in workers
    }
    assert all(name.startswith("west.") for name in processes)
    assert all(name in told.stdout for name in processes)


def test_a_process_that_dies_while_the_store_fails_is_taken_back_when_it_works(factory):
    """Again and again, until it does."""
    factory.start("--processes", "2", "--slots", "1")
    processes = factory.processes(2)
    [job] = factory.add("awork", 1, seconds=0.5)
    factory.began(1)
    victim = job.refresh().worker
    for proof in factory.folder.glob("jobs.db-rotulus/*.alive"):
        proof.unlink()  # nobody else can know
    holder = factory.run("hold_the_file(7)", stdout=subprocess.PIPE)
    holder.stdout.readline()
    os.kill(processes[victim], signal.SIGKILL)
    holder.wait(30)
    holder.stdout.close()

    assert 0 == job.result(20)
    assert ["release"] == [
        record["doing"] for record in factory.told("store_failed") if record["doing"] == "release"
    ]


@on_both
def test_kills_while_jobs_are_running_lose_nothing(factory):
    """Process after process, at any moment."""
    factory.start("--processes", "2", "--slots", "4")
    factory.processes(2)
    for round_ in range(5):
        factory.add("awork", 30, seconds=0.03)
        factory.add("flaky", 10)
        factory.until(lambda n=round_: len(factory.ledger()) > 80 * n + 10)
        pids = [record["pid"] for record in factory.told("process_started")]
        os.kill(next(pid for pid in reversed(pids) if is_there(pid)), signal.SIGKILL)
    factory.all_ended(60)

    assert 200 == sum(factory.states().values())
    assert {"succeeded", "dead"} >= set(factory.states())
    assert [] == factory.books()
