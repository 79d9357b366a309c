"""Idle workers of this process: an add gives them its jobs in the transaction that adds these."""

import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager

from rotulus._forking import follow_forks
from rotulus._jobs.record import JobRecord
from rotulus.store import ClaimFilter, NewJob


class Offer:
    """A claim that somebody may make for a worker that waits.

    Args:
        wanted: which jobs.
        limit: says how many at most, when they are claimed; called in the thread that claims.
        lease: the length of their leases, in seconds.

    Attributes:
        jobs: those that were claimed, once it is `answered`.
    """

    def __init__(self, wanted: ClaimFilter, limit: Callable[[], int], lease: float) -> None:
        self.wanted = wanted
        self.limit = limit
        self.lease = lease
        self.jobs: list[JobRecord] = []
        self.answered = threading.Event()

    def takes(self, job: NewJob) -> bool:
        """Whether a new job is one to claim at once."""
        terms, queues, names = job.terms, self.wanted.queues, self.wanted.names
        serves = not terms.queue.startswith("_") if queues is None else terms.queue in queues
        is_later = terms.delay or terms.at is not None
        is_limited = job.limit_key is not None or terms.carried
        return serves and not is_later and not is_limited and (names is None or terms.task in names)


class Offers:
    """The offers of the workers of this process.

    Args:
        wake: wakes those who have made some.
        patience: the longest time in seconds that a claim for somebody else takes.
    """

    def __init__(self, wake: Callable[[], object], patience: float) -> None:
        self._wake = wake
        self._patience = patience
        self._reset()
        follow_forks(self._reset)

    def _reset(self) -> None:
        self._open: set[Offer] = set()

    def make(self, offer: Offer) -> None:
        """Let others claim for a worker from now on."""
        self._open.add(offer)

    def withdraw(self, offer: Offer) -> list[JobRecord]:
        """Let them no more; the jobs that somebody has claimed for it."""
        if not self._remove(offer):
            offer.answered.wait(self._patience)
        return offer.jobs

    @contextmanager
    def taken_for(self, jobs: Sequence[NewJob]) -> Generator[Offer | None, None, None]:
        """Gives an offer of a worker that would take some new jobs, for the length of a block.

        Nobody else has it meanwhile, and its worker waits for the answer.
        """
        offer = None
        try:
            offer = self._take(jobs)
            yield offer
        finally:
            if offer is not None:
                offer.answered.set()
                self._wake()

    def _take(self, jobs: Sequence[NewJob]) -> Offer | None:
        for offer in list(self._open):
            if all(map(offer.takes, jobs)) and self._remove(offer):
                return offer
        return None

    def _remove(self, offer: Offer) -> bool:
        """Whether it was open until now: nobody else has it then."""
        try:
            self._open.remove(offer)
        except KeyError:
            return False
        return True
