"""Runs the programs of contenders: one command of one contender, or its worker."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import NamedTuple

from bench.environments import HOME, python_of

HERE = Path(__file__).parent
RUN = HOME / "run"
MARKS = RUN / "marks"


class Contender(NamedTuple):
    """A queue under measurement.

    Attributes:
        name: as it stands in tables.
        script: its program, in `contenders/`.
        environment: which environment runs it.
    """

    name: str
    script: str
    environment: str

    def program(self, *words):
        """The words that run one of its commands."""
        script = HERE / "contenders" / f"{self.script}.py"
        return [str(python_of(self.environment)), str(script), *map(str, words)]

    def do(self, *words):
        """Run one of its commands; what it answers."""
        told = subprocess.run(
            self.program(*words),
            env=environment(),
            cwd=RUN,
            capture_output=True,
            text=True,
            check=False,
        )
        if told.returncode:
            raise RuntimeError(f"{self.name} {words}: {told.stderr[-2000:] or told.stdout[-2000:]}")
        return json.loads(told.stdout.splitlines()[-1])

    def begin(self, *words):
        """Start one of its commands, whose answer is wanted later."""
        return subprocess.Popen(
            self.program(*words), env=environment(), cwd=RUN, stdout=subprocess.PIPE, text=True
        )

    @contextlib.contextmanager
    def working(self):
        """A worker of its own, for the length of a block."""
        with (HOME / f"{self.name.replace(' ', '-')}.log").open("w") as log:
            worker = subprocess.Popen(
                self.program("worker"), env=environment(), cwd=RUN, stdout=log, stderr=log
            )
        try:
            yield worker
        finally:
            worker.send_signal(signal.SIGTERM)
            try:
                worker.wait(10)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()

    def afresh(self):
        """An empty store."""
        shutil.rmtree(RUN, ignore_errors=True)
        RUN.mkdir(parents=True)
        self.do("prepare")


def environment():
    """The environment variables of every program."""
    dropped = ("ROTULUS_", "PYTHONDONTWRITEBYTECODE")  # compiled modules are kept, as by users
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    return kept | {"BENCH_RUN": str(RUN), "PYTHONPATH": str(HERE / "contenders")}


CONTENDERS = {
    contender.name: contender
    for contender in (
        Contender("rotulus", "rotulus_sqlite", "rotulus"),
        Contender("rotulus, threads", "rotulus_sqlite_threads", "rotulus"),
        Contender("huey", "huey_sqlite", "huey"),
    )
}
