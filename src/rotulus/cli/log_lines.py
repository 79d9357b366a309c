"""`rotulus logs`: what the attempts of a job have logged, also while it runs."""

from collections.abc import Iterator
from typing import Any

import click
from rich.text import Text

from rotulus import App, Job, LogLine
from rotulus.cli.job_ids import find_job_or_step
from rotulus.cli.output import console, json_option, print_json
from rotulus.cli.tables import plain
from rotulus.cli.target import app_options, find_store
from rotulus.cli.values import Whole

_LOOK_EVERY = 0.5
_PAGE = 1000

_STYLES = {
    "debug": "dim",
    "info": "",
    "warning": "yellow",
    "error": "red",
    "critical": "bold red",
}


@click.command()
@click.argument("job_id", metavar="JOB")
@click.argument("step", required=False)
@click.option("--attempt", type=Whole(1, example=1), help="Only lines of this attempt.")
@click.option("--level", type=click.Choice(list(_STYLES)), help="Of this level, or above.")
@click.option("--follow", "-f", is_flag=True, help="Go on until the job has ended.")
@json_option
@app_options
def logs(
    job_id: str,
    step: str | None,
    attempt: int | None,
    level: str | None,
    follow: bool,
    as_json: bool,
    target: str | None,
    url: str | None,
) -> None:
    """What the attempts of a job have logged; with STEP, that step of a run.

    These are the lines of the task's own logging and of job.log(), from the level that the app and
    the task keep. While the job runs they come about a second later.
    """
    app = find_store(target, url)
    job = find_job_or_step(app, job_id, step)
    lines = _lines(app, job, attempt, level, follow=follow)
    number = None
    for line in lines:
        if as_json:
            print_json([line.to_dict()])
        else:
            if attempt is None and line.attempt != number:
                number = line.attempt
                console().print(Text(f"attempt {number}", "bold"))
            _print_line(line)
    if number is None and not as_json:
        click.echo(_nothing(job, attempt), err=True)


def _lines(
    app: App, job: Job[Any], attempt: int | None, level: str | None, *, follow: bool
) -> Iterator[LogLine]:
    """The lines that there are; followed, those that come until the job has ended."""
    after = None
    while True:
        ended = not follow or _is_over(job.refresh(), attempt)
        while page := job.logs(attempt=attempt, after=after, level=level, limit=_PAGE):
            yield from page
            after = page[-1].cursor
        if ended:
            return
        app.store.wait(job.id, _LOOK_EVERY)


def _is_over(job: Job[Any], attempt: int | None) -> bool:
    """Whether no more lines come of a job, or of one of its attempts."""
    return job.state.ended or (attempt is not None and job.attempt > attempt)


def _print_line(line: LogLine) -> None:
    first, *others = line.text.splitlines() or [""]
    logger = f"{line.logger}: " if line.logger else ""
    at = f"{line.at:%H:%M:%S}.{line.at.microsecond // 1000:03}Z"
    text = Text(f"{at}  {line.level:<8}  ", "dim")
    text.append(plain(f"{logger}{first}"), _STYLES[line.level])
    console().print(text, soft_wrap=True)
    for other in others:
        console().print(Text(f"  {plain(other.expandtabs())}", "dim"), soft_wrap=True)


def _nothing(job: Job[Any], attempt: int | None) -> str:
    which = f"Attempt {attempt} of job" if attempt else "Job"
    if not job.attempt:
        return f"Job {job.id} has not run yet, so it has logged nothing."
    return (
        f"{which} {job.id} has logged nothing that is kept: lines are kept from the level "
        f"'keep_logs' of the app on, unless its task has logs=False, and as far as its loggers let "
        f"them pass"
    )
