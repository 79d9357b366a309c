"""The queues of an app: what waits and runs in each, and which are paused."""

import reprlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from rotulus._app.port import AppPort
from rotulus._app.resources.demand import Demand, read_demand
from rotulus._app.resources.job_count import JobCount
from rotulus._app.resources.steering import steers
from rotulus._concurrency.pool import off_loop
from rotulus._jobs.record import moment
from rotulus._jobs.states import State
from rotulus._text.names import check_queue_name
from rotulus.errors import OptionError
from rotulus.store import Backlog


@dataclass(frozen=True, slots=True)
class QueueInfo:
    """A queue as it stands.

    Attributes:
        name: its name.
        jobs: how many jobs have not ended, in each state that any of them has.
        paused_at: since when it is paused; None when it is not.
        age: for how many seconds the job has been due that waits longest; None when none waits.
    """

    name: str
    jobs: dict[State, JobCount]
    paused_at: datetime | None
    age: float | None = None

    @property
    def paused(self) -> bool:
        """Whether no jobs of it are claimed."""
        return self.paused_at is not None

    def to_dict(self) -> dict[str, Any]:
        """Returns all of it as plain data; moments as ISO 8601 text."""
        counts = {
            state.value: {"count": int(count), "exact": count.exact}
            for state, count in self.jobs.items()
        }
        return {
            "name": self.name,
            "paused_at": None if self.paused_at is None else self.paused_at.isoformat(),
            "age": self.age,
            "jobs": counts,
        }


_MOST_SLOTS = 10_000

QueueInfos = list[QueueInfo]
"""The result of `list`: in a class with a method of that name the type needs another name."""


class Queues:
    """`app.queues`: the queues in the app's store, each verb also with an `a` in front.

    Args:
        port: gives the port of the app that answers.
    """

    def __init__(self, port: Callable[[], AppPort]) -> None:
        self._port = port

    def list(self) -> QueueInfos:
        """Returns the queues in which jobs wait or run, or that are paused, by name.

        Nothing is counted beyond 10,000, so it takes no longer however many jobs there are.
        """
        port = self._port()
        paused = port.store().fleet().paused
        backlog = port.store().backlog()
        jobs: dict[str, dict[State, JobCount]] = {name: {} for name in paused}
        for found in backlog:
            count = JobCount(found.jobs, exact=found.exact)
            jobs.setdefault(found.queue, {})[found.state] = count
        ages = ages_in(backlog, port.now())
        return [
            QueueInfo(name, jobs[name], paused.get(name), ages.get(name)) for name in sorted(jobs)
        ]

    def get(self, name: str) -> QueueInfo:
        """Returns the queue of a name, which has no jobs where none waits or runs.

        Raises:
            OptionError: no queue can be called that.
        """
        queue = check_queue_name(name)
        found = (one for one in self.list() if one.name == queue)
        return next(found, QueueInfo(queue, {}, None))

    def demand(self, *names: str, slots: int | None = None) -> Demand:
        """Returns how much work some queues have, and how many workers that work asks for.

        It is what an autoscaler reads: it takes no longer however many jobs there are.

        Args:
            names: the queues, as workers serve them; all but the private ones unless given.
            slots: the slots of one worker; as many as the live workers have on average unless
                given, and 10 where there is none.

        Raises:
            OptionError: no queue can be called that, or a worker cannot have so many slots.
        """
        queues = tuple(check_queue_name(name) for name in dict.fromkeys(names)) or None
        return read_demand(self._port(), queues, None if slots is None else _slots(slots))

    @steers("queues.pause")
    def pause(self, *names: str) -> None:
        """Claim no more jobs of these queues, in any worker, until `resume`. Running jobs go on.

        Raises:
            OptionError: no queue was named, or no queue can be called that.
        """
        self._port().store().pause(_named(names, "pause"), paused=True)

    @steers("queues.resume")
    def resume(self, *names: str) -> None:
        """Claim jobs of these queues again. Raises `OptionError` as `pause` does."""
        self._port().store().pause(_named(names, "resume"), paused=False)

    async def alist(self) -> QueueInfos:
        """`list`, without blocking the event loop."""
        return await off_loop(self.list)

    async def aget(self, name: str) -> QueueInfo:
        """`get`, without blocking the event loop."""
        return await off_loop(self.get, name)

    async def ademand(self, *names: str, slots: int | None = None) -> Demand:
        """`demand`, without blocking the event loop."""
        return await off_loop(partial(self.demand, *names, slots=slots))

    async def apause(self, *names: str) -> None:
        """`pause`, without blocking the event loop."""
        await off_loop(self.pause, *names)

    async def aresume(self, *names: str) -> None:
        """`resume`, without blocking the event loop."""
        await off_loop(self.resume, *names)


def ages_in(backlog: Sequence[Backlog], now: datetime) -> dict[str, float]:
    """Returns how long the job has been due that waits longest, in seconds, by queue.

    Args:
        backlog: what waits, as a store tells it.
        now: the present moment.
    """
    ages: dict[str, float] = {}
    for found in backlog:
        if found.oldest is not None:
            age = (now - moment(found.oldest)).total_seconds()
            ages[found.queue] = max(age, ages.get(found.queue, 0.0))
    return ages


def _slots(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= _MOST_SLOTS:
        return value
    raise OptionError(
        f"slots={reprlib.repr(value)} is not allowed: give a whole number from 1 to {_MOST_SLOTS:,}"
    )


def _named(names: tuple[str, ...], verb: str) -> tuple[str, ...]:
    if not names:
        raise OptionError(f"{verb}: which queues? Name them, such as app.{verb}('mail')")
    return tuple(check_queue_name(name) for name in names)
