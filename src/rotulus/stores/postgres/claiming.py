"""Claims jobs on PostgreSQL: next ones, after a cursor, with limits, by id, or to be published."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from rotulus._jobs.record import JobRecord
from rotulus._text.ids import is_id
from rotulus._time.clock import monotonic
from rotulus.errors import StoreError
from rotulus.store import Claim, ClaimFilter
from rotulus.stores.postgres import rows
from rotulus.stores.postgres.claim_cursor import FEW_QUEUES, ClaimCursor, enough, looks
from rotulus.stores.postgres.session import Row, Session
from rotulus.stores.postgres.source import Source
from rotulus.stores.shared import session as shared
from rotulus.stores.shared.outbox import Due

_PROMOTED_AT_ONCE = 1000

_TRIES = 4
"""How often a claim is made in another way."""

LONGEST = 0.5
"""Seconds after which a claim looks at no more keys; the next claim goes on with the others.

The leases of its jobs have begun, and a worker that is to stop waits for it.
"""

_FEWEST_KEYS = 16
_MOST_KEYS = 100
"""How many keys with a limit are looked at together: each takes a lock of the server's memory."""

Parameters = dict[str, str | None]


def claim_in(session: Session, wanted: ClaimFilter, limit: int, lease: float) -> list[JobRecord]:
    """Take jobs to run in a transaction that does other things, too.

    Takes none where `claim` alone would not do: jobs are due, have limits, or were lost twice.
    """
    own = {**rows.wanted(wanted), "lease": rows.span(lease), "limit": str(limit)}
    return rows.claimed(session.fetch("claim", **own, few_queues=str(FEW_QUEUES)))[0]


def still_running(session: Session, claimed: Sequence[JobRecord]) -> list[JobRecord]:
    """Returns those of some claimed jobs that still run in the same attempt."""
    if not claimed:
        return []
    claims = [Claim(job.id, job.attempt) for job in claimed]
    found = session.fetch("running", **rows.many("claim", claims))
    running = {(job, attempt) for job, attempt, _ in found}
    return [job for job in claimed if (job.id, job.attempt) in running]


class Claims:
    """Claims jobs for the workers of this process.

    Args:
        connections: where calls run.
    """

    def __init__(self, connections: Source) -> None:
        self._connections = connections
        self._cursors: dict[str, ClaimCursor] = {}

    def claim(self, wanted: ClaimFilter, limit: int, lease: float) -> list[JobRecord]:
        """Take jobs to run. See `Store.claim`."""
        own = {**rows.wanted(wanted), "lease": rows.span(lease)}
        cursor = self._cursors.setdefault(str(own), ClaimCursor())
        jobs = self._claim_after(cursor, own, limit)
        try:
            if len(jobs) < limit:
                jobs = [*jobs, *self._claim_next(cursor, own, limit - len(jobs))]
        except StoreError:
            if not jobs:  # what has been taken is somebody's; what failed will fail again
                raise
        return jobs

    def claim_ids(self, wanted: ClaimFilter, limit: int, lease: float) -> list[JobRecord]:
        """Take some jobs by their ids. See `Store.claim`."""
        ids = [one for one in dict.fromkeys(wanted.ids or ()) if is_id(one)]
        own = {**rows.wanted(wanted), "lease": rows.span(lease)}
        del own["queues"]

        def claim(session: Session, ids: list[str], limit: int, *, locked: bool) -> Sequence[Row]:
            which = {"ids": rows.array(ids), "limit": str(limit), "locked": str(locked)}
            return session.fetch("claim_ids", **own, **which)

        def claim_limited(session: Session) -> list[Row]:
            # The locks come first, so that the next statement sees what their last holders did.
            session.fetch("share_limits")
            session.fetch("wait_for_limits_of", ids=rows.array(ids))
            found: list[Row] = []
            for (job,) in session.fetch("in_claim_order", ids=rows.array(ids)):
                if len(found) < limit:
                    found += claim(session, [job], 1, locked=True)
            return found

        found = self._connections.run(lambda session: claim(session, ids, limit, locked=False))
        if rows.is_refused(found):
            found = self._connections.run(claim_limited, atomic=True)
        return rows.claimed(found)[0]

    def _claim_after(self, cursor: ClaimCursor, wanted: Parameters, limit: int) -> list[JobRecord]:
        """Take the jobs that follow where the last claim began; none where the cursor is over."""
        following = cursor.next(limit)
        if following is None:
            return []
        name, own = following
        own = {**wanted, **own, "limit": str(limit)}
        found = self._connections.run(lambda session: session.fetch(name, **own))
        jobs, seqs = rows.claimed(found)
        cursor.advance(jobs, seqs, limit)
        return jobs

    def _claim_next(self, cursor: ClaimCursor, wanted: Parameters, limit: int) -> list[JobRecord]:
        """Take the jobs that are first of all that are queued."""
        own = {**wanted, "limit": str(limit)}

        def claim(session: Session) -> Sequence[Row] | None:
            """The usual claim; None where it will not do."""
            for _ in range(_TRIES):
                found = session.fetch(cursor.look, **own, few_queues=str(FEW_QUEUES))
                match rows.refusal(found):
                    case None:
                        cursor.begin()
                        return found
                    case "due":
                        session.execute("promote", limit=str(_PROMOTED_AT_ONCE))
                    case "heads":
                        cursor.look = "claim_beside_limits"
                    case "queues":
                        found = claim_chosen(session)
                        if found is not None:
                            return found
                    case _:
                        break
            return None

        def claim_chosen(session: Session) -> Sequence[Row] | None:
            """A claim among many queues; None where others have taken all that was chosen."""
            chosen: list[str] = []
            for how in looks(limit):
                chosen = [job for (job,) in session.fetch("choose_among_queues", **wanted, **how)]
                if len(chosen) >= enough(limit):
                    break
            cursor.begin(chosen)
            found = session.fetch("claim_chosen", **own, ids=rows.plain_array(chosen))
            return found if found or not chosen else None

        found = None if cursor.is_limited(limit) else self._connections.run(claim)
        if found is None:
            limited = LimitedClaim(self._connections, wanted, limit).claim()
            cursor.advance_limited(limited, limit)
            return limited
        jobs, seqs = rows.claimed(found)
        cursor.advance(jobs, seqs, limit)
        return jobs


