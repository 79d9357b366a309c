"""`Counting`: the methods of a store that tell how many jobs there are."""

from collections.abc import Sequence
from typing import Protocol

from rotulus.store.values import Alike, Count, Filter, Tally


class Counting(Protocol):
    """How many jobs there are: a part of `Queries`."""

    def tally(self, where: Filter, limit: int, before: str | None = None) -> Tally:
        """Returns how many jobs match every field: `limit` or more if there are as many.

        It ends as `search` does, with the same arguments.
        """
        ...

    def alike(self, ids: Sequence[str], by: str) -> list[Alike]:
        """Returns how many of some jobs have the same `"error"`, `"task"`, `"queue"` or `"worker"`.

        No other jobs are looked at. Jobs have the same error if it has the same fingerprint. Those
        that have none count together.

        Raises:
            OptionError: `by` is something else.
        """
        ...

    def count(
        self, by: str = "queue", run: str | None = None, within: str = "", depth: int = 1
    ) -> list[Count]:
        """Returns how many jobs there are, by `"queue"`, `"task"` or `"step"`, and state.

        Groups are in order, and those without a job are left out. With a `run`, only its jobs
        count. By step, the parts of the job that stands at `within` in a run count: not the job
        itself, and not the parts that its parts have, unless `depth` is more than 1. Branches of
        one job, and the jobs of a group, count together: the path of one of those in a state stands
        for all of them.

        Raises:
            OptionError: `by` is something else.
        """
        ...
