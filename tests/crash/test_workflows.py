"""Workers killed with SIGKILL while workflows run: each run ends, as if nothing had happened."""

import random
import signal
from collections import Counter
from pathlib import Path

import pytest

from crash.stores import on_both
from fundamentals.dags import GIVEN, draw
from fundamentals.reference import interpret
from rotulus.store import ClaimFilter, Filter
from rotulus.workflow import Context, Run

pytestmark = pytest.mark.anywhere

TESTS = Path(__file__).parent.parent
HERE = Path(__file__).parent


def plans(seed):
    """As the workers make them."""
    chance = random.Random(seed)
    return {f"flow{n}": draw(chance, chance.randint(2, 40)) for n in range(6)}


@pytest.fixture
def flows(factory):
    """A factory whose workers know the workflows; starts one of those."""
    factory.environment["PYTHONPATH"] = f"{HERE}:{TESTS}"
    return lambda: factory.start("--slots", "6", "--lease", "3", app="flows:app")


def slaughter(factory, start, kills, every, done):
    """Two workers, the busier of which is killed as the ledger grows.

    Not more often than twice: what is lost three times is given up.
    """
    chance, workers = random.Random(every), [start(), start()]
    for _ in range(kills):
        enough = len(factory.ledger()) + chance.randint(every // 2, every)
        factory.until(lambda e=enough: len(factory.ledger()) >= e or done())
        if done():
            return
        factory.app.store.wait(ClaimFilter(queues=["nobody serves this"]), chance.uniform(0, 0.03))
        last = int(factory.ledger()[-1][-1])
        [victim] = [number for number, worker in enumerate(workers) if worker.pid == last]
        workers[victim].send_signal(signal.SIGKILL)
        workers[victim].wait()
        workers[victim] = start()


def ended(factory, runs):
    """Whether each of these runs has ended."""
    return all(run.job.state.ended for run in runs)


def stored(factory, run):
    """The jobs of a run by their paths; none is there twice."""
    jobs = factory.app.jobs(run=run.id, limit=100_000)
    assert [] == [path for path, n in Counter(job.step for job in jobs).items() if n > 1]
    return {job.step or "": job for job in jobs}


def check_order(plans, jobs, within=""):
    """No step begins before all that it needs have ended."""
    for plan in plans:
        for need in plan.needs:
            assert jobs[within + need].ended_at <= jobs[within + plan.id].started_at
        inside = f"{within}{plan.id}/"
        if plan.inner and not plan.each and any(path.startswith(inside) for path in jobs):
            check_order(plan.inner, jobs, inside)


def check(factory, run, plan):
    """What a run has come to is what the book says."""
    ends, fails, final = interpret(plan, GIVEN)
    jobs = stored(factory, run)
    assert {path: (end.state, end.reason) for path, end in ends.items()} == {
        path: (str(jobs[path].state), jobs[path].reason) for path in ends
    }
    assert ("failed" if fails else "succeeded") == jobs[""].state
    assert Context(final) == Run(factory.app, run.id).wait(0).final_context
    check_order(plan, jobs)


def check_ledger(factory):
    """Something was lost on the way; and still no attempt has begun twice."""
    begun = Counter(tuple(line[1:4]) for line in factory.ledger() if line[0] == "begin")
    assert {1} == set(begun.values())
    assert any(job.record.losses for job in factory.app.jobs(limit=100_000)), "nobody was hit"


@on_both
def test_random_workflows_under_kills(factory, flows, request):
    """States, reasons, order and contexts are those of the book; no attempt begins twice."""
    seed = 20261121
    factory.environment["FLOWS"] = str(seed)
    known = plans(seed)
    runs = [
        (Run(factory.app, factory.app.enqueue(name, **GIVEN).id), plan)
        for name, plan in known.items()
        for _ in range(2)
    ]
    done = lambda: ended(factory, [run for run, _ in runs])  # noqa: E731
    slaughter(factory, flows, 2, 60, done)
    factory.until(done, 60)

    for run, plan in runs:
        check(factory, run, plan)
    check_ledger(factory)
    assert {} == {
        s: n for s, n in factory.states().items() if s in ("queued", "running", "blocked")
    }


@on_both
def test_a_fan_out_of_a_thousand_under_kills(factory, flows):
    """A thousand branches, whoever made them and whoever died: each result once, and in order."""
    items = list(range(1000))
    run = Run(factory.app, factory.app.enqueue("wide", items=items).id)
    slaughter(factory, flows, 2, 300, lambda: ended(factory, [run]))
    factory.until(lambda: ended(factory, [run]), 60)
    found = factory.app.store.find(Filter(run=run.id), 10_000)
    branches = [job for job in found if (job.step or "").startswith("each/")]

    assert 1000 == len(branches) == len({job.step for job in branches})
    assert {"succeeded"} == {job.state for job in branches}
    result = run.wait(0)
    assert [item * 10 for item in items] == result.final_context["each"]
    assert ("Completed", sum(items) * 10) == (result.status, result.final_context["sum"])
    check_ledger(factory)


def test_a_worker_killed_after_each_settled_step(factory, flows):
    """One that dies again and again gets a run to its end nevertheless, a few steps at a time."""
    seed = 7
    factory.environment["FLOWS"] = str(seed)
    name, plan = max(plans(seed).items(), key=lambda pair: len(pair[1]))
    run = Run(factory.app, factory.app.enqueue(name, **GIVEN).id)
    for _ in range(2):
        before = len(factory.ledger())
        worker = flows()
        factory.until(lambda b=before: len(factory.ledger()) > b + 3 or ended(factory, [run]))
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    flows()
    factory.until(lambda: ended(factory, [run]), 40)
    check(factory, run, plan)
    check_ledger(factory)
