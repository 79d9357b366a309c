"""`rotulus ls`: lists of jobs, queues and workers in the store."""

from typing import Any

import click

from rotulus import Job, JobCount, State
from rotulus.cli.declared import tasks, workflows
from rotulus.cli.filters import filter_options, read_filters, say_hints
from rotulus.cli.hints import Commands
from rotulus.cli.job_counts import print_counts
from rotulus.cli.job_ids import find_job
from rotulus.cli.output import (
    ago,
    iso,
    json_option,
    length,
    moment_text,
    print_json,
    print_table,
    progress_text,
    state_text,
)
from rotulus.cli.runs import runs
from rotulus.cli.schedules import schedules
from rotulus.cli.store import size_text
from rotulus.cli.tables import Column
from rotulus.cli.target import app_options, find_store
from rotulus.cli.values import Whole
from rotulus.filters import COUNTED_BY, CountedBy

_JOBS = (
    Column("job"),
    Column("step", fold=8, spill=5, optional=True),
    Column("task", fold=12, spill=2),
    Column("queue", fold=8, spill=6, usual="default"),
    Column("state", spill=1),
    Column("tries", spill=4, right=True),
    Column("when", fold=7, spill=3),
    Column("note", fold=24, spill=7),
)

_WORKERS = (
    Column("worker"),
    Column("queues", fold=12, spill=3),
    Column("slots", spill=1, right=True),
    Column("running", spill=1, right=True),
    Column("started", fold=7, spill=2),
    Column("seen", fold=7, spill=2),
    Column("version", fold=12, spill=2, optional=True),
    Column("memory", fold=8, spill=2, right=True, optional=True),
    Column("", optional=True),
)


@click.group(cls=Commands)
def ls() -> None:
    """List tasks, workflows, jobs, runs, queues, schedules or workers."""


ls.add_command(tasks)
ls.add_command(workflows)
ls.add_command(runs)
ls.add_command(schedules)


@ls.command()
@filter_options(tuple(State))
@click.option("--limit", default=50, type=Whole(1, 10_000, example=50), show_default=True)
@click.option("--before", metavar="JOB", help="Only jobs added before this one.")
@click.option("--after", metavar="CURSOR", help="The next page, as the one before it said.")
@click.option(
    "--count-by",
    type=click.Choice(COUNTED_BY),
    help="How many there are of each, in place of the jobs; the most first.",
)
@json_option
@app_options
def jobs(
    limit: int,
    before: str | None,
    after: str | None,
    count_by: CountedBy | None,
    as_json: bool,
    target: str | None,
    url: str | None,
    **given: Any,
) -> None:
    """The jobs, the last added first."""
    if before and after:
        raise click.UsageError(
            "Give --before JOB or --after CURSOR, and not both: each says where the page begins"
        )
    if count_by and (before or after):
        raise click.UsageError(
            "--count-by counts the last jobs that match: give no --before and no --after"
        )
    app = find_store(target, url)
    filters = read_filters(app, given)
    if count_by:
        empty = say_hints(app, filters) or f"No such jobs in {app.store.url}."
        counts = app.jobs.count_by(count_by, limit=limit, **filters)
        print_counts(counts, count_by, as_json=as_json, empty=empty)
        return
    begin = find_job(app, before).id if before else after
    found = app.jobs.find(limit=limit, after=begin, **filters)
    if as_json:
        print_json([job.to_dict() for job in found])
    else:
        hints = "" if found or found.next else say_hints(app, filters)
        empty = f"No such jobs in {app.store.url}. Add one with: rotulus enqueue TASK NAME=VALUE"
        if found.next:
            empty = "No such jobs so far."
        print_table(_JOBS, map(_job_row, found), "\n".join(filter(None, (hints, empty))))
    if found.looked_to:
        click.echo(f"Looked at jobs back to {moment_text(found.looked_to)}.", err=True)
    if found.next:
        click.echo(f"More with: --after {found.next}", err=True)


@ls.command()
@json_option
@app_options
def queues(as_json: bool, target: str | None, url: str | None) -> None:
    """The queues: how many jobs wait and run, how long the first has waited, and what is paused."""
    app = find_store(target, url)
    found = app.queues.list()
    for queue in found:
        if queue.paused:
            queue.jobs.setdefault(State.QUEUED, JobCount(0))
    if as_json:
        print_json(
            [{"queue": q.name, "paused": q.paused, "jobs": q.jobs, "age": q.age} for q in found]
        )
        return
    used = [state for state in State if any(state in queue.jobs for queue in found)]
    rows = [
        (
            q.name,
            *(q.jobs.get(state, 0) for state in used),
            length(q.age),
            "paused" if q.paused else "",
        )
        for q in found
    ]
    numbers = [Column(str(state), spill=place, right=True) for place, state in enumerate(used, 1)]
    age = Column("oldest", spill=len(used) + 1, right=True, optional=True)
    columns = (Column("queue", fold=12), *numbers, age, Column("", optional=True))
    print_table(columns, rows, f"No job waits or runs in {app.store.url}.")


@ls.command()
@json_option
@app_options
def workers(as_json: bool, target: str | None, url: str | None) -> None:
    """The workers that are alive, and how many jobs each of them runs."""
    app = find_store(target, url)
    found = app.workers.list()
    if as_json:
        print_json(
            [
                {
                    **w._asdict(),
                    "started_at": iso(w.started_at),
                    "seen_at": iso(w.seen_at),
                    "draining_at": iso(w.draining_at),
                }
                for w in found
            ]
        )
        return
    running = app.workers.running()
    rows = [
        (
            w.name,
            ", ".join(w.queues) if w.queues else "all",
            w.slots,
            running.get(w.name, 0),
            ago(w.started_at),
            ago(w.seen_at),
            w.version or "",
            "" if w.memory is None else size_text(w.memory),
            "" if w.draining_at is None else "drained",
        )
        for w in found
    ]
    empty = f"No worker is running for {app.store.url}. Start one with: rotulus worker MODULE:APP"
    print_table(_WORKERS, rows, empty)


def _job_row(job: Job[Any]) -> tuple[object, ...]:
    return (
        job.id,
        job.step,
        job.task,
        job.queue,
        state_text(job.state),
        job.attempt,
        _when(job),
        _note(job),
    )


def _when(job: Job[Any]) -> str | None:
    return ago(job.ended_at or (job.run_at if job.state is State.DELAYED else job.created_at))


def _note(job: Job[Any]) -> str:
    if job.state is State.RUNNING:
        return "cancelling" if job.cancel_requested else progress_text(job) or ""
    if job.error is not None and job.state is not State.SUCCEEDED:
        text = (str(job.error).splitlines() or [""])[0]
        return text if len(text) <= 60 else text[:57] + "..."
    return job.reason or ""
