"""The jobs that words on the command line stand for: an id, a beginning of one, or `-`."""

from typing import Any

from rotulus import App, Job
from rotulus.errors import JobNotFoundError
from rotulus.workflow import Run

_LOOK_BACK = 100
"""How many jobs are looked at for the last one that is no step of a run."""


def find_job(app: App, word: str) -> Job[Any]:
    """The job that a word stands for: its id, a unique beginning of it, or `-` for the last one.

    The last one is the job that somebody enqueued last: of a run, the run, and not one of its
    steps; and one that a schedule was fired as only if there is no other.

    Raises:
        JobNotFoundError: there is none, or several ids begin so.
    """
    if word != "-":
        return app.get(word)
    found = app.jobs(limit=_LOOK_BACK)
    if not found:
        raise JobNotFoundError(f"There is no last job: {app.store.url} holds none")
    last = min(found, key=lambda job: (bool(job.schedule or job.step), bool(job.step)))
    return app.get(last.run if last.step and last.run else last.id)


def find_run(app: App, run: str) -> Job[Any]:
    """Returns the job of a run that has begun, by what `find_job` takes.

    Raises:
        JobNotFoundError: there is none, or the job is not a run.
    """
    job = app.runs.get(find_job(app, run).id if run == "-" else run)
    if job.is_run:
        return job
    raise JobNotFoundError(f"Run {job.id} of {job.task!r} has not begun")


def find_job_or_step(app: App, word: str, step: str | None) -> Job[Any]:
    """Returns the job that a word stands for; with a step, the job of that step of the run.

    Raises:
        JobNotFoundError: there is none, or the job is not a run.
        StepNotFoundError: the run has no such step.
    """
    if step is None:
        return find_job(app, word)
    return app.runs.step(find_run(app, word).id, step).job


def count_live(app: App, run: Job[Any]) -> int:
    """Returns how many parts of a run have not ended, at any depth."""
    counts = app.store.count("queue", run.id)
    return sum(c.jobs for c in counts if not c.state.ended) - (not run.state.ended)


def reached(app: App, job: Job[Any]) -> tuple[float | None, float | None, str]:
    """How far a job has got: as its task says; of a run, how many of its steps have ended."""
    if job.is_run:
        return Run(app, job.id).reached()
    return job.reached or (None, None, str(job.state))
