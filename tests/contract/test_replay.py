"""retry of jobs with parts, and of parts: what failed begins again, with all that waited for it."""

import json

import pytest

from contract.workbench import OUTCOMES

LINE = {"a": [], "b": ["a"], "c": ["b"]}
OTHER = '{"x": 1}'


def ended_run(bench, shape, **hows):
    """A run that has ended; some steps otherwise than by success."""
    ids = bench.add_run(shape)
    while bench.work(**hows):
        pass
    return ids


def test_what_failed_and_what_waited_for_it_begins_again(bench):
    """What succeeded before it keeps its result."""
    ids = ended_run(bench, LINE, b="failed", **{"": "failed"})
    [record] = bench.store.retry([ids[""]])

    assert (ids[""], "blocked") == (record.id, record.state)
    assert {"": "blocked", "a": "succeeded", "b": "queued", "c": "blocked"} == bench.steps(ids[""])
    assert {"": 1, "a": 0, "b": 0, "c": 1} == bench.waits(ids[""])
    assert [["b"], ["c"], [""], []] == [bench.work() for _ in range(4)]


def test_a_run_of_which_only_the_closing_failed_closes_again(bench):
    """Its parts have nothing to do with it."""
    ids = ended_run(bench, LINE, **{"": "failed"})
    [record] = bench.store.retry([ids[""]])

    assert "queued" == record.state
    assert [""] == bench.work()


def test_a_part_is_retried_alone_and_its_run_goes_on(bench):
    """Also when that had ended."""
    ids = ended_run(bench, LINE, b="dead", c="skipped", **{"": "failed"})
    [record] = bench.store.retry([ids["b"]])

    assert ("b", "queued") == (record.step, record.state)
    assert [["b"], ["c"], [""]] == [bench.work() for _ in range(3)]
    assert {"succeeded"} == set(bench.steps(ids[""]).values())


def test_attempts_of_what_begins_again_are_kept(bench):
    """Of all that had one."""
    ids = ended_run(bench, LINE, a="failed")
    bench.store.retry([ids["a"]])

    assert {1} == {len(earlier(bench, id_)) for id_ in ids.values()}
    while bench.work():
        pass
    assert {2} == {bench.store.get(id_).attempt for id_ in ids.values()}


def earlier(bench, job):
    """The earlier attempts of a job."""
    return json.loads(bench.store.get(job).history)


def test_parts_go_back_only_with_a_job_that_does(bench):
    """A run that has not ended is left as it is; its failed parts can be retried by themselves."""
    ids = bench.add_run({"a": [], "b": [], "c": ["a", "b"]})
    bench.work(a="failed", b="retried")

    assert [] == bench.store.retry([ids[""]])
    assert {"": "blocked", "a": "failed", "b": "delayed", "c": "blocked"} == bench.steps(ids[""])
    assert [ids["a"]] == [job.id for job in bench.store.retry([ids["a"]])]
    assert {"": 1, "a": 0, "b": 0, "c": 2} == bench.waits(ids[""])


def test_what_runs_meanwhile_runs_on(bench):
    """It waits for what was sent back only if it does not end by itself."""
    ids = bench.add_run({"a": [], "b": ["a"], "c": ["b"]})
    bench.work("failed")
    [part] = bench.claim()
    bench.store.retry([ids["a"]])
    assert {"": "blocked", "a": "queued", "b": "running", "c": "blocked"} == bench.steps(ids[""])
    assert {"": 1, "a": 0, "b": 1, "c": 1} == bench.waits(ids[""])

    bench.store.settle([OUTCOMES["succeeded"](part)])
    assert {"": 1, "a": 0, "b": 0, "c": 0} == bench.waits(ids[""])
    assert ["a", "c"] == sorted(bench.work())
    assert [""] == bench.work()


@pytest.mark.parametrize("how", ["released", "lost", "retried now"])
def test_what_ran_meanwhile_and_is_sent_back_waits(bench, how):
    """Until what it needs has ended again."""
    ids = bench.add_run({"a": [], "b": ["a"]})
    bench.work("failed")
    [part] = bench.claim()
    bench.store.retry([ids["a"]])
    bench.store.settle([OUTCOMES[how](part)])

    assert {"": "blocked", "a": "queued", "b": "blocked"} == bench.steps(ids[""])
    assert [["a"], ["b"], [""]] == [bench.work() for _ in range(3)]


