"""`rotulus audit`: each verb, its actor, and how many it changed."""

import json
from datetime import datetime

import click

from rotulus import AuditEntry
from rotulus.cli.output import json_option, moment_text, print_json, print_table
from rotulus.cli.tables import Column
from rotulus.cli.target import app_options, find_store
from rotulus.cli.values import Whole, when_option

_COLUMNS = (
    Column("when"),
    Column("actor", fold=12),
    Column("door", spill=3),
    Column("verb"),
    Column("to", right=True),
    Column("target", fold=12, spill=1, optional=True),
    Column("note", fold=24, spill=2, optional=True),
)


@click.command()
@when_option("--since", "Only what was done since then")
@click.option("--actor", help="Only what this actor has done.")
@click.option("--verb", help="Only this verb: jobs.cancel; or all of a noun: 'jobs.*'.")
@click.option(
    "--limit", default=50, type=Whole(1, 10_000, example=50), show_default=True, help="At most."
)
@click.option("--after", metavar="CURSOR", help="The next page, as the one before it said.")
@json_option
@app_options
def audit(
    since: datetime | float | None,
    actor: str | None,
    verb: str | None,
    limit: int,
    after: str | None,
    as_json: bool,
    target: str | None,
    url: str | None,
) -> None:
    """Show each verb, its actor, and how many it changed, the last first.

    An entry without a number was begun: it goes on, or its process died before the end.
    """
    app = find_store(target, url)
    found = app.audit.find(since=since, actor=actor, verb=verb, limit=limit, after=after)
    if as_json:
        print_json([entry.to_dict() for entry in found])
    else:
        print_table(_COLUMNS, map(_row, found), f"Nobody has done such a thing in {app.store.url}.")
    if found.next:
        click.echo(f"More with: --after {found.next}", err=True)


def _row(entry: AuditEntry) -> tuple[object, ...]:
    notes = [entry.error or "", json.dumps(entry.detail) if entry.detail else ""]
    if entry.ended_at is None:
        notes.insert(0, "has not ended")
    return (
        moment_text(entry.at),
        entry.actor,
        entry.door,
        entry.verb,
        "" if entry.count is None else str(entry.count),
        entry.target,
        " ".join(filter(None, notes)),
    )
