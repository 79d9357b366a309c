"""What a service answers with, as frozen values: the JSON of its API, with types."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, PlainValidator, TypeAdapter

from rotulus import JobCount, State
from rotulus._app.resources.pages import Page
from rotulus._jobs.outcome import OutcomeWord

T = TypeVar("T")


class Value(BaseModel):
    """A part of an answer. Fields that a newer service has besides are left out."""

    model_config = ConfigDict(frozen=True, extra="ignore")


def page_reader(kind: type[T]) -> Callable[[Any], Page[T]]:
    """Returns what reads a page of values of a kind from `items` and `next`."""
    read = TypeAdapter(kind).validate_python
    return lambda body: Page(map(read, body["items"]), body.get("next"))


def read_count(body: Any) -> JobCount:
    """Returns a number of jobs, and whether it is all of them."""
    return JobCount(body["count"], exact=body["exact"])


Count = Annotated[JobCount, PlainValidator(read_count)]
"""How many jobs there are, in the JSON of an answer."""


class JobError(Value):
    """What an attempt has raised.

    Attributes:
        type: the name of the exception's class.
        message: its text.
        fingerprint: failures of one cause have the same.
        traceback: of a single job, for operators.
    """

    type: str
    message: str
    fingerprint: str | None = None
    traceback: str | None = None


class JobProgress(Value):
    """How far a job has got, as its task says."""

    done: float
    total: float | None
    note: str


class JobAttempt(Value):
    """An earlier attempt of a job."""

    number: int
    reason: str
    outcome: OutcomeWord
    worker: str | None
    started_at: datetime | None
    ended_at: datetime
    error: JobError | None


class Job(Value):
    """A job, as it stood when the service answered.

    The fields are those of `rotulus.Job`; `submitted_at`, `finished_at`, `status` and `description`
    are other words for some of them, and not here.
    """

    id: str
    task: str
    queue: str
    state: State
    reason: str | None
    attempt: int
    priority: int
    key: str | None
    labels: Mapping[str, str]
    run: str | None
    group: str | None
    step: str | None
    paused: bool
    schedule: str | None
    instant: datetime | None
    worker: str | None
    cancel_requested: bool
    created_at: datetime
    run_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    progress: JobProgress | None
    error: JobError | None


class ListedJob(Job):
    """A job in a list that was asked for.

    Attributes:
        arguments: what its task is called with, by name; None unless the list was to tell them.
    """

    arguments: Mapping[str, Any] | None = None


class JobDetail(Job):
    """A single job, with what a list leaves out.

    Attributes:
        arguments: what its task is called with, by name.
        headers: what travels with it, such as a trace.
        result: what its task has returned; None until then.
        attempts: the earlier ones, the oldest first.
        why: why it stands so, in sentences, the main reason first.
        parts: of a run, or a step with parts: how many of its parts are in each state.
        version: what `edit` takes as the version that was seen; None: what gave it has none.
    """

    arguments: Mapping[str, Any]
    headers: Mapping[str, str]
    result: Any
    attempts: tuple[JobAttempt, ...]
    why: tuple[str, ...]
    parts: Mapping[State, int] | None
    version: str | None = None


class JobPage(Page[ListedJob]):
    """Jobs that match, the last added first.

    Attributes:
        looked_to: how far was looked, if few of many jobs match: the page may be short then.
    """

    looked_to: datetime | None = None


class AlikeJobs(Value):
    """Jobs that match, and have the same error, task, queue or worker.

    Attributes:
        value: the fingerprint of the error, or the name; None: they have none.
        count: how many there are among the jobs that were counted.
        first_added: when the first of them was added.
        last_added: when the last of them was.
        example: the last of them.
    """

    value: str | None
    count: Count
    first_added: datetime
    last_added: datetime
    example: Job


class JobCounts(list[AlikeJobs]):
    """How many jobs match of each error, task, queue or worker; the most first.

    Attributes:
        looked_to: how far back was looked; None: all that match were counted.
    """

    looked_to: datetime | None = None


class JobChange(Page[Job]):
    """What a verb has done to many jobs, or would do: the first 1,000 of them.

    Attributes:
        total: how many there are in all; if `next` is not None, there are more.
        dry_run: whether nothing was changed.
    """

    total = 0
    dry_run = False


_jobs = TypeAdapter(list[Job]).validate_python
_alike = TypeAdapter(list[AlikeJobs]).validate_python
_listed = TypeAdapter(list[ListedJob]).validate_python
_moment = TypeAdapter(datetime | None).validate_python


def read_jobs(body: Any) -> JobPage:
    """Returns a page of jobs."""
    page = JobPage(_listed(body["items"]), body["next"])
    page.looked_to = _moment(body["looked_to"])
    return page


def read_counts(body: Any) -> JobCounts:
    """Returns how many jobs there are of each; a count stands in two fields of the JSON."""
    counts = JobCounts(_alike([{**one, "count": one} for one in body["items"]]))
    counts.looked_to = _moment(body["looked_to"])
    return counts


def read_list(body: Any) -> list[Job]:
    """Returns the jobs of an answer that is no page: all that a verb has changed, or added."""
    return _jobs(body["items"])


def read_change(body: Any) -> JobChange:
    """Returns what a verb has done to jobs."""
    change = JobChange(_jobs(body["items"]), body["next"])
    change.total, change.dry_run = body["count"], body["dry_run"]
    return change


class Queue(Value):
    """A queue as it stands.

    Attributes:
        paused_at: since when it is paused.
        age: for how many seconds the job has been due that waits longest.
        jobs: how many jobs have not ended, in each state that any of them has.
    """

    name: str
    paused_at: datetime | None
    age: float | None
    jobs: Mapping[State, Count]

    @property
    def paused(self) -> bool:
        """Whether no worker takes its jobs."""
        return self.paused_at is not None


class Limit(Value):
    """A key of limits: its terms, how many jobs run, of which the first ten are told, and wait."""

    key: str
    queues: tuple[str, ...]
    tasks: tuple[str, ...]
    limit: int | None
    rate: int | None
    per: float | None
    holders: tuple[str, ...]
    running: int
    waiting: int
    code_limit: int | None
    code_rate: int | None
    code_per: float | None
    set_at: datetime | None
    set_by: str | None

    @property
    def is_set(self) -> bool:
        """Whether terms are set that stand in place of those of the code."""
        return self.set_at is not None


class Demand(Value):
    """How much work some queues have; the fields are those of `rotulus.Demand`."""

    queues: tuple[str, ...] | None
    waiting: int
    soon: int
    oldest_seconds: float
    running: int
    firing: int
    workers: int
    slots: int
    wanted_workers: int


class Worker(Value):
    """A worker that is alive.

    Attributes:
        queues: the queues that it serves; None: all but the private ones.
        slots: how many jobs it runs at once.
        running: how many it runs now.
        tasks: the tasks that it knows; None: it does not tell.
        draining_at: when it was drained: it takes no more jobs, and ends.
        version: the version of the program that it runs; None: nobody has said.
        rotulus, python: None: a worker of an older version does not tell.
        memory: the bytes that its process has resident; None: its system does not tell.
    """

    name: str
    host: str
    pid: int
    queues: tuple[str, ...] | None
    slots: int
    running: int
    started_at: datetime
    seen_at: datetime | None
    tasks: tuple[str, ...] | None
    draining_at: datetime | None
    version: str | None = None
    rotulus: str | None = None
    python: str | None = None
    memory: int | None = None


class Point(Value):
    """A value of a metric, and when its step begins; None: nothing ended then."""

    at: datetime
    value: float | None


class Bucket(Value):
    """How many attempts took less than so many seconds, and no less than those of the one before.

    Of the last one `below` is None: it has no end.
    """

    below: float | None
    count: int


class Schedule(Value):
    """A schedule as it stands; the fields are those of `rotulus.ScheduleInfo`.

    Attributes:
        description: its cron expression in English.
        version: one more with each change.
    """

    name: str
    task: str
    origin: str
    state: str
    cron: str
    description: str
    timezone: str
    arguments: Mapping[str, Any]
    missed: str
    overlap: str
    start: datetime | None
    end: datetime | None
    spread: float
    paused_at: datetime | None
    next: datetime | None
    last: datetime | None
    last_state: State | None
    last_job: str | None
    version: int
    lag: float


class Backfill(Value):
    """The instants that have become jobs, or would: the first 1,000 of `count`."""

    dry_run: bool
    count: int
    items: tuple[datetime, ...]


class Change(Value):
    """Something that happened; the fields are those of `rotulus.Change`.

    Attributes:
        position: where it stands among all changes.
        kind: `job`, `queue`, `schedule`, `worker`, `limit` or `failure`; `reset`: changes before it
            are missing.
        name: of a job its id, of a limit its key, of a failure group its fingerprint.
        what: what happened to it.
    """

    position: int
    at: datetime
    kind: str
    name: str
    what: str
    task: str | None = None
    queue: str | None = None
