"""The jobs of an app: read, found, counted, cancelled and retried."""

from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple, Unpack

from rotulus._app.port import AppPort
from rotulus._app.resources.job_logs import JobLogs
from rotulus._app.resources.where import Where, check_limit, check_text, every, read_where
from rotulus._concurrency.pool import off_loop
from rotulus._engine.single_attempt import SingleResult
from rotulus._engine.single_attempts import SingleAttempts
from rotulus._jobs.job import Job
from rotulus._jobs.states import ENDED, LIVE, RETRYABLE, Reason, State
from rotulus._text.ids import is_id
from rotulus._warnings import on_event_loop
from rotulus.errors import EventLoopError, OptionError
from rotulus.store import EVERYTHING, Filter

MOST_COUNTED = 10_000
"""A count is exact up to here."""

_AT_ONCE = 500


class JobCount(int):
    """How many jobs there are; beyond 10,000 they are not counted, and it reads `10,000+`."""

    @property
    def exact(self) -> bool:
        """Whether there are no more than that."""
        return self <= MOST_COUNTED

    def __str__(self) -> str:
        return f"{int(self):,}" if self.exact else f"{MOST_COUNTED:,}+"


class AttemptResult(NamedTuple):
    """The outcome of a request for an attempt of a job.

    Attributes:
        job: the job, as it stands now; `job.refresh()` reads its earlier attempts.
        ran: whether an attempt was made; if not, `job.state` says why: it has ended, or runs
            somewhere else, or is not due. If it is queued, its queue is paused, or its limit or its
            rate has no room: `job.why()`.
        error: what its task raised, if it did.
    """

    job: Job[Any]
    ran: bool
    error: BaseException | None


