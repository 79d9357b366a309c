"""`rotulus ls runs`: the runs of workflows, and groups."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import click
from rich.text import Text

from rotulus import Job, State
from rotulus.cli.filters import say_hints
from rotulus.cli.output import (
    STYLES,
    ago,
    json_option,
    length,
    moment_text,
    print_json,
    print_table,
)
from rotulus.cli.tables import Column
from rotulus.cli.target import app_options, find_store
from rotulus.cli.values import Whole, read_labels, when_option
from rotulus.workflow.run import status_of

_RUNS = (
    Column("run"),
    Column("workflow", fold=12),
    Column("group", fold=8, spill=3, optional=True),
    Column("status", spill=1),
    Column("when", fold=7, spill=2),
    Column("took", right=True, spill=4),
    Column("schedule", fold=8, spill=5, optional=True),
    Column("key", fold=8, spill=6, optional=True),
)


@click.command()
@click.option("--state", "states", multiple=True, type=click.Choice([str(s) for s in State]))
@click.option("--task", help="Only runs of this workflow; 'etl.*' for all that begin so.")
@click.option("--group", help="Only groups of this name.")
@click.option("--key", help="Only runs with this unique key.")
@click.option("--schedule", help="Only runs that this schedule has fired.")
@when_option("--since", "Only runs added since then")
@when_option("--until", "Only runs added before then")
@click.option("--label", "labels", multiple=True, metavar="NAME=TEXT", help="Only with this label.")
@click.option("--limit", default=50, type=Whole(1, 10_000, example=50), show_default=True)
@click.option("--after", metavar="CURSOR", help="The next page, as the one before it said.")
@json_option
@app_options
def runs(
    states: Sequence[str],
    labels: Sequence[str],
    limit: int,
    after: str | None,
    as_json: bool,
    target: str | None,
    url: str | None,
    **given: Any,
) -> None:
    """The runs of workflows, and groups, the last one first.

    --state running finds every run that has not ended. A run that is enqueued with a delay is found
    once it has begun.
    """
    app = find_store(target, url)
    filters: dict[str, Any] = {**given, "state": list(states) or None, "label": read_labels(labels)}
    found = app.runs.find(limit=limit, after=after, **filters)
    if as_json:
        print_json([{**run.to_dict(), "status": status_of(run)} for run in found])
    else:
        known = {name: value for name, value in filters.items() if value is not None}
        hints = "" if found or found.next else say_hints(app, known)
        empty = f"No such runs in {app.store.url}."
        if found.next:
            empty = "No such runs so far."
        print_table(_RUNS, map(_row, found), "\n".join(filter(None, (hints, empty))))
    if found.looked_to:
        click.echo(f"Looked at runs back to {moment_text(found.looked_to)}.", err=True)
    if found.next:
        click.echo(f"More with: --after {found.next}", err=True)


def _row(run: Job[Any]) -> tuple[object, ...]:
    end = run.ended_at or datetime.now(UTC)
    return (
        run.id,
        run.task,
        run.group,
        Text(status_of(run), STYLES[run.state]),
        ago(run.created_at),
        length((end - run.created_at).total_seconds()),
        run.schedule,
        run.key if run.group is None else None,
    )
