"""The measures, each a function that takes one sample of one contender."""

import json
import statistics
import struct
import subprocess
import sys
import time
from contextlib import nullcontext

from bench.places import RUN
from bench.processes import cpu_seconds, megabytes
from bench.programs import GO, MARKS, READS, plain_environment

_MARK = struct.Struct("<qq")
LIMIT = 120
"""Seconds for the longest drain."""

GAP = 1.3
"""Seconds between two changes that listeners hear: no multiple of how often a service looks."""

IDLE = 20
"""Seconds that an idle worker is watched."""

LINKS = 5
"""How many steps a chain has."""

TASKS = "/api/v1/tasks"
"""The beginning of the paths of served tasks."""

SCENES = (
    "one",
    "plain",
    "queues",
    "limit_keys",
    "beside_limited",
    "used_up",
    "foreign",
    "prune",
    "wide",
)
"""What a store is filled with, one after the other."""

KEPT = {"sqlite": 1_000_000, "postgres": 10_000_000}
"""How many ended jobs a store keeps where its history is searched."""

HELD = 5
"""How many drains follow each other while a snapshot is held."""


def enqueue_one(contender, count=2_000):
    """Jobs a second, enqueued one by one by one caller, each stored before the next."""
    contender.afresh()
    return count / contender.do("enqueue", "one", count)["seconds"]


def enqueue_callers(contender, count=20_000):
    """Jobs a second of a hundred coroutines, each of which waits for its own to be stored."""
    contender.afresh()
    return count / contender.do("enqueue", "callers", count)["seconds"]


def enqueue_many(contender, count=10_000):
    """Jobs a second, enqueued in batches where there are any."""
    contender.afresh()
    return count / contender.do("enqueue", "many", count)["seconds"]


def drain(contender, filled=None, workers=1):
    """Jobs a second of one worker, from the first body until the store has the last outcome."""
    contender.afresh(filled)
    return _drain(contender, contender.jobs, workers)


def drain_two(contender):
    """The same of two workers."""
    return drain(contender, workers=2)


def drain_past(contender):
    """The same of one worker with a million ended jobs in the store."""
    return drain(contender, "past")


def drain_future(contender):
    """The same with a million jobs in the store that are due in a month."""
    return drain(contender, "future")


def drain_held(contender):
    """The same while somebody holds a snapshot: the last of several drains."""
    contender.afresh()
    with contender.home.snapshot():
        return [_drain(contender, contender.jobs) for _ in range(HELD)][-1]


def pickup(contender, count=200, gap=0.02):
    """Milliseconds from the call that enqueues to the first line of the body, on an idle worker."""
    contender.afresh()
    with contender.working():
        _warm(contender)
        sent = contender.do("pickup", count, gap)["sent"]
    began = dict(_marks())
    lost = [number for number, _ in sent if number not in began]
    if lost:
        raise RuntimeError(f"did not run {len(lost)} of {count}: {contender.last_words()}")
    waits = sorted((began[number] - at) / 1e6 for number, at in sent)
    return {name: _share(waits, share) for name, share in PERCENTILES.items()}


PERCENTILES = {"p50": 0.50, "p95": 0.95, "p99": 0.99}


def first_job(contender):
    """Milliseconds from the start of a worker's process to the first line of a body."""
    contender.afresh()
    contender.do("enqueue", "one", 1)
    MARKS.unlink(missing_ok=True)
    began = time.time_ns()
    with contender.working():
        _until_marked(contender, 1)
    return (_marks()[0][1] - began) / 1e6


def memory(contender, count=20_000):
    """Megabytes that a worker holds (PSS), when it has run 20,000 jobs and is idle."""
    contender.afresh()
    contender.do("enqueue", "many", count)
    with contender.working() as [worker]:
        contender.do("finish", count, LIMIT)
        return megabytes(worker.pid)


def idle(contender):
    """The cost of an idle worker."""
    contender.afresh()
    with contender.working() as [worker]:
        _warm(contender)
        time.sleep(2)
        began = time.monotonic()
        transactions, cpu = contender.home.transactions(), cpu_seconds(worker.pid)
        time.sleep(IDLE)
        seconds = time.monotonic() - began
        return {
            "CPU": 100 * (cpu_seconds(worker.pid) - cpu) / seconds,
            "transactions": (contender.home.transactions() - transactions) / seconds,
            "memory": megabytes(worker.pid),
        }


