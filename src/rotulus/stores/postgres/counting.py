"""Brings counted attempts and new jobs to their place in the statistics, in a transaction."""

from rotulus.stores.shared.session import Session


def gather(session: Session) -> bool:
    """Bring counts to their place; False: another process does that now."""
    if not session.fetch_value("lock_stats"):
        return False
    session.execute("fold_new")
    return True
