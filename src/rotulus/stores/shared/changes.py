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

_PORTION = 10_000
"""How many changes one statement moves: a backlog takes longer than a statement may."""

_MOST_PORTIONS = 20
"""How many portions get positions in a row: changes may come faster than that."""


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

    def place(self, session: S_contra, most: int) -> int:
        """Give positions to what has been noted, in order, to so many at most; how many."""
        ...

    def follow(self, session: S_contra, after: int, limit: int, most: int) -> Sequence[Row] | None:
        """Return what follows a position, and give positions to what has been noted.

        Args:
            session: a session, in a transaction.
            after: the position.
            limit: how many changes are wanted.
            most: to how many a position is given.

        Returns:
            The changes, as `read_changes` has them; None: there are more than that to place, or
            something seems to be missing, so that a second look is needed.
        """
        ...

    def discard(self, session: S_contra, most: int) -> int:
        """Forget some of what has been noted, and has no position; how much."""
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
        if not self._read(_is_heard):
            self._discard()

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
        found = self._read(lambda session: self._noting.follow(session, after, limit, _PORTION))
        if found is None:
            self._place()
            found = self._read(
                lambda session: session.fetch("read_changes", after=after, limit=limit)
            )
        changes = [_change(row) for row in found]
        if not changes or changes[0].position == after + 1:
            return changes
        return [changes[-1]._replace(kind="reset", name="", what="reset", task=None, queue=None)]

    def prune(self) -> None:
        """Forget old changes. See `Changes.prune`."""
        self._write(self._stop_unheard)
        if self._read(_is_heard):
            self._place()
        else:
            self._discard()
        while self._write(self._drop) == _PORTION:
            pass

    def _place(self) -> None:
        """Give positions to what is noted."""
        for _ in range(_MOST_PORTIONS):
            if self._read(lambda session: self._noting.place(session, _PORTION)) < _PORTION:
                return

    def _stop_unheard(self, session: S) -> None:
        """Stop if nobody has listened for long: others that begin to meanwhile wait for this."""
        self._noting.lock(session)
        if session.execute("stop_listening"):
            self._noting.end(session)

    def _drop(self, session: S) -> int:
        return session.execute("drop_changes", **_KEPT, most=MOST_CHANGES_KEPT, portion=_PORTION)

    def _discard(self) -> None:
        """Forget what was noted for nobody: whoever begins to listen is told a reset."""

        def work(session: S) -> int:
            self._noting.lock(session)
            if session.fetch_value("listening"):
                return 0
            return self._noting.discard(session, _PORTION)

        while self._write(work) == _PORTION:
            pass

    def _reset(self, session: S) -> None:
        self._noting.lock(session)
        session.execute("add_reset")

    def _some_are_unaware(self) -> bool:
        if self._unaware:
            self._unaware &= self._read(self._noting.unaware)
        return bool(self._unaware)


def _is_heard(session: Session) -> bool:
    """Whether somebody listens."""
    return bool(session.fetch_value("listening"))


def _change(row: Row) -> Change:
    position, at, *rest = row
    return Change(position, moment(at), *rest)
