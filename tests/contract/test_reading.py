"""get, find, count and fleet: nothing else reads."""

import json

import pytest

from contract.workbench import OUTCOMES, job_id
from rotulus._jobs.states import State
from rotulus.store import Filter


def test_get_gives_one_job(bench):
    """As it stands now."""
    job = bench.add(arguments='{"a":1}')

    assert job == bench.store.get(job.id)._replace(history=None)


def test_get_gives_nothing_for_an_unknown_id(bench):
    """None is not an error here."""
    assert bench.store.get("nobody") is None


def test_find_gives_the_last_added_first(bench):
    """At most as many as asked for."""
    jobs = bench.add_many(5)

    assert [job.id for job in reversed(jobs)] == [job.id for job in bench.store.find()]
    assert [job.id for job in reversed(jobs[3:])] == [job.id for job in bench.store.find(limit=2)]


def test_find_goes_on_before_a_job(bench):
    """Page by page, each job once."""
    jobs = bench.add_many(7)
    pages, before = [], None
    while page := bench.store.find(limit=3, before=before):
        pages.append([job.id for job in page])
        before = page[-1].id

    assert [3, 3, 1] == [len(page) for page in pages]
    assert [job.id for job in reversed(jobs)] == sum(pages, [])


def test_find_matches_every_field_that_is_given(bench):
    """And only those."""
    bench.add("a", queue="x", key="k1", limit_key="l", limit_to=1)
    bench.add("a", queue="y", schedule="s", instant=bench.clock.now())
    bench.add("b", queue="x")

    def tasks(**fields):
        return sorted(job.task + job.queue for job in bench.store.find(Filter(**fields)))

    assert ["ax", "ay"] == tasks(task="a")
    assert ["ax", "bx"] == tasks(queue="x")
    assert ["ax"] == tasks(task="a", queue="x")
    assert ["ax"] == tasks(key="k1")
    assert ["ax"] == tasks(limit_key="l")
    assert ["ay"] == tasks(schedule="s")
    assert [] == tasks(task="c")


def test_find_gives_what_a_worker_has(bench):
    """What it runs; and without a state, also what it had last."""
    bench.add_many(4)
    mine, done = bench.claim(2, worker="w1")
    [other] = bench.claim(1, worker="w2")
    bench.store.settle([OUTCOMES["succeeded"](done)])

    def found(**fields):
        return [job.id for job in bench.store.find(Filter(**fields))]

    assert [mine.id] == found(worker="w1", states=[State.RUNNING])
    assert [other.id] == found(worker="w2", states=[State.RUNNING, State.QUEUED])
    assert [done.id, mine.id] == found(worker="w1")
    assert [done.id] == found(worker="w1", states=[State.SUCCEEDED])
    assert [] == found(worker="w3", states=[State.RUNNING])


def test_find_finds_what_is_far_down(bench):
    """Jobs in a state, also behind more of other states than are looked through one by one."""
    first = bench.add("old", key="k")
    lost = bench.running()
    bench.add_many(30_000, queue="other")
    others = [job.id for job in bench.store.find(Filter(queue="other"), 30_000)]
    for start in range(0, 30_000, 3_000):  # a call has a deadline, which a busy machine would miss
        bench.store.cancel(others[start : start + 3_000])

    def found(limit=100, **fields):
        return [job.id for job in bench.store.find(Filter(**fields), limit)]

    assert [lost.id, first.id] == found(states=[State.QUEUED, State.RUNNING])
    assert [first.id] == found(states=[State.QUEUED, State.FAILED], task="old")
    assert [first.id] == found(key="k")
    assert [lost.id] == found(worker="w1", states=[State.RUNNING])
    assert [] == found(key="k", states=[State.RUNNING])
    assert 100 == len(found(states=[State.CANCELLED]))


def test_find_takes_the_beginning_of_an_id(bench):
    """With or without its hyphens, and together with what else is asked for."""
    jobs = [bench.add("ab"[number % 2]) for number in range(11)]  # their ids count up from 1

    def found(prefix, before=None, **fields):
        where = Filter(prefix=prefix, **fields)
        return [job.id for job in bench.store.find(where, before=before)]

    last, last_but_one = jobs[10].id, jobs[9].id
    for whole in (last, last.upper(), last.replace("-", "")):
        assert [last] == found(whole)
    assert [last, last_but_one] == found(last[:-1])
    assert [last] == found(last[:-1], task="a")
    assert [last_but_one] == found(last[:-1], before=last)
    assert 11 == len(found(last[:8]))
    assert [] == found(last[:-1], task="c")
    assert [] == found(last[:-1], needed_by=[last])


@pytest.mark.parametrize("prefix", ["", "-", "nobody", "0" * 33, "é", "0 1", "' OR 1=1 --"])
def test_no_id_begins_with_what_none_can(bench, prefix):
    """An empty beginning, and letters that no id has."""
    bench.add("a")

    assert [] == bench.store.find(Filter(prefix=prefix))


def test_find_takes_several_states(bench):
    """A job is in one of them, or left out."""
    jobs = {
        "delayed": bench.add(delay=9.0),
        "succeeded": bench.ended("succeeded"),
        "failed": bench.ended("failed"),
        "queued": bench.add(),
    }
    found = bench.store.find(Filter(states=[State.FAILED, State.QUEUED]))

    assert {jobs["failed"].id, jobs["queued"].id} == {job.id for job in found}


