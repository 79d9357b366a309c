"""Lengths of time and moments: what is longer than any calendar is refused where it is given."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotulus import App, Retry, Snooze, TaskRegistry, task
from rotulus._jobs.record import moment
from rotulus._time.lengths import LONGEST, check_moment, check_seconds
from rotulus.config import SETTINGS, load_settings
from rotulus.errors import OptionError

TOO_LONG = [1.7e12, 1e14, LONGEST + 1, timedelta(days=365 * 101)]
NONE_AT_ALL = [-1, float("nan"), float("inf"), "5", None, True, timedelta(seconds=-1)]


@pytest.mark.parametrize("value", TOO_LONG)
def test_more_than_a_century_is_a_mistake(value):
    """Mostly, milliseconds."""
    with pytest.raises(OptionError, match="delay=.* more than a hundred years; give seconds"):
        check_seconds(value, "delay")


@pytest.mark.parametrize("value", NONE_AT_ALL)
def test_what_is_no_length_is_refused(value):
    """With the option and the value."""
    with pytest.raises(OptionError, match="delay=.* is not allowed: give seconds, 0 or more"):
        check_seconds(value, "delay")


@given(st.floats(0, LONGEST) | st.timedeltas(timedelta(0), timedelta(seconds=LONGEST)))
def test_all_others_are_seconds(value):
    """A timedelta, too."""
    seconds = check_seconds(value, "delay")

    assert seconds == (value.total_seconds() if isinstance(value, timedelta) else value)


def declared(**options):
    """A task with options, in a registry of its own."""
    return task("a", registry=TaskRegistry(), **options)(print)


WHERE = {
    "timeout": lambda length: declared(timeout=length),
    "window": lambda length: declared(key="k", window=length),
    "expires": lambda length: declared(expires=length),
    "per": lambda length: declared(rate=1, per=length),
    "delay": lambda length: declared().using(delay=length),
    "debounce": lambda length: declared().using(key="k", debounce=length),
    "max_wait": lambda length: declared().using(key="k", debounce=1, max_wait=length),
    "Snooze": Snooze,
    "Retry": lambda length: Retry(after=length),
    "keep": lambda length: App("sqlite://", registry=TaskRegistry(), keep=length),
    "keep_stats": lambda length: App("sqlite://", registry=TaskRegistry(), keep_stats=length),
    "keep_failed": lambda length: App("sqlite://", registry=TaskRegistry(), keep_failed=length),
    "lease": lambda length: App("sqlite://", registry=TaskRegistry(), lease=length.total_seconds()),
}


@pytest.mark.parametrize("option", WHERE)
def test_wherever_a_length_is_given_it_is_checked(option):
    """The error names the option, and says what would do."""
    with pytest.raises(OptionError, match=f"{option}.*hundred years"):
        WHERE[option](timedelta(days=365 * 3000))


def test_a_moment_leaves_room_for_a_length_behind_it():
    """So that what is computed from the two is a moment, too."""
    latest = datetime(9899, 1, 1, tzinfo=UTC)

    assert check_moment(latest, "at") + timedelta(seconds=LONGEST)
    for late in (datetime.max.replace(tzinfo=UTC), datetime(9950, 1, 1, tzinfo=UTC)):
        with pytest.raises(OptionError, match="at=.*the latest moment is 9899"):
            declared().using(at=late)
    with pytest.raises(OptionError, match="give a datetime with a time zone"):
        check_moment(datetime(2026, 1, 1), "at")


def test_a_moment_is_one_in_every_zone_and_so_is_the_day_before():
    """So that what is computed from it is a moment, too."""
    earliest = datetime(2, 1, 1, tzinfo=UTC)

    assert check_moment(earliest, "at").astimezone(timezone(timedelta(hours=-14))) - timedelta(1)
    for early in (
        datetime.min.replace(tzinfo=UTC),
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))),
    ):
        with pytest.raises(OptionError, match="at=.*the earliest moment is 0002"):
            check_moment(early, "at")


@given(st.integers(-(10**20), 10**20))
def test_reading_a_moment_never_raises(micros):
    """Whatever a store may hold."""
    assert moment(micros).tzinfo is UTC


def test_a_retry_waits_for_a_century_at_most():
    """Whatever its bounds say; the bounds themselves may lie beyond the calendar."""
    retry = Retry(attempts=3, delay=1e12, cap=1e15)

    assert retry.seconds(2, 1.0) <= LONGEST


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("slots", "many", "give a whole number from 1 to 10,000"),
        ("slots", "2.5", "give a whole number"),
        ("slots", "0", "from 1 to 10,000"),
        ("lease", "soon", "give a number"),
        ("keep", "1e15", "hundred years"),
        ("max_bytes", "0", "1 or more"),
        ("recycle_jobs", "-1", "1 or more"),
    ],
)
def test_settings_are_refused_in_words(name, text, words):
    """Of a person who writes settings, not of a library that reads numbers."""
    assert name in SETTINGS
    with pytest.raises(OptionError, match=f"{name} = '{text}' is not allowed: .*{words}"):
        load_settings({}, {f"ROTULUS_{name.upper()}": text})
