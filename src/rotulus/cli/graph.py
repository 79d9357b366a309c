"""`rotulus graph`: a workflow as Mermaid text, or as a drawing."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from rotulus import App, State
from rotulus.cli.job_ids import find_run
from rotulus.cli.output import json_option, print_json
from rotulus.cli.target import app_options, find_app, find_store
from rotulus.errors import TaskNotFoundError, WorkflowError
from rotulus.workflow import Step, Workflow, get_workflow, layout, list_workflows, mermaid, svg


@click.command()
@click.argument("workflow")
@click.option("--svg", "file", metavar="FILE", help="Write a drawing to this file; - prints it.")
@click.option("--run", metavar="RUN", help="Colour the steps as they stand in this run.")
@json_option
@app_options
def graph(
    workflow: str,
    file: str | None,
    run: str | None,
    as_json: bool,
    target: str | None,
    url: str | None,
) -> None:
    """Draw WORKFLOW: print it as Mermaid, or write it as SVG.

    The drawing is one file, light or dark as its reader prefers.
    """
    app = find_app(target, tasks=True)
    drawn = find_workflow(app, workflow)
    states = _states(find_store(target, url), run, workflow) if run else {}
    if as_json:
        print_json(_data(drawn, states))
    elif file == "-":
        click.echo(svg(drawn, states), nl=False)
    elif file is not None:
        _write(Path(file), svg(drawn, states))
    else:
        click.echo(mermaid(drawn, states), nl=False)


def find_workflow(app: App, name: str) -> Workflow:
    """Returns the workflow of that name. Raises `TaskNotFoundError`, with those there are."""
    try:
        return get_workflow(name, app.registry)
    except WorkflowError as error:
        known = ", ".join(workflow.name for workflow in list_workflows(app.registry))
        stop = "" if str(error).endswith("?") else "."
        here = f"{error}{stop} Workflows here: {known or 'none'}"
        raise TaskNotFoundError(here, name) from None


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
