"""`rotulus webhook`: who is told of what by HTTP, shown and changed, and what was delivered."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from rotulus import App, Delivery, State, WebhookInfo
from rotulus._text.names import serves
from rotulus.cli.hints import Commands
from rotulus.cli.output import (
    ago,
    json_option,
    moment_text,
    print_facts,
    print_json,
    print_table,
    state_text,
)
from rotulus.cli.tables import Column
from rotulus.cli.target import app_options, find_store
from rotulus.cli.values import Whole, read_labels
from rotulus.errors import ResultTimeoutError

F = TypeVar("F", bound=Callable[..., Any])

_QUEUE = "webhooks"

_WEBHOOKS = (
    Column("webhook", fold=12),
    Column("url", fold=20),
    Column("events", fold=12),
    Column("of", spill=3, fold=12, optional=True),
    Column("state"),
    Column("", spill=1, fold=20, optional=True),
)

_DELIVERIES = (
    Column("delivery"),
    Column("webhook", fold=12),
    Column("event", fold=9),
    Column("of", spill=1, optional=True),
    Column("state"),
    Column("tries", right=True),
    Column("added", spill=3),
    Column("", spill=2, fold=24, optional=True),
)

_WAIT = 30.0
"""Seconds for which `test --wait` waits."""


@click.group(cls=Commands)
def webhook() -> None:
    """Add, change, pause, resume, remove and test webhooks, and look at their deliveries."""


def _filters(command: F) -> F:
    """The options of what a webhook is told of."""
    for option in reversed(
        [
            click.option(
                "--event", "events", multiple=True, metavar="TYPE", help="job.failed, run.*, …"
            ),
            click.option("--task", help="Only of this task; 'mail.*': of all that begin so."),
            click.option("--queue", help="Only of this queue."),
            click.option(
                "--label",
                "labels",
                multiple=True,
                metavar="NAME=TEXT",
                help="Only with this label.",
            ),
        ]
    ):
        command = option(command)
    return command


@webhook.command()
@click.argument("name")
@click.argument("address", metavar="URL")
@_filters
@click.option("--secret", help="What messages are signed with; made unless given.")
@json_option
@app_options
def add(
    name: str,
    address: str,
    events: tuple[str, ...],
    secret: str | None,
    as_json: bool,
    target: str | None,
    url: str | None,
    **filters: Any,
) -> None:
    """Tell URL of events from now on, and print the secret that signs the messages."""
    if not events:
        raise click.UsageError("Which events? Give --event job.failed, or --event 'job.*'")
    app = find_store(target, url)
    given = _given(filters)
    made = app.webhooks.add(name, address, events=list(events), secret=secret, **given)
    _tell_secret(app, made, as_json=as_json)


@webhook.command(name="ls")
@json_option
@app_options
def list_(as_json: bool, target: str | None, url: str | None) -> None:
    """All webhooks, and how each stands."""
    app = find_store(target, url)
    found = app.webhooks.list()
    if as_json:
        print_json([one.to_dict() for one in found])
        return
    empty = (
        f"There are no webhooks in {app.store.url}. Add one: rotulus webhook add NAME URL "
        f"--event job.failed"
    )
    print_table(_WEBHOOKS, map(_row, found), empty)
    if found:
        _say_unserved(app)


@webhook.command()
@click.argument("name")
@json_option
@app_options
def show(name: str, as_json: bool, target: str | None, url: str | None) -> None:
    """One webhook: what it is told of, and how it stands."""
    app = find_store(target, url)
    _tell(app, app.webhooks.get(name), as_json=as_json)


@webhook.command(name="set")
@click.argument("name")
@click.option("--to", "address", metavar="URL", help="Another receiver.")
@_filters
@click.option("--any-task", is_flag=True, help="Of all tasks from now on.")
@click.option("--any-queue", is_flag=True, help="Of all queues from now on.")
@click.option("--any-label", is_flag=True, help="Whatever labels a job has.")
@click.option("--version", type=int, help="Only if nobody has changed this version since.")
@json_option
@app_options
def change(
    name: str,
    address: str | None,
    events: tuple[str, ...],
    any_task: bool,
    any_queue: bool,
    any_label: bool,
    version: int | None,
    as_json: bool,
    target: str | None,
    url: str | None,
    **filters: Any,
) -> None:
    """Change a webhook; what is not given stays."""
    app = find_store(target, url)
    changes = _given(filters)
    cleared = {"task": any_task, "queue": any_queue, "label": any_label}
    changes |= {name: None for name, clear in cleared.items() if clear}
    if address is not None:
        changes["url"] = address
    if events:
        changes["events"] = list(events)
    if not changes:
        raise click.UsageError("Nothing to change: give --to, --event, --task or another option")
    _tell(app, app.webhooks.set(name, version=version, **changes), as_json=as_json)


@webhook.command()
@click.argument("name")
@json_option
@app_options
def pause(name: str, as_json: bool, target: str | None, url: str | None) -> None:
    """Send nothing more, until it is resumed; what happens meanwhile is not told later."""
    app = find_store(target, url)
    paused = app.webhooks.pause(name)
    if as_json:
        print_json(paused.to_dict())
        return
    click.echo(f"Paused {name}. 'rotulus webhook resume {name}' lets it go on.")


@webhook.command()
@click.argument("name")
@json_option
@app_options
def resume(name: str, as_json: bool, target: str | None, url: str | None) -> None:
    """Tell a webhook again of what happens, from now on."""
    app = find_store(target, url)
    resumed = app.webhooks.resume(name)
    if as_json:
        print_json(resumed.to_dict())
        return
    click.echo(f"Resumed {name}.")


@webhook.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@json_option
@app_options
def rm(names: tuple[str, ...], as_json: bool, target: str | None, url: str | None) -> None:
    """Remove webhooks. What was delivered stays in the list; what waits is cancelled."""
    app = find_store(target, url)
    removed = list(dict.fromkeys(names))
    for name in removed:  # none is removed, if one is not there
        app.webhooks.get(name)
    for name in removed:
        app.webhooks.remove(name)
    if as_json:
        print_json({"removed": removed})
        return
    click.echo(f"Removed {', '.join(removed)}.")


@webhook.command()
@click.argument("name")
@click.option("--secret", help="The new one; made unless given.")
@json_option
@app_options
def rotate(
    name: str, secret: str | None, as_json: bool, target: str | None, url: str | None
) -> None:
    """Print a new secret; for a day messages are signed with the old one, too."""
    app = find_store(target, url)
    _tell_secret(app, app.webhooks.rotate(name, secret), as_json=as_json)


@webhook.command()
@click.argument("name")
@click.option("--wait", is_flag=True, help="Wait until a worker has delivered it.")
@json_option
@app_options
def test(name: str, wait: bool, as_json: bool, target: str | None, url: str | None) -> None:
    """Have a message of the type webhook.test delivered; --wait for the answer."""
    app = find_store(target, url)
    made = app.webhooks.test(name)
    if not wait:
        _tell_delivery(app, made, as_json=as_json)
        return
    _say_unserved(app)
    job = app.get(made.id)
    try:
        status: int = job.result(timeout=_WAIT)["status"]
    except ResultTimeoutError as late:
        error = app.get(made.id).error
        raise late if error is None else click.ClickException(error.message) from None
    if as_json:
        print_json({"id": made.id, "status": status})
        return
    click.echo(f"The receiver of {name} answered {status}.")


@webhook.command()
@click.argument("name", required=False)
@click.option("--state", "states", multiple=True, type=click.Choice([str(s) for s in State]))
@click.option(
    "--limit", default=50, type=Whole(1, 10_000, example=50), show_default=True, help="At most."
)
@click.option("--after", help="The next page: what the page before has printed.")
@json_option
@app_options
def deliveries(
    name: str | None,
    states: tuple[str, ...],
    limit: int,
    after: str | None,
    as_json: bool,
    target: str | None,
    url: str | None,
) -> None:
    """What was delivered, or is still to be, the last added first; of one webhook, or of all."""
    app = find_store(target, url)
    where: dict[str, Any] = {"state": list(states) or None}
    found = app.webhooks.deliveries(name, limit=limit, after=after, **where)
    if as_json:
        print_json([one.to_dict() for one in found])
    else:
        print_table(_DELIVERIES, map(_delivery_row, found), "There are no such deliveries.")
    if found.next is not None:
        click.echo(f"There are more: --after {found.next}", err=True)


@webhook.command()
@click.argument("ids", nargs=-1, required=True, metavar="DELIVERY...")
@json_option
@app_options
def replay(ids: tuple[str, ...], as_json: bool, target: str | None, url: str | None) -> None:
    """Have messages sent again, under the ids that they had."""
    app = find_store(target, url)
    for one in dict.fromkeys(ids):
        _tell_delivery(app, app.webhooks.replay(one), as_json=as_json)


def _given(filters: dict[str, Any]) -> dict[str, Any]:
    """The filters that are given."""
    given = {"label": read_labels(filters.pop("labels")), **filters}
    return {name: value for name, value in given.items() if value is not None}


def _tell_secret(app: App, made: WebhookInfo, *, as_json: bool) -> None:
    if as_json:
        print_json(made.to_dict())
        return
    click.echo(made.secret)
    click.echo(
        f"That is the secret of {made.name}, which is shown this once: the receiver checks with it "
        f"that messages come from here.",
        err=True,
    )
    _say_unserved(app)


def _tell(app: App, one: WebhookInfo, *, as_json: bool) -> None:
    if as_json:
        print_json(one.to_dict())
        return
    print_facts(
        {
            "webhook": one.name,
            "url": one.url,
            "events": ", ".join(one.events),
            "task": one.task,
            "queue": one.queue,
            "labels": _labels(one),
            "state": one.state,
            "paused": moment_text(one.paused_at),
            "missed events": moment_text(one.missed_at),
            "slow until": moment_text(one.slow_until),
            "old secret until": moment_text(one.old_secret_until),
            "version": one.version,
        }
    )
    _say_unserved(app)


def _row(one: WebhookInfo) -> tuple[object, ...]:
    of = filter(None, [one.task, one.queue and f"queue {one.queue}", _labels(one)])
    notes = (
        one.missed_at and f"missed events, found {ago(one.missed_at)}",
        one.slow_until and f"slow until {moment_text(one.slow_until)}",
    )
    told = "; ".join(filter(None, notes)) or None
    return one.name, one.url, ", ".join(one.events), ", ".join(of) or None, one.state, told


def _labels(one: WebhookInfo) -> str | None:
    return ", ".join(f"{name}={text}" for name, text in one.labels.items()) or None


def _delivery_row(one: Delivery) -> tuple[object, ...]:
    told = one.error if one.state is not State.SUCCEEDED else f"answered {one.status}"
    if one.next_at is not None:
        told = f"next {ago(one.next_at)}{f': {told}' if told else ''}"
    return (
        one.id,
        one.webhook,
        one.event,
        one.subject,
        state_text(one.state),
        one.tries,
        ago(one.created_at),
        told,
    )


def _tell_delivery(app: App, one: Delivery, *, as_json: bool) -> None:
    if as_json:
        print_json(one.to_dict())
        return
    click.echo(one.id)
    _say_unserved(app)


def _say_unserved(app: App) -> None:
    """Say that no worker delivers, where some run and serve other queues."""
    workers = app.workers.list()
    if workers and not any(serves(worker.queues, _QUEUE) for worker in workers):
        click.echo(
            f"No worker serves queue {_QUEUE!r}, in which deliveries wait: start one with "
            f"'rotulus worker --queues {_QUEUE}'.",
            err=True,
        )
