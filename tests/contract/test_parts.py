"""Parts: jobs that are added with a job, wait for each other, and are waited for by it."""

import json

import pytest

from contract.workbench import OUTCOMES, job_id
from rotulus._jobs.outcome import opened
from rotulus._jobs.states import ENDED, State
from rotulus.store import Claim, ClaimFilter, Filter

DIAMOND = {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]}


def test_a_job_with_parts_waits_for_the_last_of_them(bench):
    """And each part for those that it needs."""
    ids = bench.add_run(DIAMOND)

    assert {"": 1, "a": 0, "b": 1, "c": 1, "d": 2} == bench.waits(ids[""])
    assert {
        "": "blocked",
        "a": "queued",
        "b": "blocked",
        "c": "blocked",
        "d": "blocked",
    } == bench.steps(ids[""])


def test_parts_are_claimed_in_the_order_of_their_needs_and_the_job_last(bench):
    """As soon as nothing is left to wait for."""
    ids = bench.add_run(DIAMOND)

    assert [["a"], ["b", "c"], ["d"], [""]] == [bench.work() for _ in range(4)]
    assert {"succeeded"} == set(bench.steps(ids[""]).values())


def test_a_job_knows_its_run_its_step_and_its_workflow(bench):
    """Also when it is claimed; who has no parts and is none has no run."""
    ids = bench.add_run({"a": []})
    plain = bench.add()
    claimed = {job.id: job for job in bench.claim()}
    part, run = bench.store.get(ids["a"]), bench.store.get(ids[""])

    assert (ids[""], "a", "w", 0) == (part.run, part.step, part.workflow, part.opened)
    assert (ids[""], "", None, 1) == (run.run, run.step, run.workflow, run.opened)
    assert (None, None, None, 0, 0, 0) == claimed[plain.id][-8:-2]
    assert (ids[""], "a", "w", 0, 0, 0) == claimed[ids["a"]][-8:-2]


def test_what_is_given_back_is_what_is_stored(bench):
    """The record of a job with parts, among others."""
    jobs = [
        bench.new(),
        bench.new("run", parts=bench.parts(DIAMOND)),
        bench.new(delay=9.0),
        bench.new(key="k"),
    ]
    added = bench.store.add(jobs)

    assert [job.id for job in jobs] == [job.id for job in added]
    assert added == [bench.store.get(job.id)._replace(history=None) for job in jobs]


@pytest.mark.parametrize("how", ["failed", "dead", "cancelled", "skipped", "succeeded"])
def test_whatever_end_counts(bench, how):
    """What to make of it is up to who waited."""
    bench.add_run({"a": [], "b": ["a"]})

    assert [["a"], ["b"], [""]] == [bench.work(how) for _ in range(3)]


@pytest.mark.parametrize("how", ["retried now", "released", "lost"])
def test_what_is_sent_back_has_not_ended(bench, how):
    """It is waited for until it has."""
    ids = bench.add_run({"a": [], "b": ["a"]})

    assert [["a"], ["a"]] == [bench.work(how) for _ in range(2)]
    assert "blocked" == bench.steps(ids[""])["b"]


def test_needs_that_end_in_one_batch_are_counted_each(bench):
    """Together with outcomes of other kinds."""
    ids = bench.add_run({"a": [], "b": [], "c": [], "d": ["a", "b", "c"]})
    bench.work("succeeded", b="failed", c="retried now")

    assert 1 == bench.waits(ids[""])["d"]
    assert [["c"], ["d"], [""]] == [bench.work() for _ in range(3)]


