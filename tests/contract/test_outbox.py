"""The outbox: what is carried has an entry, and is published until it has ended."""

import threading

import pytest

from contract.workbench import OUTCOMES, job_id
from rotulus._jobs.record import moment
from rotulus.store import NewJob, Terms

LEASE, PATIENCE = 30.0, 600.0
QUEUE = "_out"


def taken(bench, limit=100, queue=QUEUE):
    """The ids of what is taken to be published."""
    return [job.id for job in bench.store.outbox.take(queue, limit, LEASE, PATIENCE)]


def carried(bench, **fields):
    """A job that is carried."""
    return bench.add(**{"queue": QUEUE, "carried": True} | fields)


def test_a_carried_job_has_an_entry_that_is_due_when_it_is(bench):
    """And any other job has none."""
    plain, now, later = bench.add(), carried(bench), carried(bench, delay=60.0)

    assert bench.store.outbox.entry(plain.id) is None
    assert moment(now.run_at) == bench.store.outbox.entry(now.id).due_at
    assert moment(later.run_at) == bench.store.outbox.entry(later.id).due_at
    assert [now.id] == taken(bench)
    bench.clock.advance(60.0)
    assert [now.id, later.id] == taken(bench)


def test_an_entry_says_how_often_it_was_taken_and_when_it_was_published(bench):
    """For those who ask why a job has not been run."""
    job = carried(bench)
    assert (None, 0) == bench.store.outbox.entry(job.id)[1:]
    taken(bench)
    assert (None, 1) == bench.store.outbox.entry(job.id)[1:]
    published_at = bench.clock.now()
    bench.store.outbox.published([job.id], PATIENCE)

    due_at, told, tries = bench.store.outbox.entry(job.id)
    assert 1 == tries
    assert abs((told - published_at).total_seconds()) < 0.001
    assert abs((due_at - told).total_seconds() - PATIENCE) < 0.001


def test_what_was_taken_is_nobody_elses_for_a_while(bench):
    """Then it is taken again, as it was not published."""
    job = carried(bench)

    assert [job.id] == taken(bench)
    bench.clock.advance(LEASE - 1)
    assert [] == taken(bench)
    bench.clock.advance(1)
    assert [job.id] == taken(bench)


def test_the_longest_due_are_taken_first(bench):
    """So many as there is room for, in the queue that is asked for."""
    last = carried(bench, delay=3.0)
    first = carried(bench, delay=1.0)
    carried(bench, delay=1.0, queue="_elsewhere")
    second = carried(bench, delay=2.0)
    bench.clock.advance(5.0)

    assert [first.id, second.id] == taken(bench, 2)
    assert [last.id] == taken(bench, 2)


def test_only_the_tasks_that_are_named_are_taken(bench):
    """Entries of others are left as they are, for who carries those, and do not hide any."""
    others = [carried(bench, task="theirs") for _ in range(3)]
    before = [bench.store.outbox.entry(job.id) for job in others]
    ours = carried(bench, task="ours", delay=1.0)
    bench.clock.advance(1.0)

    def take(*names):
        return [job.id for job in bench.store.outbox.take(QUEUE, 2, LEASE, PATIENCE, names)]

    assert [] == take()
    assert [ours.id] == take("ours", "unknown")
    assert before == [bench.store.outbox.entry(job.id) for job in others]
    assert [job.id for job in others[:2]] == take("theirs")
    assert [others[2].id] == taken(bench)


def test_what_nobody_carries_is_told_of_once_in_a_while(bench):
    """And until then it is left for who carries it; afterwards it is in nobody's way."""
    left, ours = carried(bench, task="theirs"), carried(bench, task="ours")

    def told():
        found = bench.store.outbox.take_left(QUEUE, 10, PATIENCE, ["ours", "unknown"])
        return [job.id for job in found]

    bench.clock.advance(PATIENCE - 1)
    assert [] == told()
    bench.clock.advance(1)
    assert [left.id] == told()
    assert [] == told()
    assert [ours.id] == taken(bench)
    bench.clock.advance(PATIENCE)
    bench.store.outbox.published([ours.id], PATIENCE)
    assert [left.id] == taken(bench)
    bench.clock.advance(LEASE)
    bench.store.outbox.published([left.id], PATIENCE)
    assert [] == told()


def test_what_nobody_carries_and_has_ended_is_looked_at_no_more(bench):
    """Unless it is sent back; and what is gone has no entry."""
    done = carried(bench, task="theirs")
    [claimed] = bench.claim(queues=[QUEUE])
    bench.store.settle([OUTCOMES["succeeded"](claimed)])
    running = carried(bench, task="theirs")
    bench.claim(queues=[QUEUE], lease=2 * PATIENCE)
    cancelled = carried(bench, task="theirs")
    bench.store.cancel([cancelled.id])
    bench.clock.advance(PATIENCE)

    assert [] == bench.store.outbox.take_left(QUEUE, 10, PATIENCE, [])
    assert bench.store.outbox.entry(done.id) is None
    for job in (cancelled, running):
        assert bench.store.outbox.entry(job.id).due_at > bench.clock.now()
    bench.store.retry([cancelled.id])
    bench.clock.advance(PATIENCE)
    assert [cancelled.id] == [j.id for j in bench.store.outbox.take_left(QUEUE, 1, PATIENCE, [])]


