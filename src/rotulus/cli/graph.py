"""`rotulus graph`: a workflow or a run as Mermaid text, or as a drawing."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from rotulus import App, Job, State
from rotulus.cli.job_ids import find_job, find_run
from rotulus.cli.output import json_option, print_json
from rotulus.cli.target import app_options, find_app, find_store
from rotulus.errors import TaskNotFoundError, WorkflowError
from rotulus.workflow import Step, Workflow, get_workflow, layout, list_workflows, mermaid, svg


@click.command()
@click.argument("workflow", required=False)
@click.option("--svg", "file", metavar="FILE", help="Write a drawing to this file; - prints it.")
@click.option("--run", metavar="RUN", help="Draw this run, or WORKFLOW in the colours of this run.")
@json_option
@app_options
def graph(
    workflow: str | None,
    file: str | None,
    run: str | None,
    as_json: bool,
    target: str | None,
    url: str | None,
) -> None:
    """Draw WORKFLOW, or a run as it was begun: print it as Mermaid, or write it as SVG.

    Without WORKFLOW, --run draws what the run consists of, also if its workflow is not there any
    more: the branches of a step are counted, and so are the jobs of a group.

    The drawing is one file, light or dark as its reader prefers.
    """
    if workflow is None and run is None:
        raise click.UsageError("What is to be drawn? Give a WORKFLOW, or --run RUN for a run")
    if workflow is None:
        app = find_store(target, url)
        _draw_run(app, find_job(app, run or "-"), file, as_json=as_json)
        return
    app = find_app(target, tasks=True)
    drawn = find_workflow(app, workflow)
    states = _states(find_store(target, url), run, workflow) if run else {}
    if as_json:
        print_json(_data(drawn, states))
    else:
        _draw(file, lambda: svg(drawn, states), lambda: mermaid(drawn, states))


def find_workflow(app: App, name: str) -> Workflow:
    """Returns the workflow of that name. Raises `TaskNotFoundError`, with those there are."""
    try:
        return get_workflow(name, app.registry)
    except WorkflowError as error:
        known = ", ".join(workflow.name for workflow in list_workflows(app.registry))
        stop = "" if str(error).endswith("?") else "."
        here = f"{error}{stop} Workflows here: {known or 'none'}"
        raise TaskNotFoundError(here, name) from None


def _draw_run(app: App, run: Job[Any], file: str | None, *, as_json: bool) -> None:
    """Draw a run, or a step of it that is a workflow."""
    drawn = app.runs.graph(run.id)
    if as_json:
        print_json(drawn.to_dict())
    else:
        _draw(file, drawn.svg, drawn.mermaid)


def _draw(file: str | None, to_svg: Callable[[], str], to_mermaid: Callable[[], str]) -> None:
    """Write a drawing to a file; without one, print it as Mermaid."""
    if file == "-":
        click.echo(to_svg(), nl=False)
    elif file is not None:
        _write(Path(file), to_svg())
    else:
        click.echo(to_mermaid(), nl=False)


def _states(app: App, run: str, workflow: str) -> dict[str, State]:
    """How the steps of a run stand."""
    whole = find_run(app, run)
    if whole.task != workflow:
        raise click.UsageError(f"Run {whole.id} is one of {whole.task!r}, not of {workflow!r}")
    return {count.group: count.state for count in app.store.count("step", whole.id)}


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.FileError(str(path), error.strerror or str(error)) from None
    click.echo(f"Wrote {path}.", err=True)


def _data(workflow: Workflow, states: Mapping[str, State]) -> dict[str, Any]:
    steps = workflow.steps.values()
    return {
        "name": workflow.name,
        "description": workflow.description,
        "version": workflow.version,
        "tags": dict(workflow.tags),
        "levels": workflow.get_execution_levels(),
        "steps": [{**_step_data(step), "state": states.get(step.id)} for step in steps],
        "layout": layout(workflow, states).to_json(),
    }


def _step_data(step: Step) -> dict[str, Any]:
    return {
        "id": step.id,
        "task": step.task.name,
        "needs": step.needs,
        "trigger": None if step.trigger is None else str(step.trigger),
        "for_each": step.for_each,
    }
