"""How commands print: tables and facts for people, JSON for programs."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
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
