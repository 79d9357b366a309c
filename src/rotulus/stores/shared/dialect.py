"""The words that differ between databases, in statements that are written once.

`{now}` in such a statement is the present moment, `{job}` the column by which other tables know a
job, `{id}` the type of its id, and `{join}` a join that SQLite performs in the order of the text.

Of a parameter that holds many values, such as `ids`, `{each_ids}` is a table with the column
`value`. `{in_ids}` follows what is to be one of the values. `{any_ids}` is whether none are given,
which means any.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from rotulus.stores._statements import load_statements

LISTS = {
    "ids": "id",
    "runs": "id",
    "jobs": "job",
    "back": "job",
    "keys": "str",
    "queues": "str",
    "names": "str",
    "states": "str",
    "labels": "str",
}
"""The parameters that hold many values, and the kind of each: `job` is what `{job}` holds."""


class Dialect(NamedTuple):
    """The words of a database.

    Attributes:
        now: the present moment, in microseconds since 1970.
        job: the column by which other tables know a job.
        join: a join whose order is kept, where the database would choose a worse one.
        greatest: the function that gives the greatest of several values.
        each: a table with the values of a parameter; `{name}` is its name, `{type}` their type.
        within: the condition to be one of these values.
        absent: the condition that there are none.
        alive: the condition that the lease of a worker is not over.
        types: the type of each kind of values.
    """

    now: str
    job: str
    join: str
    greatest: str
    each: str
    within: str
    absent: str
    alive: str
    types: Mapping[str, str]


def load(own: Path, dialect: Dialect, made: Mapping[str, str]) -> Mapping[str, str]:
    """The statements of a database, by name: those for all, and its own.

    Args:
        own: the folder of its own.
        dialect: its words.
        made: the lists of columns as it writes them.
    """
    words = {
        "now": dialect.now,
        "job": dialect.job,
        "join": dialect.join,
        "greatest": dialect.greatest,
        "alive": dialect.alive,
        "id": dialect.types["id"],
    }
    for name, kind in LISTS.items():
        values = {"name": name, "type": dialect.types[kind]}
        words[f"each_{name}"] = dialect.each.format(**values)
        words[f"in_{name}"] = dialect.within.format(**values)
        words[f"any_{name}"] = dialect.absent.format(**values)
    shared = Path(__file__).with_name("statements")
    return load_statements(shared, own, made={**words, **made})
