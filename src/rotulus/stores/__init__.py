"""The stores: one folder for each database, all of them held to `rotulus.store`."""

from rotulus.stores._migrations import known_migrations


def sql_script(store: str) -> str:
    """The SQL that makes the tables of a store; `store` is the name of its folder."""
    return "\n".join(f"-- {step.name}\n{step.sql}" for step in known_migrations(store))


__all__ = ["sql_script"]
