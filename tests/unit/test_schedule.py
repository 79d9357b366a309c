"""A schedule: what is due, and what becomes of what was missed."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotulus import Schedule
from rotulus.errors import OptionError

NOON = datetime(2026, 5, 5, 12, 0, tzinfo=UTC)


def minutes(*numbers):
    """Moments so many minutes after noon."""
    return [NOON + timedelta(minutes=number) for number in numbers]


def test_an_instant_is_due_when_it_has_come():
    """And not again when it has been dealt with."""
    schedule = Schedule("*/5 * * * *")

    assert [] == schedule.due(NOON, NOON + timedelta(minutes=4, seconds=59))
    assert minutes(5) == schedule.due(NOON, *minutes(5))
    assert [] == schedule.due(*minutes(5), *minutes(6))


@pytest.mark.parametrize(
    ("missed", "expected"),
    [("latest", [60]), ("skip", [60]), ("all(3)", [50, 55, 60]), ("all(100)", range(5, 61, 5))],
)
def test_after_an_hour_of_nothing(missed, expected):
    """The policy says which of the missed instants are fired."""
    schedule = Schedule("*/5 * * * *", missed=missed)

    assert minutes(*expected) == schedule.due(NOON, *minutes(60))


@pytest.mark.parametrize(
    ("missed", "expected"), [("latest", [60]), ("skip", []), ("all(2)", [55, 60])]
)
def test_when_the_last_one_is_late(missed, expected):
    """More than a minute late counts as missed."""
    schedule = Schedule("*/5 * * * *", missed=missed)

    assert minutes(*expected) == schedule.due(NOON, *minutes(62))


def test_nobody_looks_back_further_than_a_week():
    """Whatever the policy."""
    schedule = Schedule("0 12 * * *", missed="all(1000)")

    assert 7 == len(schedule.due(NOON - timedelta(days=400), NOON + timedelta(minutes=1)))


@given(
    st.sampled_from(["* * * * *", "*/7 * * * *", "30 1 * * *", "0 9 * * 1-5"]),
    st.sampled_from(["UTC", "Europe/London", "Australia/Lord_Howe"]),
    st.sampled_from(["latest", "skip", "all(2)", "all(50)"]),
    st.integers(0, 20_000),
    st.integers(0, 20_000),
)
def test_due_is_always_a_suffix_of_what_passed(cron, zone, missed, since, length):
    """In order, each once, none dealt with before, none that has not come, never too many."""
    start = NOON + timedelta(minutes=since)
    now = start + timedelta(minutes=length)
    schedule = Schedule(cron, zone, missed)
    due = schedule.due(start, now)
    most = {"latest": 1, "skip": 1, "all(2)": 2, "all(50)": 50}[missed]

    assert due == sorted(set(due))
    assert all(start < at <= now for at in due)
    assert len(due) <= most
    if due and missed != "skip":
        assert [] == [at for at in schedule.next(due[-1], 1) if at <= now]


@pytest.mark.parametrize(
    "missed", ["", "none", "all", "all()", "all(0)", "all(-1)", "ALL(3)", 5, None]
)
def test_an_unknown_policy_is_refused(missed):
    """The message names those there are."""
    with pytest.raises(OptionError, match=r"choose 'skip', 'latest' or 'all\(N\)'"):
        Schedule("* * * * *", missed=missed)


@pytest.mark.parametrize(
    ("zone", "hint"),
    [
        ("Europe/Londn", "did you mean 'Europe/London'"),
        ("", "IANA"),
        ("../etc/passwd", "IANA"),
        (5, "not known"),
    ],
)
def test_an_unknown_zone_is_refused(zone, hint):
    """With the nearest name, if there is one."""
    with pytest.raises(OptionError, match=hint):
        Schedule("* * * * *", zone)


def test_the_next_instants_are_shown_in_the_zone():
    """As its clocks show them."""
    [at] = Schedule("30 9 * * *", "Asia/Kathmandu").next(NOON)

    assert (9, 30, timedelta(hours=5, minutes=45)) == (at.hour, at.minute, at.utcoffset())


def test_it_explains_itself():
    """In English, with the zone."""
    assert "At 09:30 on Monday" in Schedule("30 9 * * 1", "Europe/London").explain()
    assert "Europe/London" in Schedule("30 9 * * 1", "Europe/London").explain()
