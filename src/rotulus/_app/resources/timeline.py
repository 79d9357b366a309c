"""A run over time: when each of its steps waited and ran, as a value that can be drawn."""

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Self

from rotulus._app.resources.steps import Span, StepInfo
from rotulus._jobs.job import Job
from rotulus._jobs.outcome import OutcomeWord
from rotulus._jobs.states import RETRYABLE, State


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """A step over time.

    Attributes:
        step: its path in the run, such as `parse` or `inner/load`.
        job: the id of its job.
        task: the name of its task.
        state: the state of its job.
        waited: from when to when it was due and did not run: before its first attempt, and between
            two of them.
        ran: from when to when its attempts ran, the last one up to now if it runs. One that has
            parts runs as long as they do.
        outcomes: of each of the spans in `ran` the outcome, in one word: see `StepInfo.outcomes`.
            None: it runs.
        ended_at: when its job ended, also if nothing of it ran; None: it has not.
    """

    step: str
    job: str
    task: str
    state: State
    waited: tuple[Span, ...]
    ran: tuple[Span, ...]
    outcomes: tuple[OutcomeWord | None, ...]
    ended_at: datetime | None

    @property
    def went_wrong(self) -> bool:
        """Whether it failed, is dead, or was cancelled."""
        return self.state in RETRYABLE

    @property
    def seconds(self) -> float:
        """For how many seconds its attempts ran, together."""
        return sum((span.end - span.start).total_seconds() for span in self.ran)

    def to_dict(self) -> dict[str, Any]:
        """Returns its attributes by name, as JSON data; a span is a pair of moments."""
        return {
            "step": self.step,
            "job": self.job,
            "task": self.task,
            "state": self.state,
            "waited": _pairs(self.waited),
            "ran": _pairs(self.ran),
            "outcomes": list(self.outcomes),
            "ended_at": None if self.ended_at is None else self.ended_at.isoformat(),
        }


@dataclass(frozen=True, slots=True)
class Timeline:
    """A run over time.

    Attributes:
        job: the id of the job: that of the run, or of a step of it that is a workflow.
        task: the name of its task.
        state: its state.
        start: when it was added.
        end: when it ended, or now.
        rows: its steps that have begun or ended, such as those that were skipped, and those of
            workflows within, each after what it needs. Of more than there is room for, those that
            ran the longest.
        left_out: how many such steps are not among the rows.
    """

    job: str
    task: str
    state: State
    start: datetime
    end: datetime
    rows: tuple[TimelineRow, ...]
    left_out: int

    @classmethod
    def of(cls, job: Job[Any], steps: Iterable[StepInfo], limit: int = 100) -> Self:
        """Returns the timeline of a job whose steps are known.

        Args:
            job: the job.
            steps: its steps, as `app.runs.steps` gives them.
            limit: how many rows there are at most.
        """
        walked = (step for one in steps for step in one.walk())
        rows = [_row(step) for step in walked if step.spans or step.job.ended_at is not None]
        chosen = heapq.nlargest(limit, range(len(rows)), key=lambda place: rows[place].seconds)
        shown = tuple(rows[place] for place in sorted(chosen))
        end = job.ended_at or datetime.now(UTC)
        return cls(job.id, job.task, job.state, job.created_at, end, shown, len(rows) - len(shown))

    def to_dict(self) -> dict[str, Any]:
        """Returns its attributes by name, as JSON data."""
        return {
            "job": self.job,
            "task": self.task,
            "state": self.state,
            "start": self.start.isoformat(),
            "end": self.end.isoformat(),
            "rows": [row.to_dict() for row in self.rows],
            "left_out": self.left_out,
        }


def _row(step: StepInfo) -> TimelineRow:
    job, ran = step.job, tuple(step.spans)
    waited = [Span(before.end, after.start) for before, after in pairwise(ran)]
    if step.due is not None and ran:
        waited = [Span(step.due, ran[0].start), *waited]
    return TimelineRow(
        job.step or "",
        job.id,
        job.task,
        job.state,
        tuple(waited),
        ran,
        tuple(step.outcomes),
        job.ended_at,
    )


def _pairs(spans: Sequence[Span]) -> list[list[str]]:
    return [[span.start.isoformat(), span.end.isoformat()] for span in spans]
