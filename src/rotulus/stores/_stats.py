"""The columns of statistics, and the SQL that is made of them."""

from collections.abc import Iterable, Sequence
from typing import Any

from rotulus.store.stats import BOUNDS, Stat
from rotulus.stores._columns import SECOND

_ENDS = [round(bound * SECOND) for bound in BOUNDS]
_BUCKETS = range(len(_ENDS) + 1)
_SUMS = ("count", "wait_sum", "run_sum")
_MAXIMA = ("wait_max", "run_max")
_WAITS = tuple(f"waits_{place}" for place in _BUCKETS)
_RUNS = tuple(f"runs_{place}" for place in _BUCKETS)

KEY = ("at", "task", "queue", "outcome")
"""What is told apart."""

VALUES = (*_SUMS, *_MAXIMA, *_WAITS, *_RUNS)
"""What is counted."""


def stat_pieces(greatest: str) -> dict[str, str]:
    """Returns the pieces of SQL: see the names.

    Args:
        greatest: the function that returns the greater of two values: `max` or `greatest`.
    """
    merged = [
        f"{name} = {greatest}(known.{name}, excluded.{name})"
        if name in _MAXIMA
        else f"{name} = known.{name} + excluded.{name}"
        for name in VALUES
    ]
    sums = [
        f"max({name}) AS {name}" if name in _MAXIMA else f"sum({name}) AS {name}" for name in VALUES
    ]
    return {
        "stat_columns": ", ".join((*KEY, *VALUES)),
        "stat_key": ", ".join(KEY),
        "stat_bucketed": _BUCKETED,
        "stat_counts": ", ".join(_counts()),
        "stat_sums": ", ".join(sums),
        "stat_merged": ", ".join(merged),
        "wait_bucket": _bucket("wait"),
        "run_bucket": _bucket("run"),
    }


def read_stats(rows: Iterable[Sequence[Any]]) -> list[Stat]:
    """Statistics from rows of a step, a name, an outcome and `VALUES`."""
    return [_read(*row) for row in rows]


def read_counts(rows: Iterable[Sequence[Any]]) -> list[Stat]:
    """Statistics without times from rows of a step, a name, an outcome and a count."""
    empty = (0,) * len(_WAITS)
    return [
        Stat(at, name, outcome, int(count), 0, 0, 0, 0, empty, empty)
        for at, name, outcome, count in rows
    ]


def _read(at: int, name: str, outcome: str, *values: int) -> Stat:
    found = dict(zip(VALUES, map(int, values), strict=True))
    alone = {name: found[name] for name in (*_SUMS, *_MAXIMA)}
    waits, runs = [found[name] for name in _WAITS], [found[name] for name in _RUNS]
    return Stat(at, name, outcome, **alone, waits=waits, runs=runs)


_BUCKETED = (
    "sum(count) AS many, sum(wait) AS wait_sum, sum(run) AS run_sum, "
    "max(wait) AS wait_max, max(run) AS run_max"
)
"""What is counted of attempts in the same buckets, which are few."""


def _counts() -> list[str]:
    """What is counted of attempts that stand together by bucket: `VALUES`, of the types of columns.

    With other types, PostgreSQL would convert each row that is read together with these.
    """
    kinds = (("wait", _WAITS), ("run", _RUNS))
    buckets = [
        f"CAST(coalesce(sum(many) FILTER (WHERE {kind}_bucket = {place}), 0) AS integer) AS {name}"
        for kind, names in kinds
        for place, name in enumerate(names)
    ]
    sums = [f"CAST(coalesce(sum({name}), 0) AS bigint) AS {name}" for name in _SUMS[1:]]
    maxima = [f"coalesce(max({name}), 0) AS {name}" for name in _MAXIMA]
    return ["CAST(sum(many) AS bigint) AS count", *sums, *maxima, *buckets]


def _bucket(length: str) -> str:
    """The place of the bucket of a length of time in microseconds; new jobs have none."""
    whens = [f"WHEN {length} < {end} THEN {place}" for place, end in enumerate(_ENDS)]
    return f"CASE {' '.join(whens)} WHEN {length} IS NOT NULL THEN {len(_ENDS)} END"