def test_a_job_that_was_published_and_not_begun_is_published_again(bench):
    """Its message was lost, or given up."""
    job = carried(bench)
    taken(bench)
    bench.store.outbox.published([job.id], PATIENCE)
    bench.clock.advance(PATIENCE - 1)
    assert [] == taken(bench)
    bench.clock.advance(1)

    assert [job.id] == taken(bench)


@pytest.mark.parametrize("how", ["succeeded", "skipped"])
def test_the_entry_of_a_job_that_cannot_be_sent_back_goes(bench, how):
    """When it would be due the next time."""
    job = carried(bench)
    taken(bench)
    bench.store.outbox.published([job.id], PATIENCE)
    [running] = bench.claim(queues=[QUEUE])
    bench.store.settle([OUTCOMES[how](running)])
    bench.clock.advance(PATIENCE)

    assert [] == taken(bench)
    assert bench.store.outbox.entry(job.id) is None


def test_entries_of_ended_jobs_do_not_hide_others(bench):
    """However many there are in front."""
    for job in [carried(bench) for _ in range(5)]:
        bench.store.cancel([job.id])
    last = carried(bench, delay=1.0)
    bench.clock.advance(1.0)

    assert [last.id] == taken(bench, 2)


def test_a_running_job_is_not_published(bench):
    """Its entry is put off; when its worker dies after that, it is published again."""
    job = carried(bench)
    bench.claim(queues=[QUEUE], lease=1.0)
    assert [] == taken(bench)
    bench.clock.advance(2.0)
    bench.store.rescue()
    assert [] == taken(bench)
    bench.clock.advance(PATIENCE)

    assert [job.id] == taken(bench)


def test_a_job_that_waits_for_its_retry_is_left_to_who_delivers_it(bench):
    """Only when no attempt has begun for as long as `patience`, it is published once more."""
    job = carried(bench)
    taken(bench)
    bench.store.outbox.published([job.id], PATIENCE)
    bench.clock.advance(PATIENCE - 10)
    [running] = bench.claim(queues=[QUEUE])
    bench.store.settle([OUTCOMES["retried"](running)])
    bench.clock.advance(10)
    assert [] == taken(bench)
    bench.clock.advance(PATIENCE - 11)
    assert [] == taken(bench)
    bench.clock.advance(1)

    assert [job.id] == taken(bench)


def test_a_job_that_waits_for_a_later_moment_is_published_then(bench):
    """Sent back by its own task, and to be published again."""
    job = carried(bench)
    taken(bench)
    bench.store.outbox.published([job.id], PATIENCE)
    [running] = bench.claim(queues=[QUEUE])
    bench.store.settle([OUTCOMES["snoozed"](running)])
    bench.store.outbox.republish([job.id])
    assert [] == taken(bench)
    bench.clock.advance(10.0)

    assert [job.id] == taken(bench)


def test_an_operators_retry_can_be_published_again(bench):
    """At once, though a message of it was published before; jobs that have ended are not."""
    job, over = carried(bench), carried(bench)
    for running in bench.claim(queues=[QUEUE]):
        bench.store.settle([OUTCOMES["failed"](running)])
    bench.clock.advance(PATIENCE)
    assert [] == taken(bench)
    before = bench.store.outbox.entry(over.id)
    bench.store.retry([job.id])
    bench.store.outbox.republish([job.id, over.id, job.id, job_id(99)])

    assert [job.id] == taken(bench)
    assert before == bench.store.outbox.entry(over.id)


@pytest.mark.parametrize("how", ["failed", "dead", "cancelled"])
def test_who_sends_a_job_back_has_it_published_in_the_same_transaction(bench, how):
    """Whoever it is need not know that the job is carried, nor do anything more."""
    job = carried(bench)
    taken(bench)
    bench.store.outbox.published([job.id], PATIENCE)
    [running] = bench.claim(queues=[QUEUE])
    bench.store.settle([OUTCOMES[how](running)])
    for _ in range(2):
        bench.clock.advance(PATIENCE)
        assert [] == taken(bench)
    [back] = bench.store.retry([job.id])

    assert (moment(back.run_at), None, 0) == bench.store.outbox.entry(job.id)
    assert [job.id] == taken(bench)


