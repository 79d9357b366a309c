"""settle: applies outcomes of running attempts, refuses all others, in one transaction."""

import json
from datetime import timedelta

import pytest

from contract.workbench import ERROR, OUTCOMES, job_id
from rotulus._jobs.outcome import MAX_LOSSES, Outcome, read_error, snoozed, succeeded
from rotulus._jobs.record import micros
from rotulus._jobs.states import State
from rotulus.store import Claim


@pytest.mark.parametrize(
    ("how", "state", "reason"),
    [
        ("succeeded", "succeeded", None),
        ("failed", "failed", "error"),
        ("dead", "dead", "corrupt"),
        ("cancelled", "cancelled", "cancelled"),
        ("retried", "delayed", "retry"),
        ("retried now", "queued", "retry"),
        ("snoozed", "delayed", "snooze"),
        ("released", "queued", "shutdown"),
        ("lost", "queued", "lost"),
    ],
)
def test_an_outcome_moves_the_job(bench, how, state, reason):
    """To the state it names; one that is sent back is delayed while its delay lasts."""
    job = bench.running()
    assert [] == bench.store.settle([OUTCOMES[how](job)])

    record = bench.store.get(job.id)
    assert (state, reason, 1) == (record.state, record.reason, record.attempt)


@pytest.mark.parametrize(
    ("said", "delay", "state"),
    [
        (State.QUEUED, 0.0, "queued"),
        (State.QUEUED, 60.0, "delayed"),
        (State.DELAYED, 60.0, "delayed"),
    ],
)
def test_what_is_sent_back_is_delayed_by_its_delay(bench, said, delay, state):
    """Whichever of the two states its outcome says."""
    job = bench.running()
    assert [] == bench.store.settle([Outcome(job.id, job.attempt, said, "retry", delay=delay)])

    record = bench.store.get(job.id)
    assert (state, None) == (record.state, record.ended_at)


def test_a_success_keeps_its_result_and_its_end(bench):
    """The result is the JSON text that was given."""
    record = bench.ended()

    assert '"done"' == record.result
    assert micros(bench.clock.now()) == record.ended_at
    assert record.error is None


def test_a_failure_keeps_its_error_and_its_arguments(bench):
    """Both are there for whoever retries it."""
    record = bench.ended("failed", arguments='{"a":1}')

    assert ERROR == read_error(record.error)
    assert '{"a":1}' == record.arguments


def test_a_retry_counts_a_failure_and_keeps_the_attempt(bench):
    """The attempt that failed can be read with the job."""
    job = bench.running()
    bench.store.settle([OUTCOMES["retried"](job)])
    record = bench.store.get(job.id)

    assert (1, 0, 0) == (record.failures, record.losses, record.releases)
    assert micros(bench.clock.now()) + 10_000_000 == record.run_at
    assert '[[1,"retry","w1",' in record.history


@pytest.mark.parametrize("how", ["snoozed", "released"])
def test_a_release_counts_no_failure(bench, how):
    """A snooze or a shutdown costs nothing."""
    job = bench.running()
    bench.store.settle([OUTCOMES[how](job)])
    record = bench.store.get(job.id)

    assert (0, 0, 1) == (record.failures, record.losses, record.releases)


def test_a_loss_counts_a_loss_and_keeps_the_attempt(bench):
    """At once after the first, later after the second, and after the third it is given up."""
    bench.add()
    seen = []
    for _ in range(MAX_LOSSES):
        [job] = bench.claim()
        bench.store.settle([OUTCOMES["lost"](job)])
        record = bench.store.get(job.id)
        waits = (record.run_at - micros(bench.clock.now())) / 1_000_000
        seen.append((record.state, record.reason, record.losses, waits))
        bench.clock.advance(10)

    assert [("queued", "lost", 1, 0), ("delayed", "lost", 2, 4)] == seen[:2]
    assert ("dead", "crash_loop", 3) == seen[2][:3]
    assert (0, 0) == (record.failures, record.releases)
    assert ["lost", "lost"] == [row[1] for row in json.loads(record.history)]
    assert ERROR == read_error(record.error)


@pytest.mark.parametrize("losses", range(MAX_LOSSES))
@pytest.mark.parametrize("cancelled", [False, True])
def test_a_loss_that_is_settled_is_one_that_is_rescued(bench, losses, cancelled):
    """Whether a worker has seen its process die, or nobody has seen the worker."""
    rows = []
    for number, lose in enumerate([_settle_as_lost, _release]):
        bench.add(queue=f"q{number}")
        for turn in range(losses + 1):
            [job] = bench.claim(worker=f"w{number}", queues=[f"q{number}"])
            if turn == losses and cancelled:
                bench.store.cancel([job.id])
            lose(bench, job)
            bench.clock.advance(10 if turn < losses else 0)
        record = bench.store.get(job.id)
        rows.append((record.state, record.reason, record.losses, record.failures, record.releases))

    assert rows[0] == rows[1]


