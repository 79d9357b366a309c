"""A run as bars over time, drawn with letters."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from textwrap import wrap

from rotulus import State, Timeline, TimelineRow
from rotulus.cli.output import length

MOST_ROWS = 40
"""How many steps have a bar."""

_WRONG = frozenset({"failed", "dead", "cancelled", "retried", "lost"})
"""The outcomes of attempts that went wrong."""

_LONGEST_NAME = 32
_NARROWEST = 20


@dataclass(frozen=True)
class Signs:
    """The letters that bars are made of."""

    waited: str
    ran: str
    running: str
    wrong: str
    skipped: str
    left: str
    line: str
    right: str
    more: str


FINE = Signs("░", "█", "▶", "✗", "»", "├", "─", "┤", "…")
PLAIN = Signs(".", "#", ">", "x", "=", "|", "-", "|", "~")
"""For terminals that know ASCII only."""


@dataclass(frozen=True)
class Scale:
    """A length of time in columns.

    Attributes:
        start: the moment at the left.
        end: the moment at the right.
        columns: how many there are.
    """

    start: datetime
    end: datetime
    columns: int

    def column(self, moment: datetime) -> int:
        """Returns the column of a moment; for a later one, the last."""
        whole = (self.end - self.start).total_seconds()
        share = (moment - self.start).total_seconds() / whole if whole > 0 else 0.0
        return max(0, min(self.columns - 1, int(share * self.columns)))


def lines_of(shown: Timeline, width: int, signs: Signs = FINE) -> list[str]:
    """Returns a line for each row of a timeline, and what its letters mean; none without rows.

    Args:
        shown: the timeline.
        width: how long a line may be.
        signs: the letters.
    """
    if not shown.rows:
        return []
    names = [_name(row, signs) for row in shown.rows]
    most = max(map(len, names))
    scale = Scale(shown.start, shown.end, max(_NARROWEST, width - most - 5))
    lines = [f"  {'':{most}} {signs.left}{_ruler(scale, signs)}{signs.right}"]
    bars = [_bar(row, scale, signs) for row in shown.rows]
    lines += [f"  {name:{most}}  {bar}".rstrip() for name, bar in zip(names, bars, strict=True)]
    below = [*_legend(frozenset("".join(bars)), signs, scale.columns)]
    if shown.left_out:
        below += wrap(f"{shown.left_out} more ran no longer, or not at all", scale.columns)
    return [*lines, *(f"  {'':{most}}  {line}" for line in below)]


def _name(row: TimelineRow, signs: Signs) -> str:
    path = row.step
    return path if len(path) <= _LONGEST_NAME else f"{signs.more}{path[1 - _LONGEST_NAME :]}"


def _ruler(scale: Scale, signs: Signs) -> str:
    """Returns how long it took, in the middle of a line."""
    whole = length((scale.end - scale.start).total_seconds())
    return f" {whole} ".center(scale.columns, signs.line)


def _bar(row: TimelineRow, scale: Scale, signs: Signs) -> str:
    cells = [" "] * scale.columns
    for span in row.waited:
        _fill(cells, scale, span, signs.waited)
    for span, outcome in zip(row.ran, row.outcomes, strict=True):
        _fill(cells, scale, span, signs.ran)
        if outcome in _WRONG:
            cells[scale.column(span.end)] = signs.wrong
    if row.state is State.RUNNING:
        cells[scale.column(row.ran[-1].end)] = signs.running
    elif row.ended_at is not None and row.state is not State.SUCCEEDED:
        end = signs.wrong if row.went_wrong else signs.skipped
        cells[scale.column(row.ended_at)] = end
    return "".join(cells)


def _fill(cells: list[str], scale: Scale, span: tuple[datetime, datetime], sign: str) -> None:
    first, last = map(scale.column, span)
    cells[first : last + 1] = [sign] * (last + 1 - first)


def _legend(drawn: Collection[str], signs: Signs, width: int) -> Iterator[str]:
    """Yields lines with the meanings of those signs that are drawn."""
    line = ""
    for name, meaning in _MEANINGS.items():
        if (sign := getattr(signs, name)) not in drawn:
            continue
        one = f"{sign} {meaning}"
        longer = f"{line}  {one}" if line else one
        if line and len(longer) > width:
            yield line
            longer = one
        line = longer
    if line:
        yield line


_MEANINGS = {
    "ran": "ran",
    "waited": "waited",
    "running": "runs",
    "wrong": "went wrong",
    "skipped": "was skipped",
}
"""The meanings of the signs of bars, by the names of their attributes."""
