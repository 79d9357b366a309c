"""limit_terms: what is set for a key stands in place of what its jobs say, from the next claim on."""

import threading

import pytest

from contract.test_changes import told
from contract.test_wait import waiting
from contract.workbench import OUTCOMES
from rotulus._jobs.record import micros
from rotulus.store import ClaimFilter, Filter
from rotulus.stores.sqlite import claiming

HOUR = 3600.0


@pytest.fixture(params=["few keys", "many keys"])
def keys(request, monkeypatch):
    """Whether a file notes where the first jobs of its keys stand, as it does when they are many."""
    if request.param == "many keys":
        monkeypatch.setattr(claiming, "_FEW_KEYS", 0)
        monkeypatch.setattr(claiming, "_LASTS", 0.0)


def started(bench, **how):
    """How many jobs a claim gets; they end at once."""
    jobs = bench.claim(**how)
    bench.store.settle([OUTCOMES["succeeded"](job) for job in jobs])
    return len(jobs)


def test_terms_that_are_set_are_told(bench):
    """With the moment, and who has set them; those of other keys are their own."""
    terms = bench.store.limit_terms
    first = terms.set("k", 5, by="ada")
    terms.set("a", None, 100, 60.0)

    assert ("k", 5, None, None, micros(bench.clock.now()), "ada") == first
    assert first == terms.get("k")
    assert ["a", "k"] == [one.key for one in terms.list()]
    assert (None, 100, 60_000_000, None) == (*terms.get("a")[1:4], terms.get("a").set_by)
    assert ["a"] == [one.key for one in terms.list(1)]


def test_terms_replace_those_that_were_set_before(bench):
    """Also those that are not given: they are as the jobs say again."""
    terms = bench.store.limit_terms
    terms.set("k", 5, 3, 1.0, by="ada")
    terms.set("k", 4, by="ben")

    assert ("k", 4, None, None) == terms.get("k")[:4]
    assert "ben" == terms.get("k").set_by
    assert 1 == len(terms.list())


def test_a_key_without_terms_has_none(bench):
    """Nor has one that no store can hold."""
    assert bench.store.limit_terms.get("k") is None
    assert bench.store.limit_terms.get("\0") is None
    assert [] == bench.store.limit_terms.list()
    assert bench.store.limit_terms.unset("k") is False
    assert bench.store.limit_terms.unset("\ud800") is False


def test_more_of_the_jobs_that_wait_are_claimed(keys, bench):
    """At once, though the key was full."""
    bench.add_many(9, limit_key="k", limit_to=2)
    assert 2 == len(bench.claim())
    assert [] == bench.claim()
    bench.store.limit_terms.set("k", 5)

    assert 3 == len(bench.claim())
    assert [] == bench.claim()


def test_fewer_run_once_those_that_run_have_ended(keys, bench):
    """Nothing that runs is stopped."""
    jobs = bench.add_many(9, limit_key="k", limit_to=4)[:4]
    claimed = bench.claim()
    bench.store.limit_terms.set("k", 2)
    assert ["running"] * 4 == [bench.state(job) for job in jobs]

    for left in (0, 0, 1, 1):
        bench.store.settle([OUTCOMES["succeeded"](claimed.pop())])
        assert left == len(bench.claim())


def test_none_starts_of_a_key_whose_limit_is_0(keys, bench):
    """By no way, and other keys go on; nobody is told of work that nobody can take."""
    jobs = bench.add_many(3, limit_key="k", limit_to=2)
    bench.add_many(3, limit_key="other", limit_to=1)
    bench.store.limit_terms.set("k", 0)

    assert ["other"] == [job.limit_key for job in bench.claim()]
    assert [] == bench.store.claim(ClaimFilter("w", ids=[jobs[0].id]), 1, 30.0)
    assert bench.wait(0.05) is False


def test_a_job_that_was_lost_twice_keeps_to_them(bench):
    """Though it is claimed in another way."""
    bench.add(limit_key="k", limit_to=1)
    for _ in range(2):
        bench.claim(worker="victim")
        bench.store.rescue(worker="victim")
        bench.clock.advance(60)
    bench.store.limit_terms.set("k", 0)
    assert [] == bench.claim()

    bench.store.limit_terms.unset("k")
    assert 1 == len(bench.claim())


def test_the_terms_of_the_jobs_hold_again(keys, bench):
    """When others are unset, which is told."""
    bench.add_many(9, limit_key="k", limit_to=2)
    bench.store.limit_terms.set("k", 0)
    assert [] == bench.claim()

    assert bench.store.limit_terms.unset("k") is True
    assert 2 == len(bench.claim())
    assert [] == bench.claim()


