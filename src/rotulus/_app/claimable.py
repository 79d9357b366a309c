"""The obstacles that keep workers from claiming a job that is due, or will be."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from rotulus._app.explanation import Explanation, Kind
from rotulus._jobs.record import JobRecord, moment
from rotulus._jobs.states import Reason, State, awaited
from rotulus._text.names import serves
from rotulus._text.words import clock_time, many, some, span
from rotulus.store import Entry, Filter, Fleet, SetTerms, Store, WorkerInfo

_LOOKED_AT = 1000
"""Jobs that are looked at to count those that are ahead."""

_CLAIMED_AHEAD = 500
"""Jobs that a worker may hold beside those in its slots."""

SUSPECT = 2
"""A job that was lost so often runs alone of its kind."""


class _Load(NamedTuple):
    """A worker, and the jobs that it holds."""

    worker: WorkerInfo
    jobs: list[JobRecord]

    @property
    def in_slots(self) -> list[JobRecord]:
        """Returns the jobs in its slots: those that began first. Others are claimed ahead."""
        need_one = [job for job in self.jobs if job.reason != Reason.DEFERRED]
        return sorted(need_one, key=_began)[: self.worker.slots]

    @property
    def is_full(self) -> bool:
        return len(self.in_slots) == self.worker.slots

    @property
    def suspect(self) -> JobRecord | None:
        return next((job for job in self.jobs if job.losses >= SUSPECT), None)


class Claimable:
    """Explains jobs that are due, or will be.

    Args:
        store: the store.
        knows: whether a task of that name is registered here.
        now: the clock.
    """

    def __init__(
        self, store: Store, knows: Callable[[str], bool], now: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._knows = knows
        self._now = now

    def explain(self, job: JobRecord) -> list[Explanation]:
        """Returns why a job that is due has not been taken."""
        fleet = self._store.fleet()
        able = _able(job, fleet)
        found = [
            *self.lasting(job, fleet),
            *self._held_up(job),
            *(self._busy(job, able) if able else ()),
        ]
        return [*(found or [self._due(job)]), *self._unregistered(job, fleet)]

    def lasting(self, job: JobRecord, fleet: Fleet | None = None) -> list[Explanation]:
        """Returns the obstacles that hold whenever the job is due."""
        fleet = fleet or self._store.fleet()
        return [*_paused(job, fleet), *self._untaken(job, fleet)]

    def unserved(self, job: JobRecord) -> list[Explanation]:
        """Returns why nobody would ever take a job; empty when somebody would."""
        found = self._untaken(job, self._store.fleet())
        return [one for one in found if one.kind is not Kind.CARRIED]

    def _untaken(self, job: JobRecord, fleet: Fleet) -> list[Explanation]:
        """Returns why no running worker would ever take a job, or what else makes its attempts."""
        found = _unserved(job, fleet)
        if not found or serves(None, job.queue):
            return found
        entry = self._store.outbox.entry(job.id)
        return found if entry is None else [Explanation(Kind.CARRIED, job.id, _carried(job, entry))]

    def _held_up(self, job: JobRecord) -> list[Explanation]:
        """Returns whether its key has no room: by the terms that are set, or else by its own."""
        if job.limit_key is None:
            return []
        terms = self._store.limit_terms.get(job.limit_key)
        if terms is not None and terms.limit_to is not None:
            job = job._replace(limit_to=terms.limit_to)
        if terms is not None and terms.rate_to is not None:
            job = job._replace(rate_to=terms.rate_to, rate_per=terms.rate_per)
        return [*self._limited(job, terms), *self._rated(job)]

    def _limited(self, job: JobRecord, terms: SetTerms | None) -> list[Explanation]:
        if job.limit_to is None:
            return []
        if job.limit_to == 0:
            by = f" by {terms.set_by}" if terms and terms.set_by else ""
            text = (
                f"The limit of limit_key {job.limit_key!r} was set to 0{by}: none of its jobs "
                f"starts until it is set again, or unset."
            )
            return [Explanation(Kind.LIMIT, job.id, text)]
        where = Filter(states=[State.RUNNING], limit_key=job.limit_key)
        holders = [holder.id for holder in self._store.find(where, job.limit_to)]
        if len(holders) < job.limit_to:
            return []
        jobs = "1 job" if len(holders) == 1 else f"{len(holders):,} jobs"
        runs = "is running" if len(holders) == 1 else "are running"
        text = (
            f"{jobs} with limit_key {job.limit_key!r} {runs}, and that is its limit: "
            f"{some(holders)}."
        )
        return [Explanation(Kind.LIMIT, job.id, text, tuple(holders))]

    def _rated(self, job: JobRecord) -> list[Explanation]:
        if job.opens_at is None or job.rate_per is None:
            return []
        at = moment(job.opens_at)
        text = (
            f"{many(job.rate_to or 0, 'job')} with limit_key {job.limit_key!r} "
            f"{'was' if job.rate_to == 1 else 'were'} started within the last "
            f"{job.rate_per / 1_000_000:g} s, and that is its rate; the next start is possible in "
            f"{span(at - self._now())}, at {clock_time(at)}."
        )
        return [Explanation(Kind.RATE, job.id, text)]

    def _busy(self, job: JobRecord, able: list[WorkerInfo]) -> list[Explanation]:
        """Returns whether none of the workers that could take it has room for it."""
        loads: list[_Load] = []
        for worker in able:
            load = self._load(worker)
            if not (load.is_full or (job.losses >= SUSPECT and load.suspect)):
                return []
            loads.append(load)
        if all(load.is_full for load in loads):
            return [self._slots_taken(job, loads)]
        others = [load.suspect for load in loads if load.suspect is not None]
        text = (
            f"It was lost {job.losses} times with its worker, so it runs beside no other such job: "
            f"{some([f'{_named(other)} on worker {other.worker}' for other in others])} has to end."
        )
        return [Explanation(Kind.SUSPECT, job.id, text, tuple(other.id for other in others))]

    def _load(self, worker: WorkerInfo) -> _Load:
        where = Filter(states=[State.RUNNING], worker=worker.name)
        return _Load(worker, self._store.find(where, worker.slots + _CLAIMED_AHEAD))

    def _slots_taken(self, job: JobRecord, loads: list[_Load]) -> Explanation:
        slots = sum(load.worker.slots for load in loads)
        whose = f"worker {loads[0].worker.name}" if len(loads) == 1 else f"{len(loads):,} workers"
        what = f"All {slots:,} slots of {whose} are" if slots > 1 else f"The slot of {whose} is"
        holders = sorted((one for load in loads for one in load.in_slots), key=_began)
        waiting = [holder for holder in holders if awaited(holder.reason) == job.id]
        named = [*waiting, *(holder for holder in holders if holder not in waiting)]
        text = f"{what} taken, by {some([self._holding(holder) for holder in named])}."
        if waiting:
            text += (
                f" {_named(waiting[0])} waits for this job within its task, and keeps its slot "
                f"meanwhile: unless another slot becomes free, neither ends."
            )
        return Explanation(Kind.SLOTS, job.id, text, tuple(holder.id for holder in named))

    def _holding(self, job: JobRecord) -> str:
        return f"{_named(job)} for {span(self._now() - moment(_began(job)))}"

    def _due(self, job: JobRecord) -> Explanation:
        text = "It is due, and nothing is in its way: a worker should take it now."
        if ahead := self._ahead(job):
            text = f"It is due; {ahead} ahead in queue {job.queue!r}."
        return Explanation(Kind.DUE, job.id, text)

    def _ahead(self, job: JobRecord) -> str:
        """Returns a sentence about the jobs that come before it; "" if none does."""
        queued = Filter(states=[State.QUEUED], queue=job.queue)
        earlier = self._store.find(queued, _LOOKED_AT, before=job.id)
        latest = self._store.find(queued, _LOOKED_AT)
        ahead = {other.id for other in earlier if other.priority >= job.priority}
        ahead |= {other.id for other in latest if other.priority > job.priority}
        all_seen = len(earlier) < _LOOKED_AT and (
            len(latest) < _LOOKED_AT or any(other.id == job.id for other in latest)
        )
        if not ahead:
            return ""
        many = f"{min(len(ahead), _LOOKED_AT):,}{'' if all_seen else '+'}"
        return "1 job is" if many == "1" else f"{many} jobs are"

    def _unregistered(self, job: JobRecord, fleet: Fleet) -> list[Explanation]:
        """Returns the obstacle of an unknown task, if no worker announces names."""
        if any(worker.names is not None for worker in fleet.workers) or self._knows(job.task):
            return []
        text = (
            f"No task {job.task!r} is registered in this app; a worker of it would give the job up "
            f"as dead({Reason.UNKNOWN_TASK})."
        )
        return [Explanation(Kind.NOT_REGISTERED, job.id, text)]


def _paused(job: JobRecord, fleet: Fleet) -> list[Explanation]:
    since = fleet.paused.get(job.queue)
    if since is None:
        return []
    text = f"Queue {job.queue!r} is paused since {clock_time(since)}: rotulus resume {job.queue}"
    return [Explanation(Kind.QUEUE_PAUSED, job.id, text)]


def _unserved(job: JobRecord, fleet: Fleet) -> list[Explanation]:
    """Returns the sentences for a job that no running worker would ever claim."""
    if not fleet.workers:
        text = "No worker is running: start one with 'rotulus worker'."
        return [Explanation(Kind.NO_WORKER, job.id, text)]
    if not _taking(fleet):
        text = (
            f"No worker takes jobs: those that run are drained, and end "
            f"({some([worker.name for worker in fleet.workers])}). Start one with 'rotulus worker'."
        )
        return [Explanation(Kind.NO_WORKER, job.id, text)]
    if not _serving(job, fleet):
        taking = _taking(fleet)
        named = sorted({queue for worker in taking for queue in worker.queues or ()})
        served = some(named or ["all that are not private"])
        text = (
            f"No worker serves queue {job.queue!r}; the {len(taking):,} that run serve "
            f"{served}. Start one with 'rotulus worker --queues {job.queue}'."
        )
        return [Explanation(Kind.NOT_SERVED, job.id, text)]
    if not _able(job, fleet):
        return [Explanation(Kind.UNKNOWN_TASK, job.id, _unknown(job, fleet))]
    return []


def _carried(job: JobRecord, entry: Entry) -> str:
    """Returns the fate of the message for a job that is due."""
    due = clock_time(entry.due_at)
    if entry.published_at is not None:
        return (
            f"Its message was published at {clock_time(entry.published_at)} for the endpoint of "
            f"queue {job.queue!r}, which has made no attempt since; unless it does, the message is "
            f"published again at {due}."
        )
    if entry.tries:
        return (
            f"Its message could not be published, though it was tried: the next "
            f"try is from {due} on."
        )
    return (
        f"Its message is published from {due} on, by any process that enqueues, works or "
        f"ticks with the carrier of queue {job.queue!r}."
    )


def _unknown(job: JobRecord, fleet: Fleet) -> str:
    elsewhere = [worker.name for worker in _taking(fleet) if job.task in (worker.names or ())]
    if elsewhere:
        return (
            f"No worker that serves queue {job.queue!r} knows task {job.task!r}; "
            f"{some(elsewhere)} does, and serves other queues."
        )
    return (
        f"No worker that runs knows task {job.task!r}: it waits for one that does. When it has "
        f"been due for unknown_grace seconds, it is given up as dead({Reason.UNKNOWN_TASK})."
    )


def _taking(fleet: Fleet) -> list[WorkerInfo]:
    """Returns the workers that take jobs: a drained one does not."""
    return [worker for worker in fleet.workers if worker.draining_at is None]


def _serving(job: JobRecord, fleet: Fleet) -> list[WorkerInfo]:
    return [worker for worker in _taking(fleet) if serves(worker.queues, job.queue)]


def _able(job: JobRecord, fleet: Fleet) -> list[WorkerInfo]:
    return [w for w in _serving(job, fleet) if w.names is None or job.task in w.names]


def _began(job: JobRecord) -> int:
    return job.started_at or job.run_at


def _named(job: JobRecord) -> str:
    return f"{job.task} {job.id}"