class Jobs(JobLogs):
    """`app.jobs`: the jobs in the app's store.

    Each verb has a form that begins with `a`, for coroutines: it does the same in a thread of our
    own, and does not block the event loop. Those that take filters take the ones of `find`.

    Args:
        port: gives the port of the app that answers.
        singles: gives what makes single attempts of its jobs.
    """

    def __init__(self, port: Callable[[], AppPort], singles: Callable[[], SingleAttempts]) -> None:
        super().__init__(port)
        self._singles = singles

    def __call__(
        self, *, limit: int = 100, before: str | None = None, **where: Unpack[Where]
    ) -> list[Job[Any]]:
        """`find`: `app.jobs(state="failed")` is `app.jobs.find(state="failed")`."""
        return self.find(limit=limit, after=before, **where)

    def get(self, job_id: str) -> Job[Any]:
        """Returns the job of that id, with its earlier attempts.

        Args:
            job_id: its id, or a beginning of it that no other id has.

        Raises:
            JobNotFoundError: there is no such job, or there are several; the message lists them.
            OptionError: the id is no text.
        """
        port = self._port()
        return Job(port.pick(check_text("job id", job_id)), port)

    def find(
        self, *, limit: int = 100, after: str | None = None, **where: Unpack[Where]
    ) -> list[Job[Any]]:
        """Returns the jobs that match, the last added first.

        Args:
            limit: at most so many; the largest is 2,147,483,647.
            after: the id of the last job of a page: gives the next page, jobs added earlier.
            where: which jobs: `state` (one or several), `task`, `queue`, `key`, `schedule`, `run`,
                `step`.

        Raises:
            OptionError: there is no such filter, or its value is one that no job can have; or
                `limit` or `after` is not allowed.
        """
        port, meant, most = self._port(), read_where(where), check_limit(limit)
        if after is not None:
            check_text("after", after)
        return [Job(record, port) for record in port.store().find(meant, most, after)]

    def count(self, **where: Unpack[Where]) -> JobCount:
        """Returns how many jobs match: exact up to 10,000, and then at least that many."""
        found = every(self._port().store(), read_where(where))
        return JobCount(sum(1 for _ in islice(found, MOST_COUNTED + 1)))

    def cancel(self, *ids: str, dry_run: bool = False, **where: Unpack[Where]) -> list[Job[Any]]:
        """Cancel jobs: at once those that wait; those that run are asked to stop.

        Args:
            ids: their ids.
            dry_run: change nothing, and give the jobs that would be cancelled.
            where: which jobs, instead of ids; unless `state` is given, all that have not ended. A
                filter that is None counts as not given.

        Returns:
            The jobs that exist, as they stand then.

        Raises:
            OptionError: neither ids nor filters are given, or both are, or one is not allowed. To
                cancel everything, give the states: `state=["blocked", "delayed", ...]`.
        """
        port, meant = self._port(), _meant(ids, where, LIVE, "cancel")
        if dry_run:
            return [job for job in _read(port, ids, meant) if not job.state.ended]
        changed = (port.store().cancel(some) for some in _batches(port, ids, meant))
        return [Job(record, port) for records in changed for record in records]

    def retry(self, *ids: str, dry_run: bool = False, **where: Unpack[Where]) -> list[Job[Any]]:
        """Send `failed`, `dead` and `cancelled` jobs back to their queues, with fresh budgets.

        Args:
            ids: their ids.
            dry_run: change nothing, and give the jobs that would be sent back.
            where: which jobs, instead of ids; unless `state` is given, all in these three states. A
                filter that is None counts as not given.

        Returns:
            The jobs that were sent back.

        Raises:
            OptionError: neither ids nor filters are given, or both are, or one is not allowed. To
                retry everything, give the states: `state=["failed", "dead", "cancelled"]`.
        """
        port, meant = self._port(), _meant(ids, where, RETRYABLE, "retry")
        if dry_run:
            return [job for job in _read(port, ids, meant) if job.state in RETRYABLE]
        changed = [port.store().retry(some) for some in _batches(port, ids, meant)]
        back = [record for records in changed for record in records]
        port.outbox_relay.send_again(back)
        return [Job(record, port) for record in back]

    def delete(self, *ids: str, dry_run: bool = False, **where: Unpack[Where]) -> list[Job[Any]]:
        """Delete jobs that have ended, with their earlier attempts; a run goes whole.

        Left are jobs that have not ended, steps of a run by themselves, and jobs whose key is still
        held, as of a schedule's instant that must not fire again.

        Args:
            ids: their ids.
            dry_run: change nothing, and give the jobs that have ended and are no steps.
            where: which jobs, instead of ids; unless `state` is given, all that have ended. A
                filter that is None counts as not given.

        Returns:
            The jobs that are gone, as they stood.

        Raises:
            OptionError: neither ids nor filters are given, or both are, or one is not allowed.
        """
        port, meant = self._port(), _meant(ids, where, ENDED, "delete")
        if dry_run:
            found = [job for job in _read(port, ids, meant) if job.state.ended]
            return [job for job in found if job.is_run or job.run is None]
        gone = (port.store().delete(some) for some in _batches(port, ids, meant))
        return [Job(record, port) for records in gone for record in records]

    def run(self, job_id: str) -> AttemptResult:
        """Make one attempt of a job here and now, as a worker would, and settle it.

        The job may be in any queue. A plain function runs in this thread, a coroutine on an event
        loop of its own, and an isolated task in a process that is forked for it. A job that waits
        for its retry is due for this, and one whose worker has died is taken back first; pauses,
        limits and rates hold. Of several callers only one makes the attempt.

        A plain function cannot be interrupted: when its timeout is over, the attempt is settled as
        failed, and the function goes on in this thread until it returns.

        Args:
            job_id: its id, or a beginning of it that no other id has.

        Returns:
            The job as it stands then, and whether an attempt was made. What its task raised is in
            there, and is not raised here.

        Raises:
            JobNotFoundError: there is no such job, or there are several.
            EventLoopError: this thread runs an event loop: `await app.jobs.arun(...)`.
            KeyboardInterrupt: it came meanwhile; the job has been given back.
            StoreError: the store cannot be used. If the attempt has been made, its lease runs out.
        """
        if on_event_loop():
            raise EventLoopError(
                "app.jobs.run() may run an event loop of its own: here, await app.jobs.arun()"
            )
        return self._result_of(self._singles().run(self._whole(job_id)))

    async def arun(self, job_id: str) -> AttemptResult:
        """`run`, without blocking the event loop: a coroutine runs on it, others in a thread.

        A coroutine whose caller is cancelled is cancelled, too, and its job is given back.
        """
        whole = await off_loop(self._whole, job_id)
        return await off_loop(self._result_of, await self._singles().arun(whole))

    async def aget(self, job_id: str) -> Job[Any]:
        """`get`, without blocking the event loop."""
        return await off_loop(self.get, job_id)

    async def afind(
        self, *, limit: int = 100, after: str | None = None, **where: Unpack[Where]
    ) -> list[Job[Any]]:
        """`find`, without blocking the event loop."""
        return await off_loop(self.find, limit=limit, after=after, **where)

    async def acount(self, **where: Unpack[Where]) -> JobCount:
        """`count`, without blocking the event loop."""
        return await off_loop(self.count, **where)

    async def acancel(
        self, *ids: str, dry_run: bool = False, **where: Unpack[Where]
    ) -> list[Job[Any]]:
        """`cancel`, without blocking the event loop."""
        return await off_loop(self.cancel, *ids, dry_run=dry_run, **where)

    async def aretry(
        self, *ids: str, dry_run: bool = False, **where: Unpack[Where]
    ) -> list[Job[Any]]:
        """`retry`, without blocking the event loop."""
        return await off_loop(self.retry, *ids, dry_run=dry_run, **where)

    async def adelete(
        self, *ids: str, dry_run: bool = False, **where: Unpack[Where]
    ) -> list[Job[Any]]:
        """`delete`, without blocking the event loop."""
        return await off_loop(self.delete, *ids, dry_run=dry_run, **where)

    def _whole(self, job_id: str) -> str:
        """Returns the whole id of a job."""
        return job_id if is_id(check_text("job id", job_id)) else self._port().pick(job_id).id

    def _result_of(self, tried: SingleResult) -> AttemptResult:
        port = self._port()
        record = tried.record or port.look(tried.id)  # which raises
        if tried.ran and record.reason == Reason.SNOOZE:
            port.outbox_relay.send_again([record])
        return AttemptResult(Job(record, port), tried.ran, tried.error)


