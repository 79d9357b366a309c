"""How many jobs a worker takes at once: what its slots need, and some more when jobs are short."""

AHEAD = 0.05
"""Seconds of work to hold beside what is running: short jobs never wait for the store, and a
worker that dies takes no more than this with it."""

MOST_AHEAD = 500

_WEIGHT = 0.2
"""How much the last job counts in the mean."""


class Prefetch:
    """The measured length of jobs, and what follows from it.

    Args:
        slots: how many jobs run at once.

    Attributes:
        slots: the same; it may be changed.
        stalled: whether what was held beside the running ones has waited in vain, and none of
            them has ended since: nothing is to be claimed ahead.
    """

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self._mean: float | None = None
        self.stalled = False

    def ended(self, seconds: float) -> None:
        """A job took so many seconds."""
        self.stalled = False
        mean = self._mean
        self._mean = seconds if mean is None else mean + _WEIGHT * (seconds - mean)

    def ahead(self) -> int:
        """How many jobs to hold beside the running ones."""
        if self._mean is None or self.stalled:
            return 0
        return min(MOST_AHEAD, int(self.slots * AHEAD / max(self._mean, 1e-6)))

    def room(self, held: int) -> int:
        """How many to claim now, when so many are held; 0 when it can wait for a larger batch."""
        ahead = self.ahead()
        room = self.slots + ahead - held
        return room if room > ahead // 2 else 0

    def room_along(self, held: int, asked: int, ended: int) -> int:
        """How many to claim in the place of some that have ended, while so many are asked for.

        None while there is enough to run: larger batches cost less. Of short jobs as many as have
        ended, though the others may come as well.
        """
        if held >= self.slots:
            return 0
        return min(ended, max(self.ahead(), self.slots - held - asked))
