"""The changes of an app: what happens to jobs, queues, schedules, workers, limits and failures."""

import reprlib
from collections.abc import Callable, Iterable
from typing import cast

from rotulus._app.change_stream import ChangeStream
from rotulus._app.port import AppPort
from rotulus._app.resources.where import check_text
from rotulus._text.ids import is_id
from rotulus._text.names import check_queue_name
from rotulus.errors import OptionError

_LARGEST_POSITION = 2**63 - 1


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
            OptionError: one of them is not allowed.
            StoreError: the store cannot be read, or the changes begin inside of an open
                transaction on Django's own connection; raised when they begin.
            EventLoopError: a plain `for` in a thread that runs an event loop.
        """
        ids = None if jobs is None else _names("jobs", jobs)
        for job in ids or ():
            if not is_id(job):
                raise OptionError(
                    f"jobs={reprlib.repr([job])} is not allowed: no job has that id; give whole ids"
                )
        names = None if queues is None else _names("queues", queues)
        for queue in names or ():
            check_queue_name(queue)
        return self._port().change_feed.stream(_position(after), ids, names)


def _position(after: object) -> int | None:
    """Returns the position of a change. Raises `OptionError`."""
    if after is None:
        return None
    if isinstance(after, int) and not isinstance(after, bool) and 0 <= after <= _LARGEST_POSITION:
        return after
    raise OptionError(
        f"after={reprlib.repr(after)} is not allowed: give the position of a change, a whole number"
    )


def _names(option: str, given: object) -> frozenset[str]:
    """Returns texts of which there is one at least. Raises `OptionError`."""
    shown = reprlib.repr(given)
    if isinstance(given, Iterable) and not isinstance(given, str | bytes):
        names = frozenset(check_text(option, one) for one in cast("Iterable[object]", given))
        if names:
            return names
    raise OptionError(
        f"{option}={shown} is not allowed: give a list of one or several; changes of "
        f"all of them come without {option}="
    )
