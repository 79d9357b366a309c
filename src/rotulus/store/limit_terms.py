"""`LimitTerms`: the terms of keys of limits that are set while workers run."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from rotulus._jobs.record import Micros


class SetTerms(NamedTuple):
    """The terms of a key that stand in place of those that its jobs have.

    Attributes:
        key: the key.
        limit_to: how many of its jobs may run at once, none for 0; None: as each job says.
        rate_to: how many may start within `rate_per`; None: as each job says.
        rate_per: the length of that window, in microseconds.
        set_at: when they were set, in microseconds since 1970.
        set_by: by whom; None: nobody has said.
    """

    key: str
    limit_to: int | None
    rate_to: int | None
    rate_per: Micros | None
    set_at: Micros
    set_by: str | None


class LimitTerms(Protocol):
    """Keeps the terms that are set. Every claim that begins after a call goes by them.

    They hold for all jobs with the key: those that wait, and those that are added later. Jobs that
    run go on, whatever is set, and count; and starts go on counting.
    """

    def set(
        self,
        key: str,
        limit_to: int | None,
        rate_to: int | None = None,
        rate_per: float | None = None,
        by: str | None = None,
    ) -> SetTerms:
        """Set the terms of a key, in place of those that were set before; returns them.

        No earlier start counts for longer than a whole window from now on. Workers that wait
        for jobs look for some again.

        Args:
            key: the key; no job needs to have it yet.
            limit_to: how many may run at once, from 0; as the jobs say unless given.
            rate_to: how many may start within `rate_per`, from 1; as the jobs say unless given.
            rate_per: in seconds; given with `rate_to`, and only then.
            by: who sets them.
        """
        ...

    def unset(self, key: str) -> bool:
        """Have the terms of the jobs hold again; returns whether others were set."""
        ...

    def get(self, key: str) -> SetTerms | None:
        """Returns the terms of a key; None: none are set."""
        ...

    def list(self, most: int = 10_000) -> Sequence[SetTerms]:
        """Returns the terms of all keys that have some, by key; `most` at most."""
        ...
