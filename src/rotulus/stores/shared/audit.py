"""The audit of a store. See `rotulus.store.Audit`."""

from collections.abc import Callable, Sequence
from typing import Any

from rotulus.store.audit import AuditEntry, AuditFilter, AuditRow
from rotulus.stores._columns import span
from rotulus.stores.shared.session import Session

Run = Callable[[Callable[[Session], Any]], Any]

_AFTER_ALL = 2**63 - 1
"""A number that no entry gets."""

_OUT_OF_ORDER = 1000
"""Entries that begin at nearly the same moment are numbered in any order: by how much at most."""


class SharedAudit:
    """The audit: each verb, its actor, its target, and how many it changed.

    Args:
        read: runs a call that reads.
        write: runs a call that writes, in a transaction.
    """

    def __init__(self, read: Run, write: Run) -> None:
        self._read = read
        self._write = write

    def begin(self, entry: AuditEntry) -> int:
        """Write what is about to be done. See `Audit.begin`."""
        return self._write(lambda session: session.fetch_value("begin_audit", **entry._asdict()))

    def end(self, number: int, count: int | None, error: str | None) -> None:
        """Complete an entry. See `Audit.end`."""
        told = {"number": number, "count": count, "error": error}
        self._write(lambda session: session.execute("end_audit", **told))

    def read(
        self, wanted: AuditFilter, limit: int, before: int | None = None
    ) -> Sequence[AuditRow]:
        """Returns entries, the last one first. See `Audit.read`."""
        found = self._read(lambda session: _find(session, wanted, limit, before))
        return [AuditRow(*row) for row in found]

    def prune(self, keep: float, limit: int) -> int:
        """Delete old entries. See `Audit.prune`."""
        old = {"kept": span(keep), "limit": limit}
        return self._write(lambda session: session.execute("prune_audit", **old))


def _find(session: Session, wanted: AuditFilter, limit: int, before: int | None) -> Any:
    """The rows that match, by the index of what is asked for."""
    first = 0
    if wanted.since is not None:
        last_before = session.fetch_value("audit_before", since=wanted.since)
        first = 0 if last_before is None else last_before - _OUT_OF_ORDER
    page: dict[str, Any] = {"first": first, "before": before or _AFTER_ALL}
    page |= {"since": wanted.since or 0, "limit": limit}
    verb, noun = wanted.verb, None
    if verb is not None and verb.endswith("."):
        verb, noun = None, verb
    if wanted.actor is not None:
        return session.fetch("audit_of_actor", actor=wanted.actor, verb=verb, noun=noun, **page)
    if verb is not None:
        return session.fetch("audit_of_verb", verb=verb, **page)
    return session.fetch("audit", noun=noun, **page)
