"""How commands print: tables, facts, moments and lengths of time for people, JSON for programs."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

import click
from rich.console import Console
from rich.text import Text

from rotulus import Job, State
from rotulus.cli.tables import Column, plain, print_rows

F = TypeVar("F", bound=Callable[..., Any])

STYLES = {
    State.SUCCEEDED: "green",
    State.FAILED: "red",
    State.DEAD: "bold red",
    State.RUNNING: "cyan",
    State.QUEUED: "yellow",
    State.DELAYED: "yellow",
    State.CANCELLED: "dim",
    State.SKIPPED: "dim",
    State.BLOCKED: "dim",
}


def json_option(command: F) -> F:
    """`--json`, for commands that print data."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)


def print_json(value: object) -> None:
    """Print a value as JSON, one line for each element of a list."""
    if isinstance(value, list):
        for element in cast("list[object]", value):
            click.echo(json.dumps(element, default=str, ensure_ascii=False))
    else:
        click.echo(json.dumps(value, default=str, ensure_ascii=False, indent=2))


class _Console(Console):
    """A console that lets the program decide what happens when its reader is gone."""

    def on_broken_pipe(self) -> None:
        """Raise `BrokenPipeError`; rich would end the program as a failure."""
        raise BrokenPipeError


def console(*, err: bool = False) -> Console:
    """The terminal, or the file that stands in its place. Print `Text`: a `str` is markup."""
    return _Console(highlight=False, stderr=err, legacy_windows=False)


def print_table(
    columns: Sequence[Column | str], rows: Iterable[Sequence[object]], empty: str
) -> None:
    """Print rows under headings; without rows, say what one could do about it.

    Args:
        columns: the columns; a text is a heading.
        rows: their cells: texts are printed as they are, with their brackets.
        empty: what is said on stderr when there are no rows.
    """
    known = list(rows)
    if known:
        all_columns = [Column(c) if isinstance(c, str) else c for c in columns]
        print_rows(console(), all_columns, known)
    else:
        click.echo(empty, err=True)


def print_facts(facts: Mapping[str, object]) -> None:
    """Print names and values, leaving out what is None."""
    shown = {name: value for name, value in facts.items() if value is not None}
    width = max(map(len, shown), default=0)
    for name, value in shown.items():
        line = Text().append(f"{name:{width}}  ", "bold")
        text = value if isinstance(value, Text) else Text(plain(str(value)))
        console().print(line.append_text(text), soft_wrap=True)


def state_text(state: State) -> Text:
    """Returns a state in its colour."""
    return Text(str(state), STYLES[state])


def progress_text(job: Job[Any]) -> str | None:
    """Returns how far a job says it has got; None when it has not said anything."""
    if job.reached is None:
        return None
    done, total, note = job.reached
    return f"{done:g}{f' of {total:g}' if total is not None else ''} {note}".rstrip()


def moment_text(moment: datetime | None) -> str | None:
    """Returns a moment in UTC, to the second."""
    return None if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"


def ago(moment: datetime | None) -> str | None:
    """Returns how long ago a moment was, or in how long it will be."""
    if moment is None:
        return None
    seconds = (datetime.now(UTC) - moment).total_seconds()
    text = span(abs(seconds))
    return f"{text} ago" if seconds >= 0 else f"in {text}"


def span(seconds: float) -> str:
    """Returns a length of time in its largest fitting unit."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"


def length(seconds: float | None) -> str | None:
    """Returns a length of time, also one far below a second."""
    if seconds is None:
        return None
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else span(seconds)


def iso(moment: datetime | None) -> str | None:
    """Returns a moment as ISO 8601 text."""
    return None if moment is None else moment.isoformat()
