"""`rotulus retry`, `cancel`, `delete` and `reprioritise`: the actions of an operator on jobs."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import click

from rotulus import App, Job, State
from rotulus._text.words import many
from rotulus.cli.bulk import (
    SHOWN,
    Verb,
    bulk_options,
    change,
    check_chosen,
    known,
    left,
    print_changed,
)
from rotulus.cli.filters import filter_options
from rotulus.cli.job_ids import count_live
from rotulus.cli.target import find_store
from rotulus.cli.values import Whole

_RETRYABLE = (State.FAILED, State.DEAD, State.CANCELLED)
_ENDED = tuple(state for state in State if state.ended)
_LIVE = tuple(state for state in State if not state.ended)
_WAITING = tuple(state for state in _LIVE if state is not State.RUNNING)


@click.command()
@click.argument("ids", nargs=-1, metavar="[JOB]...")
@filter_options(_RETRYABLE)
@bulk_options
def retry(ids: tuple[str, ...], target: str | None, url: str | None, **given: Any) -> None:
    """Send jobs that failed, died or were cancelled back to their queues.

    Chosen by options, those that failed or died, unless you give states. Of a run of a workflow:
    what went wrong, and whatever came after that, runs again.
    """
    check_chosen("retry", ids, given)
    app, as_json = find_store(target, url), given["as_json"]
    verb = Verb("retry", "retrying", "failed, died or was cancelled", app.jobs.retry)
    named = known(app, ids)
    back = change(app, verb, named, given)
    if back is None:
        return
    parts = {job.id: count_live(app, job) for job in back if job.is_run}
    if as_json:
        print_changed(verb, back, parts)
        return
    click.echo(sent_back(back.total))
    for run, count in list(parts.items())[:SHOWN]:
        click.echo(f"{run} goes on: {many(count, 'part')} of it to run.")
    for job in left(app, named, back):
        click.echo(f"{job.id} {_why_left(app, job)}", err=True)


@click.command()
@click.argument("ids", nargs=-1, metavar="[JOB]...")
@filter_options(_LIVE)
@bulk_options
def cancel(ids: tuple[str, ...], target: str | None, url: str | None, **given: Any) -> None:
    """Cancel jobs: those that wait at once; those that run are asked to stop.

    A run of a workflow is cancelled with all of its parts.
    """
    check_chosen("cancel", ids, given)
    app, as_json = find_store(target, url), given["as_json"]
    named = known(app, ids)
    parts = _live_parts(app, named)
    verb = Verb("cancel", "cancelling", "waits or runs", app.jobs.cancel)
    jobs = change(app, verb, named, given)
    if jobs is None:
        return
    if as_json:
        print_changed(verb, jobs, parts)
        return
    for job in jobs if jobs.total <= SHOWN else ():
        click.echo(f"{job.id} {_how_cancelled(app, job, parts.get(job.id, 0))}")
    if jobs.total > SHOWN:
        click.echo(f"{many(jobs.total, 'job')} cancelled or asked to stop.")


@click.command()
@click.argument("ids", nargs=-1, metavar="[JOB]...")
@filter_options(_ENDED)
@bulk_options
def delete(ids: tuple[str, ...], target: str | None, url: str | None, **given: Any) -> None:
    """Delete jobs that have ended, with their earlier attempts.

    A run of a workflow goes whole. Steps by themselves stay, and jobs whose key is still held.
    """
    check_chosen("delete", ids, given)
    app = find_store(target, url)
    verb = Verb("delete", "deleting", "has ended", app.jobs.delete)
    _change(app, verb, ids, given, "deleted")


@click.command()
@click.argument("ids", nargs=-1, metavar="[JOB]...")
@click.option(
    "--priority",
    required=True,
    type=Whole(-1_000_000, 1_000_000, example=5),
    help="The new priority: higher is sooner.",
)
@filter_options(_WAITING)
@bulk_options
def reprioritise(
    ids: tuple[str, ...], priority: int, target: str | None, url: str | None, **given: Any
) -> None:
    """Give jobs that wait another priority. A run goes with its steps that wait."""
    check_chosen("reprioritise", ids, given)
    app = find_store(target, url)
    act = partial(app.jobs.reprioritise, priority=priority)
    verb = Verb("reprioritise", "reprioritising", "waits", act)
    _change(app, verb, ids, given, f"given priority {priority}")


def _change(app: App, verb: Verb, ids: Sequence[str], given: dict[str, Any], changed: str) -> None:
    """Do something to jobs, and say how many were `changed`, and which of those named were not."""
    named, as_json = known(app, ids), given["as_json"]
    jobs = change(app, verb, named, given)
    if jobs is None:
        return
    if as_json:
        print_changed(verb, jobs)
        return
    click.echo(f"{many(jobs.total, 'job')} {changed}.")
    for job in left(app, named, jobs):
        click.echo(f"{job.id} {job.state.words}: it stays as it is", err=True)


def sent_back(jobs: int) -> str:
    """Returns a sentence for so many jobs that were retried."""
    return f"{many(jobs, 'job')} sent back to {'its queue' if jobs == 1 else 'their queues'}."


def _live_parts(app: App, ids: Sequence[str]) -> dict[str, int]:
    """Returns how many parts have not ended, of the runs among some jobs; of few jobs only."""
    if len(ids) > SHOWN:
        return {}
    runs = [job for job in map(app.get, ids) if job.is_run]
    return {job.id: count_live(app, job) for job in runs}


def _how_cancelled(app: App, job: Job[Any], parts: int) -> str:
    """Returns the outcome for a job, and for its parts that had not ended."""
    if job.state.ended and job.state is not State.CANCELLED:
        return f"{job.state.words}: there is nothing to cancel"
    how = "is asked to stop" if job.cancel_requested else "is cancelled"
    if not parts:
        return how
    going = count_live(app, job)
    runs_on = f"; {going} of them run, and are asked to stop" if going else ""
    return f"{how}, with {many(parts, 'part')}{runs_on}"


def _why_left(app: App, job: Job[Any]) -> str:
    """Returns why a job was not sent back, and what sends back the failed jobs of a group."""
    if job.state not in _RETRYABLE:
        wrong = _gone_wrong(app, job) if job.group is not None else 0
        back = f" Of its jobs, {wrong:,} went wrong: rotulus retry --run {job.id}" if wrong else ""
        return f"{job.state.words}: it stays as it is{'.' if back else ''}{back}"
    return f"{job.state.words}, and stays so. {job.why()[-1]}"


def _gone_wrong(app: App, group: Job[Any]) -> int:
    """Returns how many jobs of a group failed or died."""
    jobs = app.runs.step(group.id, "").branches
    return jobs[State.FAILED] + jobs[State.DEAD]