def test_an_outcome_that_is_refused_unblocks_nothing(bench):
    """A stale worker's word does not count, nor does the same word twice."""
    ids = bench.add_run({"a": [], "b": [], "d": ["a", "b"]})
    first, _ = bench.claim()
    [again] = [OUTCOMES["released"](first)]
    bench.store.settle([again])
    stale = OUTCOMES["succeeded"](first)

    assert [Claim(first.id, 1)] == bench.store.settle([stale])
    assert 2 == bench.waits(ids[""])["d"]
    [anew] = bench.claim()
    done = OUTCOMES["succeeded"](anew)
    assert [] == bench.store.settle([done])
    assert [Claim(first.id, 2)] == bench.store.settle([done])
    assert 1 == bench.waits(ids[""])["d"]


def test_a_loss_for_good_counts_as_an_end(bench):
    """A part that was lost too often is dead."""
    ids = bench.add_run({"a": [], "b": ["a"]})
    while bench.steps(ids[""])["b"] == "blocked":
        bench.claim()
        bench.store.rescue(worker="w1")
        bench.clock.advance(1000)

    assert {"": "blocked", "a": "dead", "b": "queued"} == bench.steps(ids[""])


def test_a_part_may_be_for_later(bench):
    """It is delayed when it waits for nothing else."""
    ids = bench.add_run({"a": [], "b": ["a"]}, of={"delay": 5.0})
    assert {"": "blocked", "a": "delayed", "b": "blocked"} == bench.steps(ids[""])

    bench.clock.advance(5)
    bench.work()
    assert "queued" == bench.steps(ids[""])["b"]


def test_a_part_whose_delay_is_not_over_when_its_needs_end_is_delayed(bench):
    """Until it is."""
    parts = bench.parts({"a": [], "b": ["a"]})
    late = parts[1]._replace(terms=parts[1].terms._replace(delay=60.0))
    bench.store.add([bench.new("run", parts=[parts[0], late])])
    bench.work()

    assert "delayed" == bench.state(late)
    bench.clock.advance(60)
    assert ["b"] == bench.work()


def test_who_was_blocked_is_due_since_it_is_not(bench):
    """So it has not waited for a worker meanwhile, and has not expired."""
    ids = bench.add_run({"a": [], "b": ["a"]}, of={"expires": 10.0})
    before = bench.store.get(ids["b"])
    bench.clock.advance(3600)
    bench.work()
    after = bench.store.get(ids["b"])

    assert 3600_000_000 == after.run_at - before.run_at == after.expires_at - before.expires_at


# Opening


def test_a_running_job_can_be_opened(bench):
    """Its parts are added, and it runs again when they have ended."""
    job = bench.running()
    ids = bench.open(job, {"x": [], "y": ["x"]})
    record = bench.store.get(job.id)

    assert ("blocked", "opened", 1, 1) == (
        record.state,
        record.reason,
        record.opened,
        record.waits_for,
    )
    assert (job.id, "") == (record.run, record.step)
    assert {"": "blocked", "x": "queued", "y": "blocked"} == bench.steps(job.id)
    assert [["x"], ["y"], [""]] == [bench.work() for _ in range(3)]
    assert 2 == bench.store.get(job.id).attempt
    assert 2 == len(ids)


def test_an_opening_is_an_attempt_without_failure_or_release(bench):
    """It is kept among the earlier ones."""
    job = bench.running()
    bench.open(job, {"x": []})
    record = bench.store.get(job.id)
    [[number, reason, worker, *_]] = json.loads(record.history)

    assert (1, "opened", "w1") == (number, reason, worker)
    assert (0, 0, 0) == (record.failures, record.releases, record.losses)


def test_a_part_can_be_opened_and_its_parts_are_of_the_same_run(bench):
    """What waited for it waits until they have ended, and it has closed."""
    ids = bench.add_run({"a": [], "b": ["a"]})
    [part] = bench.claim()
    bench.open(part, {"a/0": [], "a/1": []})

    assert {"": 1, "a": 2, "a/0": 0, "a/1": 0, "b": 1} == bench.waits(ids[""])
    assert [["a/0", "a/1"], ["a"], ["b"], [""]] == [bench.work() for _ in range(4)]


def test_a_job_that_opens_without_parts_is_due_again(bench):
    """There is nothing to wait for."""
    job = bench.running()
    bench.open(job, {})

    assert [""] == bench.work()


