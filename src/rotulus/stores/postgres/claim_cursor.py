"""Where the claims of a worker have got to, while more jobs are queued than it takes at once.

An index keeps the entries of jobs that are gone for as long as the oldest snapshot may want to see
them: during a backup or a long report every claim would walk past all jobs that were claimed since.
A claim from a cursor begins where the claim before it began. Where many queues have jobs waiting, a
look at them all chooses jobs for several claims. What comes in front of that meanwhile (a job that
is sent back, one that is added with a higher priority or to another queue) waits until
a claim looks at all queued jobs again, which is never long.
"""

import time
from collections.abc import Iterator, Sequence

from rotulus._jobs.record import JobRecord
from rotulus.stores.postgres import rows

FEW_QUEUES = 8
"""A claim locks jobs of each of so many queues, and takes those that are next. Among more queues
jobs are chosen first."""

_LEAST = 50
"""Jobs. Claims of fewer use no cursor."""

_AHEAD = 1000
_AHEAD_OF_FEW = 100
"""How many jobs a look at many queues chooses, for claims that use the cursor, and for others."""

_SPARE = 20
"""How many jobs it chooses at least: others may take some of them."""

_LASTS = 0.25
"""Seconds until a claim looks at all queued jobs again."""


class ClaimCursor:
    """What the claims of a worker know of what they will find.

    That is, for each queue and priority, the `seq` of the first job that the last claim took there;
    or jobs that have been chosen.

    Attributes:
        look: the statement of a look at all queued jobs: the one that did last time, as long as
            claims are full.
    """

    def __init__(self) -> None:
        self._positions: dict[tuple[str, int], int] = {}
        self._chosen: list[str] = []
        self._until = float("-inf")
        self._limits_until = float("-inf")
        self.look = "claim"

    def next(self, limit: int) -> tuple[str, dict[str, str]] | None:
        """The statement of the next claim, with its own parameters; None for a look at all jobs."""
        if limit < _LEAST or time.monotonic() > self._until:
            return None
        if len(self._chosen) >= limit:
            return "claim_chosen", {"ids": rows.plain_array(self._chosen)}
        if not self._positions:
            return None
        return "claim_after", {
            "cursor_queues": rows.array(queue for queue, _ in self._positions),
            "cursor_priorities": rows.array(priority for _, priority in self._positions),
            "cursor_seqs": rows.array(self._positions.values()),
        }

    def is_limited(self, limit: int) -> bool:
        """Whether a look has just found that jobs with a limit are next, and likely are again."""
        return limit >= _LEAST and time.monotonic() <= self._limits_until

    def advance_limited(self, claimed: Sequence[JobRecord], limit: int) -> None:
        """A claim of at most `limit` jobs with and without limits has taken these."""
        if len(claimed) < limit:
            self._limits_until = float("-inf")
        elif time.monotonic() > self._limits_until:
            self._limits_until = time.monotonic() + _LASTS

    def begin(self, chosen: Sequence[str] = ()) -> None:
        """A look at all queued jobs begins anew, and has chosen these, in order."""
        self._until = time.monotonic() + _LASTS
        self._positions = {}
        self._chosen = list(chosen)

    def advance(self, claimed: Sequence[JobRecord], seqs: Sequence[int], limit: int) -> None:
        """A claim of at most `limit` jobs has taken these."""
        if len(claimed) < limit:
            self._until = float("-inf")
            self.look = "claim"
        elif self._chosen:
            taken = {job.id for job in claimed}
            last = max(place for place, job in enumerate(self._chosen) if job in taken)
            del self._chosen[: last + 1]
        else:
            for job, seq in zip(reversed(claimed), reversed(seqs), strict=True):
                self._positions[job.queue, job.priority] = seq


def looks(limit: int) -> Iterator[dict[str, str]]:
    """The parameters of looks at many queues, for a claim of at most `limit` jobs.

    The first one looks at few jobs of each of many queues. That does not make many jobs where one
    queue has those that are next; then the second one does.
    """
    ahead = max(enough(limit), _AHEAD if limit >= _LEAST else _AHEAD_OF_FEW)
    yield {"ahead": str(ahead), "heads": str(ahead), "depth": "1"}
    yield {"ahead": str(ahead), "heads": str(enough(limit)), "depth": str(enough(limit))}


def enough(limit: int) -> int:
    """How many jobs have to be chosen for a claim of at most `limit` jobs."""
    return limit * 2 + _SPARE
