"""The JSON of runs and their steps, as the sender of a request may see them."""

from datetime import UTC, datetime
from typing import Any

from rotulus import Job, StepInfo
from rotulus.service.resources.job_views import show_job, show_whole
from rotulus.service.resources.views import View


def show_run(job: Job[Any], view: View) -> dict[str, Any]:
    """Returns the JSON of a run with its steps as a tree. Reads the store."""
    steps = view.app.runs.steps(job.id)
    return show_whole(job, view) | {"steps": [show_step(step, view) for step in steps]}


def show_step(step: StepInfo, view: View) -> dict[str, Any]:
    """Returns the JSON of a step, with the steps within."""
    return {
        "id": step.name,
        "step": step.job.step or "",
        "job": show_job(step.job, view),
        "attempts": step.attempts,
        "due_at": None if step.due is None else _zulu(step.due),
        "waits_for": list(step.waits_for),
        "waited": step.waited,
        "ran": step.ran,
        "spans": [[_zulu(span.start), _zulu(span.end)] for span in step.spans],
        "outcomes": list(step.outcomes),
        "branches": {state.value: jobs for state, jobs in step.branches.items()},
        "wrong": [show_job(job, view) for job in step.wrong],
        "steps": [show_step(one, view) for one in step.steps],
    }


def _zulu(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
