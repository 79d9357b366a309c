"""`rotulus cron preview`: when an expression would fire."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import click

from rotulus import Schedule
from rotulus.cli.hints import Commands
from rotulus.cli.output import json_option, print_json, print_table
from rotulus.cli.values import Whole, timezone_option
from rotulus.errors import OptionError


@click.group(cls=Commands)
def cron() -> None:
    """Look at cron expressions."""


@cron.command()
@click.argument("expression")
@timezone_option("UTC")
@click.option("--count", default=10, show_default=True, type=Whole(1, 1000, example=10))
@click.option("--after", metavar="TIME", help="An ISO 8601 time; now unless given.")
@json_option
def preview(expression: str, timezone: str, count: int, after: str | None, as_json: bool) -> None:
    """The next instants of EXPRESSION, with those marked at which clocks change."""
    try:
        schedule = Schedule(expression, timezone)
    except OptionError as error:
        raise click.UsageError(str(error)) from None
    start = _start(after, schedule)
    known = schedule.next(start, count + 1)
    instants = known[:count]
    if as_json:
        print_json(
            [{"local": at.isoformat(), "utc": at.astimezone(UTC).isoformat()} for at in instants]
        )
        return
    click.echo(schedule.explain())
    print_table((timezone, "UTC", ""), instant_rows(start, known, count), "It never fires again.")


def instant_rows(
    start: datetime, known: Sequence[datetime], count: int
) -> list[tuple[str, str, str]]:
    """Returns a row for each instant: its local time, that in UTC, and whether clocks change.

    Args:
        start: the moment after which they come.
        known: the instants, in their zone, and the one after them.
        count: how many of them are shown.
    """
    time = "%H:%M:%S" if any(at.second for at in known[:count]) else "%H:%M"
    return [
        (f"{at:%a %Y-%m-%d {time} %Z}", f"{at.astimezone(UTC):%Y-%m-%d {time}}Z", change)
        for at, change in zip(known[:count], _changes(start, known), strict=False)
    ]


def _start(text: str | None, schedule: Schedule) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is no ISO 8601 time: write 2026-11-20T09:30, which is then in the zone of "
            f"--timezone",
            param_hint="--after",
        ) from None
    if moment.tzinfo is not None:
        return moment
    return moment.replace(tzinfo=schedule.next(datetime.now(UTC))[0].tzinfo)


def _changes(start: datetime, known: Sequence[datetime]) -> list[str]:
    """Returns a note for each instant: the change of the clocks between it and a neighbour."""
    offsets = [at.utcoffset() for at in [start.astimezone(at.tzinfo) for at in known[:1]]]
    offsets += [at.utcoffset() for at in known]
    return [
        _change(at) if len(set(offsets[place : place + 3])) > 1 else ""
        for place, at in enumerate(known)
    ]


def _change(at: datetime) -> str:
    """Returns the change of the clocks on the day of an instant."""
    midnight = at.replace(hour=0, minute=0, fold=0)
    early, late = midnight.utcoffset(), (midnight + timedelta(days=1)).utcoffset()
    if early is None or late is None or early == late:
        return ""
    minutes = abs(late - early) // timedelta(minutes=1)
    return f"clocks go {'forward' if late > early else 'back'} {minutes} min"
