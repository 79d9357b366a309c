"""What a store has to do, in plain Python: a dict and the rules, to hold real stores against."""

from dataclasses import dataclass

from rotulus._jobs.outcome import MAX_LOSSES

ENDED = {"succeeded", "failed", "dead", "cancelled", "skipped"}


@dataclass
class Row:
    """A job as the oracle sees it; times in seconds of its own clock."""

    id: str
    seq: int
    queue: str
    priority: int
    state: str
    run_at: float
    key: str | None = None
    window_end: float | None = None
    limit_key: str | None = None
    limit_to: int | None = None
    rate_to: int | None = None
    rate_per: float | None = None
    holds: bool = True
    attempt: int = 0
    failures: int = 0
    losses: int = 0
    releases: int = 0
    worker: str | None = None
    lease_until: float | None = None
    cancel: bool = False
    reason: str | None = None
    ended_at: float | None = None

    @property
    def shown(self):
        """What a store would show of it."""
        return (
            self.id,
            self.state,
            self.queue,
            self.attempt,
            self.failures,
            self.losses,
            self.releases,
            self.worker,
            self.cancel,
            self.reason,
        )


class Oracle:
    """The rules of the contract."""

    def __init__(self):
        self.rows = {}
        self.paused = set()
        self.starts = []
        self.now = 0.0
        self._seq = 0

    def add(self, job_id, queue, priority, delay, key, window, limit_key, *limits):
        holder = self._holder(key)
        if holder is not None:
            return holder.id
        self._seq += 1
        self.rows[job_id] = Row(
            job_id,
            self._seq,
            queue,
            priority,
            "delayed" if delay > 0 else "queued",
            self.now + delay,
            key,
            None if window is None else self.now + window,
            limit_key,
            *limits,
        )
        for row in self.rows.values():
            row.holds = row.holds and (row.key != key or row.id == job_id)
        return job_id

    def _holder(self, key):
        """The job that holds a key: one that is live, or whose window is not over."""
        for row in self.rows.values():
            free = row.state in ENDED and (row.window_end or 0) <= self.now
            if key is not None and row.key == key and row.holds and not free:
                return row
        return None

    def claim(self, queues, limit, worker, lease):
        for row in self.rows.values():
            if row.state == "delayed" and row.run_at <= self.now:
                row.state = "queued"
        line = [row for row in self.rows.values() if row.state == "queued"]
        line = [row for row in line if row.queue not in self.paused]
        line = [row for row in line if queues is None or row.queue in queues]
        line.sort(key=lambda row: (-row.priority, row.seq))
        suspects = [] if self._runs_a_suspect(worker) else [r for r in line if r.losses >= 2]
        chosen = [row for row in suspects if self._has_room(row, [])][:1]
        for row in line:
            if row.losses < 2 and self._has_room(row, chosen):
                chosen.append(row)
        chosen.sort(key=line.index)
        for row in chosen[:limit]:
            row.state, row.worker, row.reason = "running", worker, None
            row.attempt += 1
            row.lease_until = self.now + lease
            if row.rate_to is not None:
                self.starts.append((row.limit_key, self.now + row.rate_per))
        return [row.id for row in chosen[:limit]]

    def _has_room(self, row, chosen):
        """Whether a key has room beside what runs, and what is about to."""
        if row.limit_key is None:
            return True
        taken = sum(other.limit_key == row.limit_key for other in chosen)
        runs = self._running(row.limit_key) + taken
        started = self._started(row.limit_key) + taken
        return (row.limit_to is None or runs < row.limit_to) and (
            row.rate_to is None or started < row.rate_to
        )

    def _started(self, limit_key):
        """How many starts of a key still count."""
        return sum(key == limit_key and until > self.now for key, until in self.starts)

    def _running(self, limit_key):
        return sum(
            row.state == "running" and row.limit_key == limit_key for row in self.rows.values()
        )

    def _runs_a_suspect(self, worker):
        return any(
            row.state == "running" and row.worker == worker and row.losses >= 2
            for row in self.rows.values()
        )

    def _held(self, job_id, attempt):
        row = self.rows.get(job_id)
        return row if row and row.state == "running" and row.attempt == attempt else None

    def extend(self, job_id, attempt, lease):
        row = self._held(job_id, attempt)
        if row is None:
            return "lost"
        row.lease_until = self.now + lease
        return "cancelling" if row.cancel else "kept"

    def settle(self, job_id, attempt, state, reason, delay, failed, lost):
        row = self._held(job_id, attempt)
        if row is None:
            return False
        if row.cancel and (lost or state == "queued"):
            state, reason, failed, delay = "cancelled", "cancelled", False, None
        row.failures += failed
        row.losses += lost
        if state in ENDED:
            self._end(row, state, reason)
        else:
            row.releases += not (failed or lost)
            row.run_at = self.now + delay
            row.state = "delayed" if delay > 0 else "queued"
            row.reason = reason
        row.lease_until, row.cancel = None, False
        return True

    def _end(self, row, state, reason):
        row.state, row.reason, row.ended_at = state, reason, self.now
        row.lease_until, row.cancel = None, False

    def lose(self, chosen):
        for row in chosen:
            row.losses += 1
            if row.cancel:
                self._end(row, "cancelled", "cancelled")
            elif row.losses >= MAX_LOSSES:
                self._end(row, "dead", "crash_loop")
            else:
                first = row.losses == 1
                row.state = "queued" if first else "delayed"
                row.run_at = row.run_at if first else self.now + 2**row.losses
                row.reason, row.lease_until = "lost", None

    def rescue(self):
        self.lose(
            [r for r in self.rows.values() if r.state == "running" and r.lease_until <= self.now]
        )

    def release(self, worker):
        self.lose([r for r in self.rows.values() if r.state == "running" and r.worker == worker])

    def cancel(self, job_id):
        row = self.rows[job_id]
        if row.state == "running":
            row.cancel = True
        elif row.state not in ENDED:
            self._end(row, "cancelled", "cancelled")

    def retry(self, job_id):
        row = self.rows[job_id]
        if row.state not in ("failed", "dead", "cancelled"):
            return False
        if self._holder(row.key) not in (None, row):
            return False
        for other in self.rows.values():
            other.holds = other.holds and other.key != row.key
        row.state, row.reason, row.ended_at = "queued", None, None
        row.failures = row.losses = 0
        row.run_at, row.holds = self.now, row.key is not None
        return True

    def prune(self, before):
        for row in list(self.rows.values()):
            held = row.key and row.holds and (row.window_end or 0) > self.now
            if row.state in ENDED and row.ended_at < before and not held:
                del self.rows[row.id]

    def any(self, *states):
        """Whether a job is in one of these states."""
        return any(row.state in states for row in self.rows.values())

    def live(self):
        """How many jobs have not ended."""
        return sum(row.state not in ENDED for row in self.rows.values())
