"""`rotulus demo`: a shop whose history has what there is to see, and which leaves nothing behind."""

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from rotulus import State
from rotulus.demo.history import DAYS, make_history
from rotulus.demo.shop import open_shop
from rotulus.demo.world import UNWELL_FOR, World
from rotulus.testing import SettableClock

pytestmark = pytest.mark.anywhere

NOW = datetime(2026, 11, 5, 10, tzinfo=UTC)
"""Eleven days after the clocks of the shop have changed."""

BERLIN = ZoneInfo("Europe/Berlin")


def quiet(url, seed, an_hour):
    """A history is made, and failures of its tasks are not told in this process."""
    logger = logging.getLogger("rotulus")
    logger.disabled = True
    try:
        make_history(url, seed, NOW, an_hour=an_hour)
    finally:
        logger.disabled = False


def opened(url):
    """The shop at the end of its history."""
    clock = SettableClock(NOW)
    return open_shop(url, World(1, clock.now, clock.advance, NOW), clock)


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """A store with a history."""
    made = f"sqlite:///{tmp_path_factory.mktemp('shop')}/shop.db?synchronous=normal"
    quiet(made, 7, 0.4)
    return made


@pytest.fixture
def shop(url):
    """The shop at the end of its history."""
    with opened(url) as app:
        yield app


def test_each_state_is_there(shop):
    """An evaluator sees all nine."""
    assert set(State) == {job.state for job in shop.jobs(limit=10_000)}


def test_what_is_out_of_the_ordinary_is_there(shop):
    """A replayed step, a group, a pause, losses, what is due later, a run that waits, the audit."""
    jobs = list(shop.jobs(limit=10_000))

    assert {"crash_loop", "expired"} == {job.reason for job in jobs if job.state == State.DEAD}
    assert ["shop-2"] == [job.worker for job in jobs if job.state == State.RUNNING]
    assert shop.queues.get("exports").paused
    assert 8 == shop.jobs.count(queue="exports", state="queued")
    [told] = [job for job in jobs if job.task == "pictures.tell"]
    assert 24 == shop.jobs.count(run=told.id, task="pictures.resize")
    later = [job.labels["customer"] for job in jobs if job.run_at > NOW + timedelta(hours=1)]
    assert ["chloe", "femi", "hugo"] == sorted(later)
    assert 1 == len([job for job in jobs if job.is_run and job.paused])
    verbs = {entry.verb for entry in shop.audit.find()}
    assert verbs >= {"runs.replay", "runs.pause", "queues.pause", "failures.retry", "jobs.cancel"}
    [paused] = [one.name for one in shop.schedules.list() if one.paused_at is not None]
    assert "mail.monday" == paused


def test_a_step_that_failed_was_replayed(shop):
    """And its run came to a good end."""
    [entry] = [one for one in shop.audit.find() if one.verb == "runs.replay"]
    [run] = [job for job in shop.jobs(limit=10_000) if job.is_run and job.id in str(entry)]
    charge = shop.jobs.get(shop.runs.step(run.id, "charge").job.id)

    assert State.SUCCEEDED == run.state
    assert "PaymentRefusedError" in {one.error.type for one in charge.attempts if one.error}


def test_failures_are_of_several_kinds_and_one_is_new_and_frequent(shop):
    """The bank has not answered since yesterday; tracebacks end in the code of the shop."""
    groups = shop.failures.groups()
    bank = max(groups, key=lambda group: group.count)

    assert len(groups) >= 5
    assert "Westbank did not answer" in bank.error.message
    assert bank.count >= 10
    failed = shop.jobs(fingerprint=bank.fingerprint, state="failed", limit=1_000)
    assert bank.count == len(failed)
    assert min(job.ended_at for job in failed) >= NOW - UNWELL_FOR
    assert all("tasks.py" in job.error.traceback for job in failed)


def test_the_statistics_are_those_of_the_jobs(shop):
    """For each task, over all of the two weeks."""
    jobs = list(shop.jobs(limit=10_000))
    measured = {one.name: one for one in shop.stats.totals(by="task", since=(DAYS + 1) * 86_400)}

    counted = Counter(job.task for job in jobs)
    assert counted == {name: one.enqueued for name, one in measured.items()}
    for task in ("payments.charge", "payments.refund", "mail.send", "reports.daily"):
        states = Counter(
            str(job.state) for job in jobs if job.task == task and job.ended_at is not None
        )
        ends = {k: n for k, n in measured[task].outcomes.items() if k != "retried"}
        assert states == ends, task


def test_the_schedules_are_right_about_the_change_of_the_clock(shop):
    """One report a day at the same local time; a count at the hour that came twice, once."""
    reports = sorted(job.instant for job in shop.jobs(schedule="reports.daily", limit=100))
    local = [at.astimezone(BERLIN) for at in reports]

    assert DAYS == len(local)
    assert {(6, 15)} == {(at.hour, at.minute) for at in local}
    assert {4, 5} == {at.astimezone(UTC).hour for at in reports}
    assert DAYS == len({at.date() for at in local})
    [count] = shop.jobs(schedule="stock.count")
    assert datetime(2026, 10, 25, 0, 30, tzinfo=UTC) == count.instant


