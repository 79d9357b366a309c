"""Reads a run of a workflow from the store: its steps as a tree, each with its times."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any, NamedTuple

from rotulus import App, Job, State
from rotulus.errors import JobNotFoundError, StepNotFoundError
from rotulus.store import Filter
from rotulus.workflow import Run, is_branch, split_path

_LOOK_BACK = 100
"""How many jobs are looked at for the last one that is no step of a run."""

_MOST_NEEDS = 1000
_MOST_WRONG = 5
WRONG = (State.FAILED, State.DEAD, State.CANCELLED)
"""The states that something went wrong in."""


class Span(NamedTuple):
    """From when to when an attempt ran."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class Node:
    """A step of a run.

    Attributes:
        job: its job.
        due: when everything it needs had ended; None while something has not, or it is not known.
        waits_for: the steps it needs, or its parts, that have not ended.
        spans: its attempts, the last one up to now if it runs. One that has parts runs as long as
            they do.
        attempts: how many attempts it has had.
        branches: of a step that runs for each item: how many branches are in which state.
        wrong: some of the branches that went wrong.
        steps: of a workflow: its steps, in an order in which each comes after what it needs.
    """

    job: Job[Any]
    due: datetime | None
    waits_for: Sequence[str]
    spans: Sequence[Span]
    attempts: int
    branches: Counter[State]
    wrong: Sequence[Job[Any]]
    steps: Sequence["Node"]

    @property
    def name(self) -> str:
        """Its id within its workflow."""
        return split_path(self.job.step)[1]

    @property
    def waited(self) -> float | None:
        """Seconds from when it was due until it was first begun, or until now."""
        if self.due is None or self.job.state is State.SKIPPED:
            return None
        end = self.spans[0].start if self.spans else self.job.ended_at or datetime.now(UTC)
        return max(0.0, (end - self.due).total_seconds())

    @property
    def ran(self) -> float | None:
        """Seconds for which its attempts ran, together."""
        return sum((s.end - s.start).total_seconds() for s in self.spans) if self.spans else None


def is_run(job: Job[Any]) -> bool:
    """Whether a job is the run of a workflow."""
    return job.run == job.id


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
    """The job of a run, by what `find_job` takes.

    Raises:
        JobNotFoundError: there is none, or the job is not a run.
    """
    job = find_job(app, run)
    if is_run(job):
        return job
    if job.run is not None:
        raise JobNotFoundError(f"Job {job.id} is step {job.step!r} of a run: give that, {job.run}")
    raise JobNotFoundError(
        f"Job {job.id} of {job.task!r} is not a run of a workflow that has begun"
    )


def find_step(app: App, run: str, step: str) -> Job[Any]:
    """A step of a run. Raises `StepNotFoundError`, with the nearest one there is."""
    job = find_run(app, run)
    found = app.jobs(run=job.id, step=step, limit=1)
    if found:
        return app.get(found[0].id)
    within, _ = split_path(step)
    names = _names(app, job.id, within) or _names(app, job.id, "")
    near = get_close_matches(step, names, 1)
    hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(names[:10])}"
    raise StepNotFoundError(f"Run {job.id} of {job.task!r} has no step {step!r}; {hint}")


def count_live(app: App, run: Job[Any]) -> int:
    """How many parts of a run have not ended, at any depth."""
    counts = app.store.count("queue", run.id)
    return sum(c.jobs for c in counts if not c.state.ended) - (not run.state.ended)


def reached(app: App, job: Job[Any]) -> tuple[float | None, float | None, str]:
    """How far a job has got: as its task says; of a run, how many of its steps have ended."""
    if is_run(job):
        return Run(app, job.id).reached()
    return job.reached or (None, None, str(job.state))


def read_steps(app: App, whole: Job[Any]) -> list[Node]:
    """The steps of a job that is made of them; nothing of one whose parts are branches."""
    run, within = whole.run or whole.id, whole.step or ""
    paths = [path for path in _names(app, run, within) if not is_branch(path)]
    jobs = [job for path in paths for job in app.jobs(run=run, step=path, limit=1)]
    return [_node(app, job) for job in sorted(jobs, key=lambda job: job.id)]


def read_step(app: App, job: Job[Any]) -> Node:
    """One step by itself."""
    return _node(app, job)


def walk(nodes: Sequence[Node]) -> Iterator[Node]:
    """All steps, each before its own."""
    for node in nodes:
        yield node
        yield from walk(node.steps)


def _node(app: App, job: Job[Any]) -> Node:
    if job.attempt > 1:
        job = app.get(job.id)  # only then its history is read
    branches, steps = Counter[State](), list[Node]()
    if job.record.opened:
        branches = _branches(app, job)
        steps = [] if branches else read_steps(app, job)
    needs = _needs(app, job, branches.total() + len(steps))
    waits_for = [need.path for need in needs if need.ended is None]
    waits_for += [step.job.step or "" for step in steps if not step.job.state.ended]
    ended = [need.ended for need in needs if need.ended is not None]
    return Node(
        job,
        max([job.created_at, *ended]) if len(ended) == len(needs) else None,
        waits_for,
        _spans(job),
        job.attempt - sum(attempt.reason == "opened" for attempt in job.attempts),
        branches,
        _wrong(app, job) if any(branches[state] for state in WRONG) else [],
        steps,
    )


def _names(app: App, run: str, within: str) -> list[str]:
    return list(dict.fromkeys(count.group for count in app.store.count("step", run, within)))


def _branches(app: App, job: Job[Any]) -> Counter[State]:
    found = Counter[State]()
    for count in app.store.count("step", job.run, job.step or ""):
        if is_branch(count.group):
            found[count.state] += count.jobs
    return found


def _wrong(app: App, job: Job[Any]) -> list[Job[Any]]:
    within = f"{job.step}/"
    found = app.jobs(run=job.run, state=WRONG, limit=_MOST_NEEDS)
    own = [other for other in found if (other.step or "").startswith(within)]
    return sorted(own, key=lambda other: other.ended_at or other.created_at)[:_MOST_WRONG]


class _Need(NamedTuple):
    """A step that another one needs, and when it ended, if it has."""

    path: str
    ended: datetime | None


def _needs(app: App, job: Job[Any], parts: int) -> list[_Need]:
    """What a step needs; nothing of one that has so many parts that reading them takes long."""
    within, _ = split_path(job.step)
    if parts > _MOST_NEEDS or is_branch(job.step):
        return []
    found = app.store.find(Filter(needed_by=[job.id]), 2 * _MOST_NEEDS)
    needs = [_Need(r.step or "", _moment(r.ended_at)) for r in reversed(found)]
    return [need for need in needs if split_path(need.path)[0] == within]


def _moment(micros: int | None) -> datetime | None:
    return None if micros is None else datetime.fromtimestamp(micros / 1_000_000, UTC)


def _spans(job: Job[Any]) -> list[Span]:
    """Its attempts. Since it was opened it has been one, up to its end."""
    if job.state is State.SKIPPED:
        return []
    until = job.ended_at or datetime.now(UTC)
    spans: list[Span] = []
    for attempt in job.attempts:
        if attempt.started_at is None:
            continue
        if attempt.reason == "opened":
            return [*spans, Span(attempt.started_at, until)]
        spans.append(Span(attempt.started_at, attempt.ended_at))
    if job.started_at is not None and job.attempt not in {a.number for a in job.attempts}:
        spans.append(Span(job.started_at, max(until, job.started_at)))
    return spans
