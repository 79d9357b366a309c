"""What an outbox has to do, in plain Python: beside the oracle of jobs."""

from dataclasses import dataclass

NEVER = float("inf")
"""When an entry is due of a job that has ended, and might be sent back."""


@dataclass
class Entry:
    """An entry as the oracle sees it; times in seconds of its own clock."""

    queue: str
    due_at: float
    published_at: float | None = None
    tries: int = 0


class OutboxOracle:
    """The rules of the outbox.

    Args:
        jobs: the oracle of the jobs.
    """

    def __init__(self, jobs):
        self._jobs = jobs
        self._entries = {}

    def entry(self, job_id):
        """What is to be published of a job, as a store would show it."""
        self._forget()
        entry = self._entries.get(job_id)
        return entry and (entry.due_at, entry.published_at, entry.tries)

    def republish(self, ids):
        for row in map(self._jobs.rows.get, ids):
            if row is not None and row.ended_at is None:
                self._entries[row.id] = Entry(row.queue, row.run_at)

    def sent_back(self, ids):
        """An operator has sent jobs back."""
        self._forget()
        self.republish(ids & self._entries.keys())

    def take_left(self, queue, patience, names):
        return self.take(queue, patience, patience, patience, names)

    def take(self, queue, lease, patience, overdue=0, others=None):
        """What is taken; where `others` are given, only jobs of other tasks are."""
        self._forget()
        if queue in self._jobs.paused:
            return set()
        now, taken = self._jobs.now, set()
        for job_id, entry in list(self._entries.items()):
            row = self._jobs.rows[job_id]
            if entry.queue != queue or entry.due_at > now - overdue:
                continue
            if others is not None and row.task in others:
                continue
            if row.state in ("succeeded", "skipped"):
                del self._entries[job_id]
            elif row.ended_at is not None:
                entry.due_at = NEVER
            elif row.state in ("running", "blocked"):
                entry.due_at = now + patience
            elif row.run_at > now:
                entry.due_at = row.run_at
            elif entry.published_at is not None and (row.started_at or 0) > now - patience:
                entry.due_at = row.started_at + patience
            else:
                entry.due_at, entry.tries = now + lease, entry.tries + 1
                taken.add(job_id)
        return taken

    def published(self, ids, patience):
        self._forget()
        for job_id in ids:
            if job_id in self._entries and self._entries[job_id].tries:
                entry = self._entries[job_id]
                entry.published_at, entry.due_at = self._jobs.now, self._jobs.now + patience

    def _forget(self):
        """Entries go with their jobs."""
        self._entries = {i: e for i, e in self._entries.items() if i in self._jobs.rows}
