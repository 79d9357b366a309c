"""The SQLite store: one file, one writer at a time, nothing to install."""

from rotulus.stores.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
