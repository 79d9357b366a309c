"""skip of a part of a run: it ends without success, and what waits for it goes on."""

import json

import pytest

from contract.workbench import OUTCOMES, job_id
from rotulus.store import Filter

LINE = {"a": [], "b": ["a"], "c": ["b"]}
OTHER = '{"x": 1}'
WRONG = ("failed", "dead", "cancelled")


def ended_run(bench, shape, fields=None, **hows):
    """A run that has ended; some steps otherwise than by success."""
    ids = bench.add_run(shape, **(fields or {}))
    while bench.work(**hows):
        pass
    return ids


def skip(bench, part):
    """Skip a part; the steps that are returned, after a dry run that changes nothing."""
    before = bench.store.find(Filter(), 1000)
    told = [job.id for job in bench.store.skip(part, dry_run=True)]
    assert before == bench.store.find(Filter(), 1000)
    skipped = bench.store.skip(part)
    assert told == [job.id for job in skipped]
    return [job.step for job in skipped]


def earlier(bench, job):
    """The reasons of the earlier attempts of a job."""
    return [attempt[1] for attempt in json.loads(bench.store.get(job).history)]


def test_a_part_that_is_due_is_skipped_and_what_waits_for_it_is_due(bench):
    """It makes no attempt."""
    ids = bench.add_run(LINE)

    assert ["a"] == skip(bench, ids["a"])
    assert {"": "blocked", "a": "skipped", "b": "queued", "c": "blocked"} == bench.steps(ids[""])
    job = bench.store.get(ids["a"])
    assert ("operator", 0, 0, None) == (job.reason, job.attempt, job.waits_for, job.started_at)
    assert job.ended_at is not None
    assert [["b"], ["c"], [""], []] == [bench.work() for _ in range(4)]


def test_a_part_that_waits_for_what_it_needs_is_left_as_it_is(bench):
    """Else what needs it would begin before these have ended."""
    ids = bench.add_run(LINE)
    before = bench.store.find(Filter(run=ids[""]))

    assert [] == bench.store.skip(ids["b"])
    assert before == bench.store.find(Filter(run=ids[""]))
    bench.work()
    assert ["b"] == skip(bench, ids["b"])


def test_what_needs_others_as_well_waits_for_these(bench):
    """And for the skipped part no longer."""
    ids = bench.add_run({"a": [], "b": [], "c": ["a", "b"]})

    assert ["b"] == skip(bench, ids["b"])
    assert {"": 1, "a": 0, "b": 0, "c": 1} == bench.waits(ids[""])
    assert [["a"], ["c"], [""]] == [bench.work() for _ in range(3)]


def test_a_part_that_is_to_be_tried_again_is_skipped(bench):
    """The error of its last attempt is kept among the earlier ones."""
    ids = bench.add_run(LINE)
    bench.work("retried")

    assert ["a"] == skip(bench, ids["a"])
    assert (None, None) == (bench.store.get(ids["a"]).error, bench.store.get(ids["a"]).fingerprint)
    assert ["retry"] == earlier(bench, ids["a"])
    assert [["b"], ["c"], [""]] == [bench.work() for _ in range(3)]


def test_the_last_part_is_skipped_and_the_run_closes(bench):
    """As if it had ended by itself."""
    ids = bench.add_run({"a": []})

    assert ["a"] == skip(bench, ids["a"])
    assert {"": "queued", "a": "skipped"} == bench.steps(ids[""])


@pytest.mark.parametrize("how", WRONG)
def test_a_run_that_has_ended_goes_on_without_the_part_that_went_wrong(bench, how):
    """What came after it runs again; what was before it, and beside it, stays."""
    shape = {"a": [], "b": ["a"], "c": ["b"], "beside": ["a"]}
    ids = ended_run(bench, shape, b=how, c="skipped", **{"": "failed"})

    assert ["b", "c", ""] == skip(bench, ids["b"])
    assert {
        "": "blocked",
        "a": "succeeded",
        "b": "skipped",
        "beside": "succeeded",
        "c": "queued",
    } == bench.steps(ids[""])
    job = bench.store.get(ids["b"])
    assert ("operator", None, 1) == (job.reason, job.error, job.attempt)
    assert 1 == len(earlier(bench, ids["b"]))
    assert [["c"], [""], []] == [bench.work() for _ in range(3)]
    assert [1, 2, 2] == [bench.store.get(ids[step]).attempt for step in ("b", "c", "")]


def test_a_run_that_has_not_ended_goes_on_without_the_part_that_went_wrong(bench):
    """What waits for others waits for them."""
    ids = bench.add_run({"a": [], "other": [], "b": ["a", "other"]})
    [first, _] = bench.claim()
    bench.store.settle([OUTCOMES["failed"](first)])
    [failed] = [step for step in ("a", "other") if ids[step] == first.id]

    assert [failed] == skip(bench, first.id)
    assert 1 == bench.waits(ids[""])["b"]
    assert "running" in bench.steps(ids[""]).values()


