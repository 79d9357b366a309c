"""What a store has to do, in plain Python: a dict and the rules, to hold real stores against."""

from dataclasses import dataclass, field

from rotulus._jobs.outcome import MAX_LOSSES
from rotulus._text.names import serves

RETRYABLE = {"failed", "dead", "cancelled"}
ENDED = {"succeeded", "skipped"} | RETRYABLE

LAST_ID = "f" * 36
"""No id of a job sorts after this."""


def step_of(where, part):
    """Where a part stands: every job has an id of its own, and so every step."""
    return f"{where}/{part}" if where else part


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
    started_at: float | None = None
    lease_until: float | None = None
    cancel: bool = False
    reason: str | None = None
    ended_at: float | None = None
    run: str | None = None
    step: str | None = None
    needs: dict[str, bool] = field(default_factory=dict)
    waits_for: int = 0
    opened: bool = False
    paused: bool = False
    task: str = "t"
    schedule: str | None = None
    added_at: float = 0.0

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
            self.run,
            self.step,
            0 if self.state in ENDED else self.waits_for,
            self.opened,
            self.paused,
        )

    def contains(self, other):
        """Whether another job is one of its parts, or of theirs."""
        if not self.opened or other.run != self.run or other is self:
            return False
        return self.step == "" or other.step.startswith(f"{self.step}/")

    def matches(self, where):
        """Whether it is what a filter asks for, as far as its own fields tell."""
        own = ("task", "queue", "key", "limit_key", "schedule", "worker", "run", "step")
        return (
            all(getattr(where, name) in (None, getattr(self, name)) for name in own)
            and (where.states is None or self.state in where.states)
            and where.prefix != ""
            and self.id.startswith(where.prefix or "")
        )


