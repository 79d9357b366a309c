"""`rotulus ls`: what there is."""

from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

import click
from rich.markup import escape

from rotulus import App, Job, State
from rotulus.cli.output import (
    job_data,
    json_option,
    print_json,
    print_table,
    progress_text,
    state_text,
)
from rotulus.cli.runs import find_run
from rotulus.cli.target import app_options, find_app
from rotulus.cli.words import ago, iso, moment_text
from rotulus.workflow import Run, Workflow, list_workflows

_LOOK_BACK = 20
"""How many jobs of a workflow are looked at for its last run; the others are steps of runs."""


@click.group()
def ls() -> None:
    """List tasks, workflows, jobs, queues, schedules or workers."""


@ls.command()
@click.option("--tag", "tags", multiple=True, help="Only tasks with this tag; all of several.")
@json_option
@app_options
def tasks(tags: tuple[str, ...], as_json: bool, target: str | None, url: str | None) -> None:
    """The tasks of the app, in the order they were registered."""
    app = find_app(target, url, tasks=True)
    infos = [app.registry.get_info(name) for name in app.registry.list_by_tags(tags)]
    if as_json:
        print_json([{**vars(i), "parameters": [vars(p) for p in i.parameters]} for i in infos])
        return
    rows = [
        (i.name, escape(i.signature), ", ".join(i.tags), app.registry.get(i.name).site)
        for i in infos
    ]
    print_table(("task", "signature", "tags", "defined"), rows, "No task has these tags.")


@ls.command()
@json_option
@app_options
def workflows(as_json: bool, target: str | None, url: str | None) -> None:
    """The workflows of the app, and the last run of each."""
    app = find_app(target, url, tasks=True)
    found = [(workflow, _last_run(app, workflow.name)) for workflow in list_workflows(app.registry)]
    if as_json:
        print_json([_workflow_data(app, workflow, run) for workflow, run in found])
        return
    rows = [
        (
            workflow.name,
            len(workflow.steps),
            workflow.version,
            run and Run(app, run.id).status,
            run and ago(run.ended_at or run.created_at),
            run and run.id,
            escape(workflow.description),
        )
        for workflow, run in found
    ]
    columns = ("workflow", "steps", "version", "last run", "when", "run", "description")
    empty = (
        "No workflows are registered: declare one with 'with WorkflowBuilder(NAME):', and import "
        "its module where the app is made."
    )
    print_table(columns, rows, empty)


@ls.command()
@click.option("--state", "states", multiple=True, type=click.Choice([str(s) for s in State]))
@click.option("--task", help="Only jobs of this task.")
@click.option("--queue", help="Only jobs of this queue.")
@click.option("--key", help="Only jobs with this unique key.")
@click.option("--schedule", help="Only jobs fired for this scheduled task.")
@click.option("--run", help="Only jobs of this run of a workflow.")
@click.option("--limit", default=50, type=click.IntRange(1, 10_000), show_default=True)
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
    app = find_app(target, url)
    found = app.jobs(
        state=states or None,
        task=task,
        queue=queue,
        key=key,
        schedule=schedule,
        run=find_run(app, run).id if run else None,
        limit=limit,
        before=before,
    )
    if as_json:
        print_json([job_data(job) for job in found])
        return
    rows = [
        (
            job.id,
            job.step,
            job.task,
            job.queue,
            state_text(job.state),
            job.attempt,
            _when(job),
            _note(job),
        )
        for job in found
    ]
    empty = f"No such jobs in {app.store.url}. Add one with: rotulus enqueue TASK NAME=VALUE"
    columns = ("job", "step", "task", "queue", "state", "attempt", "when", "note")
    if not any(job.step for job in found):
        columns, rows = _without(1, columns), [_without(1, row) for row in rows]
    print_table(columns, rows, empty)
    if len(found) == limit:
        click.echo(f"More with: --before {found[-1].id}", err=True)


