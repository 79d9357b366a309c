"""`SharedStore`: the methods that are the same in both stores."""

from abc import abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeVar

from rotulus._jobs.record import JobRecord
from rotulus.store import (
    Claim,
    ClaimFilter,
    Edit,
    Recounted,
    Renewal,
    Renewed,
    WorkerInfo,
)
from rotulus.stores.shared import actions, skipping
from rotulus.stores.shared.queries import SharedQueries
from rotulus.stores.shared.reading import records_of
from rotulus.stores.shared.session import Session

T = TypeVar("T")


class SharedStore(SharedQueries):
    """What operators do to jobs, what is read, and what is kept."""

    @abstractmethod
    def _write(self, work: Callable[[Session], T]) -> T:
        """Write in a transaction."""

    @abstractmethod
    def _tell_work(self) -> None:
        """Wake those who wait for work."""

    @abstractmethod
    def _tell_ends(self) -> None:
        """Wake those who wait for jobs to end, or for the room that they leave."""

    @abstractmethod
    def claim(self, wanted: ClaimFilter, limit: int, lease: float) -> list[JobRecord]:
        """Take jobs to run. See `Store.claim`."""

    @abstractmethod
    def wait(self, what: ClaimFilter | str, timeout: float) -> bool:
        """Wait for a change. See `Store.wait`."""

    def await_claim(
        self, wanted: ClaimFilter, limit: Callable[[], int], lease: float, timeout: float
    ) -> list[JobRecord]:
        """Wait for jobs, and take them. See `Store.await_claim`."""
        return self.claim(wanted, limit(), lease) if self.wait(wanted, timeout) else []

    def cancel(self, ids: Collection[str]) -> list[JobRecord]:
        """Cancel jobs. See `Store.cancel`."""
        acted = self._write(lambda session: actions.cancel(session, ids))
        self._tell_ends()
        if acted.brings_work:
            self._tell_work()
        return acted.records

    def retry(self, ids: Collection[str], arguments: str | None = None) -> list[JobRecord]:
        """Send ended jobs back. See `Store.retry`."""
        records = self._write(lambda session: actions.retry(session, ids, arguments))
        if records:
            self._tell_work()
        return records

    def skip(self, job_id: str, *, dry_run: bool = False) -> list[JobRecord]:
        """Skip a part of a run. See `Store.skip`."""
        records = self._write(lambda session: skipping.skip(session, job_id, dry_run=dry_run))
        if records and not dry_run:
            self._tell_ends()
            self._tell_work()
        return records

    def edit(self, seen: JobRecord, edit: Edit) -> JobRecord | None:
        """Change a job that waits. See `Store.edit`."""
        changed = self._write(lambda session: actions.edit(session, seen, edit))
        if changed is not None:
            self._tell_work()
        return changed

    def reprioritise(self, ids: Collection[str], priority: int) -> list[JobRecord]:
        """Give waiting jobs another priority. See `Store.reprioritise`."""
        return self._write(lambda session: actions.reprioritise(session, ids, priority))

    def delete(self, ids: Collection[str]) -> list[JobRecord]:
        """Delete ended jobs. See `Store.delete`."""
        return self._write(lambda session: actions.delete(session, ids))

    def pause(self, queues: Collection[str], paused: bool, runs: Collection[str] = ()) -> None:
        """Pause or resume queues and runs. See `Store.pause`."""
        self._write(lambda session: actions.pause(session, queues, runs, paused=paused))
        if not paused:
            self._tell_work()

    def drain_workers(self, names: Collection[str]) -> list[WorkerInfo]:
        """Drain workers. See `Store.drain_workers`."""
        return self._write(lambda session: actions.drain_workers(session, names))

    def recount(self, limit: int = 1000, after: str | None = None) -> Recounted:
        """Mend what waits for nothing. See `Store.recount`."""
        looked = self._read(lambda session: session.fetch("miscounted", limit=limit, after=after))
        wrong = [job for job, is_wrong in looked if is_wrong]
        jobs = self._write(lambda session: _recount(session, wrong)) if wrong else []
        if jobs:
            self._tell_work()
        return Recounted(jobs, looked[-1][0] if looked and len(looked) == limit else None)


def renewed(
    claims: Sequence[Renewal],
    running: Mapping[Claim, bool],
    passed_over: Sequence[Claim] = (),
    *,
    draining: bool = False,
) -> Renewed:
    """What became of claims; `running` are those that are held, and whether each is to stop."""
    held = [Claim(claim.id, claim.attempt) for claim in claims]
    return Renewed(
        lost=[claim for claim in held if claim not in running],
        cancelling=[claim for claim in held if running.get(claim)],
        passed_over=list(passed_over),
        draining=draining,
    )


def _recount(session: Session, wrong: Sequence[str]) -> list[JobRecord]:
    """Count again what these jobs wait for; returns those that were wrong."""
    session.lock_with_dependants(wrong)
    mended = [job for (job,) in session.fetch("recount", ids=list(wrong))]
    session.note_changes(mended)
    return records_of(session, mended)
