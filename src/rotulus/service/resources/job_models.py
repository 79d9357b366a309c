"""The JSON of jobs in requests and answers, as the OpenAPI document describes it."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from rotulus import State
from rotulus._jobs.outcome import OutcomeWord
from rotulus.service.records import JobStatus
from rotulus.service.resources.moments import Moment


def _whole(value: object) -> object:
    """JSON Schema has one kind of numbers: 3.0 is an integer there, and true is none."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


WholeNumber = Annotated[int, BeforeValidator(_whole)]
"""An integer in a strict body, written in any way that JSON has for it."""

Priority = Annotated[int, Field(ge=-1_000_000, le=1_000_000), BeforeValidator(_whole)]
"""A priority: higher is sooner."""


class JobProgress(BaseModel):
    """How far a job has got, as its task says."""

    done: float
    total: float | None
    note: str


class JobError(BaseModel):
    """What an attempt has raised."""

    type: str
    message: str
    fingerprint: str | None = Field(description="Failures of one cause have the same.")
    traceback: str | None = Field(description="Of a single job, and for operators.")


class Job(BaseModel):
    """A job in a list."""

    id: str = Field(json_schema_extra={"format": "uuid"})
    task: str
    queue: str
    state: State
    status: JobStatus = Field(description="The state in the words of spawned jobs.")
    reason: str | None = Field(description="Why it stands so, in one word.")
    description: str | None = Field(description="Of a spawned job.")
    attempt: int = Field(description="The number of the last attempt; 0 before the first.")
    priority: int
    key: str | None
    labels: dict[str, str]
    run: str | None = Field(description="The run that it is a part of.")
    group: str | None = Field(description="The group that it is the callback of.")
    step: str | None = Field(description="Where it stands in its run.")
    paused: bool
    schedule: str | None
    instant: datetime | None
    worker: str | None
    cancel_requested: bool
    created_at: datetime
    submitted_at: datetime
    run_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    finished_at: datetime | None
    progress: JobProgress | None
    error: JobError | None


class ListedJob(Job):
    """A job in a list that was asked for."""

    arguments: dict[str, Any] | None = Field(
        default=None,
        description="There if `arguments=true` was asked for; null if they are no object of JSON.",
    )


class JobAttempt(BaseModel):
    """An earlier attempt of a job."""

    number: int
    reason: str
    outcome: OutcomeWord = Field(description="Its outcome in one word, as statistics have it.")
    worker: str | None
    started_at: datetime | None
    ended_at: datetime
    error: JobError | None


class JobDetail(Job):
    """A single job."""

    arguments: dict[str, Any]
    headers: dict[str, str]
    result: Any = Field(description="What its task returned; null until then.")
    attempts: list[JobAttempt] = Field(description="The earlier ones, the oldest first.")
    why: list[str] = Field(description="Why it stands so, in sentences, the main reason first.")
    parts: dict[str, int] | None = Field(
        description="Of a run, or a step with parts: how many of its parts are in each state."
    )


class JobPage(BaseModel):
    """A page of jobs."""

    items: list[ListedJob]
    next: str | None = Field(description="The `after` of the next page; null on the last one.")
    looked_to: datetime | None = Field(
        description="How far was looked, if few of many jobs match: the page may be short then."
    )


class JobCount(BaseModel):
    """How many jobs there are."""

    count: int
    exact: bool = Field(description="Whether there are no more: 10,000 are counted.")


class JobResult(BaseModel):
    """The result of a job that has succeeded."""

    id: str
    state: State
    result: Any


class BulkBody(BaseModel):
    """How a verb goes about many jobs."""

    model_config = ConfigDict(extra="forbid", strict=True)

    ids: list[str] | None = Field(
        default=None, min_length=1, max_length=500, description="These jobs, in place of filters."
    )
    dry_run: bool = Field(default=False, description="Change nothing; say what would be changed.")
    limit: WholeNumber = Field(
        default=10_000, ge=1, le=10_000, description="Stop after so many that match."
    )
    after: str | None = Field(default=None, description="The `next` of the answer before.")


class ReprioritiseBody(BaseModel):
    """Another priority for a job."""

    model_config = ConfigDict(extra="forbid", strict=True)

    priority: Priority = Field(description="Higher is sooner.")


class EditBody(BaseModel):
    """What is to change of a job that waits; what is not given stays."""

    model_config = ConfigDict(extra="forbid", strict=True)

    arguments: dict[str, Any] | None = Field(
        default=None, description="All arguments by name, in place of those that it has."
    )
    priority: Priority | None = Field(default=None, description="Higher is sooner.")
    at: Moment = Field(default=None, description="The moment it is due; now, if that is over.")
    delay: float | None = Field(
        default=None, description="Seconds until it is due, in place of `at`."
    )
    unchecked: bool = Field(
        default=False, description="Also arguments of a task that only workers know."
    )


class BulkReprioritiseBody(BulkBody, ReprioritiseBody):
    """Another priority for many jobs."""


class BulkChange(BaseModel):
    """What a verb has done to many jobs, or would do."""

    verb: str
    dry_run: bool
    count: int = Field(description="How many jobs were changed, or would be.")
    exact: bool = Field(description="Whether there are no more.")
    items: list[Job] = Field(description="The first 1,000 of them.")
    next: str | None = Field(
        description="If the limit came first: the `after` of the request that goes on."
    )


class LogLine(BaseModel):
    """A line that an attempt has logged."""

    attempt: int
    number: int
    at: datetime
    level: str
    logger: str
    text: str
    cursor: str = Field(description="Its place: `after` gives the lines that follow it.")


class LogPage(BaseModel):
    """Lines that the attempts of a job have logged, the oldest first."""

    items: list[LogLine]
    next: str | None = Field(description="The `after` of the next page; null on the last one.")
