"""The contract of a store: where jobs live. Its docstrings are the specification.

A store is synchronous and may be called from any thread. Nothing here is specific to a database;
`tests/contract/` holds every store to every sentence below.

Three rules stand above the methods:

- **The fence.** What a worker writes names a job *and an attempt*, and is applied only while that
  attempt is running. `claim` is the only thing that raises `attempt`, and nothing lowers it, so
  a worker that lost its lease can never overwrite what came after.
- **One transaction each.** A call has happened whole or not at all, also when the process is
  killed inside it. A call may be repeated after an unknown result without doing more.
- **One clock.** A store judges what is due and what has expired by one clock for all its users.

In a forked child a store may be used as before: it takes nothing from the parent's connections,
and opens its own. Only one that lives in memory refuses, as nobody else would see what it does.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from rotulus._jobs.outcome import Outcome
from rotulus._jobs.record import JobRecord
from rotulus._jobs.states import State

__all__ = [
    "Claim",
    "Count",
    "EVERYTHING",
    "Filter",
    "Fleet",
    "JobRecord",
    "NewJob",
    "Outcome",
    "Renewal",
    "Renewed",
    "ScheduleEntry",
    "Store",
    "Terms",
    "Wanted",
    "WorkerInfo",
]


class Terms(NamedTuple):
    """What jobs that are enqueued together have in common: their task, and how it is delivered.

    Attributes:
        task: the name of the task.
        queue: the queue to wait under.
        priority: higher is sooner.
        delay: seconds from now until they are due.
        at: the moment they are due, instead of a delay.
        expires: seconds from when they are due until they are no longer worth starting; None:
            never.
        window: seconds from now for which a key is held at least; it is held while the job is
            live in any case.
        limit_to: how many jobs with the same `limit_key` may run at once.
        rate_to: how many jobs with the same `limit_key` may be started within `rate_per` seconds.
        rate_per: the length of that window, in seconds.
        schedule: the scheduled task they are fired for.
    """

    task: str
    queue: str = "default"
    priority: int = 0
    delay: float = 0.0
    at: datetime | None = None
    expires: float | None = None
    window: float | None = None
    limit_to: int | None = None
    rate_to: int | None = None
    rate_per: float | None = None
    schedule: str | None = None


class NewJob(NamedTuple):
    """A job to add.

    Attributes:
        id: its id, made by the producer: a UUIDv7 as text.
        arguments: its payload, as JSON text.
        terms: its task, and how it is delivered. Neighbours with equal terms are added together.
        key: its unique key.
        limit_key: jobs with the same one are limited together, in number and in rate.
        instant: the scheduled moment it is fired for.
    """

    id: str
    arguments: str
    terms: Terms
    key: str | None = None
    limit_key: str | None = None
    instant: datetime | None = None


class Wanted(NamedTuple):
    """What a worker would take.

    Attributes:
        worker: its name.
        queues: the queues it serves; None for all of them.
        names: the task names it knows; None for all of them.
        grace: seconds for which a job of another name has to be due, and its name not announced by
            any live worker, until it is taken, too; None: it never is.
    """

    worker: str = ""
    queues: Collection[str] | None = None
    names: Collection[str] | None = None
    grace: float | None = None


class Claim(NamedTuple):
    """What identifies a running attempt: the fence."""

    id: str
    attempt: int


class Renewal(NamedTuple):
    """A claim to renew, with the progress to store, as JSON text, if there is any."""

    id: str
    attempt: int
    progress: str | None = None


class Renewed(NamedTuple):
    """What a renewal found.

    Attributes:
        lost: claims that are no longer running; stop working on them.
        cancelling: claims that are running and that somebody wants to stop.
    """

    lost: list[Claim]
    cancelling: list[Claim]


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
    """

    name: str
    host: str
    pid: int
    queues: tuple[str, ...] | None
    slots: int
    started_at: datetime
    seen_at: datetime | None = None
    names: tuple[str, ...] | None = None


class Fleet(NamedTuple):
    """Who serves the store: the workers with a lease, and the queues that are paused."""

    workers: list[WorkerInfo]
    paused: dict[str, datetime]


class ScheduleEntry(NamedTuple):
    """A scheduled task, as the store remembers it."""

    name: str
    cron: str
    timezone: str


class Filter(NamedTuple):
    """Which jobs to read: those that match every field that is given.

    `worker` is the one that has the job, or had it last: with `states=[RUNNING]`, what it holds.
    """

    states: Collection[State] | None = None
    task: str | None = None
    queue: str | None = None
    key: str | None = None
    limit_key: str | None = None
    schedule: str | None = None
    worker: str | None = None


EVERYTHING = Filter()
"""Every job."""


class Count(NamedTuple):
    """How many jobs of a group (a queue or a task) are in a state."""

    group: str
    state: State
    jobs: int


