"""Schedules of equal intervals: which instants they mean, and how they are written."""

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotulus import Schedule, TaskRegistry, scheduled
from rotulus._time.schedule import read_stamp, stamp
from rotulus.errors import OptionError

NOON = datetime(2026, 5, 5, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("90", 90), ("1h30m", 5400), ("2d", 172_800), ("1d1h1m1s", 90_061), ("5m", 300)],
)
def test_an_interval_is_written_in_its_units(text, seconds):
    """Days, hours, minutes and seconds, in that order."""
    first, second = Schedule(f"@every {text}").next(NOON, 2)

    assert timedelta(seconds=seconds) == second - first


@pytest.mark.parametrize("text", ["", "0", "0s", "-5", "90x", "1m1h", "1.5", "4000000000s"])
def test_what_is_no_length_is_refused(text):
    """Nor is one shorter than a second, or longer than a century."""
    with pytest.raises(OptionError, match="@every"):
        Schedule(f"@every {text}")


@given(
    st.integers(1, 10_000_000),
    st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)),
)
def test_instants_are_the_multiples_since_1970(seconds, after):
    """Whoever counts, and from whenever: later ones follow each other without a gap."""
    found = list(Schedule(f"@every {seconds}s").next(after, 5))

    assert all(at.timestamp() % seconds == 0 for at in found)
    assert after < found[0] <= after + timedelta(seconds=seconds)
    assert {timedelta(seconds=seconds)} == {b - a for a, b in pairwise(found)}
    assert found == [read_stamp(stamp(at)) for at in found]


@given(
    st.integers(1, 100_000),
    st.sampled_from(["latest", "skip", "all(3)", "all(1000)"]),
    st.integers(0, 2_000_000),
)
def test_what_was_missed_is_what_the_policy_says(seconds, missed, away):
    """The last instants, as a walk over all of them would give them."""
    schedule = Schedule(f"@every {seconds}s", missed=missed)
    now = NOON + timedelta(seconds=away)
    first = max(NOON, now - timedelta(days=7)).timestamp() // seconds + 1
    last = now.timestamp() // seconds
    most = {"latest": 1, "skip": 1, "all(3)": 3, "all(1000)": 1000}[missed]
    numbers = range(int(max(first, last - most + 1)), int(last) + 1)
    if missed == "skip":
        numbers = [number for number in numbers if now.timestamp() - number * seconds <= 60]

    assert [number * seconds for number in numbers] == [
        at.timestamp() for at in schedule.due(NOON, now)
    ]


def test_a_decorator_takes_seconds_or_a_timedelta():
    """And says what it means in English."""
    body = scheduled(every=timedelta(minutes=90), registry=TaskRegistry())(print)

    assert "@every 5400s" == body.schedule.cron
    assert "Every 90 minutes" == body.schedule.explain()
    assert ["Every second", "Every 2 days", "Every 61 seconds"] == [
        Schedule(f"@every {text}").explain() for text in ("1s", "2d", "61s")
    ]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "give a cron expression, .*or an interval in seconds, such as every=90"),
        ({"cron": 90}, "give a cron expression, .*or an interval"),
        ({"cron": "* * * * *", "every": 90}, "give one of the two"),
        ({"every": 0.5}, "every=0.5 is not allowed: give whole seconds"),
        ({"every": "90"}, "every='90' is not allowed: give seconds"),
        ({"every": 90, "timezone": "Europe/London"}, "an interval has no time zone"),
        ({"every": 90, "key": "one"}, "the key of a firing is its task and its instant"),
        ({"cron": "* * * * *", "window": 5}, "window=5.* is not allowed: the key of a firing"),
    ],
)
def test_what_a_schedule_cannot_be_is_refused(options, words):
    """Where it is declared."""
    with pytest.raises(OptionError, match=words):
        scheduled(registry=TaskRegistry(), **options)


def test_a_lambda_is_named_after_its_interval():
    """It has no name of its own; one with a cron expression needs to be given one."""
    registry = TaskRegistry()
    scheduled(every=90, registry=registry)(lambda: None)
    with pytest.raises(OptionError, match="Task name '<lambda>' is not allowed"):
        scheduled("* * * * *", registry=registry)(lambda: None)

    assert ["every-90s"] == registry.list_all()


def test_instants_without_are_seconds_keep_their_short_keys():
    """As cron has written them always."""
    assert "2026-05-05T12:00Z" == stamp(NOON)
    assert "2026-05-05T12:00:30Z" == stamp(NOON + timedelta(seconds=30))


def test_instants_come_one_by_one():
    """There is no end to them."""
    schedule = Schedule("@every 1s")

    assert 3 == len(list(islice(schedule.next(NOON, 3), 5)))
