"""The jobs of an app: read, found, counted, cancelled and retried."""

from collections.abc import Callable
from typing import Any, NamedTuple, Unpack

from rotulus._app.port import AppPort
from rotulus._app.resources.bulk import BulkVerbs
from rotulus._app.resources.editing import JobEditing
from rotulus._app.resources.job_counting import JobCounting
from rotulus._app.resources.job_logs import JobLogs
from rotulus._app.resources.pages import JobPage, read_page
from rotulus._app.resources.where import Where, check_limit, check_text, read_where
from rotulus._concurrency.pool import off_loop
from rotulus._engine.single_attempt import SingleResult
from rotulus._engine.single_attempts import SingleAttempts
from rotulus._jobs.job import Job
from rotulus._jobs.states import Reason
from rotulus._text.ids import is_id
from rotulus._warnings import on_event_loop
from rotulus.errors import EventLoopError


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


class Jobs(BulkVerbs, JobCounting, JobEditing, JobLogs):
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
    ) -> JobPage:
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
    ) -> JobPage:
        """Returns the jobs that match, the last added first.

        No filter reads all jobs. Where few of many jobs match and no index leads to them, some
        thousands are looked at: the page may be short then, or empty, and `page.next` goes on.
        `page.looked_to` says how far it got.

        Args:
            limit: at most so many; the largest is 2,147,483,647.
            after: `page.next` of the page before, with the same filters; or the id of a job: gives
                jobs that were added earlier.
            where: which jobs; see `Where`.

        Raises:
            OptionError: there is no such filter, or its value is one that no job can have; or
                `limit` or `after` is not allowed.
        """
        port, most = self._port(), check_limit(limit)
        return read_page(port, read_where(where, port.now), where, most, after)

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
    ) -> JobPage:
        """`find`, without blocking the event loop."""
        return await off_loop(self.find, limit=limit, after=after, **where)

    def _whole(self, job_id: str) -> str:
        """Returns the whole id of a job."""
        return job_id if is_id(check_text("job id", job_id)) else self._port().pick(job_id).id

    def _result_of(self, tried: SingleResult) -> AttemptResult:
        port = self._port()
        record = tried.record or port.look(tried.id)  # which raises
        if tried.ran and record.reason == Reason.SNOOZE:
            port.outbox_relay.send_again([record])
        return AttemptResult(Job(record, port), tried.ran, tried.error)
