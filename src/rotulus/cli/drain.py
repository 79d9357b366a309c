"""`rotulus drain`: lets workers finish what they run, and end."""

import click

from rotulus._text.words import many
from rotulus.cli.output import iso, json_option, print_json
from rotulus.cli.target import app_options, find_store


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="WORKER...")
@json_option
@app_options
def drain(names: tuple[str, ...], as_json: bool, target: str | None, url: str | None) -> None:
    """Let workers take no more jobs, finish those they have, and end.

    WORKER is a name of 'rotulus ls workers', or that of a supervisor, for all of its processes.
    """
    app = find_store(target, url)
    drained = app.workers.drain(*names)
    if as_json:
        print_json([{"name": one.name, "draining_at": iso(one.draining_at)} for one in drained])
        return
    running = app.workers.running()
    for one in drained:
        jobs = running.get(one.name, 0)
        click.echo(f"{one.name} takes no more jobs, and ends after {many(int(jobs), 'job')}.")
    click.echo(
        "A worker is told when it renews its lease, within 10 seconds unless --lease was given.",
        err=True,
    )
