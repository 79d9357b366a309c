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
from typing import Any, Protocol

from rotulus._jobs.outcome import Outcome
from rotulus._jobs.record import JobRecord
from rotulus._jobs.states import State
from rotulus.store.outbox import Outbox
from rotulus.store.values import (
    EVERYTHING,
    Claim,
    ClaimFilter,
    Count,
    Filter,
    Fleet,
    NewJob,
    Recounted,
    Renewal,
    Renewed,
    ScheduleEntry,
    SettledAndClaimed,
    WorkerInfo,
)


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
    def key_patience(self) -> float:
        """Seconds for which an add may wait for a transaction that has added its key.

        0 where no key is waited for, as writes come one after the other, whatever they do.
        """
        ...

    @property
    def in_transaction(self) -> bool:
        """Whether calls of this thread belong to a transaction that somebody else ends.

        Until then nobody sees what they write, no other thread of this process either: what is
        claimed there cannot be taken by anybody, and a lease of it cannot be renewed.
        """
        ...

    @property
    def tables_sql(self) -> str:
        """What `migrate` does where nothing is yet, as a script for other tools."""
        ...

    @property
    def grants_sql(self) -> Mapping[str, str]:
        """The statements that give a role its rights, by what it does; empty without roles."""
        ...

    @property
    def outbox(self) -> Outbox:
        """What is to be published of the jobs that are carried to an endpoint outside."""
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

        A job with `parts` is added `blocked` and `opened`, with its parts, which form a `run` of
        its id. A part waits, `blocked`, for the parts that it `needs`; the job itself waits for
        those that no other part needs. Who waits for nothing any more is due, from that moment or
        its own later one: what was blocked was not late, nor did it come closer to its expiry. A
        job that is not added, or is here already, brings no parts. Parts hold no keys.

        A job that is `carried` has an entry in the `outbox` then, due when the job is.

        With a `connection` of the caller's the jobs belong to its transaction: they exist when
        it commits, and never if it rolls back. The store neither commits nor rolls it back.
        """
        ...

    def claim(self, wanted: ClaimFilter, limit: int, lease: float) -> list[JobRecord]:
        """Take jobs to run: each becomes `running`, with `attempt` one higher and a lease.

        Jobs whose time has come become `queued` first. Taken are at most `limit` queued jobs that
        are wanted, higher priority first and then in the order they were added. Left out are queues
        that are paused, jobs whose `limit_key` already has `limit_to` jobs running, and jobs whose
        `limit_key` has had `rate_to` jobs started within the last `rate_per` seconds. A start is a
        claim: it counts whatever comes of it, for the `rate_per` of the job that was started. Where
        jobs of one key differ in these, the one in front may hold up the others.

        A job that was lost twice is taken alone of its kind, by a worker that runs no other such
        job: should it be what kills workers, those that were lost with it are not lost with it
        again. With `ids` only those are taken, in whatever queue they are. No job is taken by two
        callers, and no attempt of a job is given out twice. The lease ends `lease` seconds from
        now.
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
        is told either way. A claim whose row a transaction has in hand may be passed over. A
        `worker` is announced as alive for the length of the lease.
        """
        ...

    def settle(self, outcomes: Sequence[Outcome], connection: Any = None) -> list[Claim]:
        """Record outcomes whose attempt is still running; give the claims of the others.

        With a `connection` of the caller's they are recorded in its transaction, as in `add`.

        An ended state, reason, error and result are stored, a key whose window is over is given
        back, and jobs that waited for this one, and for nothing else, are due. `queued` sends the
        job back, `delayed` when its delay is not over, with the attempt kept among the earlier
        ones, and one more failure, release or loss, or none of these if it was not started; if
        somebody asked to cancel it, it ends `cancelled` instead. A lost attempt counts as a loss
        also when the job ends. `blocked` adds the outcome's `parts` as `add` would, to the run of
        the job, or to one that begins with it; the job is `opened` then, does not expire any more,
        and is due again when they have ended: at once, if there are none. What is sent back waits
        if a need of it has begun again. An outcome that is refused changes nothing.
        """
        ...

    def settle_and_claim(
        self, outcomes: Sequence[Outcome], wanted: ClaimFilter, limit: int, lease: float
    ) -> SettledAndClaimed:
        """`settle`, and then `claim`, in one transaction: for outcomes that make other jobs due.

        It may take fewer jobs than `claim` would, and none: then `claim` is for the others.
        """
        ...

    def rescue(self, limit: int = 1000, worker: str | None = None) -> list[JobRecord]:
        """Take back jobs whose lease has expired, or whose worker is known to be dead.

        Each gets one more loss and goes back to its queue: at once after its first loss, later
        after further ones. After `MAX_LOSSES` it ends `dead` (`crash_loop`); if somebody asked
        to cancel it, `cancelled`. A job that is renewed or settled at the same moment is left.
        At most `limit` jobs; their records as they stand then. With a `worker`, which is known to
        be dead, all of its jobs, and no others.
        """
        ...

    def cancel(self, ids: Collection[str]) -> list[JobRecord]:
        """Cancel jobs: those that wait end `cancelled`, running ones are flagged for `extend`.

        The parts of a job are cancelled with it. Who waited for one that has ended now, and for
        nothing else, is due. Jobs that have ended stay as they are, and wait for nothing. The
        records of the jobs that exist, as they stand then.
        """
        ...

    def retry(self, ids: Collection[str], arguments: str | None = None) -> list[JobRecord]:
        """Send `failed`, `dead` and `cancelled` jobs back to `queued`, with fresh budgets.

        `attempt` goes on counting; the attempt that ended is kept among the earlier ones. The parts
        of a job that ended so go back with it. Whatever waited for one that is sent back, and does
        not run just now, waits again, also what had succeeded; if it had opened, and did not only
        wait for its own parts, those are deleted, as they will be made anew; one of them that runs
        just now is lost to its worker. What runs, runs on, and waits only if it is sent back.

        With `arguments`, jobs in any ended state are sent back, with these arguments as JSON text,
        and the parts that they had are deleted. What another job gets so counts until something
        that it needs is sent back: then its arguments are `{}` again. Those that begin with
        `{"needs":` say what a step has waited for since it was added, and stay.

        Left as they are: jobs in other states, with their parts, and all jobs of a run whose key
        another job holds by now. Those that are carried are due in the `outbox` again. The records
        of the jobs among `ids` that were sent back.
        """
        ...

    def pause(self, queues: Collection[str], paused: bool, runs: Collection[str] = ()) -> None:
        """Pause queues and runs, or resume them.

        Jobs of a paused queue can be added and not claimed. What waits in a paused run is
        `blocked`, and stays so until the run is resumed; so is what is sent back there, or added.
        What runs, runs on. A job that has no parts yet is paused as the run that it may become.
        What is carried is published anew when it is resumed.
        """
        ...

    def get(self, job_id: str) -> JobRecord | None:
        """One job; None when there is no such job.

        It has the last of its earlier attempts in `history`: a hundred at most, or fewer, if their
        errors have more than 200,000 characters; whoever wants to know how many there were looks
        at the number of the first. And, if it waits and its rate allows no start
        now, the moment when it will in `opens_at`.
        """
        ...

    def find(
        self, where: Filter = EVERYTHING, limit: int = 100, before: str | None = None
    ) -> list[JobRecord]:
        """The jobs that match, the last added first.

        `before` is the id of a job: only those added earlier than it, for the next page.
        What no job can have, such as an id that is none, matches none.
        """
        ...

    def count(self, by: str = "queue", run: str | None = None, within: str = "") -> list[Count]:
        """How many jobs there are, by `"queue"`, `"task"` or `"step"`, and state.

        With a `run`, only its jobs. By step, the parts of the job that stands at `within` in a run:
        not itself, and not the parts that they have.
        """
        ...

    def fleet(self) -> Fleet:
        """The live workers and the paused queues."""
        ...

    def schedules(self, entries: Iterable[ScheduleEntry]) -> dict[str, datetime]:
        """Remember scheduled tasks; give since when each has stood as it does.

        An entry that is new, or whose expression or zone has changed, stands since now.
        """
        ...

    def recount(self, limit: int = 1000, after: str | None = None) -> Recounted:
        """Count again what blocked jobs wait for, and mend those whose count is wrong.

        One that waits for nothing, and is not paused, is due then. There should be none: this is
        for a table that somebody has repaired by hand, or a fault of ours. Looked at are at most
        `limit` blocked jobs, in the order of their ids, `after` an id.
        """
        ...

    def delete(self, ids: Collection[str]) -> list[JobRecord]:
        """Delete jobs that have ended; the records of those that are gone now.

        A run goes whole, with the job it is the run of, once all of it has ended. Left as they are:
        jobs that have not ended, parts of runs by themselves, and jobs whose key is still held.
        """
        ...

    def prune(self, before: datetime, states: Collection[State], limit: int) -> int:
        """Delete jobs that ended in these states before a moment; give how many.

        Jobs whose key is still held stay. A run goes whole, with the job it is the run of, once all
        of it has ended, and counts as one. At most `limit` jobs, the oldest first.
        """
        ...

    def wait(self, what: ClaimFilter | str, timeout: float) -> bool:
        """Return when `claim` would give something that is wanted, or when a job has ended.

        Args:
            what: what is wanted, whatever its `ids` are; or the id of a job.
            timeout: the longest time to wait, in seconds.

        Returns:
            True: so it is, though somebody else may be faster. False: the time is over, or the
            store was closed.
        """
        ...

    def close(self) -> None:
        """Release everything. Waiting calls return; later calls raise `StoreClosedError`."""
        ...
