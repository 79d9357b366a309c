"""`Schedules`: what is fired when, kept in the store, and changed while workers run."""

from collections.abc import Collection, Sequence
from typing import NamedTuple, Protocol

from rotulus._jobs.record import JobRecord, Json, Micros
from rotulus.store.values import NewJob

CODE = "code"
"""The origin of schedules that programs declare in their code."""

ADDED = "added"
"""The origin of schedules that somebody has added."""


class ScheduleEntry(NamedTuple):
    """What a schedule says.

    Attributes:
        name: its name, unique in the store.
        cron: its expression; an interval is `@every 90s`.
        timezone: its zone.
        task: the task it fires; None: the one of its name.
        arguments: what the task is called with, as a JSON object.
        missed: the policy for missed instants.
        overlap: `allow`, or `skip`.
        spread: its jobs are due within that time after their instants.
        start_at: no instant is before.
        end_at: no instant is after.
    """

    name: str
    cron: str
    timezone: str
    task: str | None = None
    arguments: Json = "{}"
    missed: str = "latest"
    overlap: str = "allow"
    spread: Micros = 0
    start_at: Micros | None = None
    end_at: Micros | None = None


class ScheduleRow(NamedTuple):
    """A schedule as it stands in the store.

    Attributes:
        name: as in `ScheduleEntry`, and so are the next ones.
        origin: `code`, or `added`.
        since: it stands so since then: instants up to here are none of its business.
        paused_at: since when it is paused; None: it is not.
        declared_at: when a program had it in its code last; None: none does.
        created_at: when it was made.
        fired_to: instants up to here have been dealt with.
        version: one more with each change.
        changed: the number of its last change among those of all schedules.
        last_jobs: the ids of the jobs that it fired last, or had not ended then, as a JSON array.
    """

    name: str
    cron: str
    timezone: str
    task: str | None
    arguments: Json
    missed: str
    overlap: str
    spread: Micros
    start_at: Micros | None
    end_at: Micros | None
    origin: str
    since: Micros
    paused_at: Micros | None
    declared_at: Micros | None
    created_at: Micros | None
    fired_to: Micros
    version: int
    changed: Micros
    last_jobs: Json

    @property
    def entry(self) -> ScheduleEntry:
        """What it says."""
        return ScheduleEntry._make(self[: len(ScheduleEntry._fields)])


class Fired(NamedTuple):
    """What came of firing instants.

    Attributes:
        row: the schedule as it stands now; None: there is none of that name any more.
        jobs: the jobs, in the order given; where a key was held, its holder. Fewer, or none, when
            an earlier job has not ended and the schedule skips then. None: the schedule is not the
            one that the caller saw, and nothing was fired.
    """

    row: ScheduleRow | None
    jobs: list[JobRecord] | None


class Schedules(Protocol):
    """The schedules of a store. Each call is one transaction.

    A change of what a schedule says raises its `version`. If it changes the instants, or resumes
    the schedule, it stands since then, and does not fire for the time before.
    """

    def read(self, names: Collection[str] | None = None) -> list[ScheduleRow]:
        """Returns the schedules with these names, or all of them, in the order of their names."""
        ...

    def last(self, names: Collection[str]) -> dict[str, JobRecord]:
        """Returns the job of each of these schedules that was added last, by the schedule."""
        ...

    def changed(self, after: Micros) -> list[ScheduleRow]:
        """Returns the schedules whose `changed` is later, in that order; all of them after -1.

        What is removed is not among them: firing it is refused.
        """
        ...

    def declare(self, entries: Collection[ScheduleEntry], patience: float = 0.0) -> None:
        """Have these schedules as programs have them in their code.

        A schedule that stands there otherwise is changed, unless another program has declared it so
        within the last `patience` seconds. One that was added under the name becomes this one. One
        that is paused stays so.
        """
        ...

    def add(self, entry: ScheduleEntry) -> ScheduleRow | None:
        """Add a schedule, which stands since now; None: the name is taken."""
        ...

    def set(self, entry: ScheduleEntry, version: int) -> ScheduleRow | None:
        """Change what a schedule says; None: there is none of that name and version."""
        ...

    def pause(self, name: str, paused: bool) -> ScheduleRow | None:
        """Pause a schedule, or resume it; None: there is none. Done twice, it changes nothing."""
        ...

    def remove(self, name: str, version: int) -> bool:
        """Remove a schedule; False: there is none of that name and version. Its jobs stay."""
        ...

    def fire(self, seen: ScheduleRow, until: Micros, jobs: Sequence[NewJob]) -> Fired:
        """Add jobs for instants of a schedule, and remember that those `until` are dealt with.

        This is the fence of schedules: nothing happens unless the schedule is as the caller has
        `seen` it, in what it says, in the instants that are dealt with, and not paused. So of
        several callers one fires, and none fires what has been changed, paused or removed.

        Nothing is added when the schedule skips and one of its `last_jobs` has not ended.
        """
        ...

    def run(self, name: str, job: NewJob) -> JobRecord | None:
        """Add a job that is fired by hand, also while paused; None: there is no such schedule."""
        ...
