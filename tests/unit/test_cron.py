"""Cron against an oracle that walks the minutes, over zones with every kind of clock change."""

import itertools
import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from rotulus._time.cron import ALIASES, Cron
from rotulus.errors import OptionError

ZONES = {
    "Europe/London": 2024,
    "America/New_York": 2024,
    "America/Sao_Paulo": 2017,  # 2018: a gap at midnight
    "Pacific/Apia": 2010,  # 2011: a day that is missing
    "Australia/Lord_Howe": 2024,  # shifts of 30 minutes
    "Antarctica/Troll": 2024,  # shifts of two hours
    "Africa/Casablanca": 2024,  # clocks go back for Ramadan
    "America/St_Johns": 2009,  # changes at one minute past midnight
    "Africa/Cairo": 2023,  # a gap at midnight
    "Asia/Kathmandu": 2024,  # an odd offset, and no changes
}
YEARS = 3

RANGES = {"minute": (0, 59), "hour": (0, 23), "day": (1, 31), "month": (1, 12), "weekday": (0, 6)}

WRITTEN = [
    "* * * * *",
    "*/7 * * * *",
    "0 */2 * * *",
    "30 * * * *",
    "0 0 * * *",
    "30 1 * * *",
    "30 2 * * *",
    "0 2,3 * * *",
    "15 1-3 * * *",
    "*/15 2 * * *",
    "59 23 * * *",
    "0 12 30 12 *",
    "0 0 29 2 *",
    "0 9 31 * *",
    "5 4 1 1,7 *",
    "0 0 13 * 5",
    "0 0 1 * 1",
    "0 0 */10 * 2",
    "10 22 * * 1-5",
    "1 0 * * 0",
]