def test_what_runs_meanwhile_runs_on(bench):
    """It waits for nothing more than before."""
    ids = bench.add_run(LINE)
    bench.work("failed")
    [part] = bench.claim()

    assert ["a"] == skip(bench, ids["a"])
    assert {"": "blocked", "a": "skipped", "b": "running", "c": "blocked"} == bench.steps(ids[""])
    assert {"": 1, "a": 0, "b": 0, "c": 1} == bench.waits(ids[""])
    bench.store.settle([OUTCOMES["succeeded"](part)])
    assert [["c"], [""]] == [bench.work(), bench.work()]


@pytest.mark.parametrize("state", ["running", "succeeded", "skipped"])
def test_what_runs_or_needs_no_skip_is_left_as_it_is(bench, state):
    """And so is all that waits for it."""
    ids = bench.add_run(LINE)
    if state == "running":
        bench.claim()
    else:
        bench.work(state)
    before = bench.store.find(Filter(run=ids[""]))

    assert [] == bench.store.skip(ids["a"], dry_run=True)
    assert [] == bench.store.skip(ids["a"])
    assert before == bench.store.find(Filter(run=ids[""]))


def test_only_a_part_is_skipped(bench):
    """Neither a job by itself, nor a run, nor what is not there."""
    alone, ids = bench.add(), bench.add_run(LINE)

    assert [[], [], [], []] == [
        bench.store.skip(job) for job in (alone.id, ids[""], job_id(999), "nobody")
    ]
    assert "queued" == bench.state(alone)
    assert "blocked" == bench.steps(ids[""])[""]


def test_a_skip_is_safe_to_repeat(bench):
    """The second one changes nothing."""
    ids = ended_run(bench, LINE, a="failed", b="skipped", c="skipped", **{"": "failed"})
    skip(bench, ids["a"])
    before = bench.store.find(Filter(run=ids[""]))

    assert [] == bench.store.skip(ids["a"])
    assert before == bench.store.find(Filter(run=ids[""]))


def test_a_worker_that_comes_too_late_is_refused(bench):
    """It had lost the part, which was skipped then."""
    ids = bench.add_run(LINE)
    [job] = bench.claim()
    bench.store.rescue(worker="w1")
    skip(bench, ids["a"])

    assert 1 == len(bench.store.settle([OUTCOMES["succeeded"](job)]))
    assert "skipped" == bench.steps(ids[""])["a"]


def test_a_part_that_was_skipped_begins_again_with_what_it_comes_after(bench):
    """And it can be replayed by itself."""
    ids = ended_run(bench, LINE, b="failed", c="skipped", **{"": "failed"})
    skip(bench, ids["b"])
    while bench.work():
        pass
    bench.store.retry([ids["b"]], OTHER)
    assert [["b"], ["c"], [""]] == [bench.work() for _ in range(3)]
    bench.store.retry([ids["a"]], OTHER)

    assert [["a"], ["b"], ["c"], [""]] == [bench.work() for _ in range(4)]


def test_a_retry_of_the_run_leaves_what_was_skipped(bench):
    """Only what failed runs again."""
    ids = ended_run(bench, LINE, b="failed", c="skipped", **{"": "failed"})
    skip(bench, ids["b"])
    while bench.work(c="failed", **{"": "failed"}):
        pass
    bench.store.retry([ids[""]])

    assert [["c"], [""]] == [bench.work(), bench.work()]
    assert "skipped" == bench.steps(ids[""])["b"]


def test_a_paused_run_goes_on_when_it_is_resumed(bench):
    """Whether the part had begun or not."""
    ids = bench.add_run(LINE)
    bench.store.pause([], True, [ids[""]])

    assert ["a"] == skip(bench, ids["a"])
    assert {"": "blocked", "a": "skipped", "b": "blocked", "c": "blocked"} == bench.steps(ids[""])
    bench.store.pause([], False, [ids[""]])
    assert [["b"], ["c"], [""]] == [bench.work() for _ in range(3)]


def test_a_part_that_was_skipped_stays_so_when_one_before_it_is_skipped(bench):
    """What comes after both runs again."""
    ids = ended_run(bench, LINE, a="failed", b="failed", c="skipped", **{"": "failed"})
    skip(bench, ids["b"])
    while bench.work():
        pass

    assert ["a", "c", ""] == skip(bench, ids["a"])
    assert {"": "blocked", "a": "skipped", "b": "skipped", "c": "queued"} == bench.steps(ids[""])
    assert [["c"], [""], []] == [bench.work() for _ in range(3)]


# Parts that have parts


def fanned_out(bench, shape, **hows):
    """A run `a` -> `b` -> `c`, of which `b` has parts, and nothing more is due."""
    ids = bench.add_run(LINE)
    bench.work()
    [part] = bench.claim()
    ids |= bench.open(part, shape)
    while bench.work(**hows):
        pass
    return ids


