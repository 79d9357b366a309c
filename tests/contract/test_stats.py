"""Statistics: each attempt and each new job is counted once, in the transaction that makes it so."""

import json
import random
from collections import Counter

import psycopg
import pytest

from contract.workbench import OUTCOMES
from rotulus._jobs.outcome import outcome_word
from rotulus._jobs.record import micros
from rotulus.store import ENQUEUED, StatFilter
from rotulus.store.stats import BOUNDS
from rotulus.stores.shared import stats as shared_stats

MINUTE, QUARTER, HOUR, DAY = 60, 900, 3600, 86_400
SECOND = 1_000_000


def read(bench, step=MINUTE, **fields):
    """All that has been counted, by the minute unless it says otherwise."""
    whole = StatFilter(since=0, until=2**62, step=step * SECOND, **fields)
    return bench.store.stats.read(whole)


def numbers(bench, **fields):
    """How many there are of each outcome."""
    found = Counter()
    for stat in read(bench, **fields):
        found[stat.outcome] += stat.count
    return dict(found)


def test_new_jobs_are_counted(bench):
    """Plain ones, keyed ones, and those that wait for others."""
    bench.add_many(3)
    bench.add(key="one")
    bench.add(key="one")
    head = bench.running()
    bench.open(head, {"a": [], "b": ["a"]})

    assert 7 == numbers(bench)[ENQUEUED]


@pytest.mark.parametrize("how", OUTCOMES)
def test_an_attempt_is_counted_by_its_outcome(bench, how):
    """In one word; one that has not begun is not counted."""
    job = bench.running()
    outcome = OUTCOMES[how](job)
    bench.store.settle([outcome])
    word = outcome_word(outcome)

    expected = {} if outcome.reason == "unstarted" else {word: 1}
    assert {ENQUEUED: 1} | expected == numbers(bench)


def test_an_attempt_that_opens_its_job_is_counted(bench):
    """It ran, and the job goes on in its parts."""
    bench.open(bench.running(), {"a": []})

    assert {ENQUEUED: 2, "opened": 1} == numbers(bench)


def test_a_refused_outcome_is_not_counted(bench):
    """The fence holds here, too."""
    job = bench.running()
    assert [] == bench.store.settle([OUTCOMES["succeeded"](job)])
    bench.store.settle([OUTCOMES["succeeded"](job)])
    bench.store.settle([OUTCOMES["failed"](job)])

    assert {ENQUEUED: 1, "succeeded": 1} == numbers(bench)


def test_a_lost_attempt_is_counted(bench):
    """Whatever becomes of its job: again, given up, cancelled."""
    job = bench.running()
    for _ in range(3):
        bench.clock.advance(60)
        bench.store.rescue(10)
        bench.clock.advance(60)
        bench.claim()
    other = bench.running()
    bench.store.cancel([other.id])
    bench.clock.advance(60)
    bench.store.rescue(10)

    assert {ENQUEUED: 2, "lost": 2, "dead": 1, "cancelled": 1} == numbers(bench)
    assert "dead" == bench.store.get(job.id).state


def test_a_running_job_that_is_cancelled_ends_as_cancelled(bench):
    """An attempt that would go back does not."""
    job = bench.running()
    bench.store.cancel([job.id])
    bench.store.settle([OUTCOMES["retried"](job)])

    assert {ENQUEUED: 1, "cancelled": 1} == numbers(bench)


def test_waits_and_runs_are_measured(bench):
    """From when it was due until its claim, and from then until its end, in microseconds."""
    for wait, run in [(0.5, 20), (2, 4)]:
        bench.add(delay=5)
        bench.clock.advance(5 + wait)
        [job] = bench.claim()
        bench.clock.advance(run)
        bench.store.settle([OUTCOMES["succeeded"](job)])
    [stat] = [stat for stat in read(bench, HOUR) if stat.outcome == "succeeded"]

    assert (2, 2_500_000, 2_000_000) == (stat.count, stat.wait_sum, stat.wait_max)
    assert (24_000_000, 20_000_000) == (stat.run_sum, stat.run_max)
    assert {1.0: 1, 2.5: 1} == {BOUNDS[n]: count for n, count in enumerate(stat.waits) if count}
    assert {5.0: 1, 30.0: 1} == {BOUNDS[n]: count for n, count in enumerate(stat.runs) if count}


