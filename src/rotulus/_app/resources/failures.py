"""The failures of an app: jobs that failed or died, in groups of one cause."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from rotulus._app.actor import current_actor
from rotulus._app.auditing import count_done
from rotulus._app.port import AppPort
from rotulus._app.resources.bulk import DELETE, RETRY, Verb, trial
from rotulus._app.resources.job_count import MOST_COUNTED, JobCount
from rotulus._app.resources.mutes import (
    MuteInfo,
    Until,
    check_note,
    is_over,
    mute_info,
    read_until,
)
from rotulus._app.resources.steering import steers
from rotulus._app.resources.where import (
    Since,
    check_flag,
    check_limit,
    check_task_filter,
    read_since,
)
from rotulus._concurrency.pool import off_loop
from rotulus._jobs.fingerprint import check_fingerprint
from rotulus._jobs.job import Job
from rotulus._jobs.outcome import ErrorInfo, plain_error
from rotulus._jobs.record import micros, moment
from rotulus.errors import JobNotFoundError
from rotulus.store import FailureFilter
from rotulus.store import FailureGroup as Group

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Jobs that failed or died with one fingerprint: of one kind of error, raised in one place.

    Attributes:
        fingerprint: twelve hexadecimal digits.
        error: the error of the last of them.
        count: how many there are; beyond 10,000 they are not counted.
        first_seen: when the first of them ended.
        last_seen: when the last of them did.
        tasks: the tasks that they are of.
        example: the last of them.
        mute: until when, by whom and why it is muted; None: it is not.
    """

    fingerprint: str
    error: ErrorInfo
    count: JobCount
    first_seen: datetime
    last_seen: datetime
    tasks: tuple[str, ...]
    example: Job[Any]
    mute: MuteInfo | None = None

    def to_dict(self) -> dict[str, Any]:
        """Returns its attributes by name, as JSON data; its times are ISO 8601 text."""
        return {
            "fingerprint": self.fingerprint,
            "error": {"type": self.error.type, "message": self.error.message},
            "count": int(min(self.count, MOST_COUNTED)),
            "exact": self.count.exact,
            "first_seen": self.first_seen.isoformat(),
            "last_seen": self.last_seen.isoformat(),
            "tasks": list(self.tasks),
            "example": self.example.id,
            "mute": self.mute and self.mute.to_dict(),
        }


