"""A workbench for the contract: a store, its clock, and shorthand for what tests do with both."""

import itertools

from rotulus._jobs.outcome import (
    ErrorInfo,
    cancelled,
    dead,
    failed,
    lost,
    opened,
    released,
    retried,
    skipped,
    snoozed,
    succeeded,
)
from rotulus._jobs.states import Reason
from rotulus.store import ClaimFilter, Filter, NewJob, Renewal, Terms, WorkerInfo


class Workbench:
    """A store under test, and shorthand for what tests do with it."""

    def __init__(self, store, clock, open_another):
        self.store = store
        self.clock = clock
        self.open_another = open_another
        self._numbers = itertools.count(1)

    def new(self, task="t", **fields):
        """A job to add, with an id that sorts by when it was made."""
        own = {name: fields.pop(name) for name in NewJob._fields if name in fields}
        arguments = own.pop("arguments", "{}")
        return NewJob(job_id(next(self._numbers)), arguments, Terms(task, **fields), **own)

    def add(self, task="t", **fields):
        """A job that has been added."""
        return self.store.add([self.new(task, **fields)])[0]

    def add_many(self, count, **fields):
        """As many jobs that have been added."""
        return self.store.add([self.new(**fields) for _ in range(count)])

    def claim(self, limit=100, queues=None, names=None, worker="w1", lease=30.0, grace=None):
        """Claim, as worker w1 unless it says otherwise."""
        return self.store.claim(ClaimFilter(worker, queues, names, grace), limit, lease)

    def wait(self, timeout, job=None, queues=None, names=None, worker="w1", grace=None):
        """Wait for the end of a job, or for what worker w1 would take."""
        return self.store.wait(job or ClaimFilter(worker, queues, names, grace), timeout)

    def running(self, **fields):
        """A job that has been added and claimed."""
        added = self.add(**{"priority": 1_000_000} | fields)
        [job] = self.claim(1)
        assert added.id == job.id, "another job was in front"
        return job

    def ended(self, how="succeeded", **fields):
        """A job that has ended."""
        job = self.running(**fields)
        self.store.settle([OUTCOMES[how](job)])
        return self.store.get(job.id)

    def parts(self, shape, **fields):
        """Parts to add: the steps of a shape, each with the steps that it needs."""
        made = {step: self.new(step=step, workflow="w", **fields) for step in shape}
        return [
            part._replace(needs=[made[need].id for need in shape[step]])
            for step, part in made.items()
        ]

    def add_run(self, shape, of=None, **fields):
        """A job that has been added with parts: the ids of all by step, its own under ""."""
        parts = self.parts(shape, **(of or {}))
        job = self.add("run", parts=parts, **fields)
        return {"": job.id, **{part.step: part.id for part in parts}}

    def open(self, job, shape):
        """Settle a running job with parts: the ids of those by step."""
        parts = self.parts(shape)
        assert [] == self.store.settle([opened(job.id, job.attempt, parts)])
        return {part.step: part.id for part in parts}

    def work(self, how="succeeded", **hows):
        """Claim what is due, and settle it; some steps in another way. The steps that were due."""
        jobs = self.claim()
        outcomes = [OUTCOMES[hows.get(job.step, how)](job) for job in jobs]
        assert [] == self.store.settle(outcomes)
        return [job.step for job in jobs]

    def steps(self, run):
        """How the jobs of a run stand."""
        return {job.step: str(job.state) for job in self.store.find(Filter(run=run), 1000)}

    def waits(self, run):
        """How many jobs each waits for."""
        return {job.step: job.waits_for for job in self.store.find(Filter(run=run), 1000)}

    def state(self, job):
        """How a job stands now."""
        return self.store.get(job.id).state

    def worker(self, name="w1", queues=None, names=None):
        """A worker to announce."""
        return WorkerInfo(name, "host", 1, queues, 4, self.clock.now(), names=names)


ERROR = ErrorInfo("ValueError", "no", "Traceback ...")

OUTCOMES = {
    "succeeded": lambda job: succeeded(job.id, job.attempt, '"done"'),
    "failed": lambda job: failed(job.id, job.attempt, Reason.ERROR, ERROR),
    "dead": lambda job: dead(job.id, job.attempt, Reason.CORRUPT, ERROR),
    "skipped": lambda job: skipped(job.id, job.attempt, Reason.CANCELLED),
    "cancelled": lambda job: cancelled(job.id, job.attempt),
    "retried": lambda job: retried(job.id, job.attempt, ERROR, 10.0),
    "retried now": lambda job: retried(job.id, job.attempt, ERROR, 0.0),
    "snoozed": lambda job: snoozed(job.id, job.attempt, 10.0, None),
    "released": lambda job: released(job.id, job.attempt),
    "lost": lambda job: lost(job.id, job.attempt, job.losses, ERROR),
}


def job_id(number):
    """An id, one after the other."""
    return f"00000000-0000-7000-8000-{number:012}"


def claims(jobs):
    """The renewals of claimed jobs."""
    return [Renewal(job.id, job.attempt) for job in jobs]
