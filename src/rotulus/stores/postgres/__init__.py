"""The PostgreSQL store: any number of machines, one database."""

from rotulus.stores.postgres.address import read_address
from rotulus.stores.postgres.store import PostgresStore

__all__ = ["PostgresStore", "read_address"]
