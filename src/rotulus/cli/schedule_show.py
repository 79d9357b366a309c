"""`rotulus schedule show`: one schedule, and the instants at which it fires next."""

import json
from datetime import UTC, datetime

import click

from rotulus import ScheduleInfo
from rotulus.cli.cron import instant_rows
from rotulus.cli.output import iso, json_option, moment_text, print_facts, print_json, print_table
from rotulus.cli.target import app_options, find_store
from rotulus.cli.values import Whole, read_time


@click.command()
@click.argument("name")
@click.option("--count", default=5, show_default=True, type=Whole(1, 999, example=5))
@click.option("--after", metavar="TIME", help="The instants after then; now unless given.")
@json_option
@app_options
def show(
    name: str, count: int, after: str | None, as_json: bool, target: str | None, url: str | None
) -> None:
    """One schedule, and its next instants, in its own zone and in UTC.

    Of a paused schedule they are those that it would fire for once it is resumed.
    """
    app = find_store(target, url)
    start = read_time(after, "--after") or datetime.now(UTC)
    found = app.schedules.get(name)
    known = app.schedules.instants(name, count + 1, start)
    if as_json:
        print_json({**found.to_dict(), "instants": list(map(iso, known[:count]))})
        return
    print_facts(_facts(found))
    click.echo()
    zone = found.schedule.timezone if found.schedule.is_readable else "UTC"
    print_table((zone, "UTC", ""), instant_rows(start, known, count), "It has no more instants.")


def _facts(one: ScheduleInfo) -> dict[str, object]:
    schedule, last = one.schedule, one.last
    return {
        "schedule": one.name,
        "task": one.task,
        "fires": schedule.explain(),
        "cron": schedule.cron,
        "state": one.state.replace("_", " "),
        "since": moment_text(one.paused_at),
        "origin": one.origin,
        "arguments": json.dumps(dict(schedule.arguments), ensure_ascii=False, default=str)
        if schedule.arguments
        else None,
        "missed": schedule.missed,
        "overlap": schedule.overlap,
        "spread": f"{schedule.spread:g} s" if schedule.spread else None,
        "start": moment_text(schedule.start),
        "end": moment_text(schedule.end),
        "last": last and f"{moment_text(last.instant or last.created_at)} {last.state} ({last.id})",
        "version": one.version,
    }
