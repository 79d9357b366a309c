"""Workers in processes of their own, and the ledger that their tasks keep."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path

import pytest

from rotulus import App, TaskRegistry
from rotulus.errors import StoreUnavailableError
from servers.postgres import PostgresServer, usual

HERE = Path(__file__).parent


class Factory:
    """A folder, workers in it on a store, and a client of that store."""

    def __init__(self, folder, url="sqlite:///jobs.db"):
        self.folder = folder
        self.url = url
        self.app = App(url, registry=TaskRegistry())
        self.workers = []
        self.environment = {**os.environ, "PYTHONPATH": str(HERE), "PYTHONUNBUFFERED": "1"}
        self.environment["FACTORY_URL"] = url

    def start(self, *options, lease=30, app="factory:app", url=None, under=(), **how):
        """A worker, in a process of its own, or in one of a program that it is started under."""
        command = [*under, sys.executable, "-m", "rotulus", "worker", app, *options]
        log = open(self.folder / f"worker-{len(self.workers)}.log", "w")  # noqa: SIM115
        environment = {**self.environment, "FACTORY_LEASE": str(lease)}
        environment["FACTORY_URL"] = url or self.url
        worker = subprocess.Popen(
            command, cwd=self.folder, env=environment, stderr=log, stdout=log, **how
        )
        log.close()
        self.workers.append(worker)
        return worker

    def run(self, code, **options):
        """A program that uses the factory."""
        command = [sys.executable, "-c", f"from factory import *\n{code}"]
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

    def stop(self, pid):
        """SIGSTOP for a worker, between two of its transactions on a SQLite file.

        Else it would hold the lock of the file for as long as it sleeps, and nobody could write.
        """
        while True:
            os.kill(pid, signal.SIGSTOP)
            if not self._is_locked():
                return
            os.kill(pid, signal.SIGCONT)

    def _is_locked(self):
        if not self.url.startswith("sqlite"):
            return False
        with closing(sqlite3.connect(self.folder / "jobs.db", timeout=0.5)) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return True
        return False

    def until(self, holds, seconds=60):
        """Wait for something that workers bring about; as long as the store is away, it is not."""
        end, pause = time.monotonic() + seconds, threading.Event()
        while True:
            with suppress(StoreUnavailableError):
                if holds():
                    return
            assert time.monotonic() < end, self.logs()
            pause.wait(0.02)

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
        with suppress(StoreUnavailableError):
            texts.insert(0, str(self.states()))
        return "\n---\n".join(texts)

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
            spent += sum(attempt.reason == "unstarted" for attempt in job.attempts)
            if spent != job.attempt - (job.state == "succeeded"):
                wrong.append((job.id, "budgets", spent, job.attempt))
        [counted] = self.app.stats.totals()
        ended = sum(_ended_attempts(job) for job in jobs)
        if (len(jobs), ended) != (counted.enqueued, counted.attempts):
            wrong.append(("statistics", len(jobs), ended, counted))
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
def factory(request, tmp_path):
    """A factory in a folder of its own, on a file; on a database where a test asks for it."""
    if getattr(request, "param", "sqlite") == "sqlite":
        made = Factory(tmp_path)
    else:
        made = Factory(tmp_path, request.getfixturevalue("database"))
        made.app.store.migrate()
    made.app.store.fleet()
    yield made
    made.close()


@pytest.fixture(scope="session")
def breakable():
    """A PostgreSQL server that tests may stop, kill and freeze.

    It writes at every commit: what only its processes know is lost with them.
    """
    binaries = usual()
    settings = ("fsync=off", "max_connections=100")
    server = PostgresServer(binaries, tempfile.mkdtemp(prefix="rotulus-"), settings)
    server.start()
    yield server
    server.remove()


@pytest.fixture
def server(breakable):
    """The same, in one piece again after each test."""
    yield breakable
    breakable.thaw()
    if not breakable.is_running:
        breakable.start()


@pytest.fixture
def plant(server, tmp_path):
    """A factory on a database of that server."""
    with server.database() as url:
        made = Factory(tmp_path, url)
        made.app.store.migrate()
        yield made
        server.thaw()
        if not server.is_running:
            server.start()
        made.close()


def _ended_attempts(job):
    """How many attempts of a job have begun and ended."""
    earlier = sum(attempt.reason != "unstarted" for attempt in job.attempts)
    return earlier + (job.state.ended and job.attempt > len(job.attempts))
