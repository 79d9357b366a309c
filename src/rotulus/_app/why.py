"""Why a job has not run yet, or how it ended, in sentences."""

from collections.abc import Callable
from datetime import datetime, timedelta

from rotulus._app.awaiting import awaited, skipping
from rotulus._jobs.outcome import read_error
from rotulus._jobs.record import JobRecord, moment
from rotulus._jobs.states import ENDED, Reason, State
from rotulus.store import Filter, Fleet, Store


class Explainer:
    """Explains how jobs of a store stand.

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

    def explain(self, job: JobRecord) -> list[str]:
        """Why the job stands as it does, the main reason first."""
        if job.state == State.SKIPPED and job.run is not None:
            return [skipping(self._store, job)]
        if job.state in ENDED:
            return [_ended(job)]
        match State(job.state):
            case State.RUNNING:
                return self._running(job)
            case State.DELAYED:
                return [self._delayed(job), *self._obstacles(job)]
            case State.BLOCKED:
                return awaited(self._store, job)
            case _:
                return self._queued(job)

    def _running(self, job: JobRecord) -> list[str]:
        since = moment(job.started_at or job.run_at)
        text = f"It has been running for {_span(self._now() - since)} on worker {job.worker}"
        if job.cancel_requested:
            return [f"{text}, and is asked to stop; a plain function stops when it looks."]
        if job.reason == Reason.DEFERRED:
            return [f"{text}, without a slot: it looks again and again whether it can go on."]
        return [f"{text}, attempt {job.attempt}."]

    def _delayed(self, job: JobRecord) -> str:
        at = moment(job.run_at)
        when = f"it is due in {_span(at - self._now())}, at {at:%Y-%m-%d %H:%M:%S} UTC"
        match job.reason:
            case Reason.RETRY:
                error = read_error(job.error)
                return f"Attempt {job.attempt} failed ({error}); {when}."
            case Reason.SNOOZE:
                return f"Its task asked to be run later; {when}."
            case Reason.LOST:
                return f"Its worker died {job.losses} times; {when}."
            case _:
                return f"It was enqueued for later; {when}."

    def _queued(self, job: JobRecord) -> list[str]:
        obstacles = self._obstacles(job)
        if obstacles:
            return obstacles
        ahead = sum(
            (other.priority, -other.created_at) > (job.priority, -job.created_at)
            for other in self._store.find(Filter(states=[State.QUEUED], queue=job.queue), 1000)
        )
        if ahead:
            return [f"{ahead}{'+' if ahead > 999 else ''} jobs of queue {job.queue!r} are ahead."]
        return ["It is due, and nothing is in its way: a worker should take it now."]

    def _obstacles(self, job: JobRecord) -> list[str]:
        fleet = self._store.fleet()
        found = [
            self._paused(job, fleet),
            self._unserved(job, fleet),
            self._limited(job),
            self._rated(job),
            self._unknown(job, fleet),
        ]
        return [text for text in found if text]

    def _paused(self, job: JobRecord, fleet: Fleet) -> str:
        since = fleet.paused.get(job.queue)
        if since is None:
            return ""
        return (
            f"Queue {job.queue!r} is paused since {since:%Y-%m-%d %H:%M:%S} UTC: "
            f"rotulus resume {job.queue}"
        )

    def _unserved(self, job: JobRecord, fleet: Fleet) -> str:
        if any(w.queues is None or job.queue in w.queues for w in fleet.workers):
            return ""
        if not fleet.workers:
            return "No worker is running: start one with 'rotulus worker'."
        served = sorted({queue for w in fleet.workers for queue in w.queues or ()})
        return (
            f"No worker serves queue {job.queue!r}; the {len(fleet.workers)} that run serve "
            f"{', '.join(served)}."
        )

    def _limited(self, job: JobRecord) -> str:
        if job.limit_key is None or job.limit_to is None:
            return ""
        holders = self._store.find(
            Filter(states=[State.RUNNING], limit_key=job.limit_key), job.limit_to
        )
        if len(holders) < job.limit_to:
            return ""
        return (
            f"{len(holders)} jobs with limit_key {job.limit_key!r} are running, and that is its "
            f"limit: {', '.join(holder.id for holder in holders)}."
        )

    def _rated(self, job: JobRecord) -> str:
        if job.opens_at is None or job.rate_per is None:
            return ""
        at = moment(job.opens_at)
        return (
            f"{job.rate_to} jobs with limit_key {job.limit_key!r} were started within the last "
            f"{job.rate_per / 1_000_000:g} s, and that is its rate; the next start is possible in "
            f"{_span(at - self._now())}, at {at:%Y-%m-%d %H:%M:%S} UTC."
        )

    def _unknown(self, job: JobRecord, fleet: Fleet) -> str:
        told = [worker.names for worker in fleet.workers if worker.names is not None]
        if any(job.task in names for names in told):
            return ""
        if told:
            return (
                f"No worker that runs knows task {job.task!r}: it waits for one that does. When it "
                f"has been due for unknown_grace seconds, it is given up as "
                f"dead({Reason.UNKNOWN_TASK})."
            )
        if self._knows(job.task):
            return ""
        return (
            f"No task {job.task!r} is registered in this app; a worker of it would give the job up "
            f"as dead({Reason.UNKNOWN_TASK})."
        )


def _ended(job: JobRecord) -> str:
    at = moment(job.ended_at or job.run_at)
    reason = f" ({job.reason})" if job.reason else ""
    text = f"It ended {job.state}{reason} at {at:%Y-%m-%d %H:%M:%S} UTC"
    error = read_error(job.error) if job.state != State.SUCCEEDED else None
    if error is None:
        return f"{text}."
    return f"{text}, in attempt {job.attempt}: {error}. Send it back with: rotulus retry {job.id}"


def _span(length: timedelta) -> str:
    seconds = max(0, round(length.total_seconds()))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
