"""The outcome of each attempt: of a job's earlier ones, and of those of a step over time."""

import json
from collections import Counter
from functools import partial
from itertools import count

import pytest

import rotulus.workflow as wf
from fundamentals.flows import fail, put
from rotulus import Cancel, Retry, Snooze, State, task
from rotulus._jobs.kept import kept_reason, kept_word, own_reason
from rotulus._jobs.states import Reason
from rotulus.store import ClaimFilter
from rotulus.testing import drain
from rotulus.workflow import Run
from statement_counter import StatementCounter

NO_END = {Reason.DEFERRED, Reason.CANCELLED}
"""Reasons of what runs, and one whose word says it."""

BY_ITSELF = {
    *(State.SUCCEEDED, Reason.SNOOZE, Reason.SHUTDOWN, Reason.UNSTARTED, Reason.OPENED),
    *(Reason.TRIGGER, Reason.NEED_FAILED, Reason.OPERATOR),
}
"""What is kept of attempts that ended without an error."""

WORDS = sorted({*Reason, *State, "not wanted", "cancelled\nsnooze", ""})
"""Words in which a task may cancel itself."""


def outcomes(app, run, step):
    """The state of a step, and the outcomes of its attempts over time."""
    [row] = [row for row in app.runs.timeline(run.id).rows if row.step == step]
    assert len(row.ran) == len(row.outcomes)
    assert row.to_dict() == json.loads(json.dumps(row.to_dict()))
    return row.state, row.outcomes


def cancel(context):
    raise Cancel("not wanted")


@pytest.fixture
def counter(monkeypatch):
    """Counts the statements of an app that is made after it."""
    return StatementCounter(monkeypatch)


def lose(app):
    """A worker takes a job, and dies."""
    app.store.claim(ClaimFilter(worker="gone"), 1, 30)
    app.store.rescue(worker="gone")


def test_each_earlier_attempt_of_a_job_tells_its_outcome(app):
    """Lost, put off, tried again, failed, and retried by an operator."""
    turns = count()

    @task("turn", registry=app.registry, retry=Retry(attempts=2, delay=0))
    def turn():
        if (now := next(turns)) == 0:
            raise Snooze(0)
        if now < 3:
            raise ValueError(now)
        if now == 3:
            raise Cancel("not wanted")

    job = turn.enqueue()
    lose(app)
    drain(app)
    assert State.FAILED == app.get(job.id).state
    app.get(job.id).retry()
    drain(app)
    assert State.CANCELLED == app.get(job.id).state
    app.get(job.id).retry()
    drain(app)

    job = app.get(job.id)
    assert State.SUCCEEDED == job.state
    told = [attempt.outcome for attempt in job.attempts]
    assert ["lost", "snoozed", "retried", "failed", "cancelled"] == told
    assert told == [attempt.to_dict()["outcome"] for attempt in job.attempts]


@pytest.mark.parametrize("reason", sorted(set(Reason) - NO_END - {Reason.AWAITS}))
def test_every_reason_that_can_be_kept_has_an_outcome(reason):
    """Only the words of a task that was cancelled are none of ours."""
    assert "cancelled" != kept_word(reason, has_error=True)


def test_the_words_of_a_task_that_was_cancelled_are_not_mistaken(app):
    """For a reason of ours, or for a state: also where an operator skips the step then."""

    @task("stop", registry=app.registry)
    def stop(words):
        raise Cancel(words)

    jobs = {words: stop.enqueue(words) for words in WORDS}
    drain(app)
    assert {words: words for words in WORDS} == {
        words: app.get(job.id).reason for words, job in jobs.items()
    }
    app.jobs.retry(*(job.id for job in jobs.values()))

    for words, job in jobs.items():
        [attempt] = app.get(job.id).attempts
        assert (words, "cancelled", None) == (attempt.reason, attempt.outcome, attempt.error)
        assert "cancelled" == attempt.to_dict()["outcome"]


