"""The factory, with a schedule that is due at once."""

from factory import app

from rotulus import scheduled

__all__ = ["app"]


@scheduled(every=1)
def tick() -> None:
    """Nothing but come."""
