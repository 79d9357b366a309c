"""`rotulus failures`: failed and dead jobs in groups of one cause, and what to do about them."""

import sys

import click
from rich.text import Text

from rotulus import App, FailureGroup
from rotulus._text.words import many
from rotulus.cli.hints import Commands, no_task
from rotulus.cli.output import (
    ago,
    console,
    json_option,
    moment_text,
    print_facts,
    print_json,
    print_table,
)
from rotulus.cli.streams import ask
from rotulus.cli.tables import Column, plain
from rotulus.cli.target import app_options, find_store
from rotulus.cli.values import Whole

_COLUMNS = (
    Column("group"),
    Column("jobs", right=True),
    Column("last seen"),
    Column("first seen", spill=2),
    Column("task", spill=1, fold=12),
    Column("error", fold=24),
)


@click.group(cls=Commands, invoke_without_command=True)
@click.option("--task", help="Only failures of this task; 'mail.*': of those that begin so.")
@click.option(
    "--since",
    type=Whole(1, 36_500 * 86_400, example=3600),
    metavar="SECONDS",
    help="Only failures of so many seconds.",
)
@click.option(
    "--limit", default=50, type=Whole(1, 10_000, example=50), show_default=True, help="At most."
)
@json_option
@app_options
@click.pass_context
def failures(
    ctx: click.Context,
    task: str | None,
    since: int | None,
    limit: int,
    as_json: bool,
    target: str | None,
    url: str | None,
) -> None:
    """Failed and dead jobs, by what they failed of; the group that was seen last first.

    Jobs of a group raised the same kind of error in the same functions. A job that is sent back is
    in no group until it fails again.
    """
    if ctx.invoked_subcommand is not None:
        if task or since or as_json or target or url:
            raise click.UsageError(f"Give the options after {ctx.invoked_subcommand!r}")
        return
    app = find_store(target, url)
    found = app.failures.groups(task=task, since=since, limit=limit)
    if as_json:
        print_json([group.to_dict() for group in found])
        return
    hint = None if found or (task or "").endswith("*") else no_task(app, task)
    print_table(_COLUMNS, map(_row, found), hint or f"Nothing failed in {app.store.url}.")


@failures.command()
@click.argument("fingerprint", metavar="GROUP")
@json_option
@app_options
def show(fingerprint: str, as_json: bool, target: str | None, url: str | None) -> None:
    """One group: its tasks, how many jobs failed, and the error of the last one."""
    group = find_store(target, url).failures.get(fingerprint)
    if as_json:
        print_json(group.to_dict())
        return
    print_facts(
        {
            "group": group.fingerprint,
            "jobs": str(group.count),
            "tasks": ", ".join(group.tasks),
            "first seen": f"{moment_text(group.first_seen)} ({ago(group.first_seen)})",
            "last seen": f"{moment_text(group.last_seen)} ({ago(group.last_seen)})",
            "last job": group.example.id,
        }
    )
    console().print(Text("\nerror of the last job", "bold"))
    text = group.error.traceback.rstrip("\n") or str(group.error)
    click.echo("\n".join(plain(line) for line in text.splitlines()))


@failures.command()
@click.argument("fingerprint", metavar="GROUP")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@app_options
def retry(fingerprint: str, yes: bool, as_json: bool, target: str | None, url: str | None) -> None:
    """Send the jobs of a group back to their queues."""
    app = find_store(target, url)
    group = _agreed(app, fingerprint, "retry", yes=yes)
    count = app.failures.retry(group.fingerprint)
    if as_json:
        print_json({"retried": count})
        return
    click.echo(
        f"{many(count, 'job')} sent back to {'its queue' if count == 1 else 'their queues'}."
    )


@failures.command()
@click.argument("fingerprint", metavar="GROUP")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@app_options
def delete(fingerprint: str, yes: bool, as_json: bool, target: str | None, url: str | None) -> None:
    """Delete the jobs of a group, with all that is known of them; steps of runs are left."""
    app = find_store(target, url)
    group = _agreed(app, fingerprint, "delete", yes=yes)
    count = app.failures.delete(group.fingerprint)
    if as_json:
        print_json({"deleted": count})
        return
    click.echo(f"{many(count, 'job')} deleted.")


def _agreed(app: App, fingerprint: str, verb: str, *, yes: bool) -> FailureGroup:
    """Returns the group, once somebody has agreed; else ends the program."""
    group = app.failures.get(fingerprint)
    if yes:
        return group
    jobs = many(group.count, "job") if group.count.exact else f"{group.count} jobs"
    agreed = ask(f"{verb} {jobs} that failed with {group.error.type}?")
    if agreed is None:
        raise click.UsageError("Nobody answered, so nothing was done; --yes does not ask")
    if not agreed:
        click.echo("Nothing was done.", err=True)
        sys.exit(1)
    return group


def _row(group: FailureGroup) -> tuple[object, ...]:
    return (
        group.fingerprint,
        str(group.count),
        ago(group.last_seen),
        ago(group.first_seen),
        ", ".join(group.tasks),
        str(group.error),
    )
