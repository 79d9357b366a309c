"""The deadline of the service's own calls to its database."""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

from rotulus._time.clock import monotonic

_END: ContextVar[float | None] = ContextVar("rotulus.service.database_deadline", default=None)


@contextmanager
def answered_within(seconds: float) -> Generator[None, None, None]:
    """Set a deadline for all database calls of the block: so many seconds from now."""
    before = _END.set(monotonic() + seconds)
    try:
        yield
    finally:
        _END.reset(before)


def time_left() -> float | None:
    """Returns the seconds until the deadline; None: there is no deadline here."""
    end = _END.get()
    return None if end is None else end - monotonic()
