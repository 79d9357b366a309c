"""`rotulus schedule`, and `rotulus ls schedules`: what is fired when, shown and changed."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any, TypeVar

import click

from rotulus import App, ScheduleInfo
from rotulus._text.words import many
from rotulus.cli.hints import Commands, listed
from rotulus.cli.output import ago, iso, json_option, moment_text, print_json, print_table
from rotulus.cli.output import state_text as job_state_text
from rotulus.cli.schedule_show import show
from rotulus.cli.tables import Column
from rotulus.cli.target import app_options, find_app, find_store, has_store
from rotulus.cli.values import (
    read_call,
    read_document,
    read_length,
    read_time,
    timezone_option,
    when_option,
)
from rotulus.errors import RotulusError

F = TypeVar("F", bound=Callable[..., Any])

_SCHEDULES = (
    Column("schedule", fold=12),
    Column("task", fold=12, spill=6, optional=True),
    Column("cron", fold=9),
    Column("zone", fold=8, spill=1),
    Column("missed", spill=5, usual="latest"),
    Column("state", spill=4, usual="active"),
    Column("next", fold=16),
    Column("last", fold=16, spill=2, optional=True),
    Column("", spill=3, optional=True),
)
_SHOWN = 20
"""Of how many instants more than their number is told."""


@click.command()
@json_option
@app_options
def schedules(as_json: bool, target: str | None, url: str | None) -> None:
    """What is fired when: the times are in the zone of each schedule."""
    app = find_app(target, url, tasks=True, served=True)
    found = app.schedules.list() if has_store(app) else _of_code(app)
    if as_json:
        print_json([one.to_dict() for one in found])
        return
    empty = (
        "There are no schedules. Declare one with @scheduled('*/5 * * * *'), or add one: rotulus "
        "schedule add NAME TASK --cron '*/5 * * * *'"
    )
    print_table(_SCHEDULES, map(_row, found), empty)


@click.group(cls=Commands)
def schedule() -> None:
    """Show, add, change, pause, resume, remove and run schedules, while workers run.

    Schedules that code declares are changed in the code; they can be paused, resumed and run.
    """


schedule.add_command(show)


def _times(command: F) -> F:
    """The options of a schedule."""
    for option in reversed(
        [
            click.option("--cron", metavar="EXPRESSION", help="Five fields, or @daily."),
            click.option("--every", metavar="90|15min|2h", type=read_length, help="An interval."),
            timezone_option(None),
            click.option("--missed", help="latest, skip or all(N): after a time without workers."),
            click.option("--overlap", help="allow, or skip while an earlier job has not ended."),
            click.option("--start", metavar="TIME", help="No instant is before. UTC, or it says."),
            click.option("--end", metavar="TIME", help="No instant is after."),
            click.option(
                "--spread", metavar="90|15min|2h", type=read_length, help="Jobs are due within it."
            ),
        ]
    ):
        command = option(command)
    return command


@schedule.command()
@click.argument("name")
@click.argument("task")
@click.argument("words", nargs=-1, metavar="[NAME=VALUE]...")
@click.option("--json-args", metavar="OBJECT", help="Named arguments as one JSON object.")
@click.option("--unchecked", is_flag=True, help="Also for a task that this app does not have.")
@_times
@json_option
@app_options
def add(
    name: str,
    task: str,
    words: tuple[str, ...],
    json_args: str | None,
    unchecked: bool,
    as_json: bool,
    target: str | None,
    url: str | None,
    **times: Any,
) -> None:
    """Add a schedule of TASK under NAME; a task may have several."""
    app = find_app(target, url, tasks=not unchecked, served=True)
    call = read_call(app, task, words, json_args)
    if call.args:
        raise click.UsageError(
            f"A schedule takes arguments by name: write NAME=VALUE instead of {call.args[0]!r}"
        )
    options: dict[str, Any] = {**_given(times), "arguments": call.kwargs}
    made = app.schedules.add(name, task=task, unchecked=unchecked, **options)
    _tell(made, as_json=as_json)


@schedule.command(name="set")
@click.argument("name")
@click.option("--task", help="Another task.")
@click.option("--args", "document", metavar="OBJECT", help="All arguments, as a JSON object.")
@click.option("--no-start", is_flag=True, help="It has no start any more.")
@click.option("--no-end", is_flag=True, help="It has no end any more.")
@click.option("--version", type=int, help="Only if nobody has changed this version since.")
@click.option("--unchecked", is_flag=True, help="Also to a task that this app does not have.")
@_times
@json_option
@app_options
def change(
    name: str,
    task: str | None,
    document: str | None,
    no_start: bool,
    no_end: bool,
    version: int | None,
    unchecked: bool,
    as_json: bool,
    target: str | None,
    url: str | None,
    **times: Any,
) -> None:
    """Change a schedule that was added; what is not given stays."""
    app = find_store(target, url)
    options = _given({"task": task, **times})
    options |= {name: None for name, no in (("start", no_start), ("end", no_end)) if no}
    if document is not None:
        options["arguments"] = read_document(document, "--args")
    if not options:
        raise click.UsageError("Nothing to change: give --cron, --every, --args or another option")
    made = app.schedules.set(name, version=version, unchecked=unchecked, **options)
    _tell(made, as_json=as_json)


@schedule.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@json_option
@app_options
def pause(names: tuple[str, ...], as_json: bool, target: str | None, url: str | None) -> None:
    """Fire schedules no more, until they are resumed. Their jobs go on."""
    app = find_store(target, url)
    paused = _each(app, names, app.schedules.pause)
    if as_json:
        print_json([one.to_dict() for one in paused])
        return
    click.echo(
        f"Paused {', '.join(names)}: what is due meanwhile is not fired. 'rotulus schedule resume "
        f"{' '.join(names)}' lets go on."
    )


@schedule.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@json_option
@app_options
def resume(names: tuple[str, ...], as_json: bool, target: str | None, url: str | None) -> None:
    """Fire schedules again, from now on."""
    app = find_store(target, url)
    resumed = _each(app, names, app.schedules.resume)
    if as_json:
        print_json([one.to_dict() for one in resumed])
        return
    for one in resumed:
        click.echo(f"Resumed {one.name}: {_next(one) or one.state}.")


@schedule.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@json_option
@app_options
def remove(names: tuple[str, ...], as_json: bool, target: str | None, url: str | None) -> None:
    """Remove schedules that were added, or that no code declares any more. Their jobs stay."""
    app = find_store(target, url)
    removed = list(dict.fromkeys(names))
    app.schedules.remove(*removed)
    if as_json:
        print_json({"removed": removed})
        return
    click.echo(f"Removed {', '.join(removed)}.")


@schedule.command()
@click.argument("name")
@json_option
@app_options
def run(name: str, as_json: bool, target: str | None, url: str | None) -> None:
    """Store a job of a schedule now, also while it is paused, and print its id."""
    app = find_store(target, url)
    job = app.schedules.run_now(name)
    if as_json:
        print_json(job.to_dict())
        return
    click.echo(job.id)


@schedule.command()
@click.argument("name")
@when_option("--since", "The instants from then on", required=True)
@when_option("--until", "The instants before then; now unless given")
@click.option("--dry-run", is_flag=True, help="Only tell which instants have no job.")
@json_option
@app_options
def backfill(
    name: str,
    since: datetime | float,
    until: datetime | float | None,
    dry_run: bool,
    as_json: bool,
    target: str | None,
    url: str | None,
) -> None:
    """Store a job for each instant of a time that is over, unless it has one that is kept."""
    app = find_store(target, url)
    found = app.schedules.backfill(name, since, until, dry_run=dry_run)
    if as_json:
        print_json({"dry_run": dry_run, "instants": list(map(iso, found))})
        return
    would = "would become jobs" if dry_run else "have become jobs"
    click.echo(f"{many(len(found), 'instant')} of {name} {would}{':' if found else '.'}")
    for at in found[:_SHOWN]:
        click.echo(f"  {moment_text(at)}")
    if len(found) > _SHOWN:
        click.echo(f"  … and {len(found) - _SHOWN:,} more, up to {moment_text(found[-1])}")


def _each(app: App, names: Sequence[str], act: Callable[[str], ScheduleInfo]) -> list[ScheduleInfo]:
    """Do something to schedules, once all of them were found; if it fails, say to which it was."""
    wanted = list(dict.fromkeys(names))
    done: list[ScheduleInfo] = []
    try:
        for name in wanted:
            app.schedules.get(name)
        done.extend(map(act, wanted))
    except RotulusError:
        if len(wanted) > 1:
            names_done = f"Done for: {listed([one.name for one in done])}."
            click.echo(names_done if done else "Nothing was done.", err=True)
        raise
    return done


def _given(times: dict[str, Any]) -> dict[str, Any]:
    """The options that are given, with moments as such."""
    given = {name: value for name, value in times.items() if value is not None}
    for name in ("start", "end"):
        if name in given:
            given[name] = read_time(given[name], f"--{name}")
    return given


def _tell(made: ScheduleInfo, *, as_json: bool) -> None:
    if as_json:
        print_json(made.to_dict())
        return
    click.echo(f"{made.name} fires {made.task}: {made.schedule.explain()}")
    click.echo(f"{_next(made) or made.state}", err=True)


def _next(one: ScheduleInfo) -> str | None:
    return (
        None
        if one.next is None
        else f"next {_in_zone(one.next, one.next.tzinfo)} ({ago(one.next)})"
    )


def _row(one: ScheduleInfo) -> tuple[object, ...]:
    zone = one.schedule.zone
    return (
        one.name,
        None if one.task == one.name else one.task,
        one.schedule.cron,
        one.schedule.timezone,
        one.schedule.missed,
        one.state.replace("_", " "),
        None if one.next is None else f"{_in_zone(one.next, zone)} ({ago(one.next)})",
        one.last and _in_zone(one.last.instant or one.last.created_at, zone),
        one.last and job_state_text(one.last.state),
    )


def _in_zone(moment: datetime, zone: tzinfo | None) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"


def _of_code(app: App) -> list[ScheduleInfo]:
    """The schedules of an app whose store is not there yet."""
    now = datetime.now(UTC)
    return [
        ScheduleInfo(name, one, next(iter(one.next(now)), None), None, task=name)
        for name, one in app.provider.schedule.items()
    ]
