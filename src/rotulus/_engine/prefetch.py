"""How many jobs a worker claims: as many as it has free slots, and some ahead of short jobs."""

AHEAD = 0.05
"""Seconds of work to claim ahead of what runs: short jobs never wait for the store, and a worker
that dies takes no more than this with it."""

MOST_AHEAD = 500
"""How many jobs are claimed ahead at most."""

_WEIGHT = 0.2
"""How much the last job counts in the mean."""


class Prefetch:
    """Measures how long jobs take, and says how many to claim.

    Args:
        slots: how many jobs run at once.

    Attributes:
        slots: how many jobs run at once; it may be changed.
        stalled: whether jobs that were claimed ahead have waited in vain, and none has ended
            since: nothing is claimed ahead then.
    """

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self._mean: float | None = None
        self.stalled = False

    def note_ended(self, seconds: float) -> None:
        """Take note that a job took so many seconds."""
        self.stalled = False
        mean = self._mean
        self._mean = seconds if mean is None else mean + _WEIGHT * (seconds - mean)

    def ahead(self) -> int:
        """Returns how many jobs to hold beside those that run."""
        if self._mean is None or self.stalled:
            return 0
        return min(MOST_AHEAD, int(self.slots * AHEAD / max(self._mean, 1e-6)))

    def to_claim(self, held: int) -> int:
        """Returns how many jobs to claim now; 0 when a larger batch later costs less.

        Args:
            held: how many are held, or are being claimed.
        """
        ahead = self.ahead()
        free = self.slots + ahead - held
        return free if free > ahead // 2 else 0

    def to_claim_on_settle(self, held: int, claiming: int, ended: int) -> int:
        """Returns how many jobs to claim in the transaction that settles some.

        That is 0 while there is enough to run: larger batches cost less. Of short jobs it is as
        many as have ended, though those that are being claimed may come as well.

        Args:
            held: how many are held.
            claiming: how many are being claimed already.
            ended: how many have ended, and are settled.
        """
        if held >= self.slots:
            return 0
        return min(ended, max(self.ahead(), self.slots - held - claiming))
