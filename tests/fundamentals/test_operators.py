"""Operators cancel, retry, replay and pause the same runs while two runners work on them.

Ten seconds a store; `--stress-seconds 3600` goes on for a third of it each, `--stress-seed` begins
where another one began.
"""

import logging
import random
import threading
import time
from contextlib import suppress

import pytest

import rotulus.workflow as wf
from rotulus.errors import WorkflowError
from rotulus.workflow import DefaultRunner, DefaultRunnerConfig

pytestmark = pytest.mark.anywhere

OPERATORS, RUNS, WIDTH = 6, 12, 4
ROUND = 2.0
PATIENCE = 60.0
"""Seconds for a run that nobody disturbs: thousands of times as long as it takes."""


@pytest.fixture(params=["file", "postgres"])
def runners(request, registry):
    """Two runners that share a store, and know a workflow of two layers."""
    url = "sqlite:///runs.db"
    if request.param == "postgres":
        url = request.getfixturevalue("migrated")(clock=False)
    with wf.WorkflowBuilder("layers", registry=registry):
        for number in range(WIDTH):
            wf.task(id=f"early{number}")(lambda context: None)
        for number in range(WIDTH):
            needs = [f"early{number}", f"early{(number + 1) % WIDTH}"]
            wf.task(id=f"late{number}", dependencies=needs)(lambda context: None)
    config = DefaultRunnerConfig(max_concurrent_tasks=3)
    made = [DefaultRunner(url, config, registry=registry) for _ in range(2)]
    yield made
    for one in made:
        one.shutdown()


class Operator(threading.Thread):
    """Does whatever comes to one run after the other."""

    def __init__(self, runs, chance, until):
        super().__init__()
        self.runs, self.chance, self.until = runs, chance, until
        self.done, self.error = 0, None

    def run(self):
        acts = [self.begin_anew] * 3 + [self.begin_a_step_anew] * 3
        acts += [self.replay, self.pause, self.resume]
        try:
            while time.monotonic() < self.until:
                with suppress(WorkflowError):  # there is nothing to retry, or nothing has ended
                    self.chance.choice(acts)(self.chance.choice(self.runs))
                self.done += 1
        except BaseException as error:
            self.error = error

    def step(self):
        return self.chance.choice(["early", "late"]) + str(self.chance.randrange(WIDTH))

    def begin_anew(self, run):
        run.cancel()
        run.retry()

    def begin_a_step_anew(self, run):
        run.step(self.step()).cancel().retry()

    def replay(self, run):
        run.replay(self.step(), {"again": True})

    def pause(self, run):
        run.pause()

    def resume(self, run):
        run.resume()


def one_round(runners, chance):
    """All operators act at once; then each run is let go, and comes to an end."""
    runs = [chance.choice(runners).submit("layers") for _ in range(RUNS)]
    until = time.monotonic() + ROUND
    operators = [
        Operator(runs, random.Random(chance.random()), until)  # the seed is printed
        for _ in range(OPERATORS)
    ]
    [operator.start() for operator in operators]
    [operator.join(PATIENCE) for operator in operators]

    assert [] == [operator.error for operator in operators if operator.error is not None]
    for run in runs:
        complete(run)
    return sum(operator.done for operator in operators)


def complete(run):
    """Retry a run until it completes. A step that had begun may still be cancelled after a retry."""
    end = time.monotonic() + PATIENCE
    run.resume()
    while run.wait(PATIENCE).status != "Completed":
        assert time.monotonic() < end, f"{run} ends as {run.status}, however often it is retried"
        run.retry()


def test_whatever_operators_do_at_the_same_moment_no_run_hangs(
    runners, stress_random, stress_seconds, caplog
):
    """Each completes when it is let go, and no counter had to be mended for that."""
    end = time.monotonic() + stress_seconds / 3
    done = rounds = 0
    with caplog.at_level(logging.ERROR, "rotulus"):
        while time.monotonic() < end:
            done += one_round(runners, stress_random)
            rounds += 1
    print(f"{done} acts in {rounds} rounds")

    assert done > OPERATORS * rounds
    assert "mended" not in caplog.text
