"""The steps of a run as a tree: when each was due, ran and ended, and what it waits for."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from rotulus._app.port import AppPort
from rotulus._app.resources.jobs import Jobs
from rotulus._app.resources.where import read_where
from rotulus._concurrency.pool import off_loop
from rotulus._jobs.job import Attempt, Job
from rotulus._jobs.outcome import OutcomeWord
from rotulus._jobs.record import JobRecord
from rotulus._jobs.states import RETRYABLE, State
from rotulus._text.names import did_you_mean
from rotulus._workflows.paths import is_branch, join_path, split_path
from rotulus._workflows.tasks import WorkflowTask
from rotulus.errors import JobNotFoundError, StepNotFoundError
from rotulus.store import Filter

_MOST_NEEDS = 1000
_MOST_WRONG = 5
_LISTED = 10
"""How many steps an error lists, about a step that does not exist."""


class Span(NamedTuple):
    """From when to when an attempt ran."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class StepInfo:
    """A step of a run as it stands.

    Attributes:
        job: its job.
        due: when everything it needs had ended; None while something has not, or it is not known.
        waits_for: the steps it needs, or its parts, that have not ended.
        spans: its attempts, the last one up to now if it runs. One that has parts runs as long as
            they do.
        outcomes: of each of the `spans` the outcome, in one word: `succeeded`, `failed`, `dead`,
            `cancelled` or `skipped`; `retried`, `lost`, `snoozed` or `released`, after which it
            went on; `opened` while it waits for its parts; None while it runs.
        attempts: how many attempts it has had.
        branches: of a step that runs for each item: how many branches are in which state. Of a
            group: how many of its jobs are.
        wrong: some of the branches, or jobs of a group, that went wrong.
        steps: of a workflow: its steps, in an order in which each comes after what it needs.
    """

    job: Job[Any]
    due: datetime | None
    waits_for: Sequence[str]
    spans: Sequence[Span]
    outcomes: Sequence[OutcomeWord | None]
    attempts: int
    branches: Counter[State]
    wrong: Sequence[Job[Any]]
    steps: Sequence["StepInfo"]

    @property
    def name(self) -> str:
        """Its id within its workflow."""
        return split_path(self.job.step)[1]

    @property
    def went_wrong(self) -> bool:
        """Whether it failed, is dead, or was cancelled."""
        return self.job.state in RETRYABLE

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

    def walk(self) -> Iterator["StepInfo"]:
        """The step, and then all steps within it."""
        yield self
        for step in self.steps:
            yield from step.walk()

    def to_dict(self) -> dict[str, Any]:
        """Returns its job's attributes and its own by name, as JSON data, with the steps within."""
        return self.job.to_dict() | {
            "attempts": self.attempts,
            "waits_for": self.waits_for,
            "due_at": None if self.due is None else self.due.isoformat(),
            "waited": self.waited,
            "ran": self.ran,
            "spans": [[span.start.isoformat(), span.end.isoformat()] for span in self.spans],
            "outcomes": list(self.outcomes),
            "branches": dict(self.branches),
            "wrong": [job.to_dict() for job in self.wrong],
            "steps": [step.to_dict() for step in self.steps],
        }


