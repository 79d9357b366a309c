"""`rotulus ls tasks` and `workflows`: what an app declares."""

from typing import Any

import click

from rotulus import Job
from rotulus.cli.output import ago, json_option, print_json, print_table
from rotulus.cli.tables import Column
from rotulus.cli.target import app_options, find_app, has_store
from rotulus.workflow import Workflow, list_workflows
from rotulus.workflow.run import status_of

_TASKS = (
    Column("task", fold=16),
    Column("signature", fold=24, spill=2),
    Column("tags", fold=8, spill=3, optional=True),
    Column("defined", fold=16, spill=1),
)

_WORKFLOWS = (
    Column("workflow", fold=12),
    Column("steps", right=True),
    Column("version", spill=3),
    Column("last run", fold=9, spill=1),
    Column("when", fold=7, spill=2),
    Column("run", spill=4, optional=True),
    Column("description", fold=24, spill=5, optional=True),
)


@click.command()
@click.option("--tag", "tags", multiple=True, help="Only tasks with this tag; all of several.")
@json_option
@app_options
def tasks(tags: tuple[str, ...], as_json: bool, target: str | None, url: str | None) -> None:
    """The tasks of the app, in the order they were registered."""
    app = find_app(target, url, tasks=True, served=True)
    infos = [app.registry.get_info(name) for name in app.registry.list_by_tags(tags)]
    if as_json:
        print_json([{**vars(i), "parameters": [vars(p) for p in i.parameters]} for i in infos])
        return
    rows = [(i.name, i.signature, ", ".join(i.tags), app.registry.get(i.name).site) for i in infos]
    known = sorted({tag for task in app.registry for tag in task.tags})
    empty = f"No task has these tags; the tags here: {', '.join(known) or 'none'}."
    print_table(_TASKS, rows, empty)


@click.command()
@json_option
@app_options
def workflows(as_json: bool, target: str | None, url: str | None) -> None:
    """The workflows of the app, and the last run of each.

    It is looked for among the last 20,000 jobs.
    """
    app = find_app(target, url, tasks=True)
    known = list_workflows(app.registry)
    latest = app.runs.latest(*(one.name for one in known)) if has_store(app) else {}
    found = [(workflow, latest.get(workflow.name)) for workflow in known]
    if as_json:
        print_json([_workflow_data(workflow, run) for workflow, run in found])
        return
    rows = [
        (
            workflow.name,
            len(workflow.steps),
            workflow.version,
            run and status_of(run),
            run and ago(run.ended_at or run.created_at),
            run and run.id,
            workflow.description,
        )
        for workflow, run in found
    ]
    empty = (
        "No workflows are registered: declare one with 'with WorkflowBuilder(NAME):', and import "
        "its module where the app is made."
    )
    print_table(_WORKFLOWS, rows, empty)


def _workflow_data(workflow: Workflow, run: Job[Any] | None) -> dict[str, Any]:
    return {
        "name": workflow.name,
        "description": workflow.description,
        "version": workflow.version,
        "tags": dict(workflow.tags),
        "steps": list(workflow.steps),
        "last_run": run and {**run.to_dict(), "status": status_of(run)},
    }
