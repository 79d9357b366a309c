"""`manage.py flush`, and the end of each `TransactionTestCase`: our tables are emptied, too.

Django empties the tables of the models that it manages. Ours are made by migrations of the store.
"""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from django.core.management.commands import flush
from django.db import connections

_LEDGER = "rotulus_migrations"
"""The migrations that have been applied, which stay applied."""


class Command(flush.Command):
    """Django's own command, which empties the tables of Rotulus together with the others."""

    def handle(self, **options: Any) -> None:
        """Empty the tables, after a confirmation."""
        with _ours_among_them(connections[options["database"]]):
            super().handle(**options)


@contextmanager
def _ours_among_them(connection: Any) -> Generator[None, None, None]:
    """Have Django treat our tables as tables of its models."""
    inspector = connection.introspection
    of_models = inspector.django_table_names

    def table_names(*args: Any, **kwargs: Any) -> list[str]:
        there = inspector.table_names()
        ours = [name for name in there if name.startswith("rotulus_") and name != _LEDGER]
        return [*of_models(*args, **kwargs), *ours]

    inspector.django_table_names = table_names
    try:
        yield
    finally:
        del inspector.django_table_names