def test_an_opening_that_is_refused_adds_nothing(bench):
    """The job runs elsewhere, or has opened already."""
    job = bench.running()
    parts = bench.parts({"x": []})
    bench.store.rescue(worker="w1")
    assert [Claim(job.id, 1)] == bench.store.settle([opened(job.id, 1, parts)])
    assert 1 == len(bench.store.find())

    [again] = bench.claim()
    told = opened(job.id, again.attempt, parts)
    assert [[], [Claim(job.id, 2)]] == [bench.store.settle([told]) for _ in range(2)]
    assert {"": 1, "x": 0} == bench.waits(job.id)


def test_a_job_that_is_cancelled_while_it_opens_adds_nothing(bench):
    """It ends instead, and whoever waits for it goes on."""
    ids = bench.add_run({"a": [], "b": ["a"]})
    [part] = bench.claim()
    bench.store.cancel([part.id])
    bench.open(part, {"a/0": []})

    assert {"": "blocked", "a": "cancelled", "b": "queued"} == bench.steps(ids[""])


def test_openings_and_other_outcomes_share_a_batch(bench):
    """Each does what it would do alone."""
    first, second, third = bench.add_many(3)
    jobs = bench.claim()
    parts = bench.parts({"x": []})
    refused = bench.store.settle(
        [
            OUTCOMES["succeeded"](jobs[2]),
            opened(jobs[0].id, 1, parts),
            OUTCOMES["failed"](jobs[1]._replace(attempt=7)),
        ]
    )

    assert [Claim(second.id, 7)] == refused
    assert ["blocked", "running", "succeeded"] == [bench.state(j) for j in (first, second, third)]


def test_a_job_that_was_opened_in_time_does_not_expire_when_it_closes(bench):
    """Somebody had started it."""
    job = bench.running(expires=5.0)
    bench.open(job, {"x": []})

    assert bench.store.get(job.id).expires_at is None


# Keys


def test_a_job_whose_key_is_held_brings_no_parts(bench):
    """The holder stands in its place."""
    holder = bench.add(key="k")
    parts = bench.parts(DIAMOND)
    [record] = bench.store.add([bench.new("run", key="k", parts=parts)])

    assert holder.id == record.id
    assert [holder.id] == [job.id for job in bench.store.find()]


def test_of_two_jobs_with_one_key_only_the_first_brings_parts(bench):
    """Also in one call."""
    jobs = [bench.new("run", key="k", parts=bench.parts({"a": []})) for _ in range(2)]
    added = bench.store.add(jobs)

    assert [jobs[0].id] * 2 == [record.id for record in added]
    assert 2 == len(bench.store.find())


def test_a_job_with_parts_that_is_added_again_brings_none(bench):
    """As after an answer that was lost: also when they have moved on."""
    job = bench.new("run", parts=bench.parts({"a": [], "b": ["a"]}))
    bench.store.add([job])
    bench.work()
    bench.store.add([job])

    assert {"": "blocked", "a": "succeeded", "b": "queued"} == bench.steps(job.id)
    assert {"": 1, "a": 0, "b": 0} == bench.waits(job.id)


def test_a_run_holds_its_key_until_it_has_ended(bench):
    """And its parts hold none."""
    ids = bench.add_run({"a": []}, of={}, key="k")
    parts = [part._replace(key="x") for part in bench.parts({"a": []})]
    bench.store.add([bench.new("run", parts=parts)])

    assert ids[""] == bench.add(key="k").id
    assert "queued" == bench.add(key="x").state
    while bench.work():
        pass
    assert ids[""] != bench.add(key="k").id


def test_a_job_with_parts_comes_whole_or_not_at_all(bench):
    """Whatever is wrong with the last of them."""
    parts = bench.parts({"a": [], "b": []})
    broken = parts[1]._replace(terms=parts[1].terms._replace(queue=None))
    with pytest.raises(Exception, match="."):
        bench.store.add([bench.new("run", parts=[parts[0], broken])])

    assert [] == bench.store.find()


