"""Runs the programs of contenders: one command of one contender, or its workers."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import NamedTuple

from bench.environments import HOME, python_of
from bench.places import PLACES, RUN

HERE = Path(__file__).parent
MARKS = RUN / "marks"
GO = RUN / "go"
READS = RUN / "reads"


class Contender(NamedTuple):
    """A queue under measurement.

    Attributes:
        name: as it stands in tables.
        place: where it keeps its jobs: a key of `PLACES`.
        script: its module, in `contenders/`.
        environment: which environment runs it.
        jobs: how many a drain is taken of, so that it lasts for seconds.
        settings: how it is configured, where that is not how it comes.
        crash: what becomes of a running job when its worker is killed.
        result: where what a job returns is kept.
        by_worker: whether its workflows are run by a worker, and not by the program that begins
            them.
        store: where its jobs are, if its place is a broker: a key of `PLACES`.
    """

    name: str
    place: str
    script: str
    environment: str
    jobs: int = 0
    settings: str = ""
    crash: str = ""
    result: str = ""
    by_worker: bool = False
    store: str = ""

    def __str__(self):
        return f"{self.name} on {self.place}"

    @property
    def home(self):
        """The place itself."""
        return PLACES[self.place]

    @property
    def places(self):
        """The keys of the places that it needs, its own first."""
        return [place for place in (self.place, self.store) if place]

    @property
    def homes(self):
        """These places."""
        return [PLACES[place] for place in self.places]

    def program(self, *words):
        """The words that run one of its commands."""
        python, run = python_of(self.environment), HERE / "contenders" / "run.py"
        return [str(python), str(run), self.script, *map(str, words)]

    def do(self, *words):
        """Run one of its commands; what it answers."""
        told = subprocess.run(
            self.program(*words),
            env=self._variables(),
            cwd=RUN,
            capture_output=True,
            text=True,
            check=False,
        )
        if told.returncode:
            words = " ".join(map(str, words))
            raise RuntimeError(f"{words}: {(told.stderr or told.stdout)[-2000:].strip()}")
        return json.loads(told.stdout.splitlines()[-1])

    def begin(self, *words):
        """Start one of its commands, and return when it is ready; its answer is wanted later."""
        program = subprocess.Popen(
            self.program(*words), env=self._variables(), cwd=RUN, stdout=subprocess.PIPE, text=True
        )
        program.stdout.readline()
        return program

    @contextlib.contextmanager
    def working(self, count=1):
        """Workers of its own, for the length of a block; gives their processes."""
        with self._log.open("w") as log:
            workers = [self._worker(log) for _ in range(count)]
        try:
            yield workers
        finally:
            for worker in workers:
                worker.send_signal(signal.SIGTERM)
            for worker in workers:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    worker.wait(10)
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(worker.pid, signal.SIGKILL)  # and whatever it has started
                worker.wait()

    def last_words(self):
        """The last lines of what its workers printed."""
        return self._log.read_text()[-500:].strip() or "its workers printed nothing"

    def afresh(self, filled=None):
        """An empty store, or one that is filled with `past` or `future` rows."""
        shutil.rmtree(RUN, ignore_errors=True)
        RUN.mkdir(parents=True)
        for home in reversed(self.homes):  # a broker is prepared with the store
            home.afresh(self, filled)

    @property
    def _log(self):
        return HOME / f"{self.script}.log"

    def _worker(self, log):
        return subprocess.Popen(
            self.program("worker"),
            env=self._variables(),
            cwd=RUN,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )

    def _variables(self):
        return plain_environment() | {
            "BENCH_RUN": str(RUN),
            "BENCH_URL": self.home.url,
            "BENCH_STORE": self.homes[-1].url,
            "PYTHONPATH": str(HERE / "contenders"),
        }


def plain_environment():
    """Our environment variables, without those that would set something for one contender."""
    dropped = ("ROTULUS_", "PG", "CELERY_", "DJANGO_", "PYTHONDONTWRITEBYTECODE")
    return {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
