"""`Stats`: the outcomes of attempts, and how long they waited and ran, minute by minute."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

BOUNDS = (
    *(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5),
    *(1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0),
)
"""Seconds: each bucket of a histogram ends below one of these, and the last one has no end."""

ENQUEUED = "enqueued"
"""The outcome under which new jobs are counted. They have waited and run for no time."""

MINUTE, QUARTER, HOUR = 60, 900, 3600
"""The spans that are counted, in seconds: each attempt is counted in all three.

After two days only hours are left of them. What is older than hours are kept is added up to weeks,
which only `Stats.totals` reads.
"""

ALL_TIMES = HOUR * 1_000_000 << 20
"""A step that contains all that is ever counted, in microseconds."""

Group = Literal["outcome", "task", "queue"]


class StatFilter(NamedTuple):
    """Which statistics are wanted.

    Attributes:
        since: the moment from which, in microseconds since 1970: a whole step.
        until: the moment until which.
        step: the length of a step, in microseconds: a multiple of a minute, or of an hour where
            only hours are left.
        task: only this task.
        queue: only this queue.
        by: the task or the queue, to tell these apart beside the outcome.
        times: whether times are wanted, too. Without them all sums, maxima and buckets are 0.
    """

    since: int
    until: int
    step: int
    task: str | None = None
    queue: str | None = None
    by: Group = "outcome"
    times: bool = True


@dataclass(frozen=True, slots=True)
class Stat:
    """The attempts of one step that came to one outcome.

    Attributes:
        at: when the step began, in microseconds since 1970.
        name: the task or the queue, where these are told apart, else "".
        outcome: their outcome, a word of `outcome_word`; or `enqueued`.
        count: how many there were.
        wait_sum: how long they waited after they were due, together, in microseconds.
        wait_max: the longest wait.
        run_sum: how long they ran, together, in microseconds.
        run_max: the longest run.
        waits: how many waits fell into each bucket of `BOUNDS`.
        runs: how many runs did.
    """

    at: int
    name: str
    outcome: str
    count: int
    wait_sum: int
    wait_max: int
    run_sum: int
    run_max: int
    waits: Sequence[int]
    runs: Sequence[int]


class Total(NamedTuple):
    """The attempts of one task and queue that came to one outcome, ever since or in some time."""

    task: str
    queue: str
    stat: Stat


class Stats(Protocol):
    """Counts attempts in the transaction that settles them, and jobs in the one that adds them.

    So each is counted once, whatever happens to its worker. An attempt that was claimed and has
    not begun is not counted. Statistics outlive the jobs.
    """

    def read(self, wanted: StatFilter) -> list[Stat]:
        """Returns the statistics of each step, the first one first; empty steps are left out."""
        ...

    def totals(self, since: int, until: int) -> list[Total]:
        """Returns the sums of each task, queue and outcome from one moment until another.

        From the beginning of all times on, they never become less: what is too old to be told by
        the hour is among them.
        """
        ...

    def moment(self) -> int:
        """Returns the present moment of the store, in microseconds since 1970."""
        ...

    def fold(self, minutes: float, hours: float) -> None:
        """Bring counts to their place, and add old hours up to weeks, which `read` does not know.

        Args:
            minutes: seconds for which minutes are kept as such.
            hours: seconds for which hours are kept.
        """
        ...