def test_steps_that_were_cancelled_in_any_words_are_cancelled_over_time(app, build):
    """And the next attempt of each is another one; also where an operator skips the step."""
    turns = Counter()
    with build():
        for place, words in enumerate(WORDS):
            wf.task(id=f"stops-{place}")(partial(stop_once, words, turns))
    run = app.enqueue("flow")
    drain(app)
    assert {(State.CANCELLED, ("cancelled",))} == all_outcomes(app, run)
    for place in range(len(WORDS)):
        Run(app, run.id).skip(f"stops-{place}")
    assert {(State.SKIPPED, ("cancelled",))} == all_outcomes(app, run)
    for place in range(len(WORDS)):
        Run(app, run.id).replay(f"stops-{place}")
    drain(app)

    assert {(State.SUCCEEDED, ("cancelled", "succeeded"))} == all_outcomes(app, run)
    assert {2} == {step.attempts for step in app.runs.steps(run.id)}


def stop_once(words, turns, context):
    """A step that cancels itself at first, in these words."""
    turns[words] += 1
    if turns[words] == 1:
        raise Cancel(words)


def all_outcomes(app, run):
    """The states of the steps of a run, with the outcomes of their attempts over time."""
    return {(row.state, row.outcomes) for row in app.runs.timeline(run.id).rows}


def test_a_step_that_was_cancelled_in_the_word_of_a_skip_goes_back(app, build):
    """It was not skipped: once what it needs is, it has its turn again."""
    turns = count()
    with build():
        wf.task(id="broken")(fail)

        @wf.task(id="undo", dependencies=["broken"], trigger=wf.any_failed)
        def undo(context):
            if next(turns) == 0:
                raise Cancel("operator")

    run = app.enqueue("flow")
    drain(app)
    assert State.CANCELLED == app.runs.step(run.id, "undo").job.state
    Run(app, run.id).skip("broken")
    drain(app)

    assert (State.SKIPPED, ("cancelled",)) == outcomes(app, run, "undo")
    assert Reason.TRIGGER == app.runs.step(run.id, "undo").job.reason


@pytest.mark.parametrize("words", WORDS)
def test_what_is_kept_of_words_tells_them_and_that_they_are_some(words):
    """As a client of the service has it: of an answer, with the outcome."""
    kept = kept_reason(words, "cancelled")

    assert (words, "cancelled") == (own_reason(kept), kept_word(kept, has_error=False))


@pytest.mark.parametrize("words", sorted({*Reason, *State, "not wanted", ""} - BY_ITSELF))
def test_words_that_were_kept_as_they_were_are_told_by_what_they_are_not(words):
    """By versions before: they come without an error, where a reason of ours has one."""
    assert "cancelled" == kept_word(words, has_error=False)


def test_steps_are_read_with_as_many_statements_however_many_have_run_before(counter, app, build):
    """Those that were cancelled, retried, put off or skipped."""
    runs = []
    for name, number in (("few", 2), ("many", 30)):
        with build(name):
            for place in range(number):
                wf.task(id=f"stops-{place}")(cancel)
                wf.task(id=f"fails-{place}", retry_attempts=1, retry_delay_ms=0)(fail)
                wf.task(id=f"last-{place}", dependencies=[f"fails-{place}"])(put())
        runs.append(app.enqueue(name))
    drain(app)
    sent = []
    for run in runs:
        app.runs.timeline(run.id)
        before = len(counter.said)
        rows = app.runs.timeline(run.id).rows
        sent.append(len(counter.said) - before)

    told = {row.step.partition("-")[0]: row.outcomes for row in rows}
    assert {"stops": ("cancelled",), "fails": ("retried", "failed"), "last": ()} == told
    assert 0 < sent[0] == sent[1] <= 8


def test_attempts_of_a_step_over_time_have_their_outcomes(app, build):
    """Tried again, failed, lost, and at last succeeded, each with its time."""
    turns = count()
    with build():

        @wf.task(id="flaky", retry_attempts=1, retry_delay_ms=0)
        def flaky(context):
            if next(turns) < 2:
                raise ValueError

    run = app.enqueue("flow")
    drain(app)
    assert (State.FAILED, ("retried", "failed")) == outcomes(app, run, "flaky")
    Run(app, run.id).retry()
    lose(app)
    drain(app)

    assert (State.SUCCEEDED, ("retried", "failed", "lost", "succeeded")) == outcomes(
        app, run, "flaky"
    )
    step = app.runs.step(run.id, "flaky")
    assert ["retried", "failed", "lost", "succeeded"] == step.outcomes == step.to_dict()["outcomes"]