class Field:
    """A cron field as text, and the values it stands for."""

    def __init__(self, chance, kind):
        low, high = RANGES[kind]
        first, last = sorted(chance.sample(range(low, high + 1), 2))
        step = chance.randint(2, max(2, (high - low) // 2))
        shape = chance.choice(["*", "*/n", "a", "a", "a,b", "a-b", "a-b/n"])
        self.text = {
            "*": "*",
            "*/n": f"*/{step}",
            "a": f"{first}",
            "a,b": f"{first},{last}",
            "a-b": f"{first}-{last}",
            "a-b/n": f"{first}-{last}/{step}",
        }[shape]


def expressions():
    """A hundred of them: those above, and random ones that fire at most a few times an hour."""
    chance = random.Random(20261120)
    found = list(WRITTEN)
    while len(found) < 100:
        fields = [Field(chance, kind).text for kind in RANGES]
        if fields[0].count("*") and "/" not in fields[0]:
            continue
        expression = " ".join(fields)
        try:
            Cron(expression)
        except OptionError:
            continue  # no such day: tested below
        found.append(expression)
    return found


def values(text, low, high):
    """The values of a field, read in the plainest way."""
    found = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        if span == "*":
            first, last = low, high
        found |= set(range(int(first), int(last or first) + 1, int(step or 1)))
    return found


class Minutes:
    """Every minute of some years in a zone: what the wall clock shows."""

    def __init__(self, name, year):
        self.zone = ZoneInfo(name)
        self.start = datetime(year, 1, 1, tzinfo=UTC)
        self.end = datetime(year + YEARS, 1, 1, tzinfo=UTC)
        count = int((self.end - self.start) / timedelta(minutes=1))
        self.wall = np.arange(count) + int(self.start.timestamp()) // 60 + self._offsets(count)
        day = self.wall // 1440
        dates = day.astype("datetime64[D]")
        self.minute = self.wall % 60
        self.hour = self.wall // 60 % 24
        self.day = (dates - dates.astype("datetime64[M]")).astype(int) + 1
        self.month = dates.astype("datetime64[M]").astype(int) % 12 + 1
        self.weekday = (day + 4) % 7
        self.calendar = Calendar(int(self.wall.min()), int(self.wall.max()))
        self.reached = np.maximum.accumulate(self.wall)

    def _offsets(self, count):
        """The zone's offset in minutes, at each minute."""
        offsets = np.empty(count, dtype=np.int64)
        for first in range(0, count, 60):
            ends = [self._offset(first), self._offset(min(first + 59, count - 1))]
            if ends[0] == ends[1]:
                offsets[first : first + 60] = ends[0]
            else:
                for minute in range(first, min(first + 60, count)):
                    offsets[minute] = self._offset(minute)
        return offsets

    def _offset(self, minute):
        at = (self.start + timedelta(minutes=minute)).astimezone(self.zone)
        return int(at.utcoffset() / timedelta(minutes=1))

    def instants(self, expression):
        """When an expression fires, as minutes since the start."""
        texts = expression.split()
        repeating = texts[0].startswith("*") or texts[1].startswith("*")
        if repeating:
            return np.flatnonzero(self._matches(texts, self))
        # A fixed time fires when the wall clock first shows it, or shows a later time.
        named = self.calendar.wall[self._matches(texts, self.calendar)]
        places = np.unique(np.searchsorted(self.reached, named))
        return places[places < len(self.reached)]

    def _matches(self, texts, fields):
        sets = [values(t, *RANGES[kind]) for t, kind in zip(texts, RANGES, strict=True)]
        minute, hour, day, month, weekday = (
            np.isin(np.arange(60), list(allowed))[getattr(fields, kind)]
            for kind, allowed in zip(RANGES, sets, strict=True)
        )
        both = texts[2].startswith("*") or texts[4].startswith("*")
        return minute & hour & month & ((day & weekday) if both else (day | weekday))


class Calendar:
    """Every minute that a calendar names, shown by a clock or not."""

    def __init__(self, first, last):
        self.wall = np.arange(first, last + 1)
        day = self.wall // 1440
        dates = day.astype("datetime64[D]")
        self.minute = self.wall % 60
        self.hour = self.wall // 60 % 24
        self.day = (dates - dates.astype("datetime64[M]")).astype(int) + 1
        self.month = dates.astype("datetime64[M]").astype(int) % 12 + 1
        self.weekday = (day + 4) % 7


@pytest.mark.anywhere
@pytest.mark.parametrize(("name", "year"), ZONES.items())
def test_every_instant_of_three_years_is_what_walking_the_minutes_finds(name, year, stress_seconds):
    """Of a hundred expressions every third, each minute, in a zone whose clocks do something odd.

    Each zone begins with another one of them; with more `--stress-seconds` than usual it has all.
    """
    minutes = Minutes(name, year)
    wrong = {}
    first, step = (0, 1) if stress_seconds > 30 else (list(ZONES).index(name) % 3, 3)
    for expression in expressions()[first::step]:
        expected = minutes.instants(expression)
        # The first and last days lean on minutes outside of the years.
        first, last = minutes.start + timedelta(days=2), minutes.end - timedelta(days=2)
        instants = Cron(expression).instants(minutes.zone, first - timedelta(minutes=1))
        found = list(itertools.takewhile(last.__gt__, instants))
        within = (expected >= 2880) & (expected < len(minutes.wall) - 2880)
        due = [minutes.start + timedelta(minutes=m) for m in expected[within].tolist()]
        if found != due:
            wrong[expression] = [str(at) for at in sorted(set(found) ^ set(due))[:3]]

    assert {} == wrong


def next_ones(expression, zone, after, count=3):
    """The next instants, as the wall clock shows them."""
    instants = Cron(expression).instants(ZoneInfo(zone), after)
    local = (at.astimezone(ZoneInfo(zone)) for at, _ in zip(instants, range(count), strict=False))
    return [f"{at:%m-%d %H:%M%z}" for at in local]


@pytest.mark.parametrize(
    ("expression", "zone", "after", "expected"),
    [
        # A fixed time inside a gap fires at the first minute after it.
        ("30 1 * * *", "Europe/London", "2026-03-28T12", "03-29 02:00+0100"),
        ("30 2 * * *", "America/New_York", "2026-03-07T12", "03-08 03:00-0400"),
        ("0 0 * * *", "America/Sao_Paulo", "2018-11-03T12", "11-04 01:00-0200"),
        ("0 12 30 12 *", "Pacific/Apia", "2011-12-29T12", "12-31 00:00+1400"),
        ("15 2 * * *", "Australia/Lord_Howe", "2025-10-04T00", "10-05 02:30+1100"),
        # A fixed time that is shown twice fires the first time.
        ("30 1 * * *", "Europe/London", "2026-10-24T12", "10-25 01:30+0100"),
        ("30 1 * * *", "America/New_York", "2026-10-31T12", "11-01 01:30-0400"),
        ("45 1 * * *", "Australia/Lord_Howe", "2026-04-04T00", "04-05 01:45+1100"),
        # What repeats goes by what the clock shows.
        ("0 */2 * * *", "Australia/Lord_Howe", "2026-04-04T14", "04-05 02:00+1030"),
    ],
)
def test_the_days_the_clocks_change(expression, zone, after, expected):
    """The rule, on the days that others get wrong."""
    assert expected == next_ones(expression, zone, datetime.fromisoformat(after + ":00+00:00"))[0]


def test_a_repeated_hour_has_its_minutes_twice():
    """For what repeats; and a skipped hour has none."""
    autumn = datetime(2026, 10, 25, 0, 10, tzinfo=UTC)
    spring = datetime(2026, 3, 29, 0, 40, tzinfo=UTC)

    assert ["10-25 01:30+0100", "10-25 01:00+0000", "10-25 01:30+0000"] == next_ones(
        "*/30 * * * *", "Europe/London", autumn
    )
    assert ["03-29 02:00+0100", "03-29 02:30+0100"] == next_ones(
        "*/30 * * * *", "Europe/London", spring, 2
    )


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "*",
        "* * * *",
        "* * * * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * * 13 *",
        "* * * * 8",
        "a * * * *",
        "*/0 * * * *",
        "5-1 * * * *",
        "1,,2 * * * *",
        "@reboot",
        "@never",
        "0 0 31 2 *",
        "0 0 30 2 *",
        "0 0 31 4,6,9,11 *",
        "0 0 */10 2 1#5",
    ],
)
def test_what_can_never_fire_is_refused(expression):
    """With a message that names the expression."""
    with pytest.raises(OptionError) as caught:
        Cron(expression)

    assert repr(expression) in str(caught.value)


