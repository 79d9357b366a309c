"""The workers of an app: those that serve its store now."""

from collections.abc import Callable

from rotulus._app.port import AppPort
from rotulus._concurrency.pool import off_loop
from rotulus.store import WorkerInfo

WorkerInfos = list[WorkerInfo]
"""The result of `list`: in a class with a method of that name the type needs another name."""


class Workers:
    """`app.workers`: the workers that serve the app's store, each verb also with an `a` in front.

    Args:
        port: gives the port of the app that answers.
    """

    def __init__(self, port: Callable[[], AppPort]) -> None:
        self._port = port

    def list(self) -> WorkerInfos:
        """Returns the workers whose lease is not over, in every process and on every machine."""
        return self._port().store().fleet().workers

    async def alist(self) -> WorkerInfos:
        """`list`, without blocking the event loop."""
        return await off_loop(self.list)