class RunSteps:
    """The steps of runs.

    Args:
        port: gives the port of the app that answers.
        jobs: the jobs of the same app.
    """

    def __init__(self, port: Callable[[], AppPort], jobs: Jobs) -> None:
        self._port = port
        self._jobs = jobs

    def steps(self, run_id: str) -> list[StepInfo]:
        """The steps of a run as a tree, in an order in which each comes after what it needs.

        A group has none: its jobs are found by `app.jobs(run=...)`.

        Args:
            run_id: the id of the run, or that of a step of it that is a workflow itself.

        Raises:
            JobNotFoundError: there is no such job.
        """
        return _steps(self._port(), self._jobs.get(run_id))

    def step(self, run_id: str, step: str) -> StepInfo:
        """One step of a run, or the run as a whole.

        Args:
            run_id: the id of the run.
            step: the id of the step, or its path, such as `parse/17`; `""` is the run itself.

        Raises:
            JobNotFoundError: there is no such run.
            StepNotFoundError: it has no such step; the message has the nearest one.
        """
        return _step(self._port(), self._job(run_id, step))

    async def asteps(self, run_id: str) -> list[StepInfo]:
        """`steps`, without blocking the event loop."""
        return await off_loop(self.steps, run_id)

    async def astep(self, run_id: str, step: str) -> StepInfo:
        """`step`, without blocking the event loop."""
        return await off_loop(self.step, run_id, step)

    def _run(self, run_id: str) -> Job[Any]:
        """Returns the job that ends a run, which may begin later. Raises `JobNotFoundError`."""
        job = self._whole(run_id)
        if job.is_run:
            return job
        registry = self._port().registry
        if registry.has(job.task) and isinstance(registry.get(job.task), WorkflowTask):
            return job
        raise JobNotFoundError(
            f"Job {job.id} of {job.task!r} is not a run of a workflow that has begun"
        )

    def _whole(self, run_id: str) -> Job[Any]:
        """Returns a job that is no step: a run, or what may become one. Raises as `_run` does."""
        job = self._jobs.get(run_id)
        if job.is_run or job.run is None:
            return job
        raise JobNotFoundError(f"Job {job.id} is step {job.step!r} of a run: give that, {job.run}")

    def _job(self, run_id: str, step: str) -> Job[Any]:
        """Returns the job of a step. Raises `StepNotFoundError`, with the nearest one there is."""
        port, run = self._port(), self._run(run_id)
        found = _find(port, read_where({"run": run.id, "step": step}, port.now), 1)
        if found:
            return Job(port.look(found[0].id), port)  # with its history
        names = _names(port, run.id, split_path(step)[0]) or _names(port, run.id, "")
        has = f"; it has {', '.join(names[:_LISTED])}" if names else "; it has not begun"
        hint = did_you_mean(step, names) or has
        raise StepNotFoundError(f"Run {run.id} of {run.task!r} has no step {step!r}{hint}")


def _steps(port: AppPort, whole: Job[Any]) -> list[StepInfo]:
    """Returns the steps of a job that is made of them; nothing of one whose parts are branches."""
    run, within = whole.run or whole.id, whole.step or ""
    parts = port.store().steps(run, within)
    jobs = _with_history(port, [part.record for part in parts])
    return [
        _step(port, jobs[part.record.id], [_need(jobs[need]) for need in part.needs])
        for part in sorted(parts, key=lambda part: part.record.id)
    ]


def _with_history(port: AppPort, records: Sequence[JobRecord]) -> dict[str, Job[Any]]:
    """Returns jobs with their earlier attempts, by their ids: however many, with one look."""
    earlier = [record.id for record in records if _has_earlier(record)]
    found = port.store().histories(earlier) if earlier else {}
    return {
        record.id: Job(record._replace(history=found.get(record.id)), port) for record in records
    }


def _step(port: AppPort, job: Job[Any], needs: "list[_Need] | None" = None) -> StepInfo:
    """Returns a step, of a job with its history; with its needs, if they are known."""
    branches, steps = Counter[State](), list[StepInfo]()
    if job.record.opened:
        branches = _branches(port, job)
        steps = [] if branches else _steps(port, job)
    if needs is None:
        needs = _needs(port, job, branches.total() + len(steps))
    waits_for = [need.path for need in needs if need.ended is None]
    waits_for += [step.job.step or "" for step in steps if not step.job.state.ended]
    ended = [need.ended for need in needs if need.ended is not None]
    ran = _attempts(job)
    return StepInfo(
        job,
        max([job.created_at, *ended]) if len(ended) == len(needs) else None,
        waits_for,
        [span for span, _ in ran],
        [outcome for _, outcome in ran],
        job.attempt - sum(attempt.outcome == "opened" for attempt in job.attempts),
        branches,
        _wrong(port, job) if any(branches[state] for state in RETRYABLE) else [],
        steps,
    )


def _find(port: AppPort, where: Filter, limit: int) -> list[Job[Any]]:
    return [Job(record, port) for record in port.store().find(where, limit)]


