"""A run as bars over time, drawn with letters."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from rotulus import State, StepInfo
from rotulus.cli.output import length

_MOST_ROWS = 40
_LONGEST_NAME = 32
_NARROWEST = 20


@dataclass(frozen=True)
class Signs:
    """The letters that bars are made of."""

    waited: str
    ran: str
    running: str
    wrong: str
    left: str
    line: str
    right: str
    more: str


FINE = Signs("░", "█", "▶", "✗", "├", "─", "┤", "…")
PLAIN = Signs(".", "#", ">", "x", "|", "-", "|", "~")
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


def timeline(
    nodes: Sequence[StepInfo], start: datetime, end: datetime, width: int, signs: Signs = FINE
) -> list[str]:
    """Returns a line for each step, of those that took the longest, and what the letters mean.

    Args:
        nodes: the steps.
        start: when the run began.
        end: when it ended, or now.
        width: how long a line may be.
        signs: the letters.
    """
    begun = [node for node in nodes if node.spans]
    if not begun:
        return []
    shown = _longest(begun)
    names = [_name(node, signs) for node in shown]
    most = max(map(len, names))
    scale = Scale(start, end, max(_NARROWEST, width - most - 5))
    lines = [f"  {'':{most}} {signs.left}{_ruler(scale, signs)}{signs.right}"]
    for name, node in zip(names, shown, strict=True):
        lines.append(f"  {name:{most}}  {_bar(node, scale, signs)}".rstrip())
    return [*lines, *_legend(len(begun) - len(shown), most, signs)]


def _longest(nodes: Sequence[StepInfo]) -> list[StepInfo]:
    chosen = heapq.nlargest(_MOST_ROWS, range(len(nodes)), key=lambda n: nodes[n].ran or 0.0)
    return [nodes[number] for number in sorted(chosen)]


def _name(node: StepInfo, signs: Signs) -> str:
    path = node.job.step or ""
    return path if len(path) <= _LONGEST_NAME else f"{signs.more}{path[1 - _LONGEST_NAME :]}"


def _ruler(scale: Scale, signs: Signs) -> str:
    """Returns how long it took, in the middle of a line."""
    whole = length((scale.end - scale.start).total_seconds())
    return f" {whole} ".center(scale.columns, signs.line)


def _bar(node: StepInfo, scale: Scale, signs: Signs) -> str:
    cells = [" "] * scale.columns
    if node.due is not None:
        _fill(cells, scale, (node.due, node.spans[0].start), signs.waited)
    for span, after in zip(node.spans, node.spans[1:], strict=False):
        _fill(cells, scale, (span.end, after.start), signs.waited)
    for span in node.spans:
        _fill(cells, scale, span, signs.ran)
    last = scale.column(node.spans[-1].end)
    if node.went_wrong:
        cells[last] = signs.wrong
    elif node.job.state is State.RUNNING:
        cells[last] = signs.running
    return "".join(cells)


def _fill(cells: list[str], scale: Scale, span: tuple[datetime, datetime], sign: str) -> None:
    first, last = map(scale.column, span)
    cells[first : last + 1] = [sign] * (last + 1 - first)


def _legend(left_out: int, indent: int, signs: Signs) -> list[str]:
    meaning = (
        f"{signs.ran} ran  {signs.waited} waited  {signs.running} runs  {signs.wrong} went wrong"
    )
    lines = [f"  {'':{indent}}  {meaning}"]
    if left_out:
        lines.append(f"  {'':{indent}}  {left_out} more took less time")
    return lines
