"""Settling and claiming in one transaction: what ends, and what that makes due."""

import pytest

from contract.workbench import OUTCOMES
from rotulus._jobs.outcome import opened
from rotulus.store import Claim, ClaimFilter

EVERY_JOB = ClaimFilter("w1", None, None, None)


def settle_and_claim(bench, *outcomes, limit=10):
    """Settle these, and claim, as worker w1."""
    return bench.store.settle_and_claim(list(outcomes), EVERY_JOB, limit, 30.0)


def test_what_the_end_of_a_step_makes_due_is_taken_at_once(bench):
    """It runs then, in its first attempt, and nobody else can take it."""
    ids = bench.add_run({"a": [], "b": ["a"], "c": ["b"]})
    [first] = bench.claim()
    refused, jobs = settle_and_claim(bench, OUTCOMES["succeeded"](first))

    assert ([], [ids["b"]]) == (refused, [job.id for job in jobs])
    assert ("running", 1, "w1") == (jobs[0].state, jobs[0].attempt, jobs[0].worker)
    assert [] == bench.claim(worker="w2")
    assert {"a": "succeeded", "b": "running", "c": "blocked", "": "blocked"} == bench.steps(ids[""])


def test_the_last_step_brings_the_job_that_ends_the_run(bench):
    """Which has been opened."""
    ids = bench.add_run({"a": []})
    [step] = bench.claim()
    _, [job] = settle_and_claim(bench, OUTCOMES["succeeded"](step))

    assert (ids[""], 1) == (job.id, job.opened)


def test_the_parts_of_what_is_opened_are_taken(bench):
    """As many as are asked for; the others are left for who asks next."""
    job = bench.running()
    parts = bench.parts({"a": [], "b": []})
    _, jobs = settle_and_claim(bench, opened(job.id, job.attempt, parts), limit=1)

    assert ["a"] == [part.step for part in jobs]
    assert bench.wait(1.0, worker="w2")
    assert ["b"] == [part.step for part in bench.claim(worker="w2")]


@pytest.mark.parametrize("how", ["failed", "dead", "cancelled", "retried"])
def test_whatever_an_attempt_comes_to_is_settled(bench, how):
    """Other jobs may be taken along with it, and never the same one twice."""
    job, other = bench.running(), bench.add()
    taken = settle_and_claim(bench, OUTCOMES[how](job)).jobs + bench.claim(worker="w2")

    assert [other.id] == [one.id for one in taken]
    assert "running" != bench.state(job)


def test_an_outcome_that_is_refused_is_told_and_changes_nothing(bench):
    """Such as the second one of an attempt."""
    ids = bench.add_run({"a": [], "b": ["a"]})
    [first] = bench.claim()
    settle_and_claim(bench, OUTCOMES["succeeded"](first))
    again = settle_and_claim(bench, OUTCOMES["failed"](first))

    assert ([Claim(first.id, first.attempt)], []) == again
    assert {"a": "succeeded", "b": "running", "": "blocked"} == bench.steps(ids[""])


def test_a_paused_run_gives_nothing(bench):
    """Its steps that run may end, and those that wait for them stay."""
    ids = bench.add_run({"a": [], "b": ["a"]})
    [first] = bench.claim()
    bench.store.pause([], True, [ids[""]])

    assert ([], []) == settle_and_claim(bench, OUTCOMES["succeeded"](first))
    assert "blocked" == bench.steps(ids[""])["b"]
