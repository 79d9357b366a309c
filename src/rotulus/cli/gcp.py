"""`rotulus gcp plan` and `apply`: the resources at Google that routes need."""

import sys
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import click
from rich.text import Text

from rotulus import App
from rotulus._lazy import extra_for
from rotulus._progress import Meter
from rotulus._text.words import many
from rotulus.cli.configured import configured
from rotulus.cli.hints import Commands
from rotulus.cli.output import console, json_option, print_json
from rotulus.cli.streams import ask
from rotulus.cli.target import find_app, traceback_option
from rotulus.errors import RotulusError
from rotulus.pubsub import EXTRAS, PubSubSettings

with extra_for("'rotulus gcp'", EXTRAS):
    from rotulus.cli.target import carrier_of
    from rotulus.pubsub.fit import route_problems
    from rotulus.pubsub.provision import Action, Change, Plan, Problem, apply, plan

_STYLES = {
    Action.CREATE: "green",
    Action.UPDATE: "yellow",
    Action.REPLACE: "yellow",
    Action.DELETE: "red",
}
_WORDS = {
    Action.CREATE: "to create",
    Action.UPDATE: "to change",
    Action.REPLACE: "to replace",
    Action.DELETE: "to delete",
    Action.KEEP: "unchanged",
}
_DONE = {
    Action.CREATE: "created",
    Action.UPDATE: "changed",
    Action.REPLACE: "replaced",
    Action.DELETE: "deleted",
}
_app_option = click.option("--app", "target", metavar="MODULE:APP", help="The app.")


@click.group(cls=Commands)
def gcp() -> None:
    """Topics, push subscriptions and scheduler jobs of Google Cloud, for the routes of an app."""


@gcp.command("plan")
@json_option
@_app_option
@traceback_option
def plan_command(as_json: bool, target: str | None) -> None:
    """Print what 'apply' would create, change and delete. Nothing is changed."""
    app = find_app(target, tasks=True)
    with configured():
        print_plan(app, as_json=as_json)


@gcp.command("apply")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@_app_option
@traceback_option
def apply_command(yes: bool, as_json: bool, target: str | None) -> None:
    """Create, change and delete what 'plan' prints. Twice does no harm.

    Only scheduler jobs are deleted, and only those of this environment and namespace that no route
    has any more. A failure for one route is reported, and the others are done.
    """
    app = find_app(target, tasks=True)
    with configured():
        apply_plan(app, yes=yes, as_json=as_json)


def print_plan(app: App, *, as_json: bool) -> None:
    """Print what Google lacks for the routes of an app. Raises `RotulusError` for problems."""
    settings, planned = _plan(app)
    if as_json:
        print_json(_data(settings, planned))
    else:
        _print_plan(settings, planned)
    _raise_problems(planned.problems)


def apply_plan(app: App, *, yes: bool, as_json: bool) -> None:
    """Print it, and make it; unless `yes`, once somebody agrees. Raises `RotulusError`."""
    settings, planned = _plan(app)
    if not as_json:
        _print_plan(settings, planned)
    if planned.work and not yes:
        _ask(planned)
    with Meter("applying") as meter:
        applied = apply(planned, meter.show)
    if as_json:
        print_json({**_data(settings, planned), "done": list(map(_change_data, applied.done))})
    elif applied.done:
        click.echo(f"Done: {_counts(applied.done, _DONE)}.")
    _raise_problems(applied.problems)


def _plan(app: App) -> tuple[PubSubSettings, Plan]:
    """Returns the plan for the routes of the app, by the environment or its carrier."""
    carrier = carrier_of(app)
    check = partial(route_problems, registry=app.registry, lease=app.settings["lease"].value)
    with Meter("reading") as meter:
        planned = plan(carrier.routes, carrier.settings, told=meter.show, check=check)
    return carrier.settings, planned


def _print_plan(settings: PubSubSettings, planned: Plan) -> None:
    out = console()
    for change in planned.work:
        out.print(_line(change), soft_wrap=True)
        for difference in _shown(change):
            out.print(Text(f"    {difference}", "dim"), soft_wrap=True)
    where = f"project {settings.project_id}"
    if settings.pubsub_emulator:
        where += f", which is emulated at {settings.pubsub_emulator}"
    if planned.work:
        click.echo(f"\n{_counts(planned.changes, _WORDS)}, in {where}.")
    elif not planned.problems:
        click.echo(f"Nothing to do: {many(len(planned.changes), 'resource')} in {where} fit.")
    for note in planned.notes:
        click.echo(f"{note}.", err=True)
    if settings.pubsub_emulator and not settings.scheduler_emulator:
        click.echo(
            "No scheduler jobs beside an emulator, unless CLOUD_SCHEDULER_EMULATOR_HOST says where "
            "they are emulated.",
            err=True,
        )


def _line(change: Change) -> Text:
    name = change.resource.name.rpartition("/")[2]
    action = Text(f"{change.action:8}", _STYLES[change.action])
    return action.append(f" {change.resource.kind:13} ", "bold").append(name, "not bold")


def _shown(change: Change) -> Iterator[str]:
    """The fields that differ; of a new resource all that are set."""
    for name, before, after in change.differences:
        was = "" if before is None else f"{_value(before)} → "
        yield f"{name}: {was}{_value(after)}"


def _value(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return "none" if value is None else str(value)


def _counts(changes: Sequence[Change], words: dict[Action, str]) -> str:
    """Returns how many of each kind, such as "2 to create, 5 unchanged"."""
    counted = [(sum(c.action is action for c in changes), word) for action, word in words.items()]
    return ", ".join(f"{count} {word}" for count, word in counted if count)


def _ask(planned: Plan) -> None:
    """Go on if somebody agrees; else end the program."""
    agreed = ask(f"Apply {many(len(planned.work), 'change')}?")
    if agreed is None:
        raise click.UsageError("Nobody answered, so nothing was done; --yes does not ask")
    if not agreed:
        click.echo("Nothing was done.", err=True)
        sys.exit(1)


def _raise_problems(problems: Sequence[Problem]) -> None:
    """Tell each problem once, with all that it hinders. Raises `RotulusError` if there are any."""
    if not problems:
        return
    hindered: dict[str, list[str]] = {}
    for problem in problems:
        hindered.setdefault(problem.text, []).append(problem.route or problem.name)
    lines = [f"{', '.join(names)}: {text}" for text, names in hindered.items()]
    raise RotulusError(
        "\n  ".join([f"{many(len(problems), 'problem')}; the rest is as it says above:", *lines])
    )


def _data(settings: PubSubSettings, planned: Plan) -> dict[str, Any]:
    return {
        "project": settings.project_id,
        "emulator": settings.pubsub_emulator or None,
        "changes": list(map(_change_data, planned.changes)),
        "problems": [problem._asdict() for problem in planned.problems],
        "notes": list(planned.notes),
    }


def _change_data(change: Change) -> dict[str, Any]:
    return {
        "action": str(change.action),
        "kind": change.resource.kind,
        "name": change.resource.name,
        "route": change.route,
        "differences": [one._asdict() for one in change.differences],
    }