def test_a_time_beyond_all_bounds_has_the_last_bucket(bench):
    """It has no end."""
    job = bench.running()
    bench.clock.advance(2 * HOUR)
    bench.store.settle([OUTCOMES["succeeded"](job)])
    [stat] = [stat for stat in read(bench) if stat.outcome == "succeeded"]

    assert [*[0] * len(BOUNDS), 1] == list(stat.runs)
    assert [1, *[0] * len(BOUNDS)] == list(stat.waits)


def test_they_are_told_apart_by_task_and_queue(bench):
    """And chosen by them."""
    for task, queue in [("a", "x"), ("a", "y"), ("b", "y")]:
        bench.add(task, queue=queue)

    told = {by: [(s.name, s.count) for s in read(bench, by=by)] for by in ("task", "queue")}
    assert {"task": [("a", 2), ("b", 1)], "queue": [("x", 1), ("y", 2)]} == told
    assert {ENQUEUED: 2} == numbers(bench, task="a") == numbers(bench, queue="y")
    assert {ENQUEUED: 1} == numbers(bench, task="a", queue="y")


def test_steps_begin_at_whole_multiples(bench):
    """Those without anything are left out."""
    bench.add()
    bench.clock.advance(3 * MINUTE)
    bench.add_many(2)
    begun = [(stat.at % (MINUTE * SECOND), stat.count) for stat in read(bench)]

    assert [(0, 1), (0, 2)] == begun
    assert [0] == [stat.at % (HOUR * SECOND) for stat in read(bench, HOUR)]
    first, second = [stat.at for stat in read(bench)]
    later = StatFilter(since=second, until=second + 1, step=MINUTE * SECOND)
    before = StatFilter(since=0, until=second, step=MINUTE * SECOND)
    assert [second] == [stat.at for stat in bench.store.stats.read(later)]
    assert [first] == [stat.at for stat in bench.store.stats.read(before)]


def test_folding_changes_nothing_that_is_counted(bench):
    """Minutes are dropped when their hour is over, and hours in the end."""
    for _ in range(4):
        bench.ended()
        bench.clock.advance(25 * MINUTE)
    hours, whole = read(bench, HOUR), numbers(bench)
    bench.store.stats.fold(2 * DAY, 90 * DAY)
    assert hours == read(bench, HOUR)
    bench.clock.advance(HOUR)
    bench.store.stats.fold(0, 90 * DAY)
    bench.store.stats.fold(0, 90 * DAY)
    bench.ended()

    assert {word: count + 1 for word, count in whole.items()} == numbers(bench)
    assert {stat.at % (HOUR * SECOND) for stat in read(bench)[:-2]} == {0}
    bench.clock.advance(91 * DAY)
    bench.store.stats.fold(0, 90 * DAY)
    assert {} == numbers(bench)


