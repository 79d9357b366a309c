"""What is measured, each a function that takes one sample of one contender."""

import json
import statistics
import struct
import subprocess
import sys
import time
from pathlib import Path

from bench.programs import MARKS, RUN, environment

_MARK = struct.Struct("<qq")
LIMIT = 300
"""Seconds for the longest drain."""


def enqueue_one(contender, count=2_000):
    """Jobs a second, enqueued one by one by one caller, each stored before the next."""
    contender.afresh()
    return count / contender.do("enqueue", "one", count)["seconds"]


def enqueue_many(contender, count=10_000):
    """Jobs a second, enqueued in batches where there are any."""
    contender.afresh()
    return count / contender.do("enqueue", "many", count)["seconds"]


def drain(contender, count=20_000, past=0):
    """Jobs a second of one worker, from the first body until the store has the last outcome."""
    contender.afresh()
    if past:
        contender.do("past", past)
    contender.do("enqueue", "many", count)
    MARKS.unlink(missing_ok=True)
    finish = contender.begin("finish", count, LIMIT)
    with contender.working():
        out, _ = finish.communicate(timeout=LIMIT + 30)
    answer = json.loads(out.splitlines()[-1])
    began = [time_ for _, time_ in _marks()]
    numbers = {number for number, _ in _marks()}
    if answer["left"] or len(numbers) < count:
        raise RuntimeError(f"{contender.name} left {answer['left']}, ran {len(numbers)}")
    return count / ((max(answer["ended"], *began) - min(began)) / 1e9)


def drain_past(contender):
    """The same with a million ended jobs in the store."""
    return drain(contender, past=1_000_000)


def pickup(contender, count=200, gap=0.02):
    """Milliseconds from the call that enqueues to the first line of the body, on an idle worker."""
    contender.afresh()
    with contender.working():
        _warm(contender)
        sent = contender.do("pickup", count, gap)["sent"]
    began = dict(_marks())
    waits = sorted((began[number] - at) / 1e6 for number, at in sent)
    return {name: _share(waits, share) for name, share in PERCENTILES.items()}


PERCENTILES = {"p50": 0.50, "p95": 0.95, "p99": 0.99}


def memory(contender):
    """Megabytes that a worker holds (PSS), when it has run 20,000 jobs and is idle."""
    contender.afresh()
    contender.do("enqueue", "many", 20_000)
    with contender.working() as worker:
        contender.do("finish", 20_000, LIMIT)
        rollup = Path(f"/proc/{worker.pid}/smaps_rollup").read_text()
    return next(int(x.split()[1]) for x in rollup.splitlines() if x.startswith("Pss:")) / 1024


def first_job(contender):
    """Milliseconds from the start of a worker's process to the first line of a body."""
    contender.afresh()
    contender.do("enqueue", "one", 1)
    MARKS.unlink(missing_ok=True)
    began = time.time_ns()
    with contender.working():
        _until_marked(1)
    return (_marks()[0][1] - began) / 1e6


def import_time(names):
    """Milliseconds that importing takes, beside those Python takes to start; the best of five."""
    return _start(f"import {names}") - _start("pass")


def _start(code):
    RUN.mkdir(parents=True, exist_ok=True)

    def once():
        began = time.perf_counter()
        command = [sys.executable, "-c", code]
        subprocess.run(command, check=True, cwd=RUN, env=environment())
        return (time.perf_counter() - began) * 1000

    once()
    return statistics.median(once() for _ in range(5))


def _warm(contender):
    """Let a worker run a job, and become idle."""
    contender.do("enqueue", "one", 1)
    _until_marked(1)
    time.sleep(0.5)


def _until_marked(count, seconds=30):
    end = time.monotonic() + seconds
    while len(_marks()) < count:
        if time.monotonic() > end:
            raise RuntimeError("the worker runs nothing")
        time.sleep(0.005)


def _marks():
    return list(_MARK.iter_unpack(MARKS.read_bytes())) if MARKS.exists() else []


def _share(values, share):
    return values[min(len(values) - 1, int(share * len(values)))]
