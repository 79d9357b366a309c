"""How commands print: tables and facts for people, JSON for programs."""

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar, cast

import click
from rich.console import Console
from rich.table import Table

from rotulus import Job, State
from rotulus.cli.words import iso

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


def console(*, err: bool = False) -> Console:
    """The terminal; a plain and wide one where there is none."""
    terminal = (sys.stderr if err else sys.stdout).isatty()
    width = None if terminal else 200
    return Console(highlight=False, soft_wrap=not terminal, width=width, stderr=err)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], empty: str) -> None:
    """Print rows under headings; without rows, say what one could do about it."""
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    if table.row_count:
        console().print(table)
    else:
        click.echo(empty, err=True)


def print_facts(facts: Mapping[str, object]) -> None:
    """Print names and values, leaving out what is None."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in facts.items():
        if value is not None:
            table.add_row(name, str(value))
    console().print(table)


def state_text(state: State) -> str:
    """A state in its colour."""
    return f"[{STYLES[state]}]{state}[/]"


def progress_text(job: Job[Any]) -> str | None:
    """How far a job says it has got; None when it has not said anything."""
    if job.reached is None:
        return None
    done, total, note = job.reached
    return f"{done:g}{f' of {total:g}' if total is not None else ''} {note}".rstrip()


def job_data(job: Job[Any]) -> dict[str, Any]:
    """A job as JSON data."""
    data: dict[str, Any] = {
        "id": job.id,
        "task": job.task,
        "queue": job.queue,
        "state": job.state,
        "reason": job.reason,
        "priority": job.priority,
        "key": job.key,
        "attempt": job.attempt,
        "run": job.run,
        "step": job.step,
        "paused": job.paused,
        "arguments": job.arguments,
        "schedule": job.schedule,
        "instant": iso(job.instant),
        "created_at": iso(job.created_at),
        "run_at": iso(job.run_at),
        "started_at": iso(job.started_at),
        "ended_at": iso(job.ended_at),
        "worker": job.worker,
        "cancel_requested": job.cancel_requested,
        "progress": job.reached and job.reached._asdict(),
        "error": job.error and job.error._asdict(),
    }
    return data