def test_a_step_begins_after_those_that_it_needs(shop):
    """Though the jobs were run one after the other, by a clock that was set back."""
    runs = [job for job in shop.jobs(task="orders.fulfil", limit=1_000) if job.ended_at]
    overlapping = 0
    for run in runs[:20]:
        by_step = {job.step: job for job in shop.jobs(run=run.id, limit=100)}
        packed = [job for step, job in by_step.items() if step and step.startswith("pack/")]
        ship = by_step["ship"]
        if ship.started_at is not None and packed:
            assert ship.started_at >= max(job.ended_at for job in packed)
        starts = sorted(job.started_at for job in packed)
        overlapping += len(starts) > 1 and starts[1] < min(job.ended_at for job in packed)
    assert overlapping


def test_log_lines_are_of_the_time_of_their_attempts(shop):
    """And not of the time at which the history was made."""
    [job, *_] = shop.jobs(task="payments.refund", state="succeeded")

    assert [line.at for line in job.logs()]
    assert all(job.started_at <= line.at <= job.ended_at for line in job.logs())


def told(url):
    """All that a history says, apart from ids and names of workers."""
    with opened(url) as app:
        return sorted(
            (
                job.task,
                str(job.state),
                str(job.created_at),
                str(job.started_at),
                str(job.ended_at),
                job.attempt,
                json.dumps(job.labels, sort_keys=True),
                job.error.message if job.error and job.state != State.DEAD else "",
                [line.text for line in job.logs()],
            )
            for job in app.jobs(limit=10_000)
        )


def test_the_same_seed_makes_the_same_history(tmp_path):
    """And another one another."""
    names = [f"sqlite:///{tmp_path}/{name}.db?synchronous=normal" for name in "abc"]
    for name, seed in zip(names, (7, 7, 8), strict=True):
        quiet(name, seed, 0.05)
    one, again, other = map(told, names)

    assert one == again
    assert one != other


@pytest.fixture
def demo(tmp_path):
    """Starts `rotulus demo`, with its temporary files in a folder of the test."""
    started = []
    temporary = tmp_path / "temporary"
    temporary.mkdir()

    def start(*options):
        command = [sys.executable, "-m", "rotulus", "demo", "--port", "0", *options]
        process = subprocess.Popen(
            command,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "TMPDIR": str(temporary)},
        )
        started.append(process)
        said = []
        for line in process.stderr:
            said.append(line)
            if "The shop is open: " in line:
                return process, line.split()[-1], said
        raise AssertionError(said)

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stderr.close()


def asked(url):
    """What an address answers."""
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.read().decode()


def ended(process):
    """What it says at Ctrl-C."""
    process.send_signal(signal.SIGINT)
    said = process.stderr.read()
    assert 0 == process.wait(30), said
    return said


def test_it_serves_the_console_and_leaves_nothing_behind(demo, tmp_path):
    """While it is open, customers come."""
    process, console, _ = demo()
    api = f"{console.removesuffix('console/')}api/v1/"

    assert "<html" in asked(console)
    first, *more = json.loads(asked(f"{api}jobs?limit=200"))["items"]
    assert 199 == len(more)
    while json.loads(asked(f"{api}jobs?limit=1"))["items"][0]["id"] == first["id"]:
        assert process.poll() is None
    workers = json.loads(asked(f"{api}workers"))["items"]
    assert ["shop-1"] == [worker["name"] for worker in workers]
    said = ended(process).splitlines()  # where a task failed meanwhile, a line of JSON tells it
    assert [] == [line for line in said if line.startswith("Traceback")]
    assert [] == list((tmp_path / "temporary").iterdir())


def test_a_folder_is_kept_and_gone_on_with(demo, tmp_path):
    """The second time there is no history to make."""
    process, console, _ = demo("--folder", str(tmp_path / "shop"))
    [first] = json.loads(asked(f"{console.removesuffix('console/')}api/v1/jobs?limit=1"))["items"]
    ended(process)
    assert [] == [path.name for path in (tmp_path / "shop").iterdir() if "making" in path.name]

    process, console, said = demo("--folder", str(tmp_path / "shop"))
    assert [] == [line for line in said if "days of the shop" in line]
    there = asked(f"{console.removesuffix('console/')}api/v1/jobs/{first['id']}")
    assert first["task"] == json.loads(there)["task"]
    ended(process)


def test_a_port_that_is_taken_is_told_before_there_is_a_history(tmp_path):
    """Nobody waits for it in vain."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        words = ["demo", "--port", port, "--folder", str(tmp_path / "shop")]
        done = subprocess.run(
            [sys.executable, "-m", "rotulus", *words], capture_output=True, text=True, timeout=60
        )

    assert 3 == done.returncode
    assert f"Cannot listen at 127.0.0.1, port {port}" in done.stderr
    assert not (tmp_path / "shop").exists()


def test_ctrl_c_while_the_history_is_made_leaves_nothing(tmp_path):
    """Neither half a history, nor a temporary folder."""
    (tmp_path / "temporary").mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "rotulus", "demo", "--port", "0"],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path / "temporary")},
    )
    with process.stderr:
        assert "days of the shop" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
    assert 130 == process.wait(30), said
    assert "Traceback" not in said
    assert [] == list((tmp_path / "temporary").iterdir())
