"""The jobs of an app, counted: all that match, or those of each error, task, queue or worker."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Unpack

from rotulus._app.port import AppPort
from rotulus._app.resources.job_count import MOST_COUNTED, JobCount
from rotulus._app.resources.where import Where, check_limit, read_where
from rotulus._concurrency.pool import off_loop
from rotulus._jobs.job import Job
from rotulus._jobs.record import Micros, moment
from rotulus.errors import OptionError
from rotulus.filters import COUNTED_BY, CountedBy
from rotulus.store import Alike, Filter, Store

_MOST_TRIES = 3
"""How often jobs are counted, where an example was deleted before it was read."""

_MOST_LOOKS = 10
"""How often a count looks for more jobs, where few of those that it looks at match."""


@dataclass(frozen=True, slots=True)
class AlikeJobs:
    """Jobs that match, and have the same error, task, queue or worker.

    Attributes:
        value: the fingerprint of the error, or the name of the task, the queue or the worker; None:
            they have none.
        count: how many there are among the jobs that were counted.
        first_added: when the first of them was added.
        last_added: when the last of them was.
        example: the last of them.
    """

    value: str | None
    count: JobCount
    first_added: datetime
    last_added: datetime
    example: Job[Any]

    def to_dict(self) -> dict[str, Any]:
        """Returns its attributes by name, as JSON data; its times are ISO 8601 text."""
        return {
            "value": self.value,
            "count": int(self.count),
            "exact": self.count.exact,
            "first_added": self.first_added.isoformat(),
            "last_added": self.last_added.isoformat(),
            "example": self.example.to_dict(arguments=False),
        }


class JobCounts(list[AlikeJobs]):
    """How many jobs match of each error, task, queue or worker; the most first.

    Attributes:
        looked_to: when the last job was added that was looked at, if there may be earlier ones that
            match; None: all that match were counted.
    """

    def __init__(self, items: Iterable[AlikeJobs] = (), looked_to: datetime | None = None) -> None:
        super().__init__(items)
        self.looked_to = looked_to


class JobCounting:
    """How many jobs there are.

    Args:
        port: gives the port of the app that answers.
    """

    def __init__(self, port: Callable[[], AppPort]) -> None:
        self._port = port

    def count(self, **where: Unpack[Where]) -> JobCount:
        """Returns how many jobs match: exact up to 10,000, and then at least that many.

        At most 100,000 jobs are looked at. If few of these match, there may be more, too.
        """
        port, jobs, after = self._port(), 0, None
        meant = read_where(where, port.now)
        for _ in range(_MOST_LOOKS):
            counted, after = port.store().tally(meant, MOST_COUNTED + 1 - jobs, after)
            jobs += counted
            if after is None or jobs > MOST_COUNTED:
                break
        return JobCount(jobs, exact=after is None)

    def count_by(self, by: CountedBy, *, limit: int = 50, **where: Unpack[Where]) -> JobCounts:
        """Returns how many jobs match of each error, task, queue or worker; the most first.

        The last 10,000 jobs that match are counted, and as for `count` 100,000 are looked at. Jobs
        have the same error if it has the same fingerprint: it is of one kind, and came through the
        same functions.

        Args:
            by: `"error"`, `"task"`, `"queue"` or `"worker"`.
            limit: at most so many errors, tasks, queues or workers.
            where: which jobs; see `Where`.

        Raises:
            OptionError: there is no such filter, or a value is not allowed.
        """
        port, most = self._port(), check_limit(limit)
        if by not in COUNTED_BY:
            known = ", ".join(map(repr, COUNTED_BY))
            raise OptionError(f"by={by!r} is not allowed: choose one of {known}")
        meant, store = read_where(where, port.now), port.store()
        tries = 0
        while True:
            seen = _look(store, meant, by)
            alike = seen.alike[:most]
            shown = {record.id: record for record in store.records([one.example for one in alike])}
            tries += 1
            if len(shown) == len(alike) or tries == _MOST_TRIES:  # else some were deleted meanwhile
                break
        return JobCounts(
            (
                AlikeJobs(
                    one.value,
                    JobCount(one.jobs, exact=seen.exact),
                    moment(one.first),
                    moment(one.last),
                    Job(shown[one.example], port),
                )
                for one in alike
                if one.example in shown
            ),
            None if seen.looked_to is None else moment(seen.looked_to),
        )

    async def acount(self, **where: Unpack[Where]) -> JobCount:
        """`count`, without blocking the event loop."""
        return await off_loop(self.count, **where)

    async def acount_by(
        self, by: CountedBy, *, limit: int = 50, **where: Unpack[Where]
    ) -> JobCounts:
        """`count_by`, without blocking the event loop."""
        return await off_loop(self.count_by, by, limit=limit, **where)


class _Seen(NamedTuple):
    """Jobs that match, counted; whether these are all, and else when the last one was added."""

    alike: list[Alike]
    exact: bool
    looked_to: Micros | None


def _look(store: Store, meant: Filter, by: CountedBy) -> _Seen:
    """Count the last jobs that match, look by look."""
    parts: list[Alike] = []
    jobs, after, looked_to = 0, None, None
    for _ in range(_MOST_LOOKS):
        found = store.search(meant, MOST_COUNTED + 1 - jobs, after)
        parts += store.alike(found.ids, by)
        jobs, after = jobs + len(found.ids), found.after
        looked_to = found.looked_to or min((part.first for part in parts), default=None)
        if after is None or jobs > MOST_COUNTED:
            break
    return _Seen(_together(parts), after is None, None if after is None else looked_to)


def _together(parts: Sequence[Alike]) -> list[Alike]:
    """Returns the sums of several looks, the most jobs first. A later look sees older jobs."""
    found: dict[str | None, Alike] = {}
    for part in parts:
        known = found.get(part.value)
        found[part.value] = (
            part
            if known is None
            else known._replace(jobs=known.jobs + part.jobs, first=min(known.first, part.first))
        )
    return sorted(found.values(), key=lambda one: (-one.jobs, -one.last))
