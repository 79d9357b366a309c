"""skip of a part whose turn is still to come: its arguments say so, and a retry reads that."""

import pytest

from contract.workbench import OUTCOMES
from rotulus._jobs.outcome import skipped
from rotulus._jobs.states import Reason
from rotulus.store import Edit

LINE = {"a": [], "b": ["a"], "c": ["b"]}
MARKED = {'{"skip":true}': "{}", '{"needs":["a"],"skip":true}': '{"needs":["a"]}'}
"""The arguments of steps that are to be skipped later, and the same without that."""


def marked(bench, mark):
    """A run `a` -> `b` -> `c`, of which `b` is to be skipped."""
    ids = bench.add_run(LINE)
    assert bench.store.edit(bench.store.get(ids["b"]), Edit(arguments=mark))
    return ids


@pytest.mark.parametrize("mark", MARKED)
@pytest.mark.parametrize("reason", [Reason.OPERATOR, Reason.NEED_FAILED])
def test_a_part_loses_its_mark_when_it_was_skipped_for_it(bench, mark, reason):
    """Not when something before it kept it from running: its turn is still to come."""
    ids = marked(bench, mark)
    bench.work("failed")
    [job] = bench.claim()
    bench.store.settle([skipped(job.id, job.attempt, reason)])
    bench.store.retry([ids["a"]])

    left = MARKED[mark] if reason is Reason.OPERATOR else mark
    assert ("blocked", left) == (bench.state(job), bench.store.get(ids["b"]).arguments)


@pytest.mark.parametrize("mark", MARKED)
def test_a_part_that_was_cancelled_loses_its_mark_when_it_is_retried(bench, mark):
    """Somebody wants it to run."""
    ids = marked(bench, mark)
    bench.store.cancel([ids["b"]])
    bench.store.retry([ids["b"]])

    assert MARKED[mark] == bench.store.get(ids["b"]).arguments


@pytest.mark.parametrize("mark", MARKED)
def test_a_part_that_waits_keeps_its_mark_when_one_before_it_goes_back(bench, mark):
    """It has not had its turn."""
    ids = bench.add_run({"a": [], "other": [], "b": ["a", "other"]})
    bench.store.edit(bench.store.get(ids["b"]), Edit(arguments=mark))
    [one, _] = bench.claim()
    bench.store.settle([OUTCOMES["failed"](one)])
    bench.store.retry([one.id])

    assert mark == bench.store.get(ids["b"]).arguments
