"""`client.failures`: jobs that failed or died, in groups of one cause."""

from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from rotulus._jobs.fingerprint import check_fingerprint
from rotulus._time.lengths import Seconds
from rotulus.client.calls import Call, Since, data_of, get, path_of, query_of, reader
from rotulus.client.values import Count, Job, JobError, Value, read_list
from rotulus.client.wire import Wire


class Mute(Value):
    """A failure group is no news for a time.

    Attributes:
        until: the moment from which it is news again; None: never, unless somebody unmutes it.
        muted_at: when it was muted.
        muted_by: who did it; None: nobody has said.
        note: why; None: nobody has said.
    """

    until: datetime | None
    muted_at: datetime
    muted_by: str | None
    note: str | None


class FailureGroup(Value):
    """Jobs that failed or died of one kind of error, raised in one place.

    Attributes:
        fingerprint: twelve hexadecimal digits.
        error: the error of the last of them, without its traceback.
        count: how many there are; beyond 10,000 they are not counted.
        first_seen: when the first of them ended.
        last_seen: when the last of them did.
        tasks: the tasks that they are of.
        example: the id of the last of them.
        mute: until when, by whom and why it is muted; None: it is not.
    """

    fingerprint: str
    error: JobError
    count: Count
    first_seen: datetime
    last_seen: datetime
    tasks: tuple[str, ...]
    example: str
    mute: Mute | None = None


class Failures:
    """The failures of a service, with the verbs of `app.failures`, each also with an `a` in front.

    Args:
        wire: sends requests.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def groups(
        self,
        *,
        since: Since | None = None,
        task: str | None = None,
        muted: bool | None = None,
        limit: int = 50,
    ) -> list[FailureGroup]:
        """Returns the groups of failures, the one that was seen last first.

        Args:
            since: only failures from this moment on, or from so many seconds ago.
            task: only failures of this task; `mail.*`: of those whose names begin so.
            muted: True: only groups that are muted; False: only those that are not.
            limit: at most so many groups: up to 10,000.

        Raises:
            OptionError: an argument is not allowed.
        """
        return self._wire.send(_groups(since, task, muted, limit))

    def get(self, fingerprint: str) -> FailureGroup:
        """Returns one group. Raises `JobNotFoundError` if no job that is kept has failed so."""
        return self._wire.send(_get(fingerprint))

    def latest(self, *, limit: int = 50) -> list[Job]:
        """Returns the jobs that failed or died last, the one that ended last first: up to 500."""
        return self._wire.send(_latest(limit))

    def retry(self, fingerprint: str, *, dry_run: bool = False) -> int:
        """Send the jobs of a group back to their queues.

        Args:
            fingerprint: the group.
            dry_run: change nothing, and count the jobs that would be sent back.

        Returns:
            How many were sent back.
        """
        return self._wire.send(_verb(fingerprint, "$retry", dry_run=dry_run))

    def delete(self, fingerprint: str, *, dry_run: bool = False) -> int:
        """Delete the jobs of a group; steps of runs are left. Returns how many were deleted."""
        return self._wire.send(_verb(fingerprint, "$delete", dry_run=dry_run))

    def mute(
        self,
        fingerprint: str,
        *,
        until: datetime | Seconds | None = None,
        note: str | None = None,
    ) -> Mute:
        """Have a group be no news for a time: webhooks are not told of its jobs any more.

        Args:
            fingerprint: the group.
            until: until which moment; or for how long, in seconds or as a timedelta. For good
                unless given.
            note: why, in up to 500 characters.

        Returns:
            The mute.

        Raises:
            OptionError: an argument is not allowed.
        """
        return self._wire.send(_mute(fingerprint, until, note))

    def unmute(self, fingerprint: str) -> bool:
        """Have a group be news again. Returns whether it was muted."""
        return self._wire.send(_unmute(fingerprint))

    async def agroups(
        self,
        *,
        since: Since | None = None,
        task: str | None = None,
        muted: bool | None = None,
        limit: int = 50,
    ) -> list[FailureGroup]:
        """`groups`, for coroutines."""
        return await self._wire.asend(_groups(since, task, muted, limit))

    async def aget(self, fingerprint: str) -> FailureGroup:
        """`get`, for coroutines."""
        return await self._wire.asend(_get(fingerprint))

    async def alatest(self, *, limit: int = 50) -> list[Job]:
        """`latest`, for coroutines."""
        return await self._wire.asend(_latest(limit))

    async def aretry(self, fingerprint: str, *, dry_run: bool = False) -> int:
        """`retry`, for coroutines."""
        return await self._wire.asend(_verb(fingerprint, "$retry", dry_run=dry_run))

    async def adelete(self, fingerprint: str, *, dry_run: bool = False) -> int:
        """`delete`, for coroutines."""
        return await self._wire.asend(_verb(fingerprint, "$delete", dry_run=dry_run))

    async def amute(
        self,
        fingerprint: str,
        *,
        until: datetime | Seconds | None = None,
        note: str | None = None,
    ) -> Mute:
        """`mute`, for coroutines."""
        return await self._wire.asend(_mute(fingerprint, until, note))

    async def aunmute(self, fingerprint: str) -> bool:
        """`unmute`, for coroutines."""
        return await self._wire.asend(_unmute(fingerprint))


_group = TypeAdapter(FailureGroup).validate_python
_read_mute = reader(Mute)


def _read(body: Any) -> FailureGroup:
    """Returns a group; its count stands in two fields of the JSON."""
    return _group({**body, "count": body})


def _get(fingerprint: str) -> Call[FailureGroup]:
    return get(path_of("failures", check_fingerprint(fingerprint)), _read)


def _groups(
    since: Since | None, task: str | None, muted: bool | None, limit: int
) -> Call[list[FailureGroup]]:
    query = query_of(since=since, task=task, muted=muted, limit=limit)
    return get("/failures", lambda body: list(map(_read, body["items"])), query)


def _latest(limit: int) -> Call[list[Job]]:
    return get("/failures/$latest", read_list, query_of(limit=limit))


def _verb(fingerprint: str, verb: str, *, dry_run: bool) -> Call[int]:
    path = path_of("failures", check_fingerprint(fingerprint), verb)
    return Call("POST", path, lambda body: int(body["count"]), body={"dry_run": dry_run})


def _mute(fingerprint: str, until: datetime | Seconds | None, note: str | None) -> Call[Mute]:
    path = path_of("failures", check_fingerprint(fingerprint), "$mute")
    when = "until" if isinstance(until, datetime) else "seconds"
    return Call("POST", path, _read_mute, body=data_of(**{when: until}, note=note))


def _unmute(fingerprint: str) -> Call[bool]:
    path = path_of("failures", check_fingerprint(fingerprint), "$unmute")
    return Call("POST", path, lambda body: bool(body["muted"]))