def test_jobs_that_are_added_later_go_by_them(keys, bench):
    """No job has to be there when they are set."""
    bench.store.limit_terms.set("k", 1)
    bench.add_many(3, limit_key="k", limit_to=9)

    assert 1 == len(bench.claim())
    assert [] == bench.claim()


def test_jobs_keep_what_they_say(bench):
    """A record tells the terms of its job, whatever is set; so does the list of limits."""
    job = bench.add(limit_key="k", limit_to=2)
    bench.store.limit_terms.set("k", 7)

    assert 2 == bench.store.get(job.id).limit_to
    assert [2] == [one.limit_to for one in bench.store.limits()]
    assert [2] == [one.limit_to for one in bench.store.limits(key="k")]


def test_a_key_is_looked_at_alone(bench):
    """However many jobs of others are in front; one that no job has is not known."""
    bench.add_many(3, limit_key="a", limit_to=1)
    bench.add_many(2, limit_key="k", limit_to=1)
    bench.claim()
    [limit] = bench.store.limits(2, "k")

    assert (1, 1) == (len(limit.holders), limit.waiting)
    assert [] == bench.store.limits(key="nobody's") == bench.store.limits(key="\0")


def test_a_rate_is_set_for_jobs_that_have_none(keys, bench):
    """From then on starts count."""
    bench.add_many(9, limit_key="k", limit_to=9)
    assert 2 == started(bench, limit=2)
    bench.store.limit_terms.set("k", None, 3, HOUR)

    assert 3 == started(bench)
    assert 0 == started(bench)
    bench.clock.advance(HOUR)
    assert 3 == started(bench)


def test_a_rate_is_raised(keys, bench):
    """Those that have started count; who waits is told when the next one may."""
    jobs = bench.add_many(9, limit_key="k", rate_to=2, rate_per=HOUR)
    assert 2 == started(bench)
    assert bench.store.get(jobs[8].id).opens_at is not None
    bench.store.limit_terms.set("k", None, 5, HOUR)

    assert bench.store.get(jobs[8].id).opens_at is None
    assert 3 == started(bench)
    assert 0 == started(bench)
    assert micros(bench.clock.now()) + 3_600_000_000 == bench.store.get(jobs[8].id).opens_at


def test_a_start_counts_for_no_longer_than_a_shorter_window(keys, bench):
    """An hour is not waited for where one a minute is allowed."""
    bench.add_many(9, limit_key="k", rate_to=2, rate_per=HOUR)
    started(bench)
    bench.store.limit_terms.set("k", None, 2, 60.0)
    assert 0 == started(bench)

    bench.clock.advance(60)
    assert 2 == started(bench)


def test_nor_when_the_shorter_window_is_that_of_the_jobs_again(keys, bench):
    """The same holds for terms that are unset."""
    bench.add_many(9, limit_key="k", rate_to=2, rate_per=60.0)
    bench.store.limit_terms.set("k", None, 2, HOUR)
    assert 2 == started(bench)
    bench.store.limit_terms.unset("k")
    assert 0 == started(bench)

    bench.clock.advance(60)
    assert 2 == started(bench)


def test_starts_are_forgotten_where_no_job_tells_the_window(keys, bench):
    """When the terms of a key without live jobs are unset, the next job is not held up by them."""
    bench.store.limit_terms.set("k", 1, 1, 24 * HOUR)
    bench.add(limit_key="k", rate_to=1, rate_per=1.0)
    assert 1 == started(bench)
    bench.store.limit_terms.unset("k")
    bench.add_many(2, limit_key="k", rate_to=1, rate_per=1.0)

    assert 1 == started(bench)
    assert 0 == started(bench)
    bench.clock.advance(1)
    assert 1 == started(bench)


def test_nor_where_the_limit_alone_stays_set(bench):
    """The same holds for a rate that is set no more beside a limit."""
    bench.store.limit_terms.set("k", 5, 1, 24 * HOUR)
    bench.add(limit_key="k", rate_to=1, rate_per=1.0)
    assert 1 == started(bench)
    bench.store.limit_terms.set("k", 5)
    bench.add(limit_key="k", rate_to=1, rate_per=1.0)

    assert 1 == started(bench)


