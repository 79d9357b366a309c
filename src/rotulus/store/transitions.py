"""`Transitions`: every method of a store that changes jobs, and what each does to which state.

The life of a job:

    add     → queued, delayed (due later) or blocked (waits for parts or needs)
    claim   : delayed → queued, when due · queued → running, one attempt higher
    settle  : running → ended, or back: queued, delayed, blocked
    rescue  : running → the same, when the worker is lost
    cancel  : waiting → cancelled
    skip    : waiting, failed, dead, cancelled → skipped
    retry   : ended → queued, or blocked

`blocked` becomes `queued` or `delayed` when the last job that it waits for ends: in the transaction
that ends that one. Ended are `succeeded`, `failed`, `dead`, `cancelled` and `skipped`. `waiting`
stands below for `blocked`, `delayed` and `queued`.

Two words for jobs that depend on each other: a job *needs* others, and has *parts*. A job waits for
its needs before its first attempt, and for its parts before the attempt after. `waits_for` counts
those of both that have not ended. The *dependants* of a job are the jobs that wait, or waited, for
it, directly or through others; a job is a dependant of its parts.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any, Protocol

from rotulus._jobs.outcome import Outcome
from rotulus._jobs.record import JobRecord
from rotulus._jobs.states import State
from rotulus.store.operations import Operations
from rotulus.store.values import (
    Claim,
    ClaimFilter,
    NewJob,
    Recounted,
    Renewal,
    Renewed,
    SettledAndClaimed,
    WorkerInfo,
)


class Transitions(Operations, Protocol):
    """What changes jobs. Each call is one transaction, and safe to repeat.

    Ids that no job has are left out, everywhere, without an error; an id that is given twice counts
    once. Empty collections do nothing. A record that is returned is the job as it stands after the
    call, without `history` and `opens_at`.
    """

    def migrate(
        self, *, apply: bool = True, tell: Callable[[str], object] | None = None
    ) -> list[str]:
        """Bring the tables up to this version; returns the names of the migrations applied.

        Without `apply`, only returns the names of those that are missing. `tell` is given a line
        before each step that may take long.

        Safe to call twice, from two processes at once, and while workers of this version and the
        one before run. Killed half way, it leaves the tables as they were, or of this version with
        indexes that are `unfinished`: the next call goes on there. In a transaction of the caller
        indexes are left to the next call. Raises `SchemaError` when the tables are newer.
        """
        ...

    def unfinished(self) -> list[str]:
        """Returns a line for each index that a migration has not built yet, or not dropped yet.

        Until then nothing is wrong, but searches may take longer.
        """
        ...

    def add(self, jobs: Sequence[NewJob], connection: Any = None) -> list[JobRecord]:
        """Add jobs, all or none; returns one record for each, in the order given.

        | the job has | state |
        |---|---|
        | a moment or a delay that is not over | `delayed` |
        | parts, or needs, or a paused run | `blocked` |
        | none of these | `queued` |

        A job that expires does so `expires` seconds after it is due, or after now if it was due
        before. Nothing ends a job when it expires: it is claimed like any other, and the worker
        settles it.

        **Keys.** A job whose key is held is not added: the record of the holder stands in its
        place, also when two jobs in one call have the same key. A job holds its key from its add
        until it has ended and `window` seconds since the add are over. A job whose id is here
        already is not added either, and its record stands in its place: so a call may be repeated.

        **Debounce.** A job with a key and `Terms.debounce` is added like others while nobody holds
        the key. Where a job of its task holds the key and has not begun, that job is moved and
        stands in its place: it takes the arguments, labels and headers, and is due `wait` seconds
        from now, but not later than `most` seconds after its own add. It keeps its id, queue,
        priority and limits; while its run is paused it stays `blocked`. A job of its task that
        has begun (there was an attempt, its parts were added, or it has ended) lets go of the key,
        whatever its window, and the new one is added. In one call the last one of a key counts.

        **Parts.** A job with `parts` is `opened`, and is the head of a `run` of its id. Each part
        waits for the parts that it `needs`; the job waits for those parts that no other part needs.
        A part holds no key. A job that is not added brings no parts.

        What was blocked is due from the moment when it waits for nothing more, or from its own
        later one. It was not late before, and came no closer to its expiry.

        **Outbox.** A job that is `carried` has an entry in the `outbox`, due when the job is.

        With a `connection` of the caller's the jobs belong to its transaction: they exist when it
        commits, and never if it rolls back. The store neither commits nor rolls it back. Raises
        `OptionError` for a connection that cannot be used, or is to another place.
        """
        ...

    def claim(self, wanted: ClaimFilter, limit: int, lease: float) -> list[JobRecord]:
        """Take jobs to run: each becomes `running`, one attempt higher, for `lease` seconds.

        First, delayed jobs whose time has come become `queued`: all of them, or as many of the
        highest priority as the call can do. Then at most `limit` queued jobs that are wanted are
        taken: higher priority first, then in the order they were added. They are returned in this
        order. Fewer may be taken than there are, when others claim at the same moment; and none,
        when very many keys had to be looked at: after half a second the next claim goes on.

        A claim sets `worker` and `started_at`, and clears `reason` and `progress`.

        Not taken are:

        - jobs of paused queues;
        - jobs whose `limit_key` has `limit_to` jobs running;
        - jobs whose `limit_key` has had `rate_to` starts within the last `rate_per` seconds. Every
          claim is a start, and counts for the `rate_per` of the job that started;
        - a job that was lost twice, while its worker runs another such job, and all but one of
          those in one call. Should such a job kill its worker, no other is lost with it again.

        Jobs of one key are taken in order: where they differ in their limits, the first may hold up
        the others.

        With `ids`, only those are taken, in any queue; the rest of this holds. No job is
        taken by two callers, and no attempt of a job is given out twice.
        """
        ...

    def await_claim(
        self, wanted: ClaimFilter, limit: Callable[[], int], lease: float, timeout: float
    ) -> list[JobRecord]:
        """`wait` until there is work, and then `claim`; returns nothing when the time is over.

        Jobs that this process adds meanwhile may be claimed in the transaction that adds them.

        Args:
            wanted: which jobs.
            limit: says how many to take at most, when there is work; called in any thread.
            lease: seconds for which they are taken.
            timeout: the longest time to wait, in seconds.
        """
        ...

    def extend(
        self,
        claims: Sequence[Renewal],
        lease: float | None = None,
        worker: WorkerInfo | None = None,
    ) -> Renewed:
        """Renew leases to `lease` seconds from now, store progress and reasons; tells what is lost.

        A claim is lost when its attempt is not running any more. A lease that is over changes
        nothing by itself: until `rescue` takes the job back, its claim is renewed, and settled,
        like any other.

        Without a `lease`, leases stay as they are; lost and cancelled claims are told all the same.
        A renewal without `progress` keeps the progress that is stored; one without a `reason`
        clears the reason. A claim whose row another transaction has locked may be passed over.

        With a `lease`, `worker` is announced as alive for that long, and told whether somebody has
        drained it.
        """
        ...

    def settle(self, outcomes: Sequence[Outcome], connection: Any = None) -> list[Claim]:
        """Record outcomes whose attempt is running; returns the claims of those that were refused.

        An outcome is refused when its attempt is not running any more: then it changes nothing. A
        claim stands in a call at most once.

        | state of the outcome | nobody asked to cancel the job | somebody did |
        |---|---|---|
        | an ended one | that state | that state; `cancelled` if the outcome is `lost` |
        | `queued` | `queued`, `delayed` or `blocked` | `cancelled` |
        | `blocked` | `blocked`, or `queued` if it waits for nothing | `cancelled` |

        A job that goes back is `blocked` while it waits for a need that began again, or while its
        run is paused; else `delayed` until its delay is over; else `queued`.

        An ended job keeps reason, result and error of the outcome. A cancelled one has the reason
        `cancelled` and no error. Jobs that waited for an ended job, and for nothing else, are due.

        A job that goes back keeps the attempt among its earlier ones, in `history`. It counts one
        more in `failures`, `losses` or `releases`, as the outcome says, or nothing if it was never
        started. A lost attempt counts in `losses` also when the job ends.

        `blocked` adds the parts as `add` would, to the run of the job, or to a run that begins with
        it. The job is `opened` then. It does not expire any more, its limit and its rate are given
        up, and it is due again when its parts have ended.

        With a `connection` of the caller's they are recorded in its transaction, as in `add`.
        """
        ...

    def settle_and_claim(
        self, outcomes: Sequence[Outcome], wanted: ClaimFilter, limit: int, lease: float
    ) -> SettledAndClaimed:
        """`settle`, then `claim`, in one transaction: for outcomes that make other jobs due.

        It may take fewer jobs than `claim` would, and none: then `claim` is for the others.
        """
        ...

    def rescue(self, limit: int = 1000, worker: str | None = None) -> list[JobRecord]:
        """Take back running jobs whose lease is over, or whose worker is known to be dead.

        | losses, with this one | nobody asked to cancel the job | somebody did |
        |---|---|---|
        | 1 | `queued` | `cancelled` |
        | 2 | `delayed` for 4 seconds | `cancelled` |
        | `MAX_LOSSES` | `dead` (`crash_loop`) | `cancelled` |

        In place of `queued` and `delayed` stands `blocked` as in `settle`. The error is `LOST`, the
        reason `lost` while the job lives. What waits for a job that ended is due, as in `settle`.

        A job that is renewed or settled at the same moment is left alone. At most `limit` jobs are
        taken back, and returned. With a `worker`, which the caller knows to be dead, all of its
        jobs are, and no others.
        """
        ...

    def prune(self, before: datetime, states: Collection[State], limit: int) -> int:
        """Delete jobs that ended in these states before a moment; returns how many.

        The same jobs are left as in `delete`. All jobs of a run count. At most `limit` jobs are
        deleted, of each state the oldest first; but a run goes whole, so the last one may make it
        more. Fewer are deleted only if there are no more to delete. Workers whose lease is over,
        and starts that no rate counts any more, are forgotten as well.
        """
        ...

    def recount(self, limit: int = 1000, after: str | None = None) -> Recounted:
        """Count again what blocked jobs wait for, and mend those whose count is wrong.

        A job that waits for nothing, and is not paused, is due then. There should be none: this is
        for a table that somebody has repaired by hand, or a fault of ours. At most `limit` blocked
        jobs are looked at, in the order of their ids, those `after` an id. Where programs of the
        version before may leave something of jobs that they delete, some of that is deleted, too.
        """
        ...

    def wait(self, what: ClaimFilter | str, timeout: float) -> bool:
        """Return when `claim` may give something that is wanted, or when a job has ended.

        Args:
            what: what is wanted (its `ids` do not matter); or the id of a job. An id that no
                job has counts as ended.
            timeout: the longest time to wait, in seconds; 0 for one look.

        Returns:
            True: so it is, though somebody else may be faster. False: the time is over, or the
            store was closed.
        """
        ...
