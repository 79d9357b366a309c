"""Where in the line a worker is, while there is more to do than it can take at once.

An index keeps the entries of jobs that are gone for as long as the oldest snapshot may want to see
them: during a backup or a long report every claim would walk past all that were claimed since. A
claim in a cursor begins where the one before it began. What comes in front of that meanwhile (a job
that is sent back, one that is added with a higher priority or to another queue) waits for the next
look at the whole line, which is never long.
"""

import time
from collections.abc import Sequence

from rotulus.stores.postgres import rows
from rotulus.stores.postgres.ask import Row

_LEAST = 50
"""Jobs. Who asks for fewer is in no rush."""

_LASTS = 0.25
"""Seconds until the whole line is looked at again."""

_QUEUE, _PRIORITY, _SEQ = 6, 7, -1
"""Where these stand in the rows of a claim."""


class ClaimCursor:
    """The places in the line where the jobs of the last claim stood."""

    def __init__(self) -> None:
        self._marks: dict[tuple[str, int], int] = {}
        self._until = float("-inf")

    def marks(self, limit: int) -> dict[str, str] | None:
        """The parameters of `claim_on`; None when the whole line is to be looked at."""
        if limit < _LEAST or not self._marks or time.monotonic() > self._until:
            return None
        return {
            "marked_queues": rows.array(queue for queue, _ in self._marks),
            "marked_priorities": rows.array(priority for _, priority in self._marks),
            "marked_seqs": rows.array(self._marks.values()),
        }

    def note(self, claimed: Sequence[Row], limit: int, *, whole: bool) -> None:
        """A claim of so many has given these, looking at the whole line or not."""
        if len(claimed) < limit:
            self._until = float("-inf")
            return
        if whole:
            self._until = time.monotonic() + _LASTS
            self._marks = {}
        for row in reversed(claimed):
            self._marks[row[_QUEUE], row[_PRIORITY]] = row[_SEQ]