def test_a_job_that_is_sent_back_before_its_message_is_noted_is_published_again(bench):
    """The message that has just gone out is that of the attempt before."""
    failed, snoozed = carried(bench), carried(bench)
    assert {failed.id, snoozed.id} == set(taken(bench))
    for running in bench.claim(2, queues=[QUEUE]):
        how = "failed" if running.id == failed.id else "snoozed"
        bench.store.settle([OUTCOMES[how](running)])
    bench.store.retry([failed.id])
    bench.store.outbox.republish([snoozed.id])
    bench.store.outbox.published([failed.id, snoozed.id], PATIENCE)

    assert [failed.id] == taken(bench)
    bench.clock.advance(10.0)
    assert [snoozed.id] == taken(bench)


def test_a_message_that_came_from_elsewhere_is_noted_though_nobody_took_it(bench):
    """So none is published beside it."""
    job = carried(bench)
    bench.store.outbox.published([job.id], PATIENCE, taken=False)
    assert [] == taken(bench)
    bench.clock.advance(PATIENCE)

    assert [job.id] == taken(bench)


def test_nothing_is_published_into_a_paused_queue(bench):
    """Whoever delivers it would be sent away each time."""
    job = carried(bench)
    bench.store.pause([QUEUE], paused=True)
    assert [] == taken(bench)
    bench.store.pause([QUEUE], paused=False)

    assert [job.id] == taken(bench)


def test_a_paused_job_is_published_when_it_is_resumed(bench):
    """At once, though its entry was put off for as long as it was paused, or its message refused."""
    waiting, refused, plain = carried(bench), carried(bench, delay=0.5), bench.add()
    bench.clock.advance(1.0)
    bench.store.outbox.take(QUEUE, 2, LEASE, PATIENCE)
    bench.store.outbox.published([refused.id], PATIENCE)
    bench.store.outbox.republish([waiting.id])
    bench.store.pause([], True, [waiting.id, refused.id, plain.id])
    assert [] == taken(bench)
    bench.store.pause([], False, [waiting.id, refused.id, plain.id])

    assert {waiting.id, refused.id} == set(taken(bench))
    bench.store.pause([], False, [waiting.id])
    bench.clock.advance(LEASE - 1)
    assert [] == taken(bench)


def test_entries_go_with_their_jobs(bench):
    """Deleted or pruned."""
    deleted, pruned = carried(bench), carried(bench)
    bench.store.cancel([deleted.id, pruned.id])
    bench.store.delete([deleted.id])
    bench.clock.advance(1.0)
    bench.store.prune(bench.clock.now(), ["cancelled"], 10)

    assert bench.store.outbox.entry(deleted.id) is None
    assert bench.store.outbox.entry(pruned.id) is None


def test_a_job_whose_key_is_held_brings_no_entry(bench):
    """The holder keeps its own."""
    first = carried(bench, key="k")
    second = carried(bench, key="k")

    assert first.id == second.id
    assert [first.id] == taken(bench)


def test_jobs_that_are_added_together_are_carried_one_by_one(bench):
    """Some of a call may be, and others not."""
    out, plain = Terms("t", QUEUE, carried=True), Terms("t")
    jobs = [NewJob(job_id(n), "{}", out if n % 2 else plain) for n in range(1, 7)]
    bench.store.add(jobs)

    assert {job_id(1), job_id(3), job_id(5)} == set(taken(bench))


def test_a_call_that_is_repeated_adds_one_entry(bench):
    """As it adds one job."""
    job = bench.new(queue=QUEUE, carried=True)
    bench.store.add([job])
    bench.store.add([job])

    assert [job.id] == taken(bench)


def test_what_is_no_job_is_not_published(bench):
    """Nor is it an error."""
    bench.store.outbox.published([job_id(7), "nonsense"], PATIENCE)
    bench.store.outbox.republish(["nonsense"])

    assert bench.store.outbox.entry("nonsense") is None
    assert [] == taken(bench)


def test_what_is_committed_is_told_at_once(bench):
    """Our own stores have committed when `add` returns."""
    told = []
    bench.store.outbox.on_commit(lambda: told.append(1))

    assert [1] == told


def test_two_who_publish_never_hold_the_same_job(shared):
    """However many take at the same time."""
    jobs = {job.id for job in shared.add_many(200, queue=QUEUE, carried=True)}
    stores = [shared.store, shared.open_another(), shared.open_another()]
    found, start = [[] for _ in stores], threading.Barrier(len(stores))

    def take_all(store, mine):
        start.wait()
        while some := store.outbox.take(QUEUE, 7, LEASE, PATIENCE):
            mine.extend(job.id for job in some)

    threads = [
        threading.Thread(target=take_all, args=pair) for pair in zip(stores, found, strict=True)
    ]
    [thread.start() for thread in threads]
    [thread.join(60) for thread in threads]
    everything = [job for mine in found for job in mine]

    assert jobs == set(everything)
    assert len(jobs) == len(everything)
