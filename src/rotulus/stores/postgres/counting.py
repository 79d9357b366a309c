"""Brings counted attempts and new jobs to their place in the statistics, in a transaction."""

from rotulus.stores.shared.session import Session


def gather(session: Session, most: int) -> int | None:
    """Bring counts to their place; how many, or None: another process does that now."""
    if not session.fetch_value("lock_stats"):
        return None
    return session.fetch_value("fold_new", most=most)