def test_the_message_names_the_field():
    """So that one knows where to look."""
    with pytest.raises(OptionError, match="the hour field cannot be '24'"):
        Cron("* 24 * * *")
    with pytest.raises(OptionError, match="no month in '2' has a day '31'"):
        Cron("0 0 31 2 *")


@pytest.mark.parametrize(("alias", "expression"), ALIASES.items())
def test_an_alias_means_its_expression(alias, expression):
    """In any case."""
    after = datetime(2026, 5, 5, 5, 5, tzinfo=UTC)
    plain, named = Cron(expression), Cron(alias.upper())

    assert next(plain.instants(UTC, after)) == next(named.instants(UTC, after))


@pytest.mark.parametrize(
    ("named", "numbered"),
    [
        ("0 9 * jan,DEC Mon-fri", "0 9 * 1,12 1-5"),
        ("0 9 * * sun", "0 9 * * 7"),
        ("0 9 L * *", "0 9 L * *"),
    ],
)
def test_names_stand_for_numbers(named, numbered):
    """Of months and weekdays; Sunday is 0 and 7."""
    after = datetime(2026, 5, 5, 5, 5, tzinfo=UTC)

    def five(expression):
        return [at for at, _ in zip(Cron(expression).instants(UTC, after), range(5), strict=False)]

    assert five(numbered) == five(named)


def test_no_text_makes_the_parser_raise_anything_else():
    """It is total."""
    chance = random.Random(5)
    alphabet = "0123456789*/-,#LW @adJAN\x00é"
    for _ in range(5_000):
        text = "".join(chance.choice(alphabet) for _ in range(chance.randint(0, 14)))
        try:
            Cron(text)
        except OptionError:
            continue


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("*/90 * * * *", "step of 90 in the minute field .* @every 5400s"),
        ("*/60 * * * *", "for every 60 minutes give the interval instead, @every 3600s"),
        ("0 */36 * * *", "step of 36 in the hour field .* @every 129600s"),
        ("0 0 */40 * *", "step of 40 in the day-of-month field .* @every 3456000s"),
        ("0 0 1 */12 *", "step of 12 in the month field .* write the values that are meant"),
        ("10-20/15 * * * *", "step of 15 in the minute field"),
        ("50/15 * * * *", "step of 15 in the minute field"),
        ("0,5-9/7 * * * *", "step of 7 in the minute field"),
    ],
)
def test_a_step_that_leads_nowhere_is_refused(expression, words):
    """It would fire once in each hour, day or month, and never as often as it says."""
    with pytest.raises(OptionError, match=words):
        Cron(expression)


@pytest.mark.parametrize(
    "expression", ["*/59 * * * *", "0 */23 * * *", "0 0 */30 * *", "5-9/4 * * * *"]
)
def test_a_step_with_a_second_value_is_taken(expression):
    """However uneven the times are then: that is what the expression says."""
    assert Cron(expression).explain()
