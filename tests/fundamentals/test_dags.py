"""Random workflows come to what the guide says of them, step by step."""

import threading
from collections import Counter

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fundamentals.dags import GIVEN, declare, draw
from fundamentals.reference import interpret
from rotulus import App, TaskRegistry
from rotulus.events import OutcomeRefused
from rotulus.workflow import Context
from server_clock import empty

SIZES = st.one_of(st.integers(1, 8), st.integers(1, 40), st.integers(1, 200))


class Notes:
    """What the bodies of a run were given, and in which order they began and ended."""

    def __init__(self):
        self.began, self.order, self._lock = [], [], threading.Lock()

    def __call__(self, word, job, context):
        with self._lock:
            self.order.append((word, job.step))
            if word == "begin":
                self.began.append((job.step, context))


def run(url, plans, slots):
    """Run a workflow to its end; its jobs by path, and its notes."""
    registry, notes = TaskRegistry(), Notes()
    declare("flow", plans, registry, notes)
    app = App(url, registry=registry)
    refused = []
    app.events.subscribe(refused.append, OutcomeRefused)
    job = app.enqueue("flow", **GIVEN)
    app.run_worker(burst=True, slots=slots)
    found = app.jobs(run=job.id, limit=100_000)
    app.close()
    assert [] == refused
    assert [] == [path for path, times in Counter(j.step for j in found).items() if times > 1]
    return {j.step or "": j for j in found}, notes


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
    check_once(plans, jobs, notes)


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


@settings(max_examples=60)
@given(chance=st.randoms(use_true_random=True), size=SIZES, slots=st.sampled_from([1, 2, 10]))
def test_random_workflows_come_to_what_the_guide_says(chance, size, slots):
    """States, reasons, contexts, order; each step once."""
    plans = draw(chance, size)
    check(plans, *run("sqlite://", plans, slots))


@pytest.mark.anywhere
@settings(max_examples=15)
@given(chance=st.randoms(use_true_random=True), size=SIZES, slots=st.sampled_from([1, 10]))
def test_on_postgresql_too(migrated, chance, size, slots):
    """The same."""
    url = migrated(clock=False)
    with psycopg.connect(url, autocommit=True) as connection:
        empty(connection)
    plans = draw(chance, size)
    check(plans, *run(url, plans, slots))
