"""Tables that fit a terminal: long cells are folded, or printed below their row; never cut."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

_GAP = 2
_INDENT = 4
"""The indent of lines below a row."""

Cell = object
"""A `Text` is shown in its style; anything else as its text, brackets and all; None as nothing."""


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        heading: what stands above it, and before a cell that is told below its row.
        fold: the width down to which its cells may be folded; None: they are never folded.
        spill: 0: it always stands in its row. Else it is told below the row where there is no
            room; the column with the highest number first.
        right: whether it is aligned at the right, as numbers are.
        optional: whether it is left out when all of its cells are empty.
        usual: a cell that need not be told below its row.
    """

    heading: str
    fold: int | None = None
    spill: int = 0
    right: bool = False
    optional: bool = False
    usual: str | None = None


@dataclass(frozen=True)
class _Layout:
    """Which columns stand in the rows, how wide they are, and which are told below."""

    shown: Sequence[int]
    widths: Sequence[int]
    below: Sequence[int]


def print_rows(out: Console, columns: Sequence[Column], rows: Iterable[Sequence[Cell]]) -> None:
    """Print rows under headings: one line for each where there is no terminal."""
    filled = [[_text(cell) for cell in row] for row in rows]
    columns, filled = _without_empty(columns, filled)
    layout = _arranged(columns, filled, out.width if out.is_terminal else None)
    headings = [Text(column.heading, "bold") for column in columns]
    if any(headings[number].plain for number in layout.shown):
        _print_row(out, columns, layout, headings)
    for row in filled:
        _print_row(out, columns, layout, row)
        for line in _lines_below(out, columns, layout, row):
            out.print(line, soft_wrap=True)


def plain(text: str) -> str:
    """Returns a text that stays on its line and does not paint the terminal."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _text(cell: Cell) -> Text:
    if isinstance(cell, Text):
        return cell
    return Text("" if cell is None else plain(str(cell)))


def _without_empty(
    columns: Sequence[Column], rows: list[list[Text]]
) -> tuple[Sequence[Column], list[list[Text]]]:
    kept = [
        number
        for number, column in enumerate(columns)
        if not column.optional or any(row[number].plain for row in rows)
    ]
    return [columns[n] for n in kept], [[row[n] for n in kept] for row in rows]


def _arranged(columns: Sequence[Column], rows: list[list[Text]], width: int | None) -> _Layout:
    """Where each column goes. Without a width, all of them stand in the rows as they are."""
    widths = [
        max([cell_len(column.heading), *(cell_len(row[number].plain) for row in rows)])
        for number, column in enumerate(columns)
    ]
    least = [
        want if column.fold is None else min(want, max(column.fold, cell_len(column.heading)))
        for column, want in zip(columns, widths, strict=True)
    ]
    shown = list(range(len(columns)))
    if width is None:
        return _Layout(shown, widths, [])
    while _total(least, shown) > width:
        movable = [number for number in shown if columns[number].spill]
        if not movable:
            break
        shown.remove(max(movable, key=lambda number: columns[number].spill))
    widths = list(widths)
    while _total(widths, shown) > width:
        widest = max(shown, key=lambda number: widths[number] - least[number])
        if widths[widest] == least[widest]:
            break
        widths[widest] -= 1
    below = [number for number in range(len(columns)) if number not in shown]
    return _Layout(shown, [widths[number] for number in shown], below)


def _total(widths: Sequence[int], shown: Sequence[int]) -> int:
    return sum(widths[number] for number in shown) + _GAP * (len(shown) - 1)


def _print_row(
    out: Console, columns: Sequence[Column], layout: _Layout, row: Sequence[Text]
) -> None:
    """Print the cells of a row that stand in it, folded to their widths."""
    cells = [
        _folded(out, row[number], width) if row[number].plain and width else []
        for number, width in zip(layout.shown, layout.widths, strict=True)
    ]
    for height in range(max((len(lines) for lines in cells), default=0)):
        line = Text()
        for number, width, lines in zip(layout.shown, layout.widths, cells, strict=True):
            piece = lines[height].copy() if height < len(lines) else Text()
            piece.rstrip()
            missing = " " * (width - cell_len(piece.plain))
            line.append(missing if columns[number].right else "")
            line.append_text(piece)
            line.append(("" if columns[number].right else missing) + " " * _GAP)
        line.rstrip()
        out.print(line, soft_wrap=True)


def _folded(out: Console, text: Text, width: int) -> list[Text]:
    """Returns the lines of a text: of words, or of one word that is divided where it may be."""
    if cell_len(text.plain) <= width or " " in text.plain or not text.plain.isascii():
        return list(text.wrap(out, width))
    ends = list[int]()
    start = 0
    while len(text) - start > width:
        best = max(text.plain.rfind(sign, start, start + width) + 1 for sign in "._-/:")
        start = best if best > start else start + width
        ends.append(start)
    return list(text.divide(ends))


def _lines_below(
    out: Console, columns: Sequence[Column], layout: _Layout, row: Sequence[Text]
) -> list[Text]:
    """Returns the lines below a row, with the cells that do not stand in it."""
    text = Text()
    for number in layout.below:
        heading = columns[number].heading
        if row[number].plain not in ("", columns[number].usual):
            name = f"{heading} " if heading not in ("", "note") else ""
            text.append("  " if text else "").append(name, "dim").append_text(row[number])
    if not text:
        return []
    lines = text.wrap(out, max(1, out.width - _INDENT))
    return [Text(" " * _INDENT).append_text(line) for line in lines]