def _settle_as_lost(bench, job):
    bench.store.settle([OUTCOMES["lost"](job)])


def _release(bench, job):
    bench.store.rescue(worker=job.worker)


def test_a_snooze_can_name_a_moment(bench):
    """It is due then."""
    job = bench.running()
    until = bench.clock.now() + timedelta(hours=1)
    bench.store.settle([snoozed(job.id, 1, 0.0, until)])

    assert micros(until) == bench.store.get(job.id).run_at


@pytest.mark.parametrize("late", sorted(OUTCOMES))
@pytest.mark.parametrize("first", sorted(OUTCOMES))
def test_a_second_outcome_of_an_attempt_is_refused(bench, first, late):
    """Whatever came first stands."""
    job = bench.running()
    bench.store.settle([OUTCOMES[first](job)])
    before = bench.store.get(job.id)
    bench.clock.advance(1)

    assert [Claim(job.id, 1)] == bench.store.settle([OUTCOMES[late](job)])
    assert before == bench.store.get(job.id)


@pytest.mark.parametrize("late", sorted(OUTCOMES))
def test_an_outcome_of_an_earlier_attempt_is_refused_while_a_later_one_runs(bench, late):
    """This is the fence."""
    old = bench.running()
    bench.clock.advance(31)
    bench.store.rescue(10)
    [new] = bench.claim(worker="w2")
    before = bench.store.get(new.id)

    assert [Claim(old.id, 1)] == bench.store.settle([OUTCOMES[late](old)])
    assert before == bench.store.get(new.id)
    assert [] == bench.store.settle([OUTCOMES["succeeded"](new)])


def test_what_is_refused_does_not_hold_up_the_rest(bench):
    """A batch applies what it can, and tells the others."""
    jobs = [bench.running() for _ in range(4)]
    bench.store.settle([OUTCOMES["succeeded"](jobs[0]), OUTCOMES["failed"](jobs[1])])
    bench.clock.advance(1)
    refused = bench.store.settle([OUTCOMES["succeeded"](job) for job in jobs])

    assert {Claim(jobs[0].id, 1), Claim(jobs[1].id, 1)} == set(refused)
    assert ["succeeded", "failed", "succeeded", "succeeded"] == [bench.state(j) for j in jobs]


def test_settling_an_unknown_job_is_refused(bench):
    """A job that was pruned meanwhile is nobody's."""
    assert [Claim(job_id(0), 1)] == bench.store.settle([succeeded(job_id(0), 1, "1")])


def test_settling_nothing_is_fine(bench):
    """An empty batch changes nothing."""
    assert [] == bench.store.settle([])


@pytest.mark.parametrize("how", ["retried", "retried now", "snoozed", "released", "lost"])
def test_a_job_to_be_cancelled_is_not_sent_back(bench, how):
    """It ends cancelled instead."""
    job = bench.running()
    bench.store.cancel([job.id])
    bench.store.settle([OUTCOMES[how](job)])
    record = bench.store.get(job.id)

    assert ("cancelled", "cancelled", 0) == (record.state, record.reason, record.cancel_requested)
    assert "[]" == record.history


@pytest.mark.parametrize("how", ["succeeded", "failed", "dead"])
def test_a_job_to_be_cancelled_that_ends_by_itself_ends_so(bench, how):
    """The task had its say."""
    job = bench.running()
    bench.store.cancel([job.id])
    bench.store.settle([OUTCOMES[how](job)])

    record = bench.store.get(job.id)
    assert (how, 0) == (record.state, record.cancel_requested)


@pytest.mark.parametrize("how", ["succeeded", "retried"])
def test_the_last_progress_is_stored_with_the_outcome(bench, how):
    """The end of a task does not wait for the next renewal to be seen."""
    job = bench.running()
    bench.store.settle([OUTCOMES[how](job)._replace(progress='[9,9,""]')])

    assert '[9,9,""]' == bench.store.get(job.id).progress


def test_history_holds_every_attempt_but_the_last(bench):
    """Oldest first, each with its reason."""
    bench.add()
    for how in ("retried now", "released", "retried now"):
        [job] = bench.claim()
        bench.store.settle([OUTCOMES[how](job)])
    [job] = bench.claim()
    bench.store.settle([OUTCOMES["succeeded"](job)])
    history = bench.store.get(job.id).history

    assert ["retry", "shutdown", "retry"] == [row[1] for row in json.loads(history)]
    assert MAX_LOSSES > bench.store.get(job.id).losses
