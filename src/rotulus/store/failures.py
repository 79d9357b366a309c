"""`Failures`: jobs that failed or died, in groups of one cause."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from rotulus._jobs.record import JobRecord


class FailureFilter(NamedTuple):
    """Which failure groups are wanted.

    Attributes:
        since: only failures from this moment on, in microseconds since 1970.
        task: only failures of this task; with a `*` at its end: of those that begin so.
    """

    since: int | None = None
    task: str | None = None


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Jobs that failed or died with one fingerprint.

    Attributes:
        fingerprint: the fingerprint.
        count: how many there are; of more than was asked for, one more than that.
        first: when the first of them ended, in microseconds since 1970.
        last: when the last of them did.
        tasks: the tasks that they are of, in order.
        example: the last of them.
    """

    fingerprint: str
    count: int
    first: int
    last: int
    tasks: Sequence[str]
    example: JobRecord


class FailureMember(NamedTuple):
    """A job of a failure group, and its place there."""

    task: str
    ended_at: int
    id: str


class Failures(Protocol):
    """Finds the jobs that failed or died by their fingerprints.

    A job that is retried leaves its group, and one that is deleted does, too.
    """

    def groups(self, wanted: FailureFilter, limit: int, most: int) -> list[FailureGroup]:
        """Returns the groups in which jobs failed, the one that failed last first.

        Args:
            wanted: which failures count.
            limit: how many groups at most.
            most: up to how many jobs of each are counted.
        """
        ...

    def group(self, fingerprint: str, most: int) -> FailureGroup | None:
        """Returns one group; None when no job has failed so."""
        ...

    def latest(self, limit: int) -> list[JobRecord]:
        """Returns the jobs that failed or died last, the one that ended last first."""
        ...

    def members(
        self, fingerprint: str, until: int, limit: int, after: FailureMember | None = None
    ) -> list[FailureMember]:
        """Returns jobs of a group, in their order there.

        Args:
            fingerprint: the group.
            until: only jobs that ended no later than this moment.
            limit: how many at most.
            after: the last one of the page before.
        """
        ...