class _Found(NamedTuple):
    """What a claim among some keys has come to.

    Attributes:
        jobs: those that were taken.
        with_room: keys that have room still, for jobs that were not taken.
        held: keys that somebody else held.
        are_more: whether there may be more keys to look at.
    """

    jobs: Sequence[Row]
    with_room: list[str]
    held: list[str]
    are_more: bool


_NOWHERE = (-(2**31), 2**63 - 1)
"""The place behind all jobs: the lowest priority, and the last number."""


class LimitedClaim:
    """One claim where jobs with a limit wait, or jobs that were lost twice.

    It looks at some keys at a time, in the order in which their first jobs are claimed, and takes
    what stands no further behind than the last of them. Only these keys are locked, and counted.

    Args:
        connections: where calls run.
        wanted: which jobs, as parameters.
        limit: how many at most.
    """

    def __init__(self, connections: Source, wanted: Parameters, limit: int) -> None:
        self._connections = connections
        self._wanted = wanted
        self._limit = limit
        self._keys = max(_FEWEST_KEYS, min(limit, _MOST_KEYS))

    def claim(self) -> list[JobRecord]:
        """Take jobs, until there are enough, or all keys have been looked at.

        Keys that others hold come last, and are waited for if nothing else was found: whoever holds
        one may go on for long, and jobs that have been taken are to begin. If there are very many
        keys, the jobs that were found in time are all, even if that is none.
        """
        end = monotonic() + LONGEST
        jobs: list[JobRecord] = []
        with_room: list[str] = []
        held: list[str] = []
        are_more = True
        try:
            while len(jobs) < self._limit and (are_more or held):
                seen, wait_for = [*with_room, *held], [] if are_more else held[: self._keys]
                work = partial(self._claim_some, self._limit - len(jobs), seen, wait_for)
                found = self._connections.run(work, atomic=True)
                jobs += rows.claimed(found.jobs)[0]
                with_room += found.with_room
                held = [*held[len(wait_for) :], *found.held]
                are_more = are_more and found.are_more
                if (jobs and not are_more) or monotonic() > end:
                    break
                if not found.jobs:  # very many may have changed at once, as when all are cancelled
                    self._keys = min(2 * self._keys, _MOST_KEYS)
        except StoreError:
            if not jobs:  # what has been taken is somebody's
                raise
        return jobs

    def _claim_some(
        self, limit: int, seen: list[str], wait_for: list[str], session: Session
    ) -> _Found:
        """Lock keys, decide, and say how they stand then; each sees what the ones before did.

        Args:
            limit: how many jobs to take.
            seen: keys not to look for again.
            wait_for: the keys to lock, instead of those that are next.
            session: where to do it.
        """
        if wait_for:
            session.fetch("share_limits")
            session.fetch("wait_for_limits", keys=wait_for)
            ours, held, are_more, *last = wait_for, [], False, *_NOWHERE
        else:
            [found] = session.fetch("lock_limits", **self._wanted, keys=self._keys, seen=seen)
            ours, held, are_more, *last = found
        how = {"limit": limit, "keys": ours}
        how |= dict.fromkeys(("ahead", "heads", "depth"), enough(limit))
        how |= {"last_priority": last[0], "last_seq": last[1]}
        jobs = session.fetch("claim_limited", **self._wanted, **how)
        with_room = [key for (key,) in session.fetch("move_limit_heads", keys=ours)]
        return _Found(jobs, with_room, held, are_more)


def take(session: shared.Session, due: Due) -> list[JobRecord]:
    """Take jobs to publish, or that are left, inside the caller's transaction. See `Outbox`."""
    while True:
        # The locks come first, so that the next statement sees what their last holders did.
        locked = [job for (job,) in session.fetch("lock_entries", **due._asdict())]
        if not locked:
            return []
        how = {"ids": locked, "lease": due.lease, "patience": due.patience}
        taken = session.fetch_records("take_entries", **how)
        if taken or len(locked) < due.limit:
            return taken