def _meant(
    ids: tuple[str, ...], where: Mapping[str, Any], states: frozenset[State], verb: str
) -> Filter | None:
    """Returns the filter, or None for ids. Raises `OptionError` for neither or both."""
    meant = read_where(where)
    if ids and meant != EVERYTHING:
        raise OptionError(f"{verb}: give ids or filters, not both")
    if ids:
        for one in ids:
            check_text("job id", one)
        return None
    if meant == EVERYTHING:
        raise OptionError(
            f"{verb}: neither ids nor filters are given, so no job is meant: give ids, or "
            f"filters such as task='...'; for all jobs in a state give state='...'"
        )
    return meant if meant.states is not None else meant._replace(states=states)


def _read(port: AppPort, ids: tuple[str, ...], meant: Filter | None) -> list[Job[Any]]:
    """Returns the jobs that are meant, as they stand."""
    store = port.store()
    found = map(store.get, ids) if meant is None else every(store, meant)
    return [Job(record, port) for record in found if record is not None]


def _batches(port: AppPort, ids: Sequence[str], meant: Filter | None) -> list[list[str]]:
    """Returns the ids of the jobs that are meant, in batches."""
    if meant is not None:
        ids = [record.id for record in every(port.store(), meant)]
    return [list(ids[start : start + _AT_ONCE]) for start in range(0, len(ids), _AT_ONCE)]