def chain(contender, count=100):
    """Milliseconds for each step of a chain that runs alone: from its begin until its result."""
    return sorted(_flows(contender, "alone", count, LINKS))[count // 2]


def chains(contender, count=100):
    """The same where so many chains run at once."""
    [each] = _flows(contender, "together", count, count * LINKS)
    return each


def fan(contender, count=1_000):
    """Milliseconds for each step of a fan-out of so many, and a join: until its result."""
    [each] = _flows(contender, "fan", count, count + 1)
    return each


def at_scale(contender):
    """Milliseconds of claims, prunes, retries and cancels where the store holds very many jobs."""
    found = {}
    for scene in SCENES:
        contender.afresh()
        taken = contender.do("scene", scene)
        found |= {f"{scene} {what}": ms for what, ms in taken.items()}
    return found


def history(contender):
    """Milliseconds of pages and overviews of a store with very many jobs that have ended."""
    contender.afresh()
    found = contender.do("scene", KEPT[contender.place])
    with contender.working():
        for name, taken in contender.do("listed").items():
            found[name] = statistics.quantiles(taken, n=20, method="inclusive")[-1]
        return found | _looked(contender)


def draw(contender):
    """Milliseconds from the answer that tells of a run of 300 steps until all are drawn."""
    contender.afresh()
    with contender.working():
        return _looked(contender)["drawn"]


def scroll(contender, rows=100_000):
    """What it takes to scroll through a table of so many jobs: late frames, and the heap in MB."""
    contender.afresh()
    contender.do("scene", rows)
    with contender.working():
        return contender.do("roll", "jobs", rows)


def _looked(contender, times=10):
    """The milliseconds in the middle until screens are there, each in a new browser."""
    seen = contender.do("look", times)
    return {name: statistics.median(taken) for name, taken in seen.items()}


def watch(contender, listeners=1_000, changes=20):
    """What it costs that so many listen to the changes of a service, and how soon all hear."""
    contender.afresh()
    with contender.working() as [server]:
        client = contender.begin("listen", listeners, changes, GAP)
        idle, _ = _reads_a_second(time.sleep, IDLE)
        memory = megabytes(server.pid)
        busy, out = _reads_a_second(_released, client)
        taken = json.loads(out.splitlines()[-1])["ms"]
        return {
            "idle": idle,
            "busy": busy,
            "memory": memory,
            "p50": statistics.median(taken),
            "slowest": max(taken),
        }


def _released(client):
    """What a client says that waits until it may begin."""
    GO.touch()
    out, _ = client.communicate(timeout=LIMIT)
    return out


def _reads_a_second(act, *given):
    """The statements a second that read changes while something is done, and what comes of it."""
    began, before = time.monotonic(), int(READS.read_text())
    answer = act(*given)
    return (int(READS.read_text()) - before) / (time.monotonic() - began), answer


def fan_100(contender):
    """The same of a hundred."""
    return fan(contender, 100)


def execute(contender, connections=10, seconds=3):
    """Answers a second of a server whose task runs within the request."""
    contender.afresh()
    with contender.working():
        return _loaded(contender, "double/$execute", {"x": 4}, connections, seconds)


def enqueue_http(contender, connections=100, seconds=3):
    """Jobs a second that requests store, and that as many coroutines do just before."""
    taken = enqueue_callers(contender)
    contender.afresh()
    with contender.working():
        served = _loaded(contender, "note/$enqueue", {"number": 1}, connections, seconds)
    return {"served": served, "coroutines": taken}


def django_one(contender):
    """Jobs a second, enqueued one by one, each in a transaction of its own."""
    return enqueue_one(contender)


def django_block(contender):
    """Jobs a second, enqueued one by one in one `atomic` block, its commit included."""
    return enqueue_many(contender, 5_000)


def django_drain(contender):
    """Jobs a second of one worker: `drain`, in a run of its own."""
    return drain(contender)


def publish(contender, count=1_000):
    """Messages a second that Pub/Sub has taken; those of ours are jobs that are stored, too."""
    contender.afresh()
    return count / contender.do("enqueue", "many", count)["seconds"]


def push(contender, count=500):
    """Milliseconds of a request that pushes a job, one after the other: the middle of them."""
    contender.afresh()
    with contender.working():
        try:
            return contender.do("push", count)["ms"]
        except RuntimeError as error:
            raise RuntimeError(f"{error}; its server: {contender.last_words()}") from None


def verify(contender, count=2_000):
    """Milliseconds for a check of a token whose key is known: the middle of them."""
    contender.afresh()
    return contender.do("verify", count)["ms"]


def import_time(names):
    """Milliseconds that importing takes, beside those Python takes to start; the best of five."""
    return _start(f"import {names}") - _start("pass")


def _start(code):
    RUN.mkdir(parents=True, exist_ok=True)

    def once():
        began = time.perf_counter()
        command = [sys.executable, "-c", code]
        subprocess.run(command, check=True, cwd=RUN, env=plain_environment())
        return (time.perf_counter() - began) * 1000

    once()
    return statistics.median(once() for _ in range(5))


def _loaded(contender, path, params, connections, seconds):
    """The answers in a second to a load client, which is a process of its own."""
    body = json.dumps({"params": params})
    try:
        return contender.do("load", f"{TASKS}/{path}", body, connections, seconds)["a_second"]
    except RuntimeError as error:
        raise RuntimeError(f"{error}; its server: {contender.last_words()}") from None


def _flows(contender, kind, count, steps):
    """How many milliseconds each step takes, of so many that run one after another or at once."""
    contender.afresh()
    with contender.working() if contender.by_worker else nullcontext():
        taken = contender.do("flows", kind, count)["seconds"]
    return [seconds * 1000 / steps for seconds in taken]


def _drain(contender, count, workers=1):
    contender.do("enqueue", "many", count)
    MARKS.unlink(missing_ok=True)
    finish = contender.begin("finish", count, LIMIT)
    with contender.working(workers):
        out, _ = finish.communicate(timeout=LIMIT + 30)
    if finish.returncode:
        raise RuntimeError("could not tell when it was done")
    answer = json.loads(out.splitlines()[-1])
    began = [at for _, at in _marks()]
    ran = len({number for number, _ in _marks()})
    if answer["left"] or ran <= count:
        left = ", and left some" if answer["left"] else ""
        raise RuntimeError(f"ran {ran} of {count + 1}{left}: {contender.last_words()}")
    return count / ((max(answer["ended"], *began) - min(began)) / 1e9)


def _warm(contender):
    """Let a worker run a job, and become idle."""
    contender.do("enqueue", "one", 1)
    _until_marked(contender, 2)
    time.sleep(0.5)


def _until_marked(contender, count, seconds=30):
    end = time.monotonic() + seconds
    while len(_marks()) < count:
        if time.monotonic() > end:
            raise RuntimeError(f"the worker runs nothing: {contender.last_words()}")
        time.sleep(0.005)


def _marks():
    return list(_MARK.iter_unpack(MARKS.read_bytes())) if MARKS.exists() else []


def _share(values, share):
    return values[min(len(values) - 1, int(share * len(values)))]
