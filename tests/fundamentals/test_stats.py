"""`app.stats`: metrics over time and in total, from what was counted."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotulus import Retry, Snooze, task
from rotulus._app.resources.measures import METRICS, OUTCOMES, times
from rotulus.errors import OptionError
from rotulus.store.stats import BOUNDS
from rotulus.testing import drain

SECOND = 1_000_000


@pytest.fixture
def tasks(still_app, clock):
    """Tasks that take a time, fail, and come back."""

    @task(registry=still_app.registry)
    def takes(seconds: float):
        clock.advance(seconds)

    @task(
        registry=still_app.registry, queue="mail", retry=Retry(attempts=2, delay=60, jitter=False)
    )
    def fails():
        raise ValueError("no")

    @task(registry=still_app.registry)
    def snoozes():
        raise Snooze(1000)

    return {"takes": takes, "fails": fails, "snoozes": snoozes}


def work(app, clock, tasks):
    """Three jobs that take a time, one that fails twice, one that comes back."""
    for seconds in (1, 2, 6):
        tasks["takes"].enqueue(seconds)
        drain(app)
    tasks["fails"].enqueue()
    tasks["snoozes"].enqueue()
    drain(app)
    clock.advance(100)
    drain(app)


def test_a_histogram_has_each_attempt_in_its_bucket(still_app, clock, tasks):
    """Of all tasks or of one, of runs or of waits."""
    work(still_app, clock, tasks)
    ran = still_app.stats.histogram()
    one = still_app.stats.histogram(task="takes")

    assert [*BOUNDS, None] == [bucket.below for bucket in ran]
    assert {0.005: 3, 2.5: 2, 10.0: 1} == {b.below: b.count for b in ran if b.count}
    assert {2.5: 2, 10.0: 1} == {b.below: b.count for b in one if b.count}
    assert 6 == sum(bucket.count for bucket in still_app.stats.histogram("waited"))
    assert not sum(bucket.count for bucket in still_app.stats.histogram(queue="nobody"))
    with pytest.raises(OptionError, match="choose 'ran' or 'waited'"):
        still_app.stats.histogram("slept")


def test_totals_are_those_of_a_span(still_app, clock, tasks):
    """Of all that was enqueued and that ended."""
    work(still_app, clock, tasks)
    [whole] = still_app.stats.totals()

    assert 5 == whole.enqueued
    assert {"succeeded": 3, "failed": 1, "retried": 1, "snoozed": 1} == whole.outcomes
    assert 6 == whole.attempts
    assert 6 == whole.ran.max
    assert 1.5 == whole.ran.mean
    assert [] == still_app.stats.totals(by="task", until=clock.now() - timedelta(hours=1))
    assert whole.to_dict()["outcomes"] == whole.outcomes


def test_totals_are_told_apart_by_task_or_queue(still_app, clock, tasks):
    """In the order of their names."""
    work(still_app, clock, tasks)
    by_task = still_app.stats.totals(by="task")

    assert ["fails", "snoozes", "takes"] == [measured.name for measured in by_task]
    assert [2, 1, 3] == [measured.attempts for measured in by_task]
    assert [("default", 4), ("mail", 1)] == [
        (measured.name, measured.enqueued) for measured in still_app.stats.totals(by="queue")
    ]
    [mail] = still_app.stats.totals(queue="mail")
    assert {"failed": 1, "retried": 1} == mail.outcomes
    assert 0 == still_app.stats.totals(task="nobody")[0].enqueued


def test_a_series_has_a_point_for_each_step(still_app, clock, tasks):
    """Also where nothing happened: no jobs are none, and no time is None."""
    tasks["takes"].enqueue(2)
    drain(still_app)
    clock.advance(3 * 60)
    tasks["takes"].enqueue(4)
    drain(still_app)
    counts = still_app.stats.series("succeeded", since=300)
    means = still_app.stats.series("ran_mean", since=300)

    assert 6 == len(counts) == len(means)
    assert [1, 0, 0, 1] == [point.value for point in counts][-4:]
    assert [2, None, None, 4] == [point.value for point in means][-4:]
    assert {0} == {point.at.second for point in counts}
    assert [timedelta(minutes=1)] * 5 == [b.at - a.at for a, b in pairwise(counts)]


@pytest.mark.parametrize("metric", METRICS)
def test_every_metric_can_be_had_where_nothing_happened(still_app, metric):
    """A number is 0, and a time is None."""
    values = {point.value for point in still_app.stats.series(metric)}

    assert {None if "_" in metric else 0} == values


def test_the_length_of_a_step_is_chosen_for_the_span(still_app, clock):
    """About a hundred points, or what is asked for."""
    lengths = {
        since: len(still_app.stats.series(since=since)) for since in (60, 3600, 86_400, 30 * 86_400)
    }

    assert {60: 2, 3600: 61, 86_400: 97, 30 * 86_400: 121} == lengths
    assert 25 == len(still_app.stats.series(since=86_400, step=timedelta(hours=1)))
    assert 61 == len(still_app.stats.series(since=clock.now() - timedelta(hours=1)))


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"metric": "suceeded"}, "There is no metric 'suceeded'; did you mean 'succeeded'?"),
        ({"step": 90}, "step=90 is not allowed: give seconds that are whole minutes"),
        ({"step": 0}, "step=0 is not allowed"),
        ({"since": 86_400 * 365, "step": 60}, "step=60 makes more than 10,000 steps"),
        ({"since": -1}, "since=-1 is not allowed"),
        ({"since": datetime(2026, 1, 1)}, "since=.* is not allowed: .* time zone"),
        ({"since": datetime(2126, 1, 1, tzinfo=UTC)}, "still to come"),
    ],
)
def test_a_wrong_request_is_refused(still_app, options, problem):
    """With what to do about it."""
    with pytest.raises(OptionError, match=problem):
        still_app.stats.series(**options)


def test_a_wrong_grouping_is_refused(still_app):
    """It names those that there are."""
    with pytest.raises(OptionError, match="by='step' is not allowed: choose 'task' or 'queue'"):
        still_app.stats.totals(by="step")


def test_the_duty_folds_and_what_is_counted_stays(still_app, clock, tasks):
    """By the minute for two days, then by the hour, and then for as long as is said."""
    tasks["takes"].enqueue(1)
    drain(still_app)
    [fold] = [
        duty
        for duty in still_app._own.worker_runs.duties(still_app.store)
        if duty.name == "fold_stats"
    ]
    for _ in range(4):
        assert 7 < fold.tick(clock.now()) < 13
        clock.advance(86_400)
    [whole] = still_app.stats.totals(since=timedelta(days=30))
    points = still_app.stats.series(since=timedelta(days=6), step=60)

    assert 1 == whole.attempts
    assert [0] == [point.at.minute for point in points if point.value]


@given(st.lists(st.floats(0.0001, 8000), min_size=1, max_size=60))
def test_a_quantile_lies_in_the_bucket_of_the_true_one(seconds):
    """And no further than the longest time."""
    buckets = [0] * (len(BOUNDS) + 1)
    for value in seconds:
        buckets[sum(value >= bound for bound in BOUNDS)] += 1
    ordered = sorted(seconds)
    found = times(round(sum(seconds) * SECOND), round(ordered[-1] * SECOND), buckets)

    for share, estimate in [(0.5, found.p50), (0.95, found.p95), (0.99, found.p99)]:
        true = ordered[max(0, -(-int(share * 100) * len(ordered) // 100) - 1)]
        edges = [0, *BOUNDS, ordered[-1] + 1e-6]
        place = sum(true >= bound for bound in BOUNDS)
        assert edges[place] <= estimate <= edges[place + 1] + 1e-6 or len(edges) - 2 == place
        assert estimate <= ordered[-1] + 1e-6


def test_every_outcome_has_a_metric():
    """A new word needs one."""
    assert {*OUTCOMES} <= {*METRICS}
