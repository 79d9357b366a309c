"""`rotulus token`: adds, lists and removes tokens, which let senders into a service."""

import click

from rotulus import TokenInfo
from rotulus._text.words import many
from rotulus.cli.hints import Commands
from rotulus.cli.output import ago, json_option, moment_text, print_json, print_table
from rotulus.cli.tables import Column
from rotulus.cli.target import app_options, find_store
from rotulus.cli.values import read_length

_COLUMNS = (
    Column("token", fold=12),
    Column("role"),
    Column("added", spill=2),
    Column("expires", spill=1),
    Column("last used", spill=3),
)

_ROLES = click.Choice(["viewer", "operator", "admin"])


@click.group(cls=Commands)
def token() -> None:
    """Add, list and remove tokens, which let senders into a service.

    A service that finds tokens in its store asks every sender for one.
    """


@token.command()
@click.argument("name")
@click.option("--role", type=_ROLES, default="viewer", show_default=True, help="What it allows.")
@click.option(
    "--expires", type=read_length, metavar="LENGTH", help="For how long: 12h, 90d. Else for good."
)
@json_option
@app_options
def add(
    name: str, role: str, expires: float | None, as_json: bool, target: str | None, url: str | None
) -> None:
    """Add a token, and print its secret, which nobody can read again."""
    made = find_store(target, url).tokens.add(name, role, expires=expires)
    if as_json:
        print_json(made.to_dict())
        return
    click.echo(made.secret)
    click.echo(
        f"Added token {name}, a {role}. Clients send it as 'Authorization: Bearer <secret>'; "
        f"'rotulus token rm {name}' takes it back.",
        err=True,
    )


@token.command()
@json_option
@app_options
def ls(as_json: bool, target: str | None, url: str | None) -> None:
    """The tokens by name, without their secrets."""
    app = find_store(target, url)
    found = app.tokens.list()
    if as_json:
        print_json([one.to_dict() for one in found])
    else:
        empty = f"No tokens in {app.store.url}. Add one with: rotulus token add NAME --role viewer"
        print_table(_COLUMNS, map(_row, found), empty)


@token.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@app_options
def rm(names: tuple[str, ...], target: str | None, url: str | None) -> None:
    """Remove tokens: services refuse them within some seconds."""
    find_store(target, url).tokens.remove(*names)
    click.echo(f"Removed {many(len(names), 'token')}: {', '.join(names)}.")


def _row(info: TokenInfo) -> tuple[object, ...]:
    expires = "never" if info.expires_at is None else moment_text(info.expires_at)
    return (
        info.name,
        info.role.value,
        moment_text(info.created_at),
        f"{expires} (expired)" if info.expired else expires,
        ago(info.last_used_at) or "never",
    )