class Store(Protocol):
    """Where jobs live.

    Every method may raise `StoreError`; nothing has happened then, unless the connection was
    lost while the answer was on its way.
    """

    @property
    def url(self) -> str:
        """Where it is, without secrets."""
        ...

    @property
    def self_migrating(self) -> bool:
        """Whether an app brings the tables up to date by itself, without being asked."""
        ...

    @property
    def rescue_every(self) -> float:
        """How often it is worth to look for lost jobs, in seconds."""
        ...

    @property
    def tables_sql(self) -> str:
        """What `migrate` does where nothing is yet, as a script for other tools."""
        ...

    @property
    def grants_sql(self) -> Mapping[str, str]:
        """The statements that give a role its rights, by what it does; empty without roles."""
        ...

    def migrate(self, *, apply: bool = True) -> list[str]:
        """Bring the tables up to this version; give the names of the migrations applied.

        Without `apply`, only give the names of those that are missing.

        Safe to call twice, from two processes at once, and while workers run. Killed half way,
        it leaves the tables as they were. Raises `SchemaError` when the tables are newer.
        """
        ...

    def add(self, jobs: Sequence[NewJob], connection: Any = None) -> list[JobRecord]:
        """Add jobs, all or none, in this order; give the record of each.

        A job is `delayed` when it is due later, else `queued`. A job whose key is held is not
        added: the holder's record stands in its place, also for two equal keys in one call.
        A key is held from the add of a job until the job has ended and the window is over.

        With a `connection` of the caller's the jobs belong to its transaction: they exist when
        it commits, and never if it rolls back. The store neither commits nor rolls it back.
        """
        ...

    def claim(self, wanted: Wanted, limit: int, lease: float) -> list[JobRecord]:
        """Take jobs to run: each becomes `running`, with `attempt` one higher and a lease.

        Jobs whose time has come become `queued` first. Taken are at most `limit` queued jobs that
        are wanted, higher priority first and then in the order they were added. Left out are queues
        that are paused, jobs whose `limit_key` already has `limit_to` jobs running, and jobs whose
        `limit_key` has had `rate_to` jobs started within the last `rate_per` seconds. A start is a
        claim: it counts whatever comes of it, for the `rate_per` of the job that was started. Where
        jobs of one key differ in these, the one in front may hold up the others.

        A job that was lost twice is taken alone of its kind, by a worker that runs no other such
        job: should it be what kills workers, those that were lost with it are not lost with it
        again. No job is taken by two callers, and no attempt of a job is given out twice. The lease
        ends `lease` seconds from now.
        """
        ...

    def extend(
        self,
        claims: Sequence[Renewal],
        lease: float | None = None,
        worker: WorkerInfo | None = None,
    ) -> Renewed:
        """Renew the leases of claims that are still running, and store their progress.

        Without a `lease` the leases stay as they are; what was lost and what is to be cancelled
        is told either way. A `worker` is announced as alive for the length of the lease.
        """
        ...

    def settle(self, outcomes: Sequence[Outcome], connection: Any = None) -> list[Claim]:
        """Record outcomes whose attempt is still running; give the claims of the others.

        With a `connection` of the caller's they are recorded in its transaction, as in `add`.

        An ended state, reason, error and result are stored, and a key whose window is over is
        given back. `queued` sends the job back, `delayed` when its delay is not over, with the
        attempt kept among the earlier ones, and one more failure, release or loss; if somebody
        asked to cancel it, it ends `cancelled` instead. A lost attempt counts as a loss also
        when the job ends. An outcome that is refused changes nothing.
        """
        ...

    def rescue(self, limit: int) -> list[JobRecord]:
        """Take back jobs whose lease has expired, or whose worker is known to be dead.

        Each gets one more loss and goes back to its queue: at once after its first loss, later
        after further ones. After `MAX_LOSSES` it ends `dead` (`crash_loop`); if somebody asked
        to cancel it, `cancelled`. A job that is renewed or settled at the same moment is left.
        At most `limit` jobs; their records as they stand then.
        """
        ...

    def release(self, worker: str) -> list[JobRecord]:
        """Take back all jobs of a worker that is known to be dead, as `rescue` would."""
        ...

    def cancel(self, ids: Collection[str]) -> list[JobRecord]:
        """Cancel jobs: those that wait end `cancelled`, running ones are flagged for `extend`.

        Jobs that have ended stay as they are. The records of the jobs that exist, as they stand
        then.
        """
        ...

    def retry(self, ids: Collection[str]) -> list[JobRecord]:
        """Send `failed`, `dead` and `cancelled` jobs back to `queued`, with fresh budgets.

        `attempt` goes on counting; the attempt that ended is kept among the earlier ones. Left
        as they are: jobs in other states, and jobs whose key another job holds by now. The
        records of the jobs that were sent back.
        """
        ...

    def pause(self, queues: Collection[str], paused: bool) -> None:
        """Pause queues, or resume them. Jobs of a paused queue can be added and not claimed."""
        ...

    def get(self, job_id: str) -> JobRecord | None:
        """One job; None when there is no such job.

        It has its earlier attempts in `history`, and, if it waits and its rate allows no start
        now, the moment when it will in `opens_at`.
        """
        ...

    def find(
        self, where: Filter = EVERYTHING, limit: int = 100, before: str | None = None
    ) -> list[JobRecord]:
        """The jobs that match, the last added first.

        `before` is the id of a job: only those added earlier than it, for the next page.
        """
        ...

    def count(self, by: str = "queue") -> list[Count]:
        """How many jobs there are, by `"queue"` or `"task"`, and state."""
        ...

    def fleet(self) -> Fleet:
        """The live workers and the paused queues."""
        ...

    def schedules(self, entries: Iterable[ScheduleEntry]) -> dict[str, datetime]:
        """Remember scheduled tasks; give since when each has stood as it does.

        An entry that is new, or whose expression or zone has changed, stands since now.
        """
        ...

    def prune(self, before: datetime, states: Collection[State], limit: int) -> int:
        """Delete jobs that ended in these states before a moment; give how many.

        Jobs whose key is still held stay. At most `limit` jobs, the oldest first.
        """
        ...

    def wait(self, what: Wanted | str, timeout: float) -> bool:
        """Return when `claim` would give something that is wanted, or when a job has ended.

        Args:
            what: what is wanted, or the id of a job.
            timeout: the longest time to wait, in seconds.

        Returns:
            True: so it is, though somebody else may be faster. False: the time is over, or the
            store was closed.
        """
        ...

    def close(self) -> None:
        """Release everything. Waiting calls return; later calls raise `StoreClosedError`."""
        ...
