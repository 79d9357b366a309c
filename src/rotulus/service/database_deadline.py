"""Until when a call of the service itself has to be answered by its database."""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

from rotulus._time.clock import monotonic

_END: ContextVar[float | None] = ContextVar("rotulus.service.database_deadline", default=None)


@contextmanager
def answered_within(seconds: float) -> Generator[None, None, None]:
    """Give what the block asks of a database an end: so many seconds from now, all together."""
    before = _END.set(monotonic() + seconds)
    try:
        yield
    finally:
        _END.reset(before)


def time_left() -> float | None:
    """Seconds until the end of the block; None: it is no such block, and may take its time."""
    end = _END.get()
    return None if end is None else end - monotonic()
