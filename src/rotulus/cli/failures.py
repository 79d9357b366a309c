"""`rotulus failures`: failed and dead jobs in groups of one cause, retried, deleted or muted."""

from collections.abc import Callable
from datetime import datetime

import click
from rich.text import Text

from rotulus import App, FailureGroup, MuteInfo, State
from rotulus._text.words import many
from rotulus.cli.bulk import How, Verb, bulk_options, by_filters, print_changed
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
from rotulus.cli.retry_cancel import sent_back
from rotulus.cli.tables import Column, plain
from rotulus.cli.target import app_options, find_store
from rotulus.cli.values import Whole, read_length, read_time, when_option

_COLUMNS = (
    Column("group"),
    Column("jobs", right=True),
    Column("last seen"),
    Column("first seen", spill=2),
    Column("task", spill=1, fold=12),
    Column("error", fold=24),
)
_MUTED = Column("muted", fold=16)


@click.group(cls=Commands, invoke_without_command=True)
@click.option("--task", help="Only failures of this task; 'mail.*': of those that begin so.")
@when_option("--since", "Only failures since then")
@click.option(
    "--limit", default=50, type=Whole(1, 10_000, example=50), show_default=True, help="At most."
)
@click.option("--muted", is_flag=True, help="The muted groups, which are left out otherwise.")
@json_option
@app_options
@click.pass_context
def failures(
    ctx: click.Context,
    task: str | None,
    since: datetime | float | None,
    limit: int,
    muted: bool,
    as_json: bool,
    target: str | None,
    url: str | None,
) -> None:
    """Failed and dead jobs, by what they failed of; the group that was seen last first.

    Jobs of a group raised the same kind of error in the same functions. A job that is sent back is
    in no group until it fails again.
    """
    if ctx.invoked_subcommand is not None:
        if task or since is not None or muted or as_json or target or url:
            raise click.UsageError(f"Give the options after {ctx.invoked_subcommand!r}")
        return
    app = find_store(target, url)
    found = app.failures.groups(task=task, since=since, muted=muted, limit=limit)
    if as_json:
        print_json([group.to_dict() for group in found])
        return
    hint = None if found or (task or "").endswith("*") else no_task(app, task)
    print_table(
        (*_COLUMNS, _MUTED) if muted else _COLUMNS,
        (_row(group, muted=muted) for group in found),
        hint or _nothing(app, muted=muted),
    )


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
            **({"muted": _told(group.mute)} if group.mute else {}),
        }
    )
    console().print(Text("\nerror of the last job", "bold"))
    text = group.error.traceback.rstrip("\n") or str(group.error)
    click.echo("\n".join(plain(line) for line in text.splitlines()))


@failures.command()
@click.argument("fingerprint", metavar="GROUP")
@bulk_options
def retry(fingerprint: str, target: str | None, url: str | None, **how: bool) -> None:
    """Send the jobs of a group back to their queues."""
    app = find_store(target, url)
    verb = Verb("retry", "retrying", "is in this group any more", app.jobs.retry)
    _change(app, fingerprint, verb, How(**how), sent_back)


@failures.command()
@click.argument("fingerprint", metavar="GROUP")
@bulk_options
def delete(fingerprint: str, target: str | None, url: str | None, **how: bool) -> None:
    """Delete the jobs of a group, with all that is known of them; steps of runs are left."""
    app = find_store(target, url)
    verb = Verb("delete", "deleting", "in this group can be deleted", app.jobs.delete)
    _change(app, fingerprint, verb, How(**how), lambda jobs: f"{many(jobs, 'job')} deleted.")


@failures.command()
@click.argument("fingerprint", metavar="GROUP")
@click.option("--for", "seconds", type=read_length, metavar="LENGTH", help="For how long: 2h, 7d.")
@click.option("--until", metavar="TIME", help="Until an ISO 8601 time, UTC unless it says.")
@click.option("--note", help="Why.")
@json_option
@app_options
def mute(
    fingerprint: str,
    seconds: float | None,
    until: str | None,
    note: str | None,
    as_json: bool,
    target: str | None,
    url: str | None,
) -> None:
    """Have a group be no news for a time, or for good: it is left out, and webhooks are not told.

    Then it is news again by itself.
    """
    if seconds is not None and until is not None:
        raise click.UsageError("Give --for LENGTH or --until TIME, and not both")
    end = read_time(until, "--until") if seconds is None else seconds
    made = find_store(target, url).failures.mute(fingerprint, until=end, note=note)
    if as_json:
        print_json({"fingerprint": fingerprint, **made.to_dict()})
        return
    when = "for good" if made.until is None else f"until {moment_text(made.until)}"
    click.echo(f"Muted {when}. 'rotulus failures unmute {fingerprint}' takes it back.")


@failures.command()
@click.argument("fingerprint", metavar="GROUP")
@app_options
def unmute(fingerprint: str, target: str | None, url: str | None) -> None:
    """Have a group be news again."""
    was = find_store(target, url).failures.unmute(fingerprint)
    click.echo("Not muted any more." if was else "It was not muted.")


def _change(app: App, fingerprint: str, verb: Verb, how: How, say: Callable[[int], str]) -> None:
    """Do something to the jobs of a group."""
    group = app.failures.get(fingerprint)
    where = {"fingerprint": group.fingerprint, "state": [State.FAILED, State.DEAD]}
    changed = by_filters(app, verb, where, how, f" that failed with {group.error.type}")
    if changed is not None:
        print_changed(verb, changed) if how.as_json else click.echo(say(changed.total))


def _nothing(app: App, *, muted: bool) -> str:
    """What is said where there is no group to show."""
    if muted:
        return f"Nothing that failed in {app.store.url} is muted."
    others = app.failures.groups(muted=True, limit=1)
    return f"Nothing failed in {app.store.url}" + (
        ", but for what is muted: 'rotulus failures --muted' shows it." if others else "."
    )


def _told(mute: MuteInfo) -> str:
    """Until when a group is muted, by whom, and why."""
    when = "for good" if mute.until is None else f"until {moment_text(mute.until)}"
    by = f", by {mute.muted_by}" if mute.muted_by else ""
    return f"{when}{by}{f': {mute.note}' if mute.note else ''}"


def _row(group: FailureGroup, *, muted: bool) -> tuple[object, ...]:
    return (
        group.fingerprint,
        str(group.count),
        ago(group.last_seen),
        ago(group.first_seen),
        ", ".join(group.tasks),
        str(group.error),
        *((group.mute and _told(group.mute),) if muted else ()),
    )
