"""`Failures`: jobs that failed or died, in groups of one cause."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from rotulus._jobs.record import JobRecord, Micros


class FailureFilter(NamedTuple):
    """Which failure groups are wanted.

    Attributes:
        since: only failures from this moment on, in microseconds since 1970.
        task: only failures of this task; with a `*` at its end: of those that begin so.
        muted: only groups that are muted, or only those that are not; None: all.
    """

    since: int | None = None
    task: str | None = None
    muted: bool | None = None


class Mute(NamedTuple):
    """A failure group is no news for a time.

    Attributes:
        fingerprint: the fingerprint of the group.
        until: the moment from which it is news again, in microseconds since 1970; None: never.
        muted_at: when it was muted.
        muted_by: the name of the actor; None: nobody has said.
        note: why; None: nobody has said.
    """

    fingerprint: str
    until: Micros | None
    muted_at: Micros
    muted_by: str | None
    note: str | None


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
        mute: the mute of the group that holds now; None: it is not muted.
    """

    fingerprint: str
    count: int
    first: int
    last: int
    tasks: Sequence[str]
    example: JobRecord
    mute: Mute | None = None


class FailureMember(NamedTuple):
    """A job of a failure group, and its place there."""

    task: str
    ended_at: int
    id: str


class Failures(Protocol):
    """Finds the jobs that failed or died by their fingerprints, and keeps what is muted.

    A job that is retried leaves its group, and one that is deleted does, too. The clock of the
    store decides which mutes hold.
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

    def mutes(self) -> list[Mute]:
        """Returns the mutes that hold now, by fingerprint, also of groups without jobs."""
        ...

    def mute(
        self, fingerprint: str, until: Micros | None, by: str | None, note: str | None
    ) -> Mute | None:
        """Mute a failure group, whether jobs are in it now or not, in place of an earlier mute.

        Mutes that are over are deleted meanwhile.

        Args:
            fingerprint: the group.
            until: the moment from which it is news again; None: never.
            by: the name of the actor.
            note: why.

        Returns:
            The mute; None: the moment is over, and nothing was done.
        """
        ...

    def unmute(self, fingerprint: str) -> bool:
        """End the mute of a failure group; returns whether one held."""
        ...
