"""`rotulus limits`: who holds the keys of limits, and terms that are set in place of the code's."""

from typing import Any

import click

from rotulus import LimitInfo
from rotulus._text.words import many
from rotulus.cli.hints import Commands
from rotulus.cli.output import ago, iso, json_option, print_json, print_table
from rotulus.cli.tables import Column
from rotulus.cli.target import app_options, find_store
from rotulus.cli.values import Whole, read_rate

_COLUMNS = (
    Column("key", fold=12),
    Column("running", right=True),
    Column("limit", right=True),
    Column("rate"),
    Column("waiting", right=True),
    Column("set", fold=12, spill=1, optional=True),
)

_PLAIN = ("limit", "rate", "per", "running", "waiting", "code_limit", "code_rate", "code_per")


@click.group(cls=Commands, invoke_without_command=True)
@json_option
@app_options
@click.pass_context
def limits(ctx: click.Context, as_json: bool, target: str | None, url: str | None) -> None:
    """The keys of limits that jobs hold or wait for, and those with terms of their own.

    Limits stand in the code of tasks. 'limits set' has others hold, in all workers at once;
    'limits unset' has those of the code hold again.
    """
    if ctx.invoked_subcommand is not None:
        if as_json or target or url:
            raise click.UsageError(f"Give the options after {ctx.invoked_subcommand!r}")
        return
    app = find_store(target, url)
    found = app.limits.list()
    if as_json:
        print_json([_plain(one) for one in found])
    else:
        print_table(_COLUMNS, map(_row, found), f"No job has a limit in {app.store.url}.")


@limits.command("set")
@click.argument("key")
@click.option(
    "--limit", type=Whole(0, 1_000_000, example=5), help="How many may run at once; 0: none starts."
)
@click.option("--rate", type=read_rate, metavar="N/TIME", help="How many may start: 100/min, 5/s.")
@json_option
@app_options
def set_terms(
    key: str,
    limit: int | None,
    rate: tuple[int, float] | None,
    as_json: bool,
    target: str | None,
    url: str | None,
) -> None:
    """Set the terms of a key, in place of all that were set before.

    They hold from the next claim on, for jobs that wait and for those that come. Jobs that run go
    on. What is not given is as the code says.
    """
    if limit is None and rate is None:
        raise click.UsageError(
            f"What is the limit? Give --limit or --rate; 'rotulus limits unset {key}' has the "
            f"terms of the code hold again"
        )
    count, per = rate or (None, None)
    told = find_store(target, url).limits.set(key, limit=limit, rate=count, per=per)
    _print(told, "Set", as_json=as_json)


@limits.command()
@click.argument("key")
@json_option
@app_options
def unset(key: str, as_json: bool, target: str | None, url: str | None) -> None:
    """Have the terms of the code hold again for a key."""
    told = find_store(target, url).limits.unset(key)
    _print(told, "Unset", as_json=as_json)


def _print(info: LimitInfo, done: str, *, as_json: bool) -> None:
    if as_json:
        print_json(_plain(info))
        return
    terms = [f"{info.limit:,} at once"] if info.limit is not None else []
    terms += [_rate(info)] if info.rate is not None else []
    jobs = f"{many(info.running, 'job')} of it run, {info.waiting:,} wait."
    click.echo(f"{done} {info.key}: {' and '.join(terms) or 'as the code says'}. {jobs}")


def _row(info: LimitInfo) -> tuple[object, ...]:
    by = f" by {info.set_by}" if info.set_by else ""
    return (
        info.key,
        info.running,
        "any" if info.limit is None else info.limit,
        "any" if info.rate is None else _rate(info),
        info.waiting,
        f"{ago(info.set_at)}{by}" if info.set_at else None,
    )


def _rate(info: LimitInfo) -> str:
    return f"{info.rate:,} in {info.per:g} s"


def _plain(info: LimitInfo) -> dict[str, Any]:
    lists = {name: list(getattr(info, name)) for name in ("queues", "tasks", "holders")}
    told = {name: getattr(info, name) for name in _PLAIN}
    return {"key": info.key, **lists, **told, "set_at": iso(info.set_at), "set_by": info.set_by}
