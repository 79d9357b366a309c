"""`rotulus ls`, `show` and `why`: what there is, how one job stands, and why."""

from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

import click
from rich.markup import escape

from rotulus import Job, State
from rotulus.cli.output import (
    console,
    job_data,
    json_option,
    print_facts,
    print_json,
    print_table,
    state_text,
)
from rotulus.cli.target import app_options, find_app
from rotulus.cli.words import ago, iso, moment_text


@click.group()
def ls() -> None:
    """List tasks, jobs, queues, schedules or workers."""


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
@click.option("--state", "states", multiple=True, type=click.Choice([str(s) for s in State]))
@click.option("--task", help="Only jobs of this task.")
@click.option("--queue", help="Only jobs of this queue.")
@click.option("--key", help="Only jobs with this unique key.")
@click.option("--schedule", help="Only jobs fired for this scheduled task.")
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
        limit=limit,
        before=before,
    )
    if as_json:
        print_json([job_data(job) for job in found])
        return
    rows = [
        (job.id, job.task, job.queue, state_text(job.state), job.attempt, _when(job), _note(job))
        for job in found
    ]
    empty = f"No such jobs in {app.store.url}. Add one with: rotulus enqueue TASK NAME=VALUE"
    print_table(("job", "task", "queue", "state", "attempt", "when", "note"), rows, empty)
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


@click.command()
@click.argument("job_id", metavar="JOB")
@json_option
@app_options
def show(job_id: str, as_json: bool, target: str | None, url: str | None) -> None:
    """One job: its arguments, how it stands, its result or error, and its earlier attempts."""
    app = find_app(target, url)
    job = app.get(job_id)
    if as_json:
        history = [
            {**a._asdict(), "started_at": iso(a.started_at), "ended_at": iso(a.ended_at)}
            for a in job.attempts
        ]
        print_json({**job_data(job), "result": _result(job), "attempts": history})
        return
    print_facts(
        {
            "job": job.id,
            "task": job.task,
            "queue": job.queue,
            "state": f"{state_text(job.state)}{f' ({job.reason})' if job.reason else ''}",
            "attempt": job.attempt,
            "key": job.key and escape(job.key),
            "schedule": job.schedule and f"{job.schedule} at {moment_text(job.instant)}",
            "worker": job.worker,
            "enqueued": f"{moment_text(job.created_at)} ({ago(job.created_at)})",
            "due": moment_text(job.run_at),
            "started": moment_text(job.started_at),
            "ended": moment_text(job.ended_at),
            "took": _took(job),
            "progress": _progress(job),
        }
    )
    _print_details(job)


@click.command()
@click.argument("job_id", metavar="JOB")
@json_option
@app_options
def why(job_id: str, as_json: bool, target: str | None, url: str | None) -> None:
    """Why a job has not run yet, or how it ended."""
    app = find_app(target, url)
    sentences = app.get(job_id).why()
    if as_json:
        print_json({"job": job_id, "why": sentences})
    else:
        click.echo("\n".join(sentences))


def _print_details(job: Job[Any]) -> None:
    out = console()
    if job.arguments:
        out.print("\n[bold]arguments[/]")
        for name, value in job.arguments.items():
            out.print(f"  {name} = {escape(repr(value))}")
    if job.state is State.SUCCEEDED:
        out.print(f"\n[bold]result[/]\n  {escape(repr(_result(job)))}")
    elif job.error is not None:
        out.print(f"\n[bold]error[/]\n{escape(job.error.traceback or str(job.error))}", end="")
    if job.attempts:
        out.print("\n[bold]earlier attempts[/]")
    for attempt in job.attempts:
        error = f"  {attempt.error}" if attempt.error else ""
        line = f"  {attempt.number}  {attempt.reason}  {moment_text(attempt.ended_at)}{error}"
        out.print(escape(line))


def _result(job: Job[Any]) -> Any:
    return job.result(0) if job.state is State.SUCCEEDED else None


def _took(job: Job[Any]) -> str | None:
    if job.started_at is None or job.ended_at is None:
        return None
    return f"{(job.ended_at - job.started_at).total_seconds():.3f} s"


def _progress(job: Job[Any]) -> str | None:
    if job.reached is None:
        return None
    done, total, note = job.reached
    return f"{done:g}{f' of {total:g}' if total is not None else ''} {note}".rstrip()


def _when(job: Job[Any]) -> str | None:
    return ago(job.ended_at or (job.run_at if job.state is State.DELAYED else job.created_at))


def _note(job: Job[Any]) -> str:
    if job.state is State.RUNNING:
        return "cancelling" if job.cancel_requested else _progress(job) or ""
    if job.error is not None and job.state is not State.SUCCEEDED:
        text = str(job.error).splitlines()[0]
        return escape(text if len(text) <= 60 else text[:57] + "...")
    return job.reason or ""
