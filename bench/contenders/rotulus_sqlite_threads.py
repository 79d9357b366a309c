"""Rotulus on a SQLite file, with plain functions, which run in threads."""

import contender
import rotulus_sqlite

from rotulus import task


@task(registry=rotulus_sqlite.registry)
def plain(number: int) -> int:
    """The job."""
    contender.mark(number)
    return number


class Plain(rotulus_sqlite.Rotulus):
    """The same with plain functions."""

    def enqueue(self, number):
        plain.enqueue(number)

    def enqueue_many(self, numbers):
        plain.enqueue_many(numbers)


if __name__ == "__main__":
    contender.main(Plain())
