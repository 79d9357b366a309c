"""`rotulus skip`: a run goes on without one of its steps."""

import click

from rotulus import State
from rotulus._text.words import many
from rotulus.cli.job_ids import find_run
from rotulus.cli.output import json_option, print_json
from rotulus.cli.target import app_options, find_store


@click.command()
@click.argument("run")
@click.argument("step")
@click.option("--dry-run", is_flag=True, help="Only say which jobs it would be.")
@json_option
@app_options
def skip(
    run: str, step: str, dry_run: bool, as_json: bool, target: str | None, url: str | None
) -> None:
    """Go on without a step of a run that waits or went wrong.

    What comes after the step begins with the context that the step was given. If the run had ended
    it goes on, and what came after the step runs again. A step that runs is cancelled first.
    """
    app = find_store(target, url)
    found = find_run(app, run)
    skipped, *again = app.runs.skip(found.id, step, dry_run=dry_run)
    if as_json:
        jobs = [{"id": job.id, "step": job.step, "state": job.state} for job in (skipped, *again)]
        print_json({"verb": "skip", "dry_run": dry_run, "total": len(jobs), "jobs": jobs})
        return
    later = skipped.state is State.BLOCKED
    click.echo(_told(step, found.id, later=later, dry_run=dry_run))
    steps = [job.step for job in again if job.step]
    if again:
        with_steps = f", and {many(len(steps), 'step')} of it again: {', '.join(steps)}" * bool(
            steps
        )
        click.echo(f"The run {'would go' if dry_run else 'goes'} on{with_steps}.")


def _told(step: str, run: str, *, later: bool, dry_run: bool) -> str:
    """Returns a sentence about the step."""
    if dry_run:
        return f"Would skip step {step!r} of run {run}."
    if later:
        return f"Step {step!r} of run {run} is skipped when what it waits for has ended."
    return f"Skipped step {step!r} of run {run}."
