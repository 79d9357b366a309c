"""The JSON of runs in requests and answers, as the OpenAPI document describes it."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from rotulus import BoxKind, State
from rotulus._jobs.outcome import OutcomeWord
from rotulus.service.resources.job_models import Job, JobDetail

Span = tuple[datetime, datetime]
"""From when to when."""


class Step(BaseModel):
    """A step of a run as it stands."""

    id: str = Field(description="Its name within its workflow.")
    step: str = Field(description="Its path in the run.")
    job: Job
    attempts: int = Field(description="How many it has had.")
    due_at: datetime | None = Field(description="When everything it needs had ended.")
    waits_for: list[str] = Field(description="What it needs, or its parts, that have not ended.")
    waited: float | None = Field(description="Seconds from when it was due until it began.")
    ran: float | None = Field(description="Seconds for which its attempts ran, together.")
    spans: list[Span] = Field(description="Its attempts; one that runs up to now.")
    outcomes: list[OutcomeWord | None] = Field(
        description="The outcome of each of its attempts; null: it runs."
    )
    branches: dict[State, int] = Field(
        description="Of a step that runs for each item: how many branches are in each state."
    )
    wrong: list[Job] = Field(description="Some of its branches that went wrong.")
    steps: list["Step"] = Field(description="Of a workflow: its steps.")


class Run(JobDetail):
    """A run: the job that ends it, and its steps."""

    steps: list[Step] = Field(description="Each after what it needs; a group has none.")


class GraphBox(BaseModel):
    """A box of a drawing."""

    id: str
    kind: BoxKind
    step: str | None = Field(description="The path of its step; null: it is not one step.")
    job: str | None
    task: str | None
    state: State | None
    counts: dict[State, int] = Field(description="How many of its parts are in each state.")
    lines: list[str] = Field(description="The lines of text below the name.")
    tone: str = Field(description="Its colour, by its meaning.")
    x: float
    y: float
    width: float
    height: float


class GraphRoute(BaseModel):
    """The way of an edge from one box down to another."""

    source: str
    target: str
    points: list[tuple[float, float]]


class Graph(BaseModel):
    """A run, or a step of it that is a workflow, as boxes and the routes between them."""

    run: str
    job: str
    step: str
    task: str
    state: State
    folded: bool = Field(description="Whether a box stands for all steps of a level.")
    boxes: list[GraphBox]
    routes: list[GraphRoute]
    width: float
    height: float


class TimelineRow(BaseModel):
    """A step over time."""

    step: str
    job: str
    task: str
    state: State
    waited: list[Span]
    ran: list[Span]
    outcomes: list[OutcomeWord | None] = Field(
        description="The outcome of each attempt in `ran`; null: it runs."
    )
    ended_at: datetime | None = Field(
        description="When its job ended, also if nothing of it ran; null: it has not."
    )


class Timeline(BaseModel):
    """A run over time."""

    job: str
    task: str
    state: State
    start: datetime
    end: datetime
    rows: list[TimelineRow]
    left_out: int = Field(
        description="How many steps that have begun or ended are not among the rows."
    )


class RunChange(BaseModel):
    """What a verb has done to the jobs of a run."""

    verb: str
    dry_run: bool = Field(description="Whether nothing was changed: it only says what would be.")
    count: int = Field(description="How many jobs were changed.")
    items: list[Job] = Field(description="The first 1,000 of them.")


class SkipBody(BaseModel):
    """A step that a run is to go on without."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"examples": [{"step": "parse"}]}
    )

    step: str = Field(description="The id of the step, or its path, such as `parse/17`.")
    dry_run: bool = Field(False, description="Only say which jobs it would be.")


class ReplayBody(BaseModel):
    """A step that is run again, with everything that came after it."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={"examples": [{"step": "parse", "context": {"day": "2026-11-20"}}]},
    )

    step: str = Field(description="The id of the step, or its path; empty: the run as a whole.")
    context: dict[str, Any] | None = Field(
        None, description="What the step is given; what its needs handed on, unless given."
    )