@ls.command()
@json_option
@app_options
def queues(as_json: bool, target: str | None, url: str | None) -> None:
    """The queues: how many jobs are in which state, and whether they are paused."""
    app = find_app(target, url)
    fleet = app.store.fleet()
    counts: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for count in app.store.count():
        counts[count.group][count.state] = count.jobs
    for name in fleet.paused:
        counts[name].setdefault("queued", 0)
    if as_json:
        print_json(
            [
                {"queue": name, "paused": name in fleet.paused, "jobs": by_state}
                for name, by_state in sorted(counts.items())
            ]
        )
        return
    columns = [str(state) for state in State]
    used = [state for state in columns if any(state in c for c in counts.values())]
    rows = [
        (name, *(c.get(state, 0) for state in used), "paused" if name in fleet.paused else "")
        for name, c in sorted(counts.items())
    ]
    print_table(("queue", *used, ""), rows, "No queue has a job yet.")


@ls.command()
@json_option
@app_options
def schedules(as_json: bool, target: str | None, url: str | None) -> None:
    """The scheduled tasks, and when each is due next."""
    app = find_app(target, url, tasks=True)
    now = datetime.now(UTC)
    rows: list[dict[str, Any]] = []
    for name, schedule in app.provider.schedule.items():
        fired = app.jobs(schedule=name, limit=1)
        rows.append(
            {
                "task": name,
                "cron": schedule.cron,
                "timezone": schedule.timezone,
                "missed": schedule.missed,
                "next": schedule.next(now)[0],
                "last": fired[0].instant if fired else None,
                "last_state": fired[0].state if fired else None,
            }
        )
    if as_json:
        print_json([{**row, "next": iso(row["next"]), "last": iso(row["last"])} for row in rows])
        return
    table = [
        (
            r["task"],
            r["cron"],
            r["timezone"],
            r["missed"],
            f"{r['next']:%Y-%m-%d %H:%M} ({ago(r['next'])})",
            moment_text(r["last"]),
            r["last_state"] and state_text(r["last_state"]),
        )
        for r in rows
    ]
    empty = "No task has a schedule. Declare one with @scheduled('*/5 * * * *')."
    print_table(("task", "cron", "zone", "missed", "next", "last", ""), table, empty)


@ls.command()
@json_option
@app_options
def workers(as_json: bool, target: str | None, url: str | None) -> None:
    """The workers that are alive."""
    found = find_app(target, url).store.fleet().workers
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
            ago(w.started_at),
            ago(w.seen_at),
        )
        for w in found
    ]
    empty = "No worker is running. Start one with: rotulus worker MODULE:APP"
    print_table(("worker", "queues", "slots", "started", "seen"), rows, empty)


def _last_run(app: App, workflow: str) -> Job[Any] | None:
    """The last run of a workflow that is not a step of another one."""
    found = app.jobs(task=workflow, limit=_LOOK_BACK)
    return next((job for job in found if not job.step), None)


def _workflow_data(app: App, workflow: Workflow, run: Job[Any] | None) -> dict[str, Any]:
    return {
        "name": workflow.name,
        "description": workflow.description,
        "version": workflow.version,
        "tags": dict(workflow.tags),
        "steps": list(workflow.steps),
        "last_run": run and {**job_data(run), "status": Run(app, run.id).status},
    }


def _without(place: int, row: tuple[Any, ...]) -> tuple[Any, ...]:
    return row[:place] + row[place + 1 :]


def _when(job: Job[Any]) -> str | None:
    return ago(job.ended_at or (job.run_at if job.state is State.DELAYED else job.created_at))


def _note(job: Job[Any]) -> str:
    if job.state is State.RUNNING:
        return "cancelling" if job.cancel_requested else progress_text(job) or ""
    if job.error is not None and job.state is not State.SUCCEEDED:
        text = str(job.error).splitlines()[0]
        return escape(text if len(text) <= 60 else text[:57] + "...")
    return job.reason or ""
