"""Where the claims of a worker have got to, while more jobs are queued than it takes at once.

An index keeps the entries of jobs that are gone for as long as the oldest snapshot may want to see
them: during a backup or a long report every claim would walk past all jobs that were claimed since.
A claim from a cursor begins where the claim before it began. What comes in front of that meanwhile
(a job that is sent back, one that is added with a higher priority or to another queue) waits until
a claim looks at all queued jobs again, which is never long.
"""

import time
from collections.abc import Sequence

from rotulus._jobs.record import JobRecord
from rotulus.stores.postgres import rows

_LEAST = 50
"""Jobs. Claims of fewer use no cursor."""

_LASTS = 0.25
"""Seconds until a claim looks at all queued jobs again."""


class ClaimCursor:
    """For each queue and priority: the `seq` of the first job that the last claim took there."""

    def __init__(self) -> None:
        self._positions: dict[tuple[str, int], int] = {}
        self._until = float("-inf")

    def parameters(self, limit: int) -> dict[str, str] | None:
        """The parameters of `claim_after`; None when a claim has to look at all queued jobs."""
        if limit < _LEAST or not self._positions or time.monotonic() > self._until:
            return None
        return {
            "cursor_queues": rows.array(queue for queue, _ in self._positions),
            "cursor_priorities": rows.array(priority for _, priority in self._positions),
            "cursor_seqs": rows.array(self._positions.values()),
        }

    def advance(
        self, claimed: Sequence[JobRecord], seqs: Sequence[int], limit: int, *, looked_at_all: bool
    ) -> None:
        """A claim of at most `limit` jobs has taken these, by a look at all queued jobs or not."""
        if len(claimed) < limit:
            self._until = float("-inf")
            return
        if looked_at_all:
            self._until = time.monotonic() + _LASTS
            self._positions = {}
        for job, seq in zip(reversed(claimed), reversed(seqs), strict=True):
            self._positions[job.queue, job.priority] = seq
