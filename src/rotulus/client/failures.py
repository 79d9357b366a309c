"""`client.failures`: jobs that failed or died, in groups of one cause."""

from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from rotulus._jobs.fingerprint import check_fingerprint
from rotulus.client.calls import Call, Since, get, path_of, query_of
from rotulus.client.values import Count, Job, JobError, Value, read_list
from rotulus.client.wire import Wire


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
    """

    fingerprint: str
    error: JobError
    count: Count
    first_seen: datetime
    last_seen: datetime
    tasks: tuple[str, ...]
    example: str


class Failures:
    """The failures of a service, with the verbs of `app.failures`, each also with an `a` in front.

    Args:
        wire: sends requests.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def groups(
        self, *, since: Since | None = None, task: str | None = None, limit: int = 50
    ) -> list[FailureGroup]:
        """Returns the groups of failures, the one that was seen last first.

        Args:
            since: only failures from this moment on, or from so many seconds ago.
            task: only failures of this task; `mail.*`: of those whose names begin so.
            limit: at most so many groups: up to 10,000.

        Raises:
            OptionError: an argument is not allowed.
        """
        return self._wire.send(_groups(since, task, limit))

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

    async def agroups(
        self, *, since: Since | None = None, task: str | None = None, limit: int = 50
    ) -> list[FailureGroup]:
        """`groups`, for coroutines."""
        return await self._wire.asend(_groups(since, task, limit))

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


_group = TypeAdapter(FailureGroup).validate_python


def _read(body: Any) -> FailureGroup:
    """Returns a group; its count stands in two fields of the JSON."""
    return _group({**body, "count": body})


def _get(fingerprint: str) -> Call[FailureGroup]:
    return get(path_of("failures", check_fingerprint(fingerprint)), _read)


def _groups(since: Since | None, task: str | None, limit: int) -> Call[list[FailureGroup]]:
    query = query_of(since=since, task=task, limit=limit)
    return get("/failures", lambda body: list(map(_read, body["items"])), query)


def _latest(limit: int) -> Call[list[Job]]:
    return get("/failures/$latest", read_list, query_of(limit=limit))


def _verb(fingerprint: str, verb: str, *, dry_run: bool) -> Call[int]:
    path = path_of("failures", check_fingerprint(fingerprint), verb)
    return Call("POST", path, lambda body: int(body["count"]), body={"dry_run": dry_run})