def _names(port: AppPort, run: str, within: str) -> list[str]:
    counts = port.store().count("step", run, within)
    return list(dict.fromkeys(count.group for count in counts))


def _branches(port: AppPort, job: Job[Any]) -> Counter[State]:
    found = Counter[State]()
    for count in port.store().count("step", job.run, job.step or ""):
        if is_branch(count.group):
            found[count.state] += count.jobs
    return found


def _wrong(port: AppPort, job: Job[Any]) -> list[Job[Any]]:
    within = join_path(job.step or "", "")
    found = _find(port, Filter(run=job.run, states=RETRYABLE), _MOST_NEEDS)
    own = [other for other in found if other.step and other.step.startswith(within)]
    return sorted(own, key=lambda other: other.ended_at or other.created_at)[:_MOST_WRONG]


class _Need(NamedTuple):
    """A step that another one needs, and when it ended, if it has."""

    path: str
    ended: datetime | None


def _needs(port: AppPort, job: Job[Any], parts: int) -> list[_Need]:
    """Returns the needs of a step; none of a step with too many parts to read quickly.

    A run as a whole, a branch and a job of a group need nothing.
    """
    within, _ = split_path(job.step)
    if not job.step or parts > _MOST_NEEDS or is_branch(job.step):
        return []
    found = _find(port, Filter(needed_by=[job.id]), 2 * _MOST_NEEDS)
    needs = map(_need, reversed(found))
    return [need for need in needs if split_path(need.path)[0] == within]


def _need(job: Job[Any]) -> _Need:
    return _Need(job.step or "", job.ended_at)


def _has_earlier(job: JobRecord) -> bool:
    """Whether a job may have earlier attempts: the first one is among them if the job went on."""
    stands = (State.RUNNING, State.SUCCEEDED, State.FAILED)
    return job.attempt > 1 or (job.attempt == 1 and job.state not in stands)


_Ran = tuple[Span, OutcomeWord | None]
"""When an attempt ran, and its outcome."""


def _attempts(job: Job[Any]) -> list[_Ran]:
    """Returns its attempts, without those that have only looked whether it is to run.

    Since it was opened it has been one, up to its end.
    """
    earlier = [one for one in job.attempts if one.outcome != "skipped"]
    ran: list[_Ran] = []
    for attempt in earlier:
        if attempt.started_at is None:
            continue
        if attempt.outcome == "opened":
            return [*ran, _with_parts(job, attempt.started_at, earlier[-1])]
        ran.append((Span(attempt.started_at, attempt.ended_at), attempt.outcome))
    is_earlier = job.attempt in {attempt.number for attempt in job.attempts}
    begun = job.state is State.RUNNING or job.state in _BY_ITSELF
    if begun and job.started_at is not None and not is_earlier:
        ran.append((_up_to_now(job, job.started_at), _BY_ITSELF.get(job.state)))
    return ran


def _with_parts(job: Job[Any], start: datetime, last: Attempt) -> _Ran:
    """Returns the attempts since a job was opened as one, which goes on as long as its parts do."""
    goes_on = job.record.opened or job.state is State.RUNNING or job.state.ended
    has_ended = last.outcome != "opened"
    if (has_ended and job.state is State.SKIPPED) or not goes_on:  # its parts are gone
        return Span(start, last.ended_at), last.outcome
    if job.state.ended:
        return _up_to_now(job, start), _BY_ITSELF.get(job.state, "skipped")
    return _up_to_now(job, start), None if job.state is State.RUNNING else "opened"


def _up_to_now(job: Job[Any], start: datetime) -> Span:
    """Returns the time from a moment up to the end of a job, or up to now."""
    return Span(start, max(job.ended_at or datetime.now(UTC), start))


_BY_ITSELF: Mapping[State, OutcomeWord] = {
    State.SUCCEEDED: "succeeded",
    State.FAILED: "failed",
    State.DEAD: "dead",
    State.CANCELLED: "cancelled",
}
"""The ends that an attempt can bring about which has run."""
