"""The terms of limits that are set in a store. See `rotulus.store.LimitTerms`."""

from collections.abc import Callable, Sequence
from typing import Any

from rotulus._text.names import is_storable
from rotulus.store.limit_terms import SetTerms
from rotulus.stores._columns import span
from rotulus.stores.shared.session import Session

Run = Callable[[Callable[[Session], Any]], Any]


class SharedLimitTerms:
    """The terms that stand in place of those of jobs.

    Args:
        read: runs a call that reads.
        write: runs a call that writes, in a transaction.
        tell: wakes those who wait for work.
    """

    def __init__(self, read: Run, write: Run, tell: Callable[[], object]) -> None:
        self._read = read
        self._write = write
        self._tell = tell

    def set(
        self,
        key: str,
        limit_to: int | None,
        rate_to: int | None = None,
        rate_per: float | None = None,
        by: str | None = None,
    ) -> SetTerms:
        """Set the terms of a key. See `LimitTerms.set`."""
        told = {"limit_to": limit_to, "rate_to": rate_to, "rate_per": span(rate_per), "by": by}

        def work(session: Session) -> SetTerms:
            session.lock_limits([key])
            before = _terms(session, key)
            [row] = session.fetch("set_limit_terms", key=key, **told)
            terms = SetTerms._make(row)
            _changed(session, before, terms)
            return terms

        terms = self._write(work)
        self._tell()
        return terms

    def unset(self, key: str) -> bool:
        """Have the terms of the jobs hold again. See `LimitTerms.unset`."""
        if not is_storable(key):
            return False

        def work(session: Session) -> bool:
            session.lock_limits([key])
            before = _terms(session, key)
            if before is None:
                return False
            session.execute("unset_limit_terms", key=key)
            _changed(session, before)
            return True

        unset = self._write(work)
        if unset:
            self._tell()
        return unset

    def get(self, key: str) -> SetTerms | None:
        """Returns the terms of a key. See `LimitTerms.get`."""
        if not is_storable(key):
            return None
        return self._read(lambda session: _terms(session, key))

    def list(self, most: int = 10_000) -> Sequence[SetTerms]:
        """Returns the terms of all keys. See `LimitTerms.list`."""
        found = self._read(lambda session: session.fetch("all_limit_terms", most=most))
        return list(map(SetTerms._make, found))


def _terms(session: Session, key: str) -> SetTerms | None:
    found = session.fetch("limit_terms_of", key=key)
    return SetTerms._make(found[0]) if found else None


def _changed(session: Session, *terms: SetTerms | None) -> None:
    """Have claims look at a key again, whose terms were, and are now, these.

    Its lock is held, so no start is counted meanwhile. Where no job tells the window, the next one
    with a rate may have any: all starts are forgotten, so that none counts for longer than that.
    """
    known = [one for one in terms if one is not None]
    key = known[0].key
    if any(one.rate_per is not None for one in known):
        window = session.fetch_value("rate_window", key=key)
        until = session.fetch_value("window_end", window=window or 0)
        if window is not None:
            session.execute("gather_late_starts", key=key, until=until)
        session.execute("forget_late_starts", key=key, until=until)
    session.execute("tell_limit_changed", key=key)
