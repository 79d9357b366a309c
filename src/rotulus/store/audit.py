"""`Audit`: verbs, their actors and counts, written before a verb and completed after it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from rotulus._jobs.record import Json, Micros


class AuditEntry(NamedTuple):
    """What somebody is about to do.

    Attributes:
        actor: who does it.
        door: where: `python`, `cli`, `http`, `mcp` or `django`.
        role: the role that the actor has there; None where no role is asked for.
        verb: the verb with its noun: `jobs.cancel`.
        target: what it is done to, an id or a name; None: several things, which `detail` tells.
        detail: how it was called, as a JSON object.
    """

    actor: str
    door: str
    role: str | None
    verb: str
    target: str | None
    detail: Json


@dataclass(frozen=True, slots=True)
class AuditRow:
    """An entry of the audit as it stands.

    Attributes:
        id: its number. Later entries have greater ones, and none is given twice.
        at: when it began, in microseconds since 1970.
        actor: see `AuditEntry`, as for `door`, `role`, `verb`, `target` and `detail`.
        count: to how many it was done; None while that is not known.
        error: the error that it ended with.
        ended_at: when it ended; None: it has not, or its process died before it could tell.
    """

    id: int
    at: Micros
    actor: str
    door: str
    role: str | None
    verb: str
    target: str | None
    detail: Json
    count: int | None
    error: str | None
    ended_at: Micros | None


class AuditFilter(NamedTuple):
    """Which entries are wanted.

    Attributes:
        since: only what began at this moment or later, in microseconds since 1970.
        actor: only of this actor.
        verb: only of this verb; `jobs.` with a dot at its end: all verbs of that noun.
    """

    since: Micros | None = None
    actor: str | None = None
    verb: str | None = None


class Audit(Protocol):
    """Keeps who has done what, for as long as it is told to."""

    def begin(self, entry: AuditEntry) -> int:
        """Write that something is about to be done; returns the number of the entry."""
        ...

    def end(self, number: int, count: int | None, error: str | None) -> None:
        """Complete an entry. One that has been completed, or is gone, stays as it is.

        Args:
            number: the number of the entry.
            count: to how many it was done; None: that is not known.
            error: the error that it ended with, if it did.
        """
        ...

    def read(
        self, wanted: AuditFilter, limit: int, before: int | None = None
    ) -> Sequence[AuditRow]:
        """Returns entries, the last one first.

        Args:
            wanted: which.
            limit: how many at most.
            before: only those with a smaller number than this.
        """
        ...

    def prune(self, keep: float, limit: int) -> int:
        """Delete entries that began more than so many seconds ago, the first ones first.

        Args:
            keep: the seconds.
            limit: how many at most.

        Returns:
            How many were deleted.
        """
        ...