class Failures:
    """`app.failures`: the jobs that failed or died, by what they failed of.

    The fingerprint of a failure is made of the type of the error and of the functions that it came
    through, without lines and messages. A job that is retried is in no group until it fails again.
    Each verb also has a form with an `a` in front.

    Args:
        port: gives the port of the app that answers.
    """

    def __init__(self, port: Callable[[], AppPort]) -> None:
        self._port = port

    def groups(
        self,
        *,
        since: Since | None = None,
        task: str | None = None,
        muted: bool | None = None,
        limit: int = 50,
    ) -> list[FailureGroup]:
        """Returns the groups of failures, the one that was seen last first.

        It takes as long as there are groups, however many jobs have failed.

        Args:
            since: only failures from this moment on, or from so many seconds ago.
            task: only failures of this task; `mail.*`: of those whose names begin so.
            muted: True: only groups that are muted; False: only those that are not.
            limit: at most so many groups.

        Raises:
            OptionError: an argument is not allowed.
        """
        port = self._port()
        if task is not None:
            check_task_filter(task)
        begin = None if since is None else micros(read_since(since, "since", port.now()))
        if muted is not None:
            check_flag("muted", muted)
        wanted = FailureFilter(begin, task, muted)
        found = port.store().failures.groups(wanted, check_limit(limit), MOST_COUNTED)
        return [_read(group, port) for group in found]

    def get(self, fingerprint: str) -> FailureGroup:
        """Returns one group.

        Args:
            fingerprint: its fingerprint, as `job.error.fingerprint` has it.

        Raises:
            JobNotFoundError: no job that is kept has failed so, or all were retried.
            OptionError: it is no fingerprint.
        """
        port = self._port()
        found = port.store().failures.group(check_fingerprint(fingerprint), MOST_COUNTED)
        if found is None:
            raise JobNotFoundError(
                f"No failed job has the fingerprint {fingerprint}: they were retried or deleted; "
                f"'rotulus failures' shows those that there are"
            )
        return _read(found, port)

    def latest(self, *, limit: int = 50) -> list[Job[Any]]:
        """Returns the jobs that failed or died last, the one that ended last first.

        It takes no longer however many jobs have failed. Raises `OptionError` for a wrong limit.
        """
        port = self._port()
        return [Job(record, port) for record in port.store().failures.latest(check_limit(limit))]

    @steers("failures.retry")
    def retry(self, fingerprint: str, *, dry_run: bool = False) -> int:
        """Send the jobs of a group back to their queues, 500 at a time.

        Those that fail again meanwhile are left alone.

        Args:
            fingerprint: the group.
            dry_run: change nothing, and count the jobs that would be sent back.

        Returns:
            How many were sent back.

        Raises:
            OptionError: it is no fingerprint.
        """
        return self._each_page(RETRY, fingerprint, dry_run=dry_run)

    @steers("failures.delete")
    def delete(self, fingerprint: str, *, dry_run: bool = False) -> int:
        """Delete the jobs of a group, 500 at a time; steps of runs are left.

        Args:
            fingerprint: the group.
            dry_run: change nothing, and count the jobs that would be deleted.

        Returns:
            How many were deleted.

        Raises:
            OptionError: it is no fingerprint.
        """
        return self._each_page(DELETE, fingerprint, dry_run=dry_run)

    @steers("failures.mute")
    def mute(
        self, fingerprint: str, *, until: Until | None = None, note: str | None = None
    ) -> MuteInfo:
        """Have a group be no news for a time: webhooks are not told of its jobs any more.

        Its jobs fail, are counted and are kept as before. A group may be muted before jobs are in
        it. What is muted already is muted anew.

        Args:
            fingerprint: the group.
            until: until which moment; or for how long, in seconds or as a timedelta. For good
                unless given. Then the group is news again by itself.
            note: why, in up to 500 characters.

        Returns:
            The mute.

        Raises:
            OptionError: it is no fingerprint, the moment is over, or the note is too long.
        """
        port, actor = self._port(), current_actor()
        check_fingerprint(fingerprint)
        said = check_note(note)
        store = port.store()
        end = read_until(until, store.stats.moment())
        made = store.failures.mute(fingerprint, end, None if actor is None else actor.name, said)
        if made is None:
            raise is_over(until)
        return mute_info(made)

    @steers("failures.unmute")
    def unmute(self, fingerprint: str) -> bool:
        """Have a group be news again. Returns whether it was muted.

        Raises:
            OptionError: it is no fingerprint.
        """
        return self._port().store().failures.unmute(check_fingerprint(fingerprint))

    async def agroups(
        self,
        *,
        since: Since | None = None,
        task: str | None = None,
        muted: bool | None = None,
        limit: int = 50,
    ) -> list[FailureGroup]:
        """`groups`, without blocking the event loop."""
        groups = partial(self.groups, since=since, task=task, muted=muted, limit=limit)
        return await off_loop(groups)

    async def aget(self, fingerprint: str) -> FailureGroup:
        """`get`, without blocking the event loop."""
        return await off_loop(self.get, fingerprint)

    async def alatest(self, *, limit: int = 50) -> list[Job[Any]]:
        """`latest`, without blocking the event loop."""
        return await off_loop(partial(self.latest, limit=limit))

    async def aretry(self, fingerprint: str, *, dry_run: bool = False) -> int:
        """`retry`, without blocking the event loop."""
        return await off_loop(self.retry, fingerprint, dry_run=dry_run)

    async def adelete(self, fingerprint: str, *, dry_run: bool = False) -> int:
        """`delete`, without blocking the event loop."""
        return await off_loop(self.delete, fingerprint, dry_run=dry_run)

    async def amute(
        self, fingerprint: str, *, until: Until | None = None, note: str | None = None
    ) -> MuteInfo:
        """`mute`, without blocking the event loop."""
        return await off_loop(partial(self.mute, fingerprint, until=until, note=note))

    async def aunmute(self, fingerprint: str) -> bool:
        """`unmute`, without blocking the event loop."""
        return await off_loop(self.unmute, fingerprint)

    def _each_page(self, verb: Verb, fingerprint: str, *, dry_run: bool) -> int:
        """Do something to the jobs of a group, page by page; returns to how many."""
        port = self._port()
        act = trial(verb) if check_flag("dry_run", dry_run) else verb.act
        changed = 0
        for page in _pages(port, fingerprint):
            done = len(act(port, page))
            count_done(done)
            changed += done
        return changed


def _read(group: Group, port: AppPort) -> FailureGroup:
    example: Job[Any] = Job(group.example, port)
    return FailureGroup(
        group.fingerprint,
        example.error or plain_error("", ""),  # it was sent back between two reads
        JobCount(group.count),
        moment(group.first),
        moment(group.last),
        tuple(group.tasks),
        example,
        group.mute and mute_info(group.mute),
    )


def _pages(port: AppPort, fingerprint: str) -> Iterator[list[str]]:
    """The ids of the jobs of a group, as it is now, page by page."""
    check_fingerprint(fingerprint)
    failures, until, after = port.store().failures, port.store().stats.moment(), None
    while page := failures.members(fingerprint, until, _AT_ONCE, after):
        yield [member.id for member in page]
        after = page[-1]
