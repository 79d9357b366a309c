"""The changes of an app: what happens to jobs, queues, schedules and workers, as it happens."""

from collections.abc import Callable, Iterable

from rotulus._app.change_stream import ChangeStream
from rotulus._app.port import AppPort


class Changes:
    """`app.changes`: what has happened, in any process, in an order that can be resumed.

    Args:
        port: gives the port of the app that answers.
    """

    def __init__(self, port: Callable[[], AppPort]) -> None:
        self._port = port

    def __call__(
        self,
        *,
        after: int | None = None,
        jobs: Iterable[str] | None = None,
        queues: Iterable[str] | None = None,
    ) -> ChangeStream:
        """Returns the changes as they happen, to iterate over: `async for`, or `for` in a thread.

        Changes are written only while somebody listens, and for ten minutes after. They are kept
        for as long. A change whose kind is `reset` says that others before it are missing: they
        are too old, or the listener was too slow. It is to look how things stand, and can go on.

        Args:
            after: the position of the last change that is known, to go on after; from now on
                unless given.
            jobs: only changes of these jobs, by id.
            queues: only changes of these queues, and of the jobs in them. With `jobs`, both.

        Raises:
            StoreError: the store cannot be read, or the changes begin inside of an open
                transaction on Django's own connection; raised when they begin.
            EventLoopError: a plain `for` in a thread that runs an event loop.
        """
        wanted = None if jobs is None else frozenset(jobs)
        return self._port().change_feed.stream(
            after, wanted, None if queues is None else frozenset(queues)
        )