# Reading


def test_the_jobs_of_a_run_are_found_by_it_and_by_step(bench):
    """The last added first."""
    ids = bench.add_run(DIAMOND)
    other = bench.add_run({"a": []})
    bench.add()

    assert set(ids.values()) == {job.id for job in bench.store.find(Filter(run=ids[""]))}
    assert [other["a"]] == [job.id for job in bench.store.find(Filter(run=other[""], step="a"))]
    assert {ids["a"], other["a"]} == {job.id for job in bench.store.find(Filter(step="a"))}


def test_who_is_waited_for_is_found_also_afterwards(bench):
    """The results of needs are read when they have ended."""
    ids = bench.add_run(DIAMOND)
    for _ in range(3):
        bench.work()
    needed = {step: bench.store.find(Filter(needed_by=[id_])) for step, id_ in ids.items()}

    assert {"": ["d"], "a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]} == {
        step: sorted(job.step for job in jobs) for step, jobs in needed.items()
    }


def test_who_some_jobs_wait_for_is_found_at_once(bench):
    """Each once; together with other fields, those that match them all."""
    ids, other = bench.add_run(DIAMOND), bench.add_run(DIAMOND)
    wanted = Filter(needed_by=[ids["b"], ids["d"], other[""]])

    def found(**fields):
        return {job.id for job in bench.store.find(wanted._replace(**fields))}

    assert {ids["a"], ids["b"], ids["c"], other["d"]} == found()
    assert {ids["a"], ids["b"], ids["c"]} == found(run=ids[""])
    assert {ids["a"]} == found(run=ids[""], states=[State.QUEUED])
    assert {ids["b"]} == found(run=ids[""], step="b")
    assert set() == found(key="k")
    assert [] == bench.store.find(Filter(needed_by=[]))


@pytest.mark.parametrize("field", ["run", "needed_by"])
def test_nobody_is_found_by_what_is_not_there(bench, field):
    """Whatever it looks like."""
    bench.add_run({"a": []})

    for who in ("nobody", job_id(999)):
        assert [] == bench.store.find(Filter(**{field: who if field == "run" else [who]}))


def test_a_run_is_counted_by_state_and_by_step(bench):
    """By step without the parts that steps have, branches together; no other jobs are counted."""
    ids = bench.add_run({"a": [], "b": []})
    bench.add()
    part, _ = bench.claim(2)
    branches = bench.open(part, {"a/0": [], "a/1": [], "a/2": []})

    def counted(*by):
        return {(name, str(state)): n for name, state, n in bench.store.count(*by)}

    run = ids[""]

    assert {("a", "blocked"): 1, ("b", "running"): 1} == counted("step", run)
    assert {
        ("t", "blocked"): 1,
        ("t", "queued"): 3,
        ("t", "running"): 1,
        ("run", "blocked"): 1,
    } == (counted("task", run))
    assert {("a/0", "queued"): 3} == counted("step", run, "a")
    bench.store.claim(ClaimFilter("w1", ids=[branches["a/0"]]), 1, 30.0)
    assert {("a/0", "running"): 1, ("a/1", "queued"): 2} == counted("step", run, "a")
    assert {} == counted("step", run, "a/0") | counted("step", run, "b")
    assert 6 == sum(counted("queue", run).values())
    assert 7 == sum(n for *_, n in bench.store.count())
    assert [] == bench.store.count("queue", run="nobody")
    assert [] == bench.store.count("step")


def test_a_run_can_end_in_every_way(bench):
    """And so can each part."""
    for how in ("succeeded", "failed", "dead", "cancelled", "skipped"):
        ids = bench.add_run({"a": []})
        bench.work(how)
        bench.work(how)
        assert {how} == set(bench.steps(ids[""]).values()) <= ENDED
