"""The demand of queues: how much work they have, and how many workers that work asks for."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from rotulus._app.port import AppPort
from rotulus._app.resources.job_count import JobCount
from rotulus._app.resources.stored_schedules import Lookup, ScheduleInfo
from rotulus._jobs.record import moment
from rotulus._jobs.states import State
from rotulus._text.names import serves
from rotulus.store import Backlog, Fleet

SOON = timedelta(seconds=60)
"""What is due within this time is demand already: a worker takes a while to start."""

_SLOTS = 10
"""The slots of a worker that has not been told otherwise."""


@dataclass(frozen=True, slots=True)
class Demand:
    """How much work some queues have, for whoever starts and stops workers.

    Jobs of paused queues are left out; those that wait for a limit count, also for one of 0. A
    worker is wanted for jobs that are due, that will be within a minute, or that run; and while a
    schedule has an instant within a minute, or one that was not fired: only workers fire schedules.

    Attributes:
        queues: the queues; None: all but the private ones.
        waiting: how many jobs are due and wait, counted to 10,000.
        soon: how many more will be due within a minute.
        oldest: for how many seconds the job has been due that waits longest; 0.0 if none waits.
        running: how many jobs run.
        firing: how many schedules have an instant within a minute, or one that was not fired.
        workers: how many workers serve one of these queues.
        slots: their slots together.
        wanted_workers: how many workers with as many slots all of that work would keep busy.
    """

    queues: tuple[str, ...] | None
    waiting: JobCount
    soon: JobCount
    oldest: float
    running: JobCount
    firing: int
    workers: int
    slots: int
    wanted_workers: int

    def to_dict(self) -> dict[str, Any]:
        """Its attributes by name, as JSON data; the age is `oldest_seconds`."""
        shown = {name: getattr(self, name) for name in Demand.__slots__ if name != "oldest"}
        counts = {name: int(shown[name]) for name in ("waiting", "soon", "running")}
        queues = None if self.queues is None else list(self.queues)
        return {**shown, **counts, "queues": queues, "oldest_seconds": self.oldest}


def read_demand(port: AppPort, queues: Sequence[str] | None, slots: int | None) -> Demand:
    """Returns the demand of some queues. Raises `StoreError`.

    Args:
        port: the port of the app.
        queues: the queues; None: all but the private ones.
        slots: the slots of a worker; None: as many as the workers have that are alive, on average.
    """
    store, now = port.store(), port.now()
    fleet = store.fleet()
    found = [
        one
        for one in store.backlog()
        if serves(queues, one.queue) and one.queue not in fleet.paused
    ]
    alive = [
        worker
        for worker in fleet.workers
        if worker.draining_at is None and _shares(worker.queues, queues)
    ]
    total = sum(worker.slots for worker in alive)
    exact = all(one.exact for one in found)
    running = sum(one.jobs for one in found if one.state is State.RUNNING)
    waiting, soon = sum(one.due for one in found), sum(one.soon for one in found)
    firing = len(_firing(port, queues, fleet, now))
    per_worker = slots or (total // len(alive) if alive else _SLOTS)
    busy = -(-(waiting + soon + running) // per_worker)
    return Demand(
        queues=None if queues is None else tuple(queues),
        waiting=JobCount(waiting, exact=exact),
        soon=JobCount(soon, exact=exact),
        oldest=_oldest(found, now),
        running=JobCount(running, exact=exact),
        firing=firing,
        workers=len(alive),
        slots=total,
        wanted_workers=max(busy, 1 if firing else 0),
    )


def _shares(served: Collection[str] | None, queues: Sequence[str] | None) -> bool:
    """Whether a worker that serves some queues serves one of these."""
    if queues is None:
        return served is None or any(serves(None, queue) for queue in served)
    return any(serves(served, queue) for queue in queues)


def _oldest(found: Collection[Backlog], now: datetime) -> float:
    moments = [moment(one.oldest) for one in found if one.oldest is not None]
    return max(0.0, (now - min(moments)).total_seconds()) if moments else 0.0


def _firing(
    port: AppPort, queues: Sequence[str] | None, fleet: Fleet, now: datetime
) -> list[ScheduleInfo]:
    """The schedules that a worker of some queues is to fire now, or within a minute."""
    return [
        one
        for one in Lookup(port).all(last=False)
        if one.lag or (one.next is not None and one.next <= now + SOON)
        if (queue := _queue_of(port, one)) is None
        or (serves(queues, queue) and queue not in fleet.paused)
    ]


def _queue_of(port: AppPort, schedule: ScheduleInfo) -> str | None:
    """The queue that the jobs of a schedule wait in; None: only workers know its task."""
    if not port.registry.has(schedule.task):
        return None
    return port.registry.get(schedule.task).options.queue
