"""`rotulus migrate`, `check` and `config`: before anything runs."""

import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress

import click

from rotulus import App
from rotulus._text.urls import migrating
from rotulus._text.words import many
from rotulus.cli.configured import configured, settings_with
from rotulus.cli.output import json_option, print_json, print_table
from rotulus.cli.tables import Column
from rotulus.cli.target import app_options, bare_app, find_app, has_store, url_of
from rotulus.config import SETTINGS, Setting
from rotulus.errors import ConfigurationError, StoreError
from rotulus.events import StoreMigrated
from rotulus.store import Store

_EVERY = 10.0
"""Seconds between two lines about an index that is being built."""

_SETTINGS = (
    Column("setting"),
    Column("value", fold=20),
    Column("from", fold=12, spill=1),
    Column("", fold=24, spill=2),
)


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
    with _progress_of(store):
        applied += store.migrate(tell=lambda line: click.echo(line, err=True))
    click.echo(f"{place}: applied {', '.join(applied)}" if applied else f"{place} is up to date.")


@contextmanager
def _progress_of(store: Store) -> Generator[None, None, None]:
    """Show now and then how much of an index is built, for the length of a block."""
    over = threading.Event()

    def show() -> None:
        while not over.wait(_EVERY):
            with suppress(StoreError):
                for line in store.unfinished()[-1:]:
                    click.echo(f"  {line}", err=True)

    shower = threading.Thread(target=show, daemon=True)
    shower.start()
    try:
        yield
    finally:
        over.set()
        shower.join()


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
    there = has_store(app)
    with configured():
        problems = app.check()
    unfinished = app.store.unfinished() if there else []
    tasks, schedules = len(app.registry), len(app.provider.schedule)
    if as_json:
        facts = {"tasks": tasks, "schedules": schedules, "store": url_of(app), "problems": problems}
        facts |= {"unfinished": unfinished}
        print_json(facts)
    else:
        click.echo(f"{many(tasks, 'task')}, {many(schedules, 'schedule')}, {url_of(app)}")
    if problems:
        kinds = "kind of job" if len(problems) == 1 else "kinds of jobs"
        raise ConfigurationError("\n  ".join([f"{len(problems)} {kinds} cannot run:", *problems]))
    if unfinished:
        missing = "\n  ".join(unfinished)
        click.echo(
            f"Some searches are slow until {migrating(url_of(app))} has ended:\n  {missing}",
            err=True,
        )
    if not as_json:
        none_yet = "" if there else " There is no database yet: the first enqueue makes it."
        click.echo(f"Everything fits.{none_yet}")


@click.command()
@json_option
@app_options
def config(as_json: bool, target: str | None, url: str | None) -> None:
    """The settings, and where each comes from: those of the app, if there is one."""
    settings = _settings(target, url)
    if as_json:
        print_json({name: setting._asdict() for name, setting in settings.items()})
        return
    rows = [
        (name, "" if s.value is None else s.value, s.origin, SETTINGS[name].help)
        for name, s in settings.items()
    ]
    print_table(_SETTINGS, rows, "")


def _settings(target: str | None, url: str | None) -> dict[str, Setting]:
    """Returns all settings; the store is shown as it may be, without its password."""
    settings = settings_with({"url": url, "app": target})
    place = settings["app"].value
    if url is not None or place is None:
        return bare_app(url).settings
    try:
        own = find_app(place).settings
    except ConfigurationError as error:
        click.echo(f"What {place} says is not known: {error}", err=True)
        return bare_app().settings
    says = {name: s._replace(origin=place) for name, s in own.items() if s.origin == "argument"}
    return own | says | {"app": settings["app"]}
