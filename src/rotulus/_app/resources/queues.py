"""The queues of an app: what waits and runs in each, and which are paused."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from rotulus._app.port import AppPort
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
    waiting = [(found.queue, found.oldest) for found in backlog if found.oldest is not None]
    return {queue: max(0.0, (now - moment(at)).total_seconds()) for queue, at in waiting}


def _named(names: tuple[str, ...], verb: str) -> tuple[str, ...]:
    if not names:
        raise OptionError(f"{verb}: which queues? Name them, such as app.{verb}('mail')")
    return tuple(check_queue_name(name) for name in names)
