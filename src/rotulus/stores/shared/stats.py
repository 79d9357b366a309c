"""The statistics of a store. See `rotulus.store.Stats`."""

from collections.abc import Callable
from typing import Any

from rotulus.store import Stat, StatFilter, Total
from rotulus.store.stats import ALL_TIMES
from rotulus.stores._columns import span
from rotulus.stores._stats import read_counts, read_stats
from rotulus.stores.shared.levels import read_levels
from rotulus.stores.shared.session import Session

Run = Callable[[Callable[[Session], Any]], Any]

_PORTION = 20_000
"""How many counts are brought to their place by one transaction."""


class SharedStats:
    """Statistics of attempts and new jobs.

    Args:
        read: runs a call that reads.
        write: runs a call that writes, in a transaction.
        gather: brings counts to their place, so many at most; how many they were. None: another
            process does that now.
    """

    def __init__(self, read: Run, write: Run, gather: Callable[[Session, int], int | None]) -> None:
        self._read = read
        self._write = write
        self._gather = gather

    def read(self, wanted: StatFilter) -> list[Stat]:
        """Returns the statistics of each step. See `Stats.read`."""
        levels = read_levels(wanted.since, wanted.until, wanted.step)
        chosen = {"step": wanted.step, "by": wanted.by, "task": wanted.task, "queue": wanted.queue}
        given = levels | chosen
        if not wanted.times:
            return read_counts(self._read(lambda session: session.fetch("read_counts", **given)))
        return read_stats(self._read(lambda session: session.fetch("read_stats", **given)))

    def totals(self, since: int, until: int) -> list[Total]:
        """The sums of each task, queue and outcome. See `Stats.totals`."""
        levels = read_levels(since, until, ALL_TIMES)
        found = self._read(lambda session: session.fetch("read_totals", **levels))
        return [
            Total(task, queue, stat)
            for (task, queue, *_), stat in zip(
                found, read_stats((0, "", *row[2:]) for row in found), strict=True
            )
        ]

    def moment(self) -> int:
        """The present moment. See `Stats.moment`."""
        return self._read(lambda session: session.fetch_value("moment"))

    def fold(self, minutes: float, hours: float) -> None:
        """Bring counts to their place, and forget old minutes and hours. See `Stats.fold`."""

        def work(session: Session) -> bool:
            """A portion; whether there is more."""
            gathered = self._gather(session, _PORTION)
            if gathered == _PORTION:
                return True
            if gathered is not None:
                now = session.fetch_value("moment")
                session.execute("drop_minutes", minutes_before=now - span(minutes))
                session.execute("fold_hours", hours_before=now - span(hours))
                session.execute("drop_hours", hours_before=now - span(hours))
            return False

        more = True
        while more:  # a transaction for each portion: a backlog takes longer than a statement may
            more = self._write(work)
