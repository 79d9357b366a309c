"""What a client does to jobs: cancels, sends back, deletes and re-prioritises them."""

from typing import Any, Unpack

from rotulus._app.resources.editing import JobChanges
from rotulus._app.resources.where import Where
from rotulus.client.calls import Call, arguments_of, data_of, if_match, path_of, query_of, reader
from rotulus.client.values import JobChange, JobDetail, read_change
from rotulus.client.wire import Wire

_detail = reader(JobDetail)


class Chosen(Where, total=False):
    """Which jobs a verb is for, and how it goes about it. Of ids, only `dry_run` counts.

    Attributes:
        dry_run: change nothing, and give the jobs that would be changed.
        limit: stop when so many jobs have matched: 10,000 unless given, and at most.
        after: go on from the `next` of the answer before.
    """

    dry_run: bool
    limit: int | None
    after: str | None


class JobVerbs:
    """Verbs for many jobs, by ids or by filters, each also with an `a` in front.

    A verb changes 10,000 jobs that match at most; `change.next` goes on from there.

    Args:
        wire: sends requests.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def cancel(self, *ids: str, **chosen: Unpack[Chosen]) -> JobChange:
        """Cancel jobs: at once those that wait; those that run are asked to stop.

        Args:
            ids: their ids. Unless given, filters say which.
            chosen: filters, and how to go about it.

        Raises:
            JobNotFoundError: one of the ids is not there; nothing is changed.
            OptionError: there are neither ids nor filters, or a filter is not allowed.
        """
        return self._wire.send(_steer("cancel", ids, chosen))

    def retry(self, *ids: str, **chosen: Unpack[Chosen]) -> JobChange:
        """Send jobs back to their queues; of filters failed and dead ones, unless they say."""
        return self._wire.send(_steer("retry", ids, chosen))

    def delete(self, *ids: str, **chosen: Unpack[Chosen]) -> JobChange:
        """Delete jobs that have ended; a run goes whole."""
        return self._wire.send(_steer("delete", ids, chosen))

    def reprioritise(self, *ids: str, priority: int, **chosen: Unpack[Chosen]) -> JobChange:
        """Give jobs that wait another priority: higher is sooner."""
        return self._wire.send(_steer("reprioritise", ids, chosen, priority=priority))

    def edit(
        self,
        job_id: str,
        *,
        version: str | None = None,
        unchecked: bool = False,
        **changes: Unpack[JobChanges],
    ) -> JobDetail:
        """Change a job that waits: its arguments, its priority, or when it is due.

        Args:
            job_id: its id, or a beginning of it that no other id has.
            version: the `version` that is to be changed: where it is another one by now, a
                `ServiceError` is raised whose code is `changed_meanwhile`.
            unchecked: also the arguments of a task that the service does not know.
            changes: those of `app.jobs.edit`, as JSON data.

        Raises:
            JobConflictError: it has begun, or has ended.
            ArgumentsError: the arguments do not fit the task.
            OptionError: a change is not allowed, or there is none.
        """
        return self._wire.send(_edit(job_id, version, unchecked, changes))

    async def aedit(
        self,
        job_id: str,
        *,
        version: str | None = None,
        unchecked: bool = False,
        **changes: Unpack[JobChanges],
    ) -> JobDetail:
        """`edit`, for coroutines."""
        return await self._wire.asend(_edit(job_id, version, unchecked, changes))

    async def acancel(self, *ids: str, **chosen: Unpack[Chosen]) -> JobChange:
        """`cancel`, for coroutines."""
        return await self._wire.asend(_steer("cancel", ids, chosen))

    async def aretry(self, *ids: str, **chosen: Unpack[Chosen]) -> JobChange:
        """`retry`, for coroutines."""
        return await self._wire.asend(_steer("retry", ids, chosen))

    async def adelete(self, *ids: str, **chosen: Unpack[Chosen]) -> JobChange:
        """`delete`, for coroutines."""
        return await self._wire.asend(_steer("delete", ids, chosen))

    async def areprioritise(self, *ids: str, priority: int, **chosen: Unpack[Chosen]) -> JobChange:
        """`reprioritise`, for coroutines."""
        return await self._wire.asend(_steer("reprioritise", ids, chosen, priority=priority))


def _steer(verb: str, ids: tuple[str, ...], chosen: Chosen, **more: Any) -> Call[JobChange]:
    where: dict[str, Any] = dict(chosen)
    how = {name: where.pop(name, None) for name in ("dry_run", "limit", "after")}
    body = data_of(ids=list(ids) or None, **how, **more)
    return Call("POST", path_of("jobs", f"${verb}"), read_change, query_of(**where), body)


def _edit(
    job_id: str, version: str | None, unchecked: bool, changes: JobChanges
) -> Call[JobDetail]:
    arguments_of(changes.get("arguments"))
    body = data_of(**changes, unchecked=unchecked or None)
    path, headers = path_of("jobs", job_id), if_match(version)
    return Call("PATCH", path, _detail, body=body, headers=headers, versioned=True)
