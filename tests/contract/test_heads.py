"""Runs as a whole, and their steps: found and read without all of their jobs."""

import pytest

from rotulus._jobs.states import LIVE, State
from rotulus.store import Count, Filter

WIDE = {"list": [], "each": ["list"]}
"""A step, and one that needs it."""


def heads(bench, limit=100, **fields):
    """The ids of all runs that match, in pages."""
    ids, before = [], None
    while True:
        page = bench.store.search(Filter(heads=True, **fields), limit, before)
        ids += page.ids
        before = page.after
        if before is None:
            return ids


def named(bench, run, within=""):
    """The steps of a run, each with the steps that it needs."""
    parts = bench.store.steps(run, within)
    names = {part.record.id: part.record.step for part in parts}
    return {part.record.step: [names[need] for need in part.needs] for part in parts}


def test_runs_are_found_page_by_page(bench):
    """The last one first, each once; no step of one, and no other job."""
    runs = []
    for _ in range(7):
        runs.append(bench.add_run(WIDE)[""])
        bench.add()

    assert runs[::-1] == heads(bench) == heads(bench, limit=3)
    assert len(runs) == bench.store.tally(Filter(heads=True), 100).jobs
    assert runs[::-1] == [job.id for job in bench.store.find(Filter(heads=True))]


def test_runs_are_found_by_what_their_head_has(bench):
    """State, task, key, schedule and labels are those of the job that ends a run."""
    plain = bench.add_run(WIDE)[""]
    keyed = bench.add_run(WIDE, key="k", labels='{"customer":"7"}', schedule="nightly")[""]
    bench.store.cancel([plain])

    assert [keyed] == heads(bench, key="k")
    assert [keyed] == heads(bench, labels=["customer=7"])
    assert [keyed] == heads(bench, schedule="nightly")
    assert [keyed] == heads(bench, states=list(LIVE))
    assert [plain] == heads(bench, states=[State.CANCELLED])
    assert [keyed, plain] == heads(bench, task="run")
    assert [] == heads(bench, task="t")
    assert [] == heads(bench, step="each")


def test_a_run_is_found_behind_many_others(bench, monkeypatch):
    """A page ends after some that do not match, and its cursor goes on."""
    monkeypatch.setattr("rotulus.stores.shared.searching._MOST_BY_INDEX", 3)
    monkeypatch.setattr("rotulus.stores.shared.searching._FIRST_LOOK", 2)
    first = bench.add_run(WIDE, key="k")[""]
    for _ in range(9):
        bench.add_run(WIDE)
    rare = Filter(heads=True, worker="nobody")

    page = bench.store.search(rare, 5)
    assert ([], True) == (page.ids, page.after is not None)
    assert [] == heads(bench, limit=5, worker="nobody")
    assert [first] == heads(bench, limit=5, key="k")


def test_runs_that_wait_are_found_where_steps_are_many(bench, monkeypatch):
    """Then runs are walked through, and not what waits."""
    monkeypatch.setattr("rotulus.stores.shared.searching._MOST_UNORDERED", 5)
    runs = [bench.add_run(WIDE)[""] for _ in range(6)]

    assert runs[::-1] == heads(bench, limit=2, states=list(LIVE))


def test_the_last_run_is_found_behind_many_other_jobs(bench):
    """A run among the last runs, and a job that has not begun among the last jobs."""
    run = bench.add_run(WIDE)[""]
    bench.add_many(30)

    assert [run] == [job.id for job in bench.store.last_runs(["run"], most=10)]
    later = bench.add("run")
    bench.add_many(2)
    assert [later.id] == [job.id for job in bench.store.last_runs(["run"], most=20)]


def test_the_steps_of_a_run_are_read_with_their_needs(bench):
    """Not branches, and not the steps of workflows within; those are read apart."""
    run = bench.add_run({"a": [], "b": ["a"], "c": ["a", "b"], "d2": []})
    [job] = [job for job in bench.claim() if job.step == "a"]
    bench.open(job, {"a/0": [], "a/1": []})
    [inner] = [job for job in bench.claim() if job.step == "a/1"]
    bench.open(inner, {"a/1/x": [], "a/1/y": ["a/1/x"]})

    assert {"a": [], "b": ["a"], "c": ["a", "b"], "d2": []} == named(bench, run[""])
    assert {} == named(bench, run[""], "a")
    assert {"a/1/x": [], "a/1/y": ["a/1/x"]} == named(bench, run[""], "a/1")
    assert [] == bench.store.steps("nobody")
    assert [] == bench.store.steps(run[""], "\0")


def test_parts_are_counted_some_levels_deep(bench):
    """The branches of each step by themselves; deeper parts not."""
    run = bench.add_run({"a": [], "b": []})
    for job in bench.claim():
        bench.open(job, {f"{job.step}/0": [], f"{job.step}/1": []})
    [inner] = [job for job in bench.claim() if job.step == "a/1"]
    bench.open(inner, {"a/1/x": []})
    bench.store.cancel([bench.store.find(Filter(run=run[""], step="b/0"))[0].id])

    one = [Count("a", State.BLOCKED, 1), Count("b", State.BLOCKED, 1)]
    assert one == bench.store.count("step", run[""])
    assert [
        Count("a", State.BLOCKED, 1),
        Count("a/0", State.RUNNING, 1),
        Count("a/1", State.BLOCKED, 1),
        Count("b", State.BLOCKED, 1),
        Count("b/0", State.RUNNING, 2),
    ] == bench.store.count("step", run[""], depth=2)
    deep = bench.store.count("step", run[""], "a", depth=2)
    assert Count("a/1/x", State.QUEUED, 1) in deep
    assert 3 == sum(count.jobs for count in deep)


@pytest.mark.parametrize("where", [{"run": "nobody"}, {"task": "\0"}])
def test_what_no_run_can_have_matches_none(bench, where):
    """On either database."""
    bench.add_run(WIDE)

    assert [] == heads(bench, **where)
