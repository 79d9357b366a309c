"""`rotulus show` and `why`: how one job stands, or one run of a workflow, and why."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

import click
from rich.text import Text

from rotulus import App, Attempt, Job, State, StepInfo
from rotulus.cli.job_ids import find_job_or_step
from rotulus.cli.output import (
    ago,
    console,
    json_option,
    moment_text,
    print_facts,
    print_json,
    progress_text,
    state_text,
)
from rotulus.cli.steps import print_node, print_steps
from rotulus.cli.tables import plain
from rotulus.cli.target import app_options, find_store
from rotulus.errors import CipherError
from rotulus.workflow import Run

_CLOSING = ("attempt", "worker", "due", "started")
"""The fields that are left out of a run: they are about the moment when its job is closed."""

_LONGEST = 400
"""How many characters of a value are shown."""

_SHORTER = 100
"""How many of each entry, of a mapping that is too long."""

_MOST = 30
"""How many entries of a mapping are shown."""


class _Folded(NamedTuple):
    """Lines that show a value, and whether something was left out of them."""

    lines: list[str]
    is_cut: bool


@click.command()
@click.argument("job_id", metavar="JOB")
@click.argument("step", required=False)
@json_option
@app_options
def show(job_id: str, step: str | None, as_json: bool, target: str | None, url: str | None) -> None:
    """One job: its arguments, how it stands, its result or error, and its earlier attempts.

    Of the run of a workflow: its steps, how each stands, and where the time went. With STEP, such
    as load or parse/17, that step of the run.
    """
    app = find_store(target, url)
    job = find_job_or_step(app, job_id, step)
    if as_json:
        print_json(_data(app, job))
        return
    print_facts(_facts(app, job))
    if job.record.opened:
        _print_parts(app, job)
    _print_details(job)


@click.command()
@click.argument("job_id", metavar="JOB")
@click.argument("step", required=False)
@json_option
@app_options
def why(job_id: str, step: str | None, as_json: bool, target: str | None, url: str | None) -> None:
    """Why a job has not run yet, or how it ended; with STEP, that step of a run."""
    app = find_store(target, url)
    job = find_job_or_step(app, job_id, step)
    sentences = job.why()
    if as_json:
        print_json({"job": job.id, "why": sentences})
    else:
        click.echo("\n".join(sentences))


def _data(app: App, job: Job[Any]) -> dict[str, Any]:
    history = [attempt.to_dict() for attempt in job.attempts]
    data = {**job.to_dict(), "headers": job.headers, "result": _result(job), "attempts": history}
    data["version"] = job.version
    if job.is_run:
        data["status"] = Run(app, job.id).status
    if job.group is not None:
        data["open"] = app.store.groups.is_open(job.id)
    if job.record.opened:
        step = _step(app, job)
        data["branches"] = dict(step.branches)
        data["steps"] = [inner.to_dict() for inner in step.steps]
    return data


def _facts(app: App, job: Job[Any]) -> dict[str, object]:
    state = state_text(job.state).append(f" ({job.reason})" if job.reason else "", "not bold")
    begun = {
        "job": job.id,
        "run": job.run if job.run != job.id else None,
        "step": job.step or None,
        "status": Run(app, job.id).status if job.is_run else None,
    }
    facts = begun | {
        "task": job.task,
        "queue": job.queue,
        "state": state,
        "attempt": job.attempt,
        "key": job.key if job.group is None else None,
        "group": _group(app, job),
        "labels": " ".join(f"{name}={text}" for name, text in job.labels.items()) or None,
        "schedule": _schedule(job),
        "worker": job.worker,
        "enqueued": f"{moment_text(job.created_at)} ({ago(job.created_at)})",
        "due": moment_text(job.run_at),
        "started": moment_text(job.started_at),
        "ended": moment_text(job.ended_at),
        "took": _took(job),
        "progress": progress_text(job),
    }
    return {name: fact for name, fact in facts.items() if name not in _CLOSING or not job.is_run}


def _schedule(job: Job[Any]) -> str | None:
    """Returns the schedule that has fired a job, and for which instant, if it was for one."""
    at = moment_text(job.instant)
    return f"{job.schedule} at {at}" if job.schedule and at else job.schedule


def _group(app: App, job: Job[Any]) -> str | None:
    """Returns the name of a group, and whether it takes more jobs."""
    is_open = job.group is not None and app.store.groups.is_open(job.id)
    return f"{job.group}, open" if is_open else job.group


def _print_parts(app: App, job: Job[Any]) -> None:
    """The steps of a run, or of a step that is a workflow; or how branches, or jobs, stand."""
    step = _step(app, job)
    print_node(step)
    if step.steps:
        click.echo()
        print_steps(job, step.steps)


def _step(app: App, job: Job[Any]) -> StepInfo:
    """Returns a job that is a step of a run, or a run, as a step."""
    return app.runs.step(job.run or job.id, job.step or "")


def _print_details(job: Job[Any]) -> None:
    arguments = _arguments(job)
    if arguments:
        _print_folded("arguments", job, _fold_entries(arguments))
    if job.state is State.SUCCEEDED:
        _print_folded("result", job, _fold(_result(job)))
    elif job.error is not None:
        _print_heading("error")
        if job.error.steps or not job.error.traceback:
            click.echo(str(job.error))
        if job.error.traceback:
            click.echo(job.error.traceback.rstrip("\n"))
    if job.attempts:
        _print_part("earlier attempts", [_attempt(attempt) for attempt in job.attempts])


def _print_folded(heading: str, job: Job[Any], value: _Folded) -> None:
    """Print a value, and how to see all of it."""
    hint = [f"All of it: rotulus show {job.id} --json"] if value.is_cut else []
    _print_part(heading, [*value.lines, *hint])


def _print_part(heading: str, lines: Sequence[str]) -> None:
    _print_heading(heading)
    for line in lines:
        click.echo(f"  {plain(line)}")


def _print_heading(heading: str) -> None:
    console().print(Text(f"\n{heading}", "bold"))


def _attempt(attempt: Attempt) -> str:
    error = f"  {attempt.error}" if attempt.error else ""
    return f"{attempt.number}  {attempt.reason}  {moment_text(attempt.ended_at)}{error}"


def _arguments(job: Job[Any]) -> dict[str, Any]:
    """Returns its arguments by name; those that have no parameter of their own among the others."""
    others = job.arguments.get("**")
    named = {name: value for name, value in job.arguments.items() if name != "**"}
    return named | (others if isinstance(others, dict) else {})


def _result(job: Job[Any]) -> Any:
    """Returns its result, if it has one; as it is stored, if it cannot be decrypted here."""
    if job.state is not State.SUCCEEDED:
        return None
    try:
        return job.result(0)
    except CipherError:
        return json.loads(job.record.result or "null")


def _took(job: Job[Any]) -> str | None:
    """Returns how long its last attempt took; of a job with parts, all of it."""
    opened = next((a.started_at for a in job.attempts if a.outcome == "opened"), job.started_at)
    start = job.created_at if job.is_run else opened
    if start is None or job.ended_at is None:
        return None
    return f"{(job.ended_at - start).total_seconds():.3f} s"


def _fold(value: object) -> _Folded:
    """Returns a value on one line; a mapping that is too long for it with a line for each key."""
    text = repr(value)
    if len(text) <= _LONGEST:
        return _Folded([text], is_cut=False)
    if isinstance(value, Mapping):
        return _fold_entries(cast("Mapping[Any, Any]", value), _SHORTER)
    return _Folded([_cut(text, _LONGEST)], is_cut=True)


def _fold_entries(values: Mapping[Any, object], longest: int = _LONGEST) -> _Folded:
    """A line for each entry of a mapping: its key, and the beginning of what is too long."""
    texts = {str(key): repr(value) for key, value in list(values.items())[:_MOST]}
    lines = [f"{_cut(key, longest)} = {_cut(text, longest)}" for key, text in texts.items()]
    if len(values) > _MOST:
        lines.append(f"… and {len(values) - _MOST:,} more")
    is_cut = len(values) > _MOST or any(len(one) > longest for kv in texts.items() for one in kv)
    return _Folded(lines, is_cut)


def _cut(text: str, longest: int) -> str:
    if len(text) <= longest:
        return text
    return f"{text[:longest]}… ({len(text):,} characters)"
