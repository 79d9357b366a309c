"""`rotulus migrate`, `check` and `config`: before anything runs."""

import click

from rotulus import App
from rotulus.cli.output import json_option, print_json, print_table
from rotulus.cli.target import app_options, find_app
from rotulus.cli.words import many
from rotulus.config import SETTINGS, load_settings
from rotulus.errors import ConfigurationError
from rotulus.events import StoreMigrated


@click.command()
@click.option("--sql", is_flag=True, help="Print the SQL instead of running it.")
@click.option(
    "--grants",
    type=click.Choice(["producer", "worker", "viewer"]),
    help="Print the SQL that gives a PostgreSQL role the rights for this.",
)
@click.option("--role", help="The role to give them to. Default: rotulus_producer, and so on.")
@app_options
def migrate(
    sql: bool, grants: str | None, role: str | None, target: str | None, url: str | None
) -> None:
    """Bring the store's tables up to this version. Safe to run twice, and while workers run."""
    app = find_app(target, url)
    if sql:
        click.echo(app.tables_sql)
        return
    if grants is not None:
        click.echo(_grants(app, grants, role))
        return
    applied: list[str] = []
    app.events.subscribe(lambda event: applied.extend(event.migrations), StoreMigrated)
    place, store = app.store.url, app.store
    applied += store.migrate()
    click.echo(f"{place}: applied {', '.join(applied)}" if applied else f"{place} is up to date.")


def _grants(app: App, what: str, role: str | None) -> str:
    scripts = app.store.grants_sql
    if not scripts:
        raise click.UsageError(f"{app.store.url} has no roles: grants are for PostgreSQL")
    return scripts[what].replace(':"role"', f'"{role or f"rotulus_{what}"}"')


@click.command()
@json_option
@app_options
def check(as_json: bool, target: str | None, url: str | None) -> None:
    """Check everything a worker needs: tasks, injection, schedules, store, and waiting jobs."""
    app = find_app(target, url, tasks=True)
    problems = app.check()
    facts = {
        "tasks": len(app.registry),
        "schedules": len(app.provider.schedule),
        "store": app.store.url,
        "problems": problems,
    }
    if as_json:
        print_json(facts)
    else:
        tasks, schedules = len(app.registry), len(app.provider.schedule)
        click.echo(f"{many(tasks, 'task')}, {many(schedules, 'schedule')}, {app.store.url}")
    if problems:
        raise ConfigurationError(
            "\n  ".join([f"{len(problems)} kinds of waiting jobs cannot run:", *problems])
        )
    if not as_json:
        click.echo("Everything fits.")


@click.command()
@json_option
def config(as_json: bool) -> None:
    """The settings, and where each comes from."""
    settings = load_settings()
    if as_json:
        print_json({name: setting._asdict() for name, setting in settings.items()})
        return
    rows = [
        (name, "" if s.value is None else s.value, s.origin, SETTINGS[name].help)
        for name, s in settings.items()
    ]
    print_table(("setting", "value", "from", ""), rows, "")