def test_a_part_is_skipped_with_its_own_parts_that_wait(bench):
    """Those that have succeeded keep their results."""
    ids = bench.add_run(LINE)
    bench.work()
    [part] = bench.claim()
    ids |= bench.open(part, {"b/0": [], "b/1": [], "b/2": ["b/1"]})
    [first, _] = bench.claim(2)
    bench.store.settle([OUTCOMES["succeeded"](first)])
    bench.store.rescue(worker="w1")

    assert ["b"] == skip(bench, ids["b"])
    steps = bench.steps(ids[""])
    assert ["skipped", "skipped", "skipped", "succeeded"] == sorted(
        steps[step] for step in ("b", "b/0", "b/1", "b/2")
    )
    assert [["c"], [""]] == [bench.work(), bench.work()]


def test_a_part_of_which_a_part_runs_is_left_as_it_is(bench):
    """Until that one has ended."""
    ids = bench.add_run({"b": []})
    [part] = bench.claim()
    ids |= bench.open(part, {"b/0": [], "b/1": []})
    [running] = bench.claim(1)

    assert [] == bench.store.skip(ids["b"])
    bench.store.settle([OUTCOMES["failed"](running)])
    assert ["b"] == skip(bench, ids["b"])
    assert {"": "queued", "b": "skipped", "b/0": "skipped", "b/1": "skipped"} == bench.steps(
        ids[""]
    )


def test_a_part_that_went_wrong_is_skipped_with_those_of_its_own_that_did(bench):
    """So a retry of the run does not bring them back."""
    ids = fanned_out(
        bench, {"b/0": [], "b/1": []}, b="failed", c="skipped", **{"b/1": "failed", "": "failed"}
    )

    assert ["b", "c", ""] == skip(bench, ids["b"])
    assert ("succeeded", "skipped") == tuple(bench.steps(ids[""])[s] for s in ("b/0", "b/1"))
    assert 1 == len(earlier(bench, ids["b/1"]))
    while bench.work(c="failed", **{"": "failed"}):
        pass
    bench.store.retry([ids[""]])
    assert [["c"], [""], []] == [bench.work() for _ in range(3)]


def test_a_branch_is_skipped_and_its_step_closes_again(bench):
    """Its siblings keep their results."""
    ids = fanned_out(
        bench, {"b/0": [], "b/1": []}, b="failed", c="skipped", **{"b/1": "failed", "": "failed"}
    )

    assert ["b/1", "b", "c", ""] == skip(bench, ids["b/1"])
    assert {"": 1, "a": 0, "b": 0, "c": 1, "b/0": 0, "b/1": 0} == bench.waits(ids[""])
    assert [["b"], ["c"], [""]] == [bench.work() for _ in range(3)]


def test_a_branch_that_waits_is_skipped_and_its_step_waits_for_fewer(bench):
    """It closes when the others have ended."""
    ids = bench.add_run({"b": []})
    [part] = bench.claim()
    ids |= bench.open(part, {"b/0": [], "b/1": []})

    assert ["b/0"] == skip(bench, ids["b/0"])
    assert 1 == bench.waits(ids[""])["b"]
    assert [["b/1"], ["b"], [""]] == [bench.work() for _ in range(3)]


def test_a_step_behind_what_is_skipped_makes_its_branches_anew(bench):
    """Also when it had ended with them, and whatever waits for both goes on then."""
    ids = bench.add_run(LINE)
    bench.work("failed")
    [part] = bench.claim()
    ids |= bench.open(part, {"b/0": [], "b/1": []})
    while bench.work():
        pass

    assert ["a", "b", "c", ""] == skip(bench, ids["a"])
    assert {"": "blocked", "a": "skipped", "b": "queued", "c": "blocked"} == bench.steps(ids[""])
    assert [["b"], ["c"], [""]] == [bench.work() for _ in range(3)]


def test_what_a_dependant_was_given_stays_if_only_the_skipped_part_is_new(bench):
    """But not if something else that it needs runs again."""
    ids = ended_run(bench, {"a": [], "b": ["a"], "c": ["b"]})
    for step in "bc":
        bench.store.retry([ids[step]], OTHER)
        while bench.work():
            pass
    bench.store.retry([ids["b"]], OTHER)
    while bench.work(b="failed", c="failed"):
        pass
    bench.store.retry([ids["c"]], OTHER)
    while bench.work(c="failed"):
        pass
    skip(bench, ids["b"])

    assert OTHER == bench.store.get(ids["c"]).arguments


# Keys


def test_a_run_whose_key_somebody_else_holds_is_left_whole(bench):
    """Until that one has ended."""
    ids = ended_run(bench, {"a": []}, {"key": "k"}, a="failed", **{"": "failed"})
    holder = bench.add(key="k")

    assert [] == bench.store.skip(ids["a"], dry_run=True)
    assert [] == bench.store.skip(ids["a"])
    assert {"": "failed", "a": "failed"} == bench.steps(ids[""])
    bench.store.cancel([holder.id])
    assert ["a", ""] == skip(bench, ids["a"])
    assert ids[""] == bench.add(key="k").id


def test_a_run_that_is_carried_is_published_when_it_goes_back(bench):
    """As after a retry."""
    ids = ended_run(bench, {"a": []}, {"queue": "q", "carried": True}, a="failed")
    bench.store.skip(ids["a"])

    assert [ids[""]] == [job.id for job in bench.store.outbox.take("q", 10, 30.0, 600.0)]
