"""`rotulus ls jobs --count-by`: how many jobs match of each error, task, queue or worker."""

import click

from rotulus import AlikeJobs, JobCounts
from rotulus.cli.output import ago, moment_text, print_json, print_table
from rotulus.cli.tables import Column


def print_counts(counts: JobCounts, by: str, *, as_json: bool, empty: str) -> None:
    """Print how many jobs there are of each.

    Args:
        counts: the numbers.
        by: what the jobs of one row have in common.
        as_json: whether to print JSON.
        empty: what is printed where there is none.
    """
    if as_json:
        print_json([one.to_dict() for one in counts])
    else:
        columns = (
            Column(by, fold=12),
            Column("jobs", right=True),
            Column("last added"),
            Column("first added", spill=2),
            Column("last job", spill=1),
            Column("its error", fold=24, optional=True),
        )
        print_table(columns, map(_row, counts), empty)
    if counts.looked_to:
        click.echo(f"Looked at jobs back to {moment_text(counts.looked_to)}.", err=True)


def _row(one: AlikeJobs) -> tuple[object, ...]:
    error = one.example.error
    return (
        one.value or "none",
        str(one.count),
        ago(one.last_added),
        ago(one.first_added),
        one.example.id,
        "" if error is None else str(error),
    )
