"""The changes of a store. See `rotulus.store.Changes`."""

from collections.abc import Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar

from rotulus._jobs.record import moment
from rotulus._time.clock import monotonic
from rotulus.store import Change
from rotulus.store.changes import CHANGES_KEPT, MOST_CHANGES_KEPT
from rotulus.stores._columns import span
from rotulus.stores.shared.session import Row, Session

S = TypeVar("S", bound=Session)
S_contra = TypeVar("S_contra", bound=Session, contravariant=True)
Run = Callable[[Callable[[S], Any]], Any]

_SURE_WITHIN = 1.0
"""Seconds for transactions to end that may not have noticed that somebody listens."""

_KEPT = {"kept": span(CHANGES_KEPT)}


class Noting(Protocol[S_contra]):
    """How a database has changes noted."""

    def lock(self, session: S_contra) -> None:
        """Let nobody else give out positions until the transaction is over."""
        ...

    def begin(self, session: S_contra) -> None:
        """Have changes noted from now on."""
        ...

    def end(self, session: S_contra) -> None:
        """Have none noted any more."""
        ...

    def place(self, session: S_contra) -> int | None:
        """Give positions to what has been noted; the last position.

        None: nothing is known of it, without another statement.
        """
        ...

    def unaware(self, session: S_contra) -> frozenset[str]:
        """Transactions that may have looked whether to note changes before this moment."""
        ...


class SharedChanges(Generic[S]):
    """What has happened, for those who listen.

    Args:
        read: runs a call that reads.
        write: runs a call that writes, in a transaction.
        noting: how changes are noted.
        pause: sleeps for so many seconds.
    """

    def __init__(
        self, read: Run[S], write: Run[S], noting: Noting[S], pause: Callable[[float], object]
    ) -> None:
        self._read = read
        self._write = write
        self._noting = noting
        self._pause = pause
        self._unaware: frozenset[str] = frozenset()

    def listen(self) -> int:
        """Have changes written. See `Changes.listen`."""

        def work(session: S) -> bool:
            self._noting.lock(session)
            is_new = not session.fetch_value("listening")
            if is_new:
                self._noting.begin(session)
                session.execute("add_reset")
            session.execute("listen", **_KEPT)
            return is_new

        if self._write(work):
            self._unaware = self._read(self._noting.unaware)
            end = monotonic() + _SURE_WITHIN
            while self._some_are_unaware() and monotonic() < end:
                self._pause(0.01)
        return self._read(lambda session: session.fetch_value("last_position"))

    def read(self, after: int, limit: int) -> Sequence[Change]:
        """Returns changes after a position. See `Changes.read`."""
        if self._unaware and not self._some_are_unaware():
            self._write(self._reset)
        found = self._read(lambda session: self._look(session, after, limit))
        changes = [_change(row) for row in found]
        if not changes or changes[0].position == after + 1:
            return changes
        return [changes[-1]._replace(kind="reset", name="", what="reset", task=None, queue=None)]

    def prune(self) -> None:
        """Forget old changes. See `Changes.prune`."""

        def work(session: S) -> None:
            # A listener that begins meanwhile waits for the lock, and then sees what came of it.
            self._noting.lock(session)
            self._noting.place(session)
            session.execute("drop_changes", **_KEPT, most=MOST_CHANGES_KEPT)
            if session.execute("stop_listening"):
                self._noting.end(session)

        self._write(work)

    def _look(self, session: S, after: int, limit: int) -> Sequence[Row]:
        last = self._noting.place(session)
        if last == after:
            return []
        return session.fetch("read_changes", after=after, limit=limit)

    def _reset(self, session: S) -> None:
        self._noting.lock(session)
        session.execute("add_reset")

    def _some_are_unaware(self) -> bool:
        if self._unaware:
            self._unaware &= self._read(self._noting.unaware)
        return bool(self._unaware)


def _change(row: Row) -> Change:
    position, at, *rest = row
    return Change(position, moment(at), *rest)
