"""`rotulus close`: lets a group end that nobody adds to any more."""

import click

from rotulus.cli.target import app_options, find_store
from rotulus.errors import GroupClosedError


@click.command()
@click.argument("name")
@app_options
def close(name: str, target: str | None, url: str | None) -> None:
    """Close the group of that name: its callback runs when all of its jobs have ended.

    For a group that a process has opened and not closed, as it died, or raised an error.
    """
    group = find_store(target, url).group(name)
    try:
        group.open()
    except GroupClosedError:
        job = group.close()  # one that is cancelled is not open again when it is sent back
        click.echo(
            f"Group {name!r} was closed already. The job of its callback {job.task}, {job.id}, "
            f"{job.state.words}."
        )
        return
    job = group.close()
    click.echo(f"Closed group {name!r}: {job.task} runs as job {job.id}, which {job.state.words}.")