@pytest.mark.parametrize("seed", range(5))
def test_each_span_and_step_tells_the_same_as_minutes(bench, seed):
    """At whatever level it is read, and whether counts are in their place or not."""
    chance = random.Random(seed)
    start = micros(bench.clock.now())
    for _ in range(30):
        bench.ended()
        bench.clock.advance(chance.choice([1, 50, 14 * MINUTE, 100 * MINUTE]))
        if chance.random() < 0.5:
            bench.store.stats.fold(2 * DAY, 90 * DAY)
    end = micros(bench.clock.now())
    minutes = read(bench)
    for _ in range(40):
        step = chance.choice([MINUTE, 5 * MINUTE, QUARTER, HOUR, 6 * HOUR, DAY]) * SECOND
        since = chance.randrange(start - HOUR * SECOND, end) // step * step
        until = chance.randrange(since, end + HOUR * SECOND)
        wanted = StatFilter(since, until, step, times=chance.random() < 0.5)
        expected = Counter()
        for stat in minutes:
            if since <= stat.at < until:
                expected[stat.at // step * step, stat.outcome] += stat.count

        found = bench.store.stats.read(wanted)
        assert expected == {(stat.at, stat.outcome): stat.count for stat in found}
        timed = sum(stat.count for stat in found if stat.outcome != ENQUEUED)
        assert timed * wanted.times == sum(sum(stat.runs) for stat in found)


def totals(bench, since=0, until=2**62):
    """All that was counted, of each task, queue and outcome."""
    found = bench.store.stats.totals(since, until)
    return {(task, queue, stat.outcome): stat.count for task, queue, stat in found}


def test_totals_are_told_apart_by_task_queue_and_outcome(bench):
    """Of some time, or of all times."""
    bench.ended(task="a", queue="q")
    bench.ended("failed", task="a", queue="r")
    bench.clock.advance(HOUR)
    moment = bench.store.stats.moment()
    bench.ended(task="b", queue="q")
    old = {
        ("a", "q", ENQUEUED): 1,
        ("a", "q", "succeeded"): 1,
        ("a", "r", ENQUEUED): 1,
        ("a", "r", "failed"): 1,
    }
    new = {("b", "q", ENQUEUED): 1, ("b", "q", "succeeded"): 1}

    assert old | new == totals(bench)
    assert old == totals(bench, until=moment - MINUTE * SECOND)
    assert new == totals(bench, since=moment - MINUTE * SECOND)


def test_totals_never_become_less(bench):
    """Hours that are dropped are part of their week, whatever is folded when."""
    for _ in range(3):
        bench.ended()
        bench.clock.advance(5 * DAY)
        before = totals(bench)
        bench.store.stats.fold(DAY, 7 * DAY)
        bench.store.stats.fold(0, 0)
        assert before == totals(bench)
    assert {("t", "default", ENQUEUED): 3, ("t", "default", "succeeded"): 3} == totals(bench)
    assert {} == numbers(bench)
    [_, ended] = bench.store.stats.totals(0, 2**62)
    assert 3 == sum(ended.stat.waits) == sum(ended.stat.runs)


def test_they_outlive_the_jobs(bench):
    """Whatever is pruned."""
    bench.ended()
    bench.clock.advance(DAY)
    now = bench.clock.now()
    assert 1 == bench.store.prune(now, ["succeeded"], 10)

    assert {ENQUEUED: 1, "succeeded": 1} == numbers(bench)


@pytest.mark.parametrize("seed", range(5))
def test_the_sums_equal_the_ledger(bench, seed):
    """Whatever happens to jobs, each attempt that has begun and ended is counted once."""
    chance = random.Random(seed)
    for _ in range(40):
        bench.add_many(chance.randrange(4), priority=chance.randrange(3))
        held = bench.claim(chance.randrange(5), lease=chance.choice([5, 50]))
        kinds = [chance.choice(sorted(OUTCOMES)) for _ in held]
        bench.store.cancel([job.id for job in held if chance.random() < 0.2])
        settled = [OUTCOMES[kind](job) for kind, job in zip(kinds, held, strict=True)]
        bench.clock.advance(chance.choice([0, 1, 10]))
        if chance.random() < 0.3:
            bench.store.rescue(10)
        bench.store.settle([one for one in settled if chance.random() < 0.8])
        if chance.random() < 0.2:
            bench.store.stats.fold(chance.choice([0, HOUR]), 90 * DAY)
    bench.clock.advance(100)
    bench.store.rescue(1000)
    ended = 0
    for job in bench.store.find(limit=1000):
        whole = bench.store.get(job.id)
        earlier = json.loads(whole.history or "[]")
        ended += sum(reason != "unstarted" for _, reason, *_ in earlier)
        ended += whole.ended_at is not None and whole.attempt > len(earlier)
    counted = numbers(bench)

    assert len(bench.store.find(limit=1000)) == counted.pop(ENQUEUED)
    assert ended == sum(counted.values())


NO_MORE_THAN_TEN = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT count(*) FROM gone) > 10 THEN
    RAISE 'too many at once';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER refuse AFTER DELETE ON {table} REFERENCING OLD TABLE AS gone
FOR EACH STATEMENT EXECUTE FUNCTION refuse()
"""


@pytest.mark.parametrize("many", [30, 45])
def test_a_backlog_is_folded_in_portions(shared, request, monkeypatch, many):
    """All of it by one call, however much it is; no statement moves more than a portion."""
    monkeypatch.setattr(shared_stats, "_PORTION", 10)
    if "postgres" in request.node.callspec.id:
        url = request.getfixturevalue("migrated")("postgres")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(NO_MORE_THAN_TEN.format(table="rotulus_stats_new"))
            request.addfinalizer(lambda: drop_refusal(url, "rotulus_stats_new"))
    for _ in range(many):
        shared.add()
    before = read(shared)
    shared.store.stats.fold(2 * DAY, 90 * DAY)

    assert before == read(shared)
    assert {ENQUEUED: many} == numbers(shared)
    shared.store.stats.fold(2 * DAY, 90 * DAY)
    assert {ENQUEUED: many} == numbers(shared)


def drop_refusal(url, table):
    """The tables are used by other tests, too."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP TRIGGER refuse ON {table}; DROP FUNCTION refuse()")
