"""Random workflows come to what the guide says of them, step by step."""

import threading
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fundamentals.dags import GIVEN, declare, draw, healed
from fundamentals.reference import interpret
from rotulus import App, TaskRegistry
from rotulus.events import OutcomeRefused
from rotulus.workflow import Context, Run

pytestmark = pytest.mark.anywhere

SIZES = st.one_of(st.integers(1, 8), st.integers(1, 40), st.integers(1, 200))


class Notes:
    """What the bodies of a run were given, and whether those that failed do so no more."""

    def __init__(self):
        self.began, self.healed, self._lock = [], False, threading.Lock()

    def __call__(self, word, job, context):
        with self._lock:
            if word == "begin":
                self.began.append((job.step, context))


def run(url, plans, slots):
    """Run a workflow to its end, and compare; if it fails, heal it, retry it, and compare."""
    registry, notes, refused = TaskRegistry(), Notes(), []
    declare("flow", plans, registry, notes)
    app = App(url, registry=registry)
    app.events.subscribe(refused.append, OutcomeRefused)
    job = app.enqueue("flow", **GIVEN)
    app.run_worker(burst=True, slots=slots)
    jobs = stored(app, job)
    check(plans, jobs, notes)
    check_once(plans, jobs, notes)
    if jobs[""].state == "failed":
        notes.healed = True
        notes.began.clear()
        Run(app, job.id).retry()
        app.run_worker(burst=True, slots=slots)
        check(healed(plans), stored(app, job), notes)
    app.close()
    assert [] == refused


def stored(app, job):
    """The jobs of a run by their paths; none is there twice."""
    jobs = app.jobs(run=job.id, limit=100_000)
    assert [] == [path for path, n in Counter(job.step for job in jobs).items() if n > 1]
    return {job.step or "": job for job in jobs}


def check(plans, jobs, notes):
    """Compare a run with the book."""
    ends, fails, final = interpret(plans, GIVEN)
    whole = jobs[""]
    steps = {path: jobs[path] for path in ends}
    assert {p: (e.state, e.reason) for p, e in ends.items()} == {
        path: (str(job.state), job.reason) for path, job in steps.items()
    }
    assert ("failed" if fails else "succeeded") == whole.state
    assert Context(final) == Context.from_json(whole.record.result)
    for path, end in ends.items():
        if end.state == "succeeded":
            assert Context(end.context) == Context.from_json(steps[path].record.result), path
    for path, context in notes.began:
        if path in ends:
            assert Context(ends[path].given) == Context(context), path
    check_order(plans, jobs)


def check_order(plans, jobs, within=""):
    """No step begins before all that it needs have ended."""
    for plan in plans:
        for need in plan.needs:
            begun = jobs[within + plan.id].started_at
            assert jobs[within + need].ended_at <= begun, (need, plan.id)
        inside = within + plan.id + "/"
        if plan.inner and not plan.each and any(path.startswith(inside) for path in jobs):
            check_order(plan.inner, jobs, inside)


def check_once(plans, jobs, notes):
    """A body begins once, and twice if it is to fail the first time."""
    begun = Counter(path for path, _ in notes.began)
    for plan in plans:
        if not (plan.inner or plan.each):
            ran = jobs[plan.id].state != "skipped"
            assert ran * (2 if plan.act == "flaky" else 1) == begun[plan.id], plan.id


@settings(max_examples=40)
@given(chance=st.randoms(use_true_random=True), size=SIZES, slots=st.sampled_from([1, 2, 10]))
def test_random_workflows_come_to_what_the_guide_says(chance, size, slots):
    """States, reasons, contexts, order; each step once. A retry leads where no failure would have."""
    plans = draw(chance, size)
    run("sqlite://", plans, slots)


@settings(max_examples=15)
@given(chance=st.randoms(use_true_random=True), size=SIZES, slots=st.sampled_from([1, 10]))
def test_on_postgresql_too(migrated, chance, size, slots):
    """The same."""
    url = migrated(clock=False)
    plans = draw(chance, size)
    run(url, plans, slots)
