"""The queues of an app: what waits and runs in each, and which are paused."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from rotulus._app.port import AppPort
from rotulus._concurrency.pool import off_loop
from rotulus._jobs.states import State
from rotulus._text.names import check_queue_name
from rotulus.errors import OptionError


@dataclass(frozen=True, slots=True)
class QueueInfo:
    """A queue as it stands.

    Attributes:
        name: its name.
        jobs: how many jobs there are in each state that any of them has.
        paused_at: since when it is paused; None when it is not.
    """

    name: str
    jobs: dict[State, int]
    paused_at: datetime | None

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
        """Returns the queues that have jobs or are paused, by name."""
        store = self._port().store()
        paused = store.fleet().paused
        jobs: dict[str, dict[State, int]] = {name: {} for name in paused}
        for count in store.count("queue"):
            jobs.setdefault(count.group, {})[count.state] = count.jobs
        return [QueueInfo(name, jobs[name], paused.get(name)) for name in sorted(jobs)]

    def pause(self, *names: str) -> None:
        """Claim no more jobs of these queues, in any worker, until `resume`. Running jobs go on.

        Raises:
            OptionError: no queue was named, or no queue can be called that.
        """
        self._port().store().pause(_named(names, "pause"), paused=True)

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


def _named(names: tuple[str, ...], verb: str) -> tuple[str, ...]:
    if not names:
        raise OptionError(f"{verb}: which queues? Name them, such as app.{verb}('mail')")
    return tuple(check_queue_name(name) for name in names)
