"""The tables of this version in a PostgreSQL database, without a store."""

from rotulus.stores._migrations import known_migrations
from rotulus.stores.postgres.indexes import index_statements


def make_tables(connection):
    """Make them, with their indexes; the connection has no transaction open."""
    for step in known_migrations("postgres"):
        connection.execute(step.sql)
    for statement in index_statements(None):
        connection.execute(statement)