def test_count_counts_by_queue_and_by_task(bench):
    """Each with its states."""
    bench.ended("succeeded", task="a", queue="x")
    bench.add("a", queue="x")
    bench.add("b", queue="x")
    bench.add("b", queue="y", delay=9.0)

    assert {("x", "queued", 2), ("x", "succeeded", 1), ("y", "delayed", 1)} == {
        tuple(count) for count in bench.store.count()
    }
    assert {("a", "queued", 1), ("a", "succeeded", 1), ("b", "queued", 1), ("b", "delayed", 1)} == {
        tuple(count) for count in bench.store.count("task")
    }


def test_fleet_shows_live_workers_and_paused_queues(bench):
    """Each queue with the moment since when."""
    bench.store.extend([], 30.0, bench.worker("w1"))
    bench.store.pause(["x"], paused=True)
    fleet = bench.store.fleet()

    assert ["w1"] == [worker.name for worker in fleet.workers]
    assert {"x": bench.clock.now()} == fleet.paused


def test_reading_changes_nothing(bench):
    """However often it is done."""
    job = bench.running()
    before = bench.store.get(job.id)
    bench.store.find()
    bench.store.count()
    bench.store.fleet()

    assert before == bench.store.get(job.id)
    assert [] == bench.store.settle([OUTCOMES["succeeded"](job)])


def test_find_gives_what_is_blocked(bench):
    """As it gives every other state."""
    ids = bench.add_run({"a": [], "b": ["a"]})
    found = bench.store.find(Filter(states=["blocked"]))

    assert {ids[""], ids["b"]} == {job.id for job in found}


@pytest.mark.parametrize("where", [Filter(), Filter(states=["queued"]), Filter(task="t")])
def test_find_goes_on_before_a_job_that_has_gone(bench, where):
    """Where that one stood."""
    first, second, gone = bench.add_many(2), bench.add(), bench.ended()
    bench.clock.advance(1)
    assert 1 == bench.store.prune(bench.clock.now(), [State.SUCCEEDED], 10)
    last = bench.add()

    found = [job.id for job in bench.store.find(where, before=gone.id)]
    assert [second.id, *(job.id for job in reversed(first))] == found
    assert last.id not in found


def test_a_long_history_is_read_from_its_end(bench):
    """However much there is of it."""
    job = bench.add()
    long = OUTCOMES["retried now"](job).error._replace(traceback="x" * 20_000)
    for _ in range(70):
        [job] = bench.claim()
        bench.store.settle([OUTCOMES["retried now"](job)._replace(error=long)])
    numbers = [row[0] for row in json.loads(bench.store.get(job.id).history)]

    assert numbers == list(range(70 - len(numbers) + 1, 71))
    assert 5 < len(numbers) < 15
    assert 1 == len(bench.store.cancel([job.id]))
    assert 1 == len(bench.store.retry([job.id]))


def test_many_attempts_are_read_from_the_last_one(bench):
    """A hundred of them."""
    job = bench.add()
    for _ in range(120):
        [job] = bench.claim()
        bench.store.settle([OUTCOMES["released"](job)])
    numbers = [row[0] for row in json.loads(bench.store.get(job.id).history)]

    assert list(range(21, 121)) == numbers
    assert {job.id: bench.store.get(job.id).history} == bench.store.histories([job.id])
    bench.claim()
    assert {job.id: bench.store.get(job.id).history} == bench.store.histories([job.id])


def test_the_histories_of_several_jobs_are_those_of_each(bench):
    """Those that have one, with as much as is read of one by itself."""
    jobs = bench.add_many(3)
    long = OUTCOMES["retried now"](jobs[0]).error._replace(traceback="x" * 20_000)
    for _ in range(15):
        retried = [
            OUTCOMES["retried now"](job)._replace(error=long) for job in bench.claim(limit=2)
        ]
        bench.store.settle(retried)
    ended = bench.ended("failed")
    bench.store.retry([ended.id])
    ids = [job.id for job in (*jobs, ended)]
    found = bench.store.histories([*ids, job_id(7), "nobody"])

    expected = {job: bench.store.get(job).history for job in ids}
    assert found == {job: text for job, text in expected.items() if text != "[]"}
    assert 2 <= len(found) < len(ids)
    assert {} == bench.store.histories([]) == bench.store.histories(["nobody"])


@pytest.mark.parametrize("text", ["", "nobody", "\0", "\ud800"])
def test_what_no_job_can_have_matches_none(bench, text):
    """It is looked for as anything else is, whatever the database can hold."""
    job, need = bench.add(), bench.add()
    for field in ("task", "queue", "key", "limit_key", "schedule", "worker", "run", "step"):
        assert [] == bench.store.find(Filter(**{field: text}))

    assert [] == bench.store.find(before=text)
    assert [] == bench.store.find(Filter(needed_by=[text, job.id]))
    assert [need, job] == bench.store.find()


def test_an_id_that_cannot_be_is_left_out_of_those_that_are_asked_for(bench):
    """The others are found."""
    ids = bench.add_run({"one": [], "two": ["one"]})

    [found] = bench.store.find(Filter(needed_by=["nobody", ids["two"]]))
    assert ids["one"] == found.id


def test_jobs_that_have_not_ended_are_told_from_the_others(bench):
    """Those that are gone have ended, too, and so have texts that are no ids."""
    queued, delayed = bench.add(priority=-1), bench.add(delay=60.0)
    ended, running = bench.ended(), bench.running()
    asked = [one.id for one in (queued, delayed, ended, running)]

    assert {queued.id, delayed.id, running.id} == bench.store.unended(asked)
    assert set() == bench.store.unended([ended.id, "nobody", job_id(999_999)])
    assert set() == bench.store.unended([])