class Oracle:
    """The rules of the contract."""

    def __init__(self):
        self.rows = {}
        self.paused = set()
        self.starts = []
        self.terms = {}
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
        self.rows[job_id].added_at = self.now
        for row in self.rows.values():
            row.holds = row.holds and (row.key != key or row.id == job_id)
        return job_id

    def add_debounced(self, job_id, queue, wait, most, key, window):
        """A job of the task t; the job that waits is moved, and one that has begun lets go."""
        holder = self._holder(key)
        if holder is not None and holder.task == "t":
            if holder.attempt == 0 and not holder.opened and holder.state not in ENDED:
                holder.run_at = min(self.now + wait, holder.added_at + most)
                if holder.state != "blocked":
                    holder.state = "delayed" if holder.run_at > self.now else "queued"
                return holder.id
            holder.holds = False
        return self.add(job_id, queue, 0, wait, key, window, None)

    def edit(self, job_id, seen_priority, priority, delay):
        """Whether a job that waits is as it was seen, and has been changed."""
        row = self.rows.get(job_id)
        if row is None or row.opened or row.state in ENDED or row.state == "running":
            return False
        if row.priority != seen_priority:
            return False
        row.priority = row.priority if priority is None else priority
        if delay is not None:
            row.run_at = self.now + delay
            if row.state != "blocked":
                row.state = "delayed" if delay > 0 else "queued"
        return True

    def add_parts(self, owner, parts, queue):
        """Parts of a job, given as ids and the ids that each needs; those that begin a run."""
        row = self.rows[owner]
        row.run, row.step, row.opened = row.run or row.id, row.step or "", True
        for part, needs in parts.items():
            self.add(part, queue, 0, 0.0, None, None, None)
            new = self.rows[part]
            new.run, new.step, new.paused = row.run, step_of(row.step, part), row.paused
            new.task = "p"
            new.needs = dict.fromkeys(needs, False)
        needed = {need for needs in parts.values() for need in needs}
        row.needs |= {part: True for part in parts if part not in needed}
        if row.state == "queued":
            row.state = "blocked"
        self.rest()

    def open_group(self, job_id, queue, key):
        """The head of a group, which waits for itself."""
        found = self.add(job_id, queue, 0, 0.0, key, None, None)
        if found == job_id:
            head = self.rows[job_id]
            head.run, head.step, head.opened, head.task = job_id, "", True, "r"
            head.needs, head.state = {job_id: True}, "blocked"
            self.rest()
        return found

    def is_open(self, job_id):
        """Whether a job is the head of a group that takes members."""
        head = self.rows.get(job_id)
        return head is not None and job_id in head.needs and head.state not in ENDED

    def add_members(self, job_id, members, queue):
        """Whether the group takes them; they are numbered after its last one."""
        if not self.is_open(job_id):
            return False
        head = self.rows[job_id]
        steps = [row.step for row in self.rows.values() if row.run == job_id]
        last = int(max(steps)[:9] or 0)
        for number, member in enumerate(members, last + 1):
            self.add(member, queue, 0, 0.0, None, None, None)
            new = self.rows[member]
            new.run, new.step, new.paused = job_id, f"{number:09}", head.paused
            head.needs[member] = True
        self.rest()
        return True

    def close_group(self, job_id):
        """Whether it was open. One that was cancelled is closed as well, without a word."""
        was_open = self.is_open(job_id)
        if job_id in self.rows:
            self.rows[job_id].needs.pop(job_id, None)
            self.rest()
        return was_open

    def rest(self):
        """Who waits is blocked as long as a need has not ended, or the run is paused."""
        for row in self.rows.values():
            row.waits_for = sum(self.rows[need].state not in ENDED for need in row.needs)
            if row.state in ENDED or row.state == "running":
                continue
            if row.waits_for or row.paused:
                row.state = "blocked"
            elif row.state == "blocked":
                row.run_at = max(row.run_at, self.now)
                row.state = "delayed" if row.run_at > self.now else "queued"

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
        line = [row for row in line if serves(queues, row.queue)]
        line.sort(key=lambda row: (-row.priority, row.seq))
        suspects = [] if self._runs_a_suspect(worker) else [r for r in line if r.losses >= 2]
        chosen = [row for row in suspects if self._has_room(row, [])][:1]
        for row in line:
            if row.losses < 2 and self._has_room(row, chosen):
                chosen.append(row)
        chosen.sort(key=line.index)
        for row in chosen[:limit]:
            self._begin(row, worker, lease)
        return [row.id for row in chosen[:limit]]

    def claim_ids(self, ids, limit, worker, lease):
        """Some jobs by their ids, one after the other."""
        line = [row for row in self.rows.values() if row.id in ids]
        line = [row for row in line if row.queue not in self.paused and self._is_due(row)]
        chosen = []
        for row in sorted(line, key=lambda row: (-row.priority, row.seq)):
            alone = row.losses < 2 or not self._runs_a_suspect(worker)
            if len(chosen) < limit and alone and self._has_room(row, []):
                self._begin(row, worker, lease)
                chosen.append(row.id)
        return chosen

    def _is_due(self, row):
        """Whether a job is, for who asks for it by its id."""
        due = row.run_at <= self.now or row.reason == "retry"
        return row.state == "queued" or (row.state == "delayed" and due)

    def _begin(self, row, worker, lease):
        row.state, row.worker, row.reason = "running", worker, None
        row.attempt += 1
        row.started_at = self.now
        row.lease_until = self.now + lease
        _, rate_to, rate_per = self._terms(row)
        if row.limit_key is not None and rate_to is not None:
            self.starts.append((row.limit_key, self.now + rate_per))

    def _has_room(self, row, chosen):
        """Whether a key has room beside what runs, and what is about to."""
        if row.limit_key is None:
            return True
        taken = sum(other.limit_key == row.limit_key for other in chosen)
        runs = self._running(row.limit_key) + taken
        started = self._started(row.limit_key) + taken
        limit_to, rate_to, _ = self._terms(row)
        return (limit_to is None or runs < limit_to) and (rate_to is None or started < rate_to)

    def _terms(self, row):
        """Limit, rate and window: those that are set for its key, or else its own."""
        limit_to, rate_to, rate_per = self.terms.get(row.limit_key, (None, None, None))
        return (
            row.limit_to if limit_to is None else limit_to,
            *((row.rate_to, row.rate_per) if rate_to is None else (rate_to, rate_per)),
        )

    def set_terms(self, limit_key, limit_to, rate_to, rate_per):
        before = self.terms.get(limit_key)
        self.terms[limit_key] = (limit_to, rate_to, rate_per)
        self._shorten_starts(limit_key, before, self.terms[limit_key])

    def unset_terms(self, limit_key):
        """Whether some were set."""
        before = self.terms.pop(limit_key, None)
        if before is not None:
            self._shorten_starts(limit_key, before)
        return before is not None

    def _shorten_starts(self, limit_key, *terms):
        """If a window of a key is set, or was, no start counts longer than a whole one from now."""
        rows = [row for row in self.rows.values() if row.limit_key == limit_key]
        line = [row for row in rows if row.state == "queued" and row.losses < 2]
        line.sort(key=lambda row: (-row.priority, row.seq))
        runs = [row.rate_per for row in rows if row.state == "running" and row.rate_per]
        windows = [self.terms.get(limit_key, (None, None, None))[2]]
        windows += [row.rate_per for row in line[:1]] + [max(runs, default=None)]
        window = next((one for one in windows if one is not None), None)
        if window is not None and any(one is not None and one[2] is not None for one in terms):
            self.starts = [
                (key, min(until, self.now + window) if key == limit_key else until)
                for key, until in self.starts
            ]

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
        self.rest()
        return True

    def open(self, job_id, attempt, parts, queue):
        row = self._held(job_id, attempt)
        if row is None:
            return False
        if row.cancel:
            self._end(row, "cancelled", "cancelled")
            self.rest()
            return True
        row.state, row.reason, row.lease_until, row.run_at = "blocked", "opened", None, self.now
        row.limit_key = row.limit_to = row.rate_to = row.rate_per = None
        self.add_parts(job_id, parts, queue)
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
        self.rest()

    def rescue(self):
        self.lose(
            [r for r in self.rows.values() if r.state == "running" and r.lease_until <= self.now]
        )

    def release(self, worker):
        self.lose([r for r in self.rows.values() if r.state == "running" and r.worker == worker])

    def cancel(self, job_id):
        asked = self.rows[job_id]
        for row in [asked, *filter(asked.contains, self.rows.values())]:
            if row.state == "running":
                row.cancel = True
            elif row.state not in ENDED:
                self._end(row, "cancelled", "cancelled")
        self.rest()

    def pause(self, run, paused):
        """Gives those that are resumed."""
        resumed = set()
        for row in self.rows.values():
            if row.run == run or (row.id == run and row.run is None):
                resumed |= {row.id} if row.paused and not paused else set()
                row.paused = paused
        self.rest()
        return resumed

    def retry(self, job_id, anew):
        asked = self.rows[job_id]
        head = self.rows[asked.run or asked.id]
        if asked.state not in (ENDED if anew else RETRYABLE):
            return False
        if self._holder(head.key) not in (None, head):
            return False
        parts = [] if anew else filter(asked.contains, self.rows.values())
        back = [asked, *(part for part in parts if part.state in RETRYABLE)]
        after = {row.id: row for row in self._after(back) if row.state != "running"}
        for row in list(after.values()):
            if row.opened and ((anew and row is asked) or self._follows(row, after)):
                self._close(row)
        for row in after.values():
            self._begin_again(row)
        self.rest()
        self.sent_back = list(after)
        return True

    def skip(self, job_id):
        """The ids of the part and of what had ended and goes back; none if it is left as it is."""
        part = self.rows.get(job_id)
        if part is None or part.run in (None, part.id):
            return []
        if part.state == "blocked" and part.waits_for and not part.opened:
            return []
        within = list(filter(part.contains, self.rows.values()))
        if part.state in {"succeeded", "skipped"} or "running" in {
            one.state for one in [part, *within]
        }:
            return []
        had_ended = part.state in ENDED
        head = self.rows[part.run]
        if had_ended and self._holder(head.key) not in (None, head):
            return []
        for one in [part, *within]:
            if one.state not in {"succeeded", "skipped"}:
                self._end(one, "skipped", "operator")
        self.sent_back = []
        again = self._go_on_after(part) if had_ended else []
        self.rest()
        return [job_id, *again]

    def _go_on_after(self, part):
        """Send back what comes after a part, and was not skipped itself; the ids of what had ended."""
        after = {
            row.id: row
            for row in self._after([part])
            if row is part or (row.state != "running" and row.reason != "operator")
        }
        again = sorted(job for job, row in after.items() if job != part.id and row.state in ENDED)
        for row in list(after.values()):
            if row.opened and row is not part and self._follows(row, after):
                self._close(row)
        del after[part.id]
        for row in after.values():
            self._begin_again(row)
        self.sent_back = list(after)
        return again

    def _after(self, back):
        """Jobs, and what waits for them directly or in the end."""
        found = {row.id: row for row in back}
        while more := {
            row.id: row
            for row in self.rows.values()
            if row.id not in found and not found.keys().isdisjoint(row.needs)
        }:
            found |= more
        return found.values()

    def _follows(self, row, others):
        """Whether a job waits for others than its parts."""
        return any(need in others and not part for need, part in row.needs.items())

    def _close(self, row):
        """Forget the parts of a job."""
        for part in list(filter(row.contains, self.rows.values())):
            self.rows.pop(part.id)
        row.opened = False
        row.needs = {need: part for need, part in row.needs.items() if not part}

    def _begin_again(self, row):
        if row.key is not None:
            for other in self.rows.values():
                other.holds = other.holds and other.key != row.key
            row.holds = True
        row.state, row.reason, row.ended_at = "blocked", None, None
        row.failures = row.losses = 0
        row.run_at = self.now

    def find(self, where, limit, before):
        """The ids of jobs that match, the last added first; their ids grow.

        Nothing comes before what is no id.
        """
        if where.needed_by is None:
            found = self.rows
        else:
            jobs = [self.rows[job] for job in where.needed_by if job in self.rows]
            found = {need for job in jobs for need in job.needs}
        found = [job for job in found if self.rows[job].matches(where)]
        found = [job for job in found if before is None or job < before <= LAST_ID]
        return sorted(found, reverse=True)[:limit]

    def prune(self, before):
        for row in list(self.rows.values()):
            if row.id in self.rows and self._deletable(row) and row.ended_at < before:
                self._forget(row)

    def delete(self, ids):
        """The ids of those that are gone."""
        gone = [job for job in ids if job in self.rows and self._deletable(self.rows[job])]
        for job in gone:
            self._forget(self.rows[job])
        return gone

    def _deletable(self, row):
        """Whether a job or a run has ended as a whole, and nothing is kept by its key."""
        held = row.key and row.holds and (row.window_end or 0) > self.now
        ended = {other.state for other in self._whole(row)} <= ENDED
        return ended and row.run in (None, row.id) and not held

    def _whole(self, row):
        return [other for other in self.rows.values() if other.run == row.id] or [row]

    def _forget(self, row):
        for other in self._whole(row):
            del self.rows[other.id]

    def any(self, *states):
        """Whether a job is in one of these states."""
        return any(row.state in states for row in self.rows.values())

    def live(self):
        """How many jobs have not ended."""
        return sum(row.state not in ENDED for row in self.rows.values())