@pytest.mark.parametrize("how", ["released", "lost", "retried now"])
def test_a_need_that_ends_in_the_batch_that_sends_back_who_waits_for_it_counts(bench, how):
    """In whatever order they stand there."""
    ids = bench.add_run({"a": [], "b": ["a"]})
    bench.work("failed")
    [part] = bench.claim()
    bench.store.retry([ids["a"]])
    [need] = bench.claim()
    bench.store.settle([OUTCOMES[how](part), OUTCOMES["succeeded"](need)])

    assert {"": 1, "a": 0, "b": 0} == bench.waits(ids[""])
    assert [["b"], [""]] == [bench.work(), bench.work()]


def test_what_ran_meanwhile_and_was_lost_waits(bench):
    """Also when nobody settled it."""
    ids = bench.add_run({"a": [], "b": ["a"]})
    bench.work("failed")
    bench.claim()
    bench.store.retry([ids["a"]])
    bench.store.rescue(worker="w1")

    assert {"": "blocked", "a": "queued", "b": "blocked"} == bench.steps(ids[""])


def test_a_cancelled_run_of_which_a_part_runs_is_retried(bench):
    """It waits for the part to stop."""
    ids = bench.add_run({"a": [], "b": ["a"]})
    [part] = bench.claim()
    bench.store.cancel([ids[""]])
    assert [ids[""]] == [job.id for job in bench.store.retry([ids[""]])]
    assert {"": "blocked", "a": "running", "b": "blocked"} == bench.steps(ids[""])

    bench.store.settle([OUTCOMES["cancelled"](part)])
    assert [["b"], [""]] == [bench.work(), bench.work()]


# Replay


def test_a_job_is_replayed_from_any_end_with_other_arguments(bench):
    """Also one that has no parts."""
    job = bench.ended("succeeded")
    [record] = bench.store.retry([job.id], OTHER)

    assert ("queued", OTHER, None) == (record.state, record.arguments, record.result)
    assert 2 == bench.claim()[0].attempt


def test_a_step_is_replayed_with_what_follows(bench):
    """Their arguments stay."""
    ids = ended_run(bench, LINE)
    [record] = bench.store.retry([ids["b"]], OTHER)

    assert ("b", OTHER) == (record.step, record.arguments)
    assert {"": "blocked", "a": "succeeded", "b": "queued", "c": "blocked"} == bench.steps(ids[""])
    assert {"{}"} == {bench.store.get(ids[step]).arguments for step in ("", "a", "c")}
    assert [["b"], ["c"], [""]] == [bench.work() for _ in range(3)]


def test_other_arguments_count_until_a_need_is_sent_back(bench):
    """Whether it is replayed or retried; those of the run's own job stay."""
    ids = ended_run(bench, LINE)
    bench.store.retry([ids["b"]], OTHER)
    while bench.work(b="failed", c="skipped"):
        pass
    bench.store.retry([ids["b"]])
    assert OTHER == bench.store.get(ids["b"]).arguments
    while bench.work(b="failed", c="skipped"):
        pass
    bench.store.retry([ids["a"]], OTHER)

    assert {"": "{}", "a": OTHER, "b": "{}", "c": "{}"} == {
        step: bench.store.get(id_).arguments for step, id_ in ids.items()
    }


@pytest.mark.parametrize("state", ["queued", "running", "blocked"])
def test_a_job_that_has_not_ended_is_not_replayed(bench, state):
    """It has what it was given."""
    ids = bench.add_run({"a": []})
    if state == "running":
        bench.claim()
    which = "" if state == "blocked" else "a"

    assert [] == bench.store.retry([ids[which]], OTHER)
    assert "{}" == bench.store.get(ids[which]).arguments


def test_a_replayed_job_makes_its_parts_anew(bench):
    """Those that it had are deleted, with all that was known of them."""
    job = bench.running()
    bench.open(job, {"x": [], "y": ["x"]})
    while bench.work():
        pass
    bench.store.retry([job.id], OTHER)
    record = bench.store.get(job.id)

    assert ("queued", 0, 0) == (record.state, record.opened, record.waits_for)
    assert {"": "queued"} == bench.steps(job.id)
    [again] = bench.claim()
    bench.open(again, {"x": []})
    assert [["x"], [""]] == [bench.work(), bench.work()]


