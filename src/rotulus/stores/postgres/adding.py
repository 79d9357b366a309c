"""Adds that come at the same time share a transaction, and not each of them wakes the workers.

Where a worker of this process waits for work, the transaction also claims for it.
"""

import time
from collections.abc import Callable, Sequence

from rotulus._concurrency.coalescer import Coalescer, Group
from rotulus._concurrency.keyed import KeyedCoalescers
from rotulus._concurrency.semaphore import Semaphore
from rotulus._jobs.record import JobRecord
from rotulus.errors import StoreBusyError
from rotulus.store import NewJob
from rotulus.stores.postgres.batches import Batches
from rotulus.stores.postgres.claiming import claim_in, still_running
from rotulus.stores.postgres.connection import MOST
from rotulus.stores.postgres.offers import Offer, Offers
from rotulus.stores.postgres.session import Session
from rotulus.stores.postgres.source import Source

Jobs = Sequence[NewJob]
Records = list[JobRecord]

_MOST_KEYED = MOST // 2
"""How many transactions with keys are under way at most, to leave connections to others."""

_SLOW, _SLOW_REST = 0.02, 5.0
"""Seconds: after a claim that took longer, as beside a long report, adds claim none for a while."""

_EMPTY_REST = 0.25
"""The same after one that brought nothing, as where the queue of the jobs is paused."""

_TELL_EVERY = 0.005
"""Seconds between two wake-ups. A worker that has just run dry looks again sooner than that."""


class Adder:
    """Adds jobs that come at the same time in one transaction.

    Jobs with a key share one only with jobs of the same key: it waits for a
    transaction that has added that key and not committed yet, and no other job may wait with it.

    Args:
        connections: where calls run.
        offers: workers of this process that wait.
    """

    def __init__(self, connections: Source, offers: Offers) -> None:
        self._connections = connections
        self._offers = offers
        self._semaphore = Semaphore(_MOST_KEYED)
        self._told_at = float("-inf")
        self._claims_from = float("-inf")
        self._coalescer = self._make(self._add_unkeyed)
        self._keyed = KeyedCoalescers(lambda: self._make(self._add_keyed))

    def add(self, jobs: Jobs) -> Records:
        """Add jobs, and return once they are committed.

        On the connection of the caller they are, once its transaction is.
        """
        if not jobs:
            return []
        if self._connections.is_callers:
            return self._insert(jobs, None, self._connections.address.channel)
        keys = {job.key for job in jobs if job.key is not None}
        return (self._keyed.of(keys) if keys else self._coalescer).run(jobs)

    def _make(self, perform: Callable[[Group[Jobs]], list[Records]]) -> Coalescer[Jobs, Records]:
        address = self._connections.address
        return Coalescer(perform, perform, lambda: address.deadline, address.shown)

    def _add_keyed(self, group: Group[Jobs]) -> list[Records]:
        permit = self._semaphore.acquire(group.end)
        if permit is None:
            raise StoreBusyError(
                f"{self._connections.address.shown}: jobs with {_MOST_KEYED} other keys wait for "
                f"transactions that have added the same keys and not ended: this one was not begun"
            )
        try:
            return self._add_all(group)
        finally:
            permit.release()

    def _add_unkeyed(self, group: Group[Jobs]) -> list[Records]:
        """Add jobs without keys; claim for a worker that waits, if there is one."""
        if time.monotonic() < self._claims_from:
            return self._add_all(group)
        with self._offers.taken_for(_jobs(group)) as offer:
            if offer is None:
                return self._add_all(group)
            return _apart(group, self._insert_and_claim(_jobs(group), _left(group), offer))

    def _add_all(self, group: Group[Jobs]) -> list[Records]:
        """Add the jobs of a group in one transaction."""
        return _apart(group, self._insert(_jobs(group), _left(group), self._channel()))

    def _insert(self, jobs: Jobs, seconds: float | None, channel: str | None) -> Records:
        batches = Batches(jobs)
        return self._connections.run(
            lambda session: batches.add(session, channel), atomic=batches.atomic, seconds=seconds
        )

    def _insert_and_claim(self, jobs: Jobs, seconds: float, offer: Offer) -> Records:
        """Add jobs, and claim those that are next; wake others only for what is left then."""
        batches, claimed, took = Batches(jobs), Records(), 0.0

        def work(session: Session) -> Records:
            nonlocal took
            added, began = batches.add(session, None), time.monotonic()
            claimed[:] = still_running(session, claimed)  # of a try whose answer was lost
            most = offer.limit() - len(claimed)
            claimed.extend(claim_in(session, offer.wanted, most, offer.lease) if most > 0 else ())
            took = time.monotonic() - began
            is_left = not batches.ready <= {job.id for job in claimed}
            if is_left and (channel := self._channel()):
                session.fetch("notify", channel=channel)
            return added

        added = self._connections.run(work, atomic=True, seconds=seconds)
        offer.jobs = claimed
        rest = _SLOW_REST if took > _SLOW else 0.0 if claimed else _EMPTY_REST
        self._claims_from = time.monotonic() + rest
        return added

    def _channel(self) -> str | None:
        """Where to tell that there is work; None when somebody has just been told.

        The server commits transactions that tell something one after the other.
        """
        now = time.monotonic()
        if now - self._told_at < _TELL_EVERY:
            return None
        self._told_at = now
        return self._connections.address.channel


def _jobs(group: Group[Jobs]) -> Jobs:
    return [job for jobs in group.works for job in jobs]


def _left(group: Group[Jobs]) -> float:
    return group.end - time.monotonic()


def _apart(group: Group[Jobs], records: Records) -> list[Records]:
    """The records of a group, for each of its calls."""
    following = iter(records)
    return [[next(following) for _ in jobs] for jobs in group.works]
