"""Bars over time keep within the line, and say what their letters mean."""

from datetime import UTC, datetime, timedelta

import pytest

from rotulus import State, Timeline, TimelineRow
from rotulus._app.resources.steps import Span
from rotulus.cli.timeline import FINE, PLAIN, lines_of

pytestmark = pytest.mark.anywhere

START = datetime(2026, 1, 1, tzinfo=UTC)
MEANINGS = ("ran", "waited", "runs", "went wrong", "was skipped")


def at(seconds):
    """A moment of the run."""
    return START + timedelta(seconds=seconds)


def row(step, state, *outcomes):
    """A step whose attempts took ten seconds each, after ten seconds."""
    ran = tuple(Span(at(10 + 10 * n), at(20 + 10 * n)) for n in range(len(outcomes)))
    waited = (Span(at(0), at(10)),) if ran else ()
    ended = None if state is State.RUNNING else at(50)
    return TimelineRow(step, "job", "task", state, waited, ran, outcomes, ended)


def timeline(*rows, left_out=0):
    """A run of a minute with these steps."""
    return Timeline("run", "flow", State.RUNNING, START, at(60), rows, left_out)


EVERYTHING = (
    row("a-step-whose-name-is-long-indeed", State.FAILED, "retried", "failed"),
    row("b", State.RUNNING, None),
    row("c", State.SKIPPED),
    row("d", State.SUCCEEDED, "succeeded"),
)


@pytest.mark.parametrize("signs", [FINE, PLAIN])
@pytest.mark.parametrize("width", [60, 80, 100])
def test_no_line_is_longer_than_allowed(width, signs):
    """Also with a long name, with every sign, and with steps that are left out."""
    lines = lines_of(timeline(*EVERYTHING, left_out=1234), width, signs)
    below = " ".join(" ".join(lines[1 + len(EVERYTHING) :]).split())

    assert all(len(line) <= width for line in lines)
    assert all(meaning in below for meaning in MEANINGS)
    assert below.endswith("1234 more ran no longer, or not at all")


def test_only_signs_that_are_drawn_have_a_meaning_below():
    """A letter in the name of a step is none."""
    lines = lines_of(timeline(row("x==>", State.SUCCEEDED, "succeeded")), 80, PLAIN)

    assert "# ran  . waited" == lines[-1].strip()
    assert 3 == len(lines)
