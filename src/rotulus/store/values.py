"""The values that go into a store and come out of it."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from rotulus._jobs.record import Id, JobRecord, Json, Micros, Terms
from rotulus._jobs.states import State


class NewJob(NamedTuple):
    """A job to add.

    Attributes:
        id: its id, made by the producer: a UUIDv7 as text.
        arguments: its payload, as JSON text.
        terms: its task, and how it is delivered. Neighbours with equal terms are added together.
        key: its unique key; a part holds none.
        limit_key: jobs with the same one are limited together, in number and in rate.
        instant: the scheduled moment it is fired for.
        labels: words by which people find it, by name, as JSON text.
        headers: texts that travel with it for machines, by name, as JSON text.
        parts: jobs that are added with it, and that it waits for. A part has none: it is opened
            when it runs.
        step: of a part: where it stands in the run, as a path.
        workflow: of a part: the workflow that says what it does.
        needs: of a part: the ids of those parts of the same job that it waits for.
    """

    id: Id
    arguments: Json
    terms: Terms
    key: str | None = None
    limit_key: str | None = None
    instant: datetime | None = None
    labels: Json | None = None
    headers: Json | None = None
    parts: Sequence["NewJob"] = ()
    step: str | None = None
    workflow: str | None = None
    needs: Sequence[str] = ()


class Edit(NamedTuple):
    """What is to change of a job that waits; None: that stays.

    Attributes:
        arguments: its payload, as JSON text.
        priority: higher is sooner.
        at: the moment it is due; now, if that is over.
        delay: seconds from now until it is due, instead of a moment.
    """

    arguments: Json | None = None
    priority: int | None = None
    at: datetime | None = None
    delay: float | None = None


class ClaimFilter(NamedTuple):
    """Which jobs a worker would take.

    Attributes:
        worker: its name.
        queues: the queues it serves; None for all of them but the private ones, whose names begin
            with `_`.
        names: the task names it knows; None for all of them.
        grace: seconds for which a job of another name has to be due, and its name not announced by
            any live worker, until it is taken, too; None: it never is.
        ids: only these jobs, in any queue, private ones too; None for all of them. Jobs that wait
            for their retry are due then: the caller has waited.
    """

    worker: str = ""
    queues: Collection[str] | None = None
    names: Collection[str] | None = None
    grace: float | None = None
    ids: Collection[str] | None = None


class Claim(NamedTuple):
    """What identifies a running attempt: the fence."""

    id: Id
    attempt: int


class Renewal(NamedTuple):
    """A claim to renew.

    Attributes:
        id: the job.
        attempt: the attempt.
        progress: the progress to store, as JSON text, if there is any.
        reason: why it runs without a slot, if it does.
    """

    id: Id
    attempt: int
    progress: Json | None = None
    reason: str | None = None


class Renewed(NamedTuple):
    """What a renewal found.

    Attributes:
        lost: claims that are no longer running; stop working on them.
        cancelling: claims that are running and that somebody wants to stop.
        passed_over: claims that are running, and of which nothing was written, as another
            transaction has locked their row. Nobody else can take them meanwhile.
        draining: whether somebody has drained the worker that is announced.
    """

    lost: list[Claim]
    cancelling: list[Claim]
    passed_over: list[Claim]
    draining: bool = False


class Recounted(NamedTuple):
    """What came of counting again what jobs wait for.

    Attributes:
        jobs: those whose count was wrong, as they stand now.
        after: the id of the last one that was looked at, to go on after; None: there are no more.
    """

    jobs: list[JobRecord]
    after: str | None


class SettledAndClaimed(NamedTuple):
    """What came of settling and claiming together.

    Attributes:
        refused: the claims of outcomes that were refused.
        jobs: the jobs that were taken.
    """

    refused: list[Claim]
    jobs: list[JobRecord]


class WorkerInfo(NamedTuple):
    """A worker, as it announces itself.

    Attributes:
        name: unique among all workers of all times.
        host: the machine it runs on.
        pid: its process there.
        queues: the queues it serves; None for all of them.
        slots: how many jobs it runs at once.
        started_at: when it started.
        seen_at: when it last renewed; filled by the store.
        names: the tasks it knows; None when it does not tell.
        draining_at: when somebody drained it; filled by the store.
        version: the version of the program that it runs; None when nobody has said.
        rotulus: the version of Rotulus.
        python: the version of Python.
        memory: the bytes that its process has resident, when it last renewed; None where the
            system does not tell.
    """

    name: str
    host: str
    pid: int
    queues: tuple[str, ...] | None
    slots: int
    started_at: datetime
    seen_at: datetime | None = None
    names: tuple[str, ...] | None = None
    draining_at: datetime | None = None
    version: str | None = None
    rotulus: str | None = None
    python: str | None = None
    memory: int | None = None


class Fleet(NamedTuple):
    """The workers with a lease, and the queues that are paused."""

    workers: list[WorkerInfo]
    paused: dict[str, datetime]


class TableSize(NamedTuple):
    """A table of a store.

    Attributes:
        name: its name.
        rows: how many rows it has.
        exact: whether they were counted; else it has as many or more, or about as many.
        size: its bytes, with those of its indexes; None where nobody keeps account of them.
    """

    name: str
    rows: int
    exact: bool
    size: int | None


class StoreSize(NamedTuple):
    """How much room a store takes.

    Attributes:
        size: its bytes.
        tables: its tables, by name.
        migrations: the names of the migrations that made them, in order.
    """

    size: int
    tables: list[TableSize]
    migrations: list[str]


class Rights(NamedTuple):
    """What the user of a store may do there.

    Attributes:
        user: the name of the user.
        owner: whether the tables are the user's own, or those of a group of the user: so migrations
            are applied, and everything is steered.
        missing: the rights that the user lacks, by what a role does: `producer`, `viewer`,
            `worker`. Such a right is `UPDATE (state) ON rotulus_jobs`.
    """

    user: str
    owner: bool
    missing: dict[str, list[str]]


class LimitUse(NamedTuple):
    """A key of limits, and the jobs that hold it or wait for it.

    Attributes:
        key: the key.
        queues: the queues of these jobs, by name.
        tasks: their tasks, by name.
        limit_to: how many may run at once, as one of them says; None: any number.
        rate_to: how many may start within `rate_per`; None: any number.
        rate_per: in microseconds.
        holders: the ids of those that run.
        waiting: how many wait.
    """

    key: str
    queues: list[str]
    tasks: list[str]
    limit_to: int | None
    rate_to: int | None
    rate_per: Micros | None
    holders: list[Id]
    waiting: int


class Filter(NamedTuple):
    """Which jobs to read: those that match every field that is given.

    Attributes:
        states: one of these; none, if it is empty.
        task: of this task.
        queue: in this queue.
        key: with this key, whether they hold it or not.
        limit_key: with this key of limits.
        schedule: fired by this schedule.
        worker: held by this worker, or held by it last: with `states=[RUNNING]`, what it holds.
        run: in the run of the job with this id, that job included.
        step: at this path in their run.
        needed_by: what one of the jobs with these ids waits for, or waited for.
        prefix: with an id that begins so.
        task_prefix: of a task whose name begins so.
        fingerprint: whose last attempt failed with this fingerprint.
        since: added at this moment or later.
        until: added before this moment.
        error: whose error has this text in its type or message; letters from a to z in either case.
        arguments: pairs of a path in the arguments and the value that stands there, as JSON text. A
            path consists of names, and of places in lists.
        labels: with all of these labels, each as `name=text`.
        heads: only those that are a run as a whole: the head of it.
    """

    states: Collection[State] | None = None
    task: str | None = None
    queue: str | None = None
    key: str | None = None
    limit_key: str | None = None
    schedule: str | None = None
    worker: str | None = None
    run: str | None = None
    step: str | None = None
    needed_by: Collection[str] | None = None
    prefix: str | None = None
    task_prefix: str | None = None
    fingerprint: str | None = None
    since: Micros | None = None
    until: Micros | None = None
    error: str | None = None
    arguments: Sequence[tuple[Sequence[str], Json]] = ()
    labels: Sequence[str] = ()
    heads: bool = False


EVERYTHING = Filter()
"""Every job."""


class Found(NamedTuple):
    """What a search has found.

    Attributes:
        ids: the jobs, the last added first.
        after: the job to go on after; None: all that may match has been looked at.
        looked_to: when the last job that was looked at was added, in microseconds since 1970; None:
            none was, or all that may match have been.
    """

    ids: list[str]
    after: str | None
    looked_to: Micros | None


class Part(NamedTuple):
    """A part of a job that is a step, and no branch.

    Attributes:
        record: the job of it.
        needs: the ids of those parts of the same job that it waits for, or waited for.
    """

    record: JobRecord
    needs: Sequence[Id]


class Backlog(NamedTuple):
    """How many jobs of a queue are in a state that is no end.

    Attributes:
        queue: the queue.
        state: the state.
        jobs: how many they are.
        exact: whether there are no more.
        oldest: when the job was due that waits longest, in microseconds since 1970; None: none is.
        due: how many of them are due: all that are queued, and the delayed ones whose moment has
            come, which the next claim makes queued.
        soon: how many more will be due within a minute.
    """

    queue: str
    state: State
    jobs: int
    exact: bool
    oldest: Micros | None
    due: int = 0
    soon: int = 0


class Tally(NamedTuple):
    """How many jobs match, and the job to count on after; None: all that may match were counted."""

    jobs: int
    after: str | None


NOTHING = Found([], None, None)
"""No job."""


class Alike(NamedTuple):
    """Jobs that have the same error, task, queue or worker.

    Attributes:
        value: the fingerprint of the error, or the name; None: they have none.
        jobs: how many there are.
        first: when the first of them was added, in microseconds since 1970.
        last: when the last of them was.
        example: the last of them.
    """

    value: str | None
    jobs: int
    first: Micros
    last: Micros
    example: Id


class Count(NamedTuple):
    """How many jobs of a group (a queue, a task, a step) are in a state."""

    group: str
    state: State
    jobs: int