def fanned_out(bench):
    """A run `a` -> `b` -> `c`, of which `b` has two parts, and all have succeeded."""
    ids = bench.add_run(LINE)
    bench.work()
    [part] = bench.claim()
    inner = bench.open(part, {"b/0": [], "b/1": []})
    while bench.work(**{"b/1": "failed"}):
        pass
    return ids | inner


def test_a_branch_is_replayed_and_its_step_closes_again(bench):
    """Its siblings keep their results."""
    ids = fanned_out(bench)
    bench.store.retry([ids["b/0"]], OTHER)

    assert {
        "": "blocked",
        "a": "succeeded",
        "b": "blocked",
        "c": "blocked",
        "b/0": "queued",
        "b/1": "failed",
    } == bench.steps(ids[""])
    assert [["b/0"], ["b"], ["c"], [""]] == [bench.work() for _ in range(4)]


def test_a_step_that_failed_goes_back_with_the_branches_that_did(bench):
    """And with no others."""
    ids = bench.add_run({"b": []})
    [part] = bench.claim()
    ids |= bench.open(part, {"b/0": [], "b/1": []})
    while bench.work(b="failed", **{"b/1": "failed"}):
        pass
    bench.store.retry([ids["b"]])

    assert {"": "blocked", "b": "blocked", "b/0": "succeeded", "b/1": "queued"} == (
        bench.steps(ids[""])
    )
    assert {"": 1, "b": 1, "b/0": 0, "b/1": 0} == bench.waits(ids[""])


def test_a_step_behind_what_begins_again_makes_its_branches_anew(bench):
    """They were made from what it was given then."""
    ids = fanned_out(bench)
    bench.store.retry([ids["a"]], OTHER)

    assert {"": "blocked", "a": "queued", "b": "blocked", "c": "blocked"} == bench.steps(ids[""])
    assert {"": 1, "a": 0, "b": 1, "c": 1} == bench.waits(ids[""])
    assert [["a"], ["b"], ["c"], [""]] == [bench.work() for _ in range(4)]


def test_a_branch_that_is_deleted_while_it_runs_is_lost_to_its_worker(bench):
    """And its outcome is refused."""
    ids = bench.add_run({"a": [], "b": ["a"]})
    bench.work("failed")
    [part] = bench.claim()
    bench.open(part, {"b/0": []})
    [branch] = bench.claim()
    bench.store.retry([ids["a"]])

    assert {"": "blocked", "a": "queued", "b": "blocked"} == bench.steps(ids[""])
    assert 1 == len(bench.store.settle([OUTCOMES["succeeded"](branch)]))
    assert [["a"], ["b"], [""]] == [bench.work() for _ in range(3)]


def test_parts_of_parts_are_deleted_with_them(bench):
    """However deep."""
    ids = fanned_out(bench)
    bench.store.retry([ids["b/0"]], OTHER)
    [branch] = bench.claim()
    bench.open(branch, {"b/0/x": []})
    while bench.work():
        pass
    bench.store.retry([ids[""]], OTHER)

    assert {"": "queued"} == bench.steps(ids[""])


# Keys


def test_a_run_whose_key_somebody_else_holds_is_left_whole(bench):
    """Also its parts, whoever asks for them."""
    ids = bench.add_run({"a": []}, key="k")
    bench.work("failed")
    bench.work("failed")
    holder = bench.add(key="k")

    assert [] == bench.store.retry([ids[""]])
    assert [] == bench.store.retry([ids["a"]])
    assert [] == bench.store.retry([ids["a"]], OTHER)
    assert {"": "failed", "a": "failed"} == bench.steps(ids[""])
    assert "queued" == bench.state(holder)


def test_of_two_runs_with_one_key_the_first_is_retried(bench):
    """And the other is left whole."""
    runs = []
    for _ in range(2):
        runs.append(bench.add_run({"a": []}, key="k"))
        bench.work("failed")
        bench.work("failed")
    first, second = runs

    assert 1 == len(bench.store.retry([first[""], second[""]]))
    assert {"": "blocked", "a": "queued"} == bench.steps(first[""])
    assert {"": "failed", "a": "failed"} == bench.steps(second[""])


def test_a_retried_run_holds_its_key_again(bench):
    """Also when a part of it was asked for."""
    ids = bench.add_run({"a": []}, key="k")
    bench.work("failed")
    bench.work("failed")
    bench.store.retry([ids["a"]])

    assert ids[""] == bench.add(key="k").id
