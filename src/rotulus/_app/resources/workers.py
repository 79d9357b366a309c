"""The workers of an app: who serves its store now."""

from collections.abc import Callable

from rotulus._app.desk import Desk
from rotulus._concurrency.pool import off_loop
from rotulus.store import WorkerInfo

WorkerInfos = list[WorkerInfo]
"""What `list` gives: in a class with a method of that name the type has no name of its own."""


class Workers:
    """`app.workers`: the workers that serve the app's store, each verb also with an `a` in front.

    Args:
        desk: gives the desk of the app that answers.
    """

    def __init__(self, desk: Callable[[], Desk]) -> None:
        self._desk = desk

    def list(self) -> WorkerInfos:
        """The workers whose lease is not over, in every process and on every machine."""
        return self._desk().store().fleet().workers

    async def alist(self) -> WorkerInfos:
        """`list`, without blocking the event loop."""
        return await off_loop(self.list)
