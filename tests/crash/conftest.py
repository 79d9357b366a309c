"""Workers in processes of their own, and the ledger that their tasks keep."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from rotulus import App, TaskRegistry
from rotulus.store import Wanted

HERE = Path(__file__).parent


class Factory:
    """A folder with a store, workers on it, and a client of it."""

    def __init__(self, folder):
        self.folder = folder
        self.app = App("sqlite:///jobs.db", registry=TaskRegistry())
        self.workers = []
        self.environment = {**os.environ, "PYTHONPATH": str(HERE), "PYTHONUNBUFFERED": "1"}

    def start(self, *options, lease=30, app="factory:app", **how):
        """A worker, in a process of its own."""
        command = [sys.executable, "-m", "rotulus", "worker", app, *options]
        log = open(self.folder / f"worker-{len(self.workers)}.log", "w")  # noqa: SIM115
        environment = {**self.environment, "FACTORY_LEASE": str(lease)}
        worker = subprocess.Popen(
            command, cwd=self.folder, env=environment, stderr=log, stdout=log, **how
        )
        log.close()
        self.workers.append(worker)
        return worker

    def run(self, code, **options):
        """A program that uses the factory."""
        command = [sys.executable, "-c", f"from factory import *; {code}"]
        return subprocess.Popen(command, cwd=self.folder, env=self.environment, **options)

    def add(self, name, count=1, **arguments):
        """Jobs of a task, numbered from 0."""
        return [self.app.enqueue(name, number=n, **arguments) for n in range(count)]

    def ledger(self):
        """What the tasks have written: what, task, number, attempt, process."""
        try:
            lines = (self.folder / "ledger").read_text().splitlines()
        except FileNotFoundError:
            return []
        return [line.split() for line in lines]

    def began(self, count=1):
        """Wait until so many bodies have begun."""
        self.until(lambda: sum(line[0] == "begin" for line in self.ledger()) >= count)

    def until(self, holds, seconds=60):
        """Wait for something that workers bring about, woken by every change of the store."""
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, self.logs()
            self.app.store.wait(Wanted(queues=["nobody serves this"]), 0.02)

    def states(self):
        """How many jobs are in which state."""
        return Counter(str(job.state) for job in self.app.jobs(limit=10_000))

    def all_ended(self, seconds=60):
        """Wait until every job has ended."""
        live = ("queued", "delayed", "running")
        self.until(lambda: not self.app.jobs(state=live, limit=1), seconds)

    def logs(self):
        """What the workers have said."""
        texts = [path.read_text() for path in sorted(self.folder.glob("worker-*.log"))]
        return "\n---\n".join([str(self.states()), *texts])

    def told(self, event):
        """The log records of one event, of all workers."""
        lines = [line for path in self.folder.glob("worker-*.log") for line in _lines(path)]
        records = [json.loads(line) for line in lines if line.startswith("{")]
        return [record for record in records if record.get("event") == event]

    def processes(self, count=1):
        """The first processes of a supervisor, by their workers' names, when they are at work."""
        self.until(lambda: len(self.app.store.fleet().workers) >= count)
        return {record["worker"]: record["pid"] for record in self.told("process_started")}

    def integrity(self):
        """What SQLite says of the file."""
        connection = sqlite3.connect(self.folder / "jobs.db")
        found = connection.execute("PRAGMA integrity_check").fetchall()
        connection.close()
        return found

    def books(self):
        """What must hold of every job, however often its worker was killed; what does not."""
        wrong = []
        begun = Counter(" ".join(line[1:4]) for line in self.ledger() if line[0] == "begin")
        jobs = [self.app.get(job.id) for job in self.app.jobs(limit=10_000)]
        same = Counter((job.task, str(job.arguments.get("number"))) for job in jobs)
        for job in jobs:
            number = str(job.arguments.get("number"))
            record, numbers = job.record, [attempt.number for attempt in job.attempts]
            # A waiting job has its last attempt behind it; else that one is the job's own row.
            behind = job.attempt + (job.state in ("queued", "delayed"))
            if numbers != list(range(1, behind)):
                wrong.append((job.id, "attempts", numbers, job.attempt))
            if any(begun[f"{job.task} {number} {n}"] > same[job.task, number] for n in numbers):
                wrong.append((job.id, "one attempt begun twice"))
            spent = record.failures + record.losses + record.releases
            if spent != job.attempt - (job.state == "succeeded"):
                wrong.append((job.id, "budgets", spent, job.attempt))
        return wrong

    def close(self):
        for worker in self.workers:
            if worker.poll() is None:
                worker.send_signal(signal.SIGKILL)
            worker.wait()
        self.app.close()


def _lines(path):
    """The lines of a file that is being written, as far as they are whole."""
    return path.read_text().rpartition("\n")[0].splitlines()


@pytest.fixture
def factory(tmp_path):
    """A factory in a folder of its own."""
    made = Factory(tmp_path)
    made.app.store.fleet()
    yield made
    made.close()