def test_a_step_that_waits_for_its_turn_again_does_not_run(app, build):
    """Its first attempt ended when it ended, and not now."""
    with build():
        wf.task(id="first")(put(first=1))
        wf.task(id="last", dependencies=["first"])(fail)
    run = app.enqueue("flow")
    drain(app)
    ended = app.runs.step(run.id, "last").job.ended_at
    Run(app, run.id).replay("first")
    [row] = [row for row in app.runs.timeline(run.id).rows if row.step == "last"]

    assert (State.BLOCKED, ("failed",), ended, None) == (
        *(row.state, row.outcomes),
        *(row.ran[-1].end, row.ended_at),
    )


def test_a_step_that_runs_has_no_outcome_yet(app, build):
    """Only its earlier attempts have."""
    with build():
        wf.task(id="slow")(put())
    run = app.enqueue("flow")
    app.jobs.run(run.id)  # it begins
    lose(app)
    app.store.claim(ClaimFilter(worker="w"), 1, 30)

    assert (State.RUNNING, ("lost", None)) == outcomes(app, run, "slow")


def test_a_step_with_parts_is_opened_until_they_have_ended(app, build):
    """And while they run again; a skip after its end changes nothing of what it came to."""
    with build():
        wf.task(id="list")(put(items=[1, 2]))
        wf.task(id="each", dependencies=["list"], for_each="items")(fail)
    run = app.enqueue("flow")
    for step in ("list", "each"):
        app.jobs.run(app.runs.step(run.id, step).job.id)
    assert (State.BLOCKED, ("opened",)) == outcomes(app, run, "each")
    drain(app)
    assert (State.FAILED, ("failed",)) == outcomes(app, run, "each")
    Run(app, run.id).retry()
    assert (State.BLOCKED, ("opened",)) == outcomes(app, run, "each")
    drain(app)
    Run(app, run.id).skip("each")

    assert (State.SKIPPED, ("failed",)) == outcomes(app, run, "each")


@pytest.mark.parametrize("when", ["waiting", "failed"])
def test_a_skipped_step_has_run_only_what_it_ran_before(app, build, when):
    """Nothing, or an attempt that failed; and the moment at which it was skipped."""
    with build():
        wf.task(id="first")(put(first=1))
        wf.task(id="broken", dependencies=["first"])(fail)
        wf.task(id="last", dependencies=["broken"])(put(last=3))
    run = Run(app, app.enqueue("flow").id)
    if when == "failed":
        drain(app)
    run.skip("broken")
    drain(app)

    ran = ("failed",) if when == "failed" else ()
    assert (State.SKIPPED, ran) == outcomes(app, run, "broken")
    rows = {row.step: row for row in app.runs.timeline(run.id).rows}
    skipped = app.runs.step(run.id, "broken").job.ended_at
    assert skipped == rows["broken"].ended_at <= rows["last"].ran[0].start


def test_a_cancelled_run_tells_of_steps_that_never_began(app, build):
    """They have ended, and nothing of them ran."""
    with build():
        wf.task(id="first")(put(first=1))
        wf.task(id="last", dependencies=["first"])(put())
    run = app.enqueue("flow")
    app.jobs.run(run.id)
    app.runs.cancel(run.id)

    for step in ("first", "last"):
        assert (State.CANCELLED, ()) == outcomes(app, run, step)
    assert all(row.ended_at and not row.waited for row in app.runs.timeline(run.id).rows)


def test_a_step_that_is_skipped_because_of_another_one_has_run_nothing(app, build, go):
    """Its attempt has only looked, also where the step is retried and skipped again."""
    with build():
        wf.task(id="broken")(fail)
        wf.task(id="last", dependencies=["broken"])(put())
        wf.task(id="undo", dependencies=["last"], trigger=wf.task_failed("last"))(put())
    run = go()
    for _ in range(2):
        for step in ("last", "undo"):
            assert (State.SKIPPED, ()) == outcomes(app, run, step)
        run.retry()
        drain(app)

    assert (State.FAILED, ("failed",) * 3) == outcomes(app, run, "broken")
    assert 3 == app.runs.step(run.id, "last").attempts