def test_a_delayed_job_tells_the_window(keys, bench):
    """Where none is due or runs: a start counts for that window, and no longer."""
    bench.store.limit_terms.set("k", None, 1, 24 * HOUR)
    bench.add(limit_key="k", limit_to=9)
    bench.add(limit_key="k", limit_to=9, delay=5.0)
    bench.add(limit_key="k", rate_to=1, rate_per=60.0, delay=30.0)
    assert 1 == started(bench)
    bench.store.limit_terms.unset("k")

    bench.clock.advance(30)
    assert 1 == started(bench)
    bench.clock.advance(29)
    assert 0 == started(bench)
    bench.clock.advance(1)
    assert 1 == started(bench)


def test_a_blocked_job_tells_the_window(bench):
    """Likewise, once what it needs has ended."""
    bench.store.limit_terms.set("k", None, 1, 24 * HOUR)
    bench.add(limit_key="k", limit_to=9)
    [first] = bench.claim()
    bench.add_run({"a": []}, limit_key="k", rate_to=1, rate_per=60.0)
    bench.store.settle([OUTCOMES["succeeded"](first)])
    bench.store.limit_terms.unset("k")

    assert 1 == started(bench)
    assert 0 == started(bench)
    bench.clock.advance(60)
    assert 1 == started(bench)


def test_a_job_that_was_lost_twice_tells_the_window(bench):
    """Likewise."""
    bench.add(limit_key="k", rate_to=3, rate_per=60.0)
    bench.store.limit_terms.set("k", None, 3, 24 * HOUR)
    for _ in range(2):
        bench.claim(worker="victim")
        bench.store.rescue(worker="victim")
        bench.clock.advance(60)
    bench.store.limit_terms.set("k", None, 2, 24 * HOUR)
    bench.store.limit_terms.unset("k")
    bench.add_many(2, limit_key="k", rate_to=3, rate_per=60.0)

    assert 1 == started(bench, limit=1)
    assert 0 == started(bench)
    bench.clock.advance(60)
    assert 2 == started(bench)


def test_starts_count_together_that_were_made_apart(bench):
    """None is forgotten where their windows are made to end at one moment."""
    bench.add_many(9, limit_key="k", rate_to=4, rate_per=HOUR)
    for _ in range(3):
        started(bench, limit=1)
        bench.clock.advance(1)
    bench.store.limit_terms.set("k", None, 4, 10.0)

    assert 1 == started(bench)
    assert 0 == started(bench)


def test_who_waits_is_woken(keys, bench):
    """By more room, and by the terms of the jobs that have room."""
    bench.add_many(3, limit_key="k", limit_to=1)
    bench.claim()
    thread, answers = waiting(bench)
    bench.store.limit_terms.set("k", 2)
    thread.join(20)
    assert [True] == answers


def test_a_change_of_terms_is_one_for_those_who_listen(bench):
    """Set, set again, unset."""
    start = bench.store.changes.listen()
    bench.store.limit_terms.set("k", 1)
    bench.store.limit_terms.set("k", 2)
    bench.store.limit_terms.unset("k")

    what = [("limit", "k", "set"), ("limit", "k", "set"), ("limit", "k", "unset")]
    assert what == told(bench, start)


CLIENTS = 3


def test_no_claim_goes_by_terms_that_were_replaced(keys, shared):
    """However many claim and settle meanwhile: what runs falls to the limit, and stays there."""
    shared.add_many(40, limit_key="k", limit_to=3)
    terms, ended, errors = shared.store.limit_terms, threading.Event(), []

    def running():
        return sum(len(one.holders) for one in shared.store.limits(key="k"))

    def attempts():
        return sum(job.attempt for job in shared.store.find(Filter(limit_key="k")))

    def work(number, store):
        try:
            while not ended.is_set():
                for job in store.claim(ClaimFilter(f"w{number}"), 3, 300.0):
                    store.settle([OUTCOMES["released"](job)])
        except BaseException as error:
            errors.append(error)

    stores = [shared.open_another() for _ in range(CLIENTS)]
    threads = [threading.Thread(target=work, args=item) for item in enumerate(stores)]
    [thread.start() for thread in threads]
    seen = []
    try:
        for limit in (2, 5, 1, 0, 4, 1, 0, 3):
            terms.set("k", limit)
            while running() > limit:
                assert not errors
            before = attempts()
            while limit and attempts() < before + 5:
                assert not errors
                seen.append((limit, running()))
            seen += [(limit, running()) for _ in range(5)]
            assert limit or attempts() == before
    finally:
        ended.set()
        [thread.join(60) for thread in threads]

    assert [] == errors
    assert [] == [(limit, some) for limit, some in seen if some > limit]
