"""`rotulus ls`: lists of jobs, queues and workers in the store."""

from typing import Any

import click

from rotulus import App, Job, State
from rotulus.cli.declared import tasks, workflows
from rotulus.cli.hints import Commands, no_queue, no_schedule, no_task
from rotulus.cli.job_ids import find_job, find_run
from rotulus.cli.output import (
    ago,
    iso,
    json_option,
    print_json,
    print_table,
    progress_text,
    state_text,
)
from rotulus.cli.schedules import schedules
from rotulus.cli.tables import Column
from rotulus.cli.target import app_options, find_store
from rotulus.cli.values import Whole
from rotulus.store import Filter

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
)

_MOST_RUNNING = 10_000


@click.group(cls=Commands)
def ls() -> None:
    """List tasks, workflows, jobs, queues, schedules or workers."""


ls.add_command(tasks)
ls.add_command(workflows)
ls.add_command(schedules)


@ls.command()
@click.option("--state", "states", multiple=True, type=click.Choice([str(s) for s in State]))
@click.option("--task", help="Only jobs of this task.")
@click.option("--queue", help="Only jobs of this queue.")
@click.option("--key", help="Only jobs with this unique key.")
@click.option("--schedule", help="Only jobs fired for this scheduled task.")
@click.option("--run", help="Only jobs of this run of a workflow.")
@click.option("--limit", default=50, type=Whole(1, 10_000, example=50), show_default=True)
@click.option("--before", metavar="JOB", help="Only jobs added before this one: the next page.")
@json_option
@app_options
def jobs(
    states: tuple[str, ...],
    task: str | None,
    queue: str | None,
    key: str | None,
    schedule: str | None,
    run: str | None,
    limit: int,
    before: str | None,
    as_json: bool,
    target: str | None,
    url: str | None,
) -> None:
    """The jobs, the last added first."""
    app = find_store(target, url)
    found = app.jobs(
        state=states or None,
        task=task,
        queue=queue,
        key=key,
        schedule=schedule,
        run=find_run(app, run).id if run else None,
        limit=limit,
        before=find_job(app, before).id if before else None,
    )
    if as_json:
        print_json([job.to_dict() for job in found])
        return
    hints = [] if found else [no_task(app, task), no_queue(app, queue), no_schedule(app, schedule)]
    empty = f"No such jobs in {app.store.url}. Add one with: rotulus enqueue TASK NAME=VALUE"
    print_table(_JOBS, map(_job_row, found), "\n".join([*filter(None, hints), empty]))
    if len(found) == limit:
        click.echo(f"More with: --before {found[-1].id}", err=True)


@ls.command()
@json_option
@app_options
def queues(as_json: bool, target: str | None, url: str | None) -> None:
    """The queues: how many jobs are in which state, and whether they are paused."""
    app = find_store(target, url)
    found = app.queues.list()
    for queue in found:
        if queue.paused:
            queue.jobs.setdefault(State.QUEUED, 0)
    if as_json:
        print_json([{"queue": q.name, "paused": q.paused, "jobs": q.jobs} for q in found])
        return
    used = [state for state in State if any(state in queue.jobs for queue in found)]
    rows = [
        (q.name, *(q.jobs.get(state, 0) for state in used), "paused" if q.paused else "")
        for q in found
    ]
    numbers = [Column(str(state), spill=place, right=True) for place, state in enumerate(used, 1)]
    columns = (Column("queue", fold=12), *numbers, Column("", optional=True))
    print_table(columns, rows, f"No queue has a job yet in {app.store.url}.")


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
                {**w._asdict(), "started_at": iso(w.started_at), "seen_at": iso(w.seen_at)}
                for w in found
            ]
        )
        return
    rows = [
        (
            w.name,
            ", ".join(w.queues) if w.queues else "all",
            w.slots,
            _running(app, w.name),
            ago(w.started_at),
            ago(w.seen_at),
        )
        for w in found
    ]
    empty = f"No worker is running for {app.store.url}. Start one with: rotulus worker MODULE:APP"
    print_table(_WORKERS, rows, empty)


def _running(app: App, worker: str) -> int:
    return len(app.store.find(Filter([State.RUNNING], worker=worker), _MOST_RUNNING))


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
