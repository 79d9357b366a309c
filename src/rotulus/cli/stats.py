"""`rotulus stats`: the outcomes of attempts, and how long they waited and ran."""

from datetime import datetime
from typing import Literal

import click

from rotulus import Measured
from rotulus.cli.hints import no_queue, no_task
from rotulus.cli.output import json_option, length, moment_text, print_json, print_table
from rotulus.cli.tables import Column
from rotulus.cli.target import app_options, find_store
from rotulus.cli.values import as_moment, when_option

_FAILED = ("failed", "dead")
_AGAIN = ("retried", "lost", "snoozed", "released")

_COLUMNS = (
    Column("enqueued", right=True),
    Column("succeeded", right=True),
    Column("failed", right=True),
    Column("again", spill=1, right=True),
    Column("other", spill=2, right=True, usual="0"),
    Column("waited p50", spill=3, right=True),
    Column("waited p95", spill=4, right=True),
    Column("ran p50", spill=3, right=True),
    Column("ran p95", spill=4, right=True),
    Column("ran max", spill=5, right=True),
)


@click.command()
@click.option("--by", type=click.Choice(["task", "queue"]), help="A line for each task, or queue.")
@click.option("--task", help="Only this task.")
@click.option("--queue", help="Only this queue.")
@when_option("--since", "Only what happened since then", default="1d", show_default=True)
@json_option
@app_options
def stats(
    by: Literal["task", "queue"] | None,
    task: str | None,
    queue: str | None,
    since: datetime | float,
    as_json: bool,
    target: str | None,
    url: str | None,
) -> None:
    """The outcomes of attempts, and how long they waited and ran.

    "again" counts attempts after which the job runs again: retried, lost, snoozed, given back. Half
    of all attempts took less than p50, nineteen of twenty less than p95.
    """
    app = find_store(target, url)
    found = app.stats.totals(by=by, task=task, queue=queue, since=since)
    if as_json:
        print_json([measured.to_dict() for measured in found])
        return
    named = () if by is None else (Column(by, fold=12),)
    seen = [measured for measured in found if measured.enqueued or measured.attempts]
    rows = [(*([one.name] if by else []), *_row(one)) for one in seen]
    hints = [] if rows else [no_task(app, task), no_queue(app, queue)]
    begin = as_moment(since)
    empty = f"Nothing was enqueued and nothing ended since {moment_text(begin)} in {app.store.url}."
    print_table((*named, *_COLUMNS), rows, "\n".join([*filter(None, hints), empty]))


def _row(measured: Measured) -> tuple[object, ...]:
    counts = measured.outcomes
    failed = sum(counts.get(name, 0) for name in _FAILED)
    again = sum(counts.get(name, 0) for name in _AGAIN)
    succeeded = counts.get("succeeded", 0)
    other = measured.attempts - succeeded - failed - again
    waited, ran = measured.waited, measured.ran
    times = (waited.p50, waited.p95, ran.p50, ran.p95, ran.max)
    return (measured.enqueued, succeeded, failed, again, other, *map(length, times))
