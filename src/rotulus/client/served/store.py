"""What commands ask a store itself for, as a service answers it."""

import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from rotulus import State
from rotulus.client.calls import Call, get, path_of
from rotulus.client.groups import Groups
from rotulus.client.jobs import Jobs
from rotulus.client.queues import Queues
from rotulus.client.runs import Runs
from rotulus.client.schedules import Schedules
from rotulus.client.served.nouns import ServedWorkers
from rotulus.client.stats import Stats
from rotulus.client.wire import Wire
from rotulus.errors import GroupNotFoundError, JobFailedError, OptionError
from rotulus.store import Count, Fleet, Rights, StoreSize, TableSize

_NAMED = 10


class Named(NamedTuple):
    """A task, a queue or a schedule that is known by its name."""

    task: str = ""
    queue: str = ""
    name: str = ""


class ServedStore:
    """The store of a service, as far as commands ask for it.

    Args:
        wire: sends requests.
        workers: the workers of the service.
        schedules: its schedules.
    """

    def __init__(self, wire: Wire, workers: ServedWorkers, schedules: Schedules) -> None:
        self.url = wire.url
        self._wire = wire
        self._workers = workers
        self._jobs, self._runs, self._queues = Jobs(wire), Runs(wire), Queues(wire)
        self.groups = _Groups(self._jobs, Groups(wire))
        self.stats = _Names(Stats(wire, schedules))
        self.schedules = _Schedules(schedules)

    def wait(self, job_id: str, timeout: float) -> None:
        """Wait until a job has ended, or some seconds have passed."""
        path, seconds = path_of("jobs", job_id, "$result"), int(timeout)
        headers = {"Prefer": f"wait={seconds}"}  # whole ones
        call = Call("GET", path, _has_ended, headers=headers, repeatable=True, seconds=seconds)
        has_ended = True
        with suppress(JobFailedError):
            has_ended = self._wire.send(call)
        if not has_ended and not seconds:
            time.sleep(timeout)

    def count(self, by: str, run: str) -> Sequence[Count]:
        """Returns how many parts of a run are in each state: by their steps, or by their queues.

        Only steps that run are named; what is counted by queues is counted up to 10,000.
        """
        if by == "queue":
            live = {state: self._jobs.count(run=run, state=state) for state in State}
            return [Count("", state, int(jobs)) for state, jobs in live.items() if jobs]
        parts = dict(self._jobs.get(run).parts or {})
        running = self._runs.parts(run, state=State.RUNNING, limit=_NAMED)
        named = [Count(job.step or "", State.RUNNING, 1) for job in running]
        parts[State.RUNNING] = max(0, parts.get(State.RUNNING, 0) - len(named))
        return [*named, *(Count("", state, jobs) for state, jobs in parts.items() if jobs)]

    def size(self) -> StoreSize:
        """Returns how much room the store of the service takes."""
        told = self._wire.send(get("/store", _dict))
        tables = [TableSize(**table) for table in told["tables"]]
        return StoreSize(told["size"], tables, told["migrations"])

    def rights(self) -> Rights | None:
        """Returns what the user of the service's store may do there."""
        told = self._wire.send(get("/store", _dict)).get("rights")
        return told and Rights(**told)

    def migrate(self, *, apply: bool) -> list[str]:
        """Returns the migrations that are missing.

        Raises:
            OptionError: they are to be applied, which a service does not.
        """
        if apply:
            raise OptionError("A service does not migrate its store: run 'rotulus migrate' there")
        return self._wire.send(get("/store", _dict))["missing"]

    def fleet(self) -> Fleet:
        """Returns the workers that are alive, and the paused queues."""
        paused = {one.name: one.paused_at for one in self._queues.list() if one.paused_at}
        return Fleet(self._workers.list(), paused)


class _Groups:
    def __init__(self, jobs: Jobs, groups: Groups) -> None:
        self._jobs, self._groups = jobs, groups

    def is_open(self, job_id: str) -> bool:
        """Whether jobs can be added to the group whose callback a job is."""
        name = self._jobs.get(job_id).group
        if name is None:
            return False
        try:
            found = self._groups.get(name)
        except GroupNotFoundError:
            return False
        return found.open and found.job.id == job_id


class _Names:
    def __init__(self, stats: Stats) -> None:
        self._stats = stats

    def totals(self, *_: int) -> Sequence[Named]:
        """Returns the tasks and queues of which a job was added, as long as statistics are kept."""
        tasks = [one.name for one in self._stats.totals(by="task", since=_EVER)]
        queues = [one.name for one in self._stats.totals(by="queue", since=_EVER)]
        longest = range(max(len(tasks), len(queues)))  # a job that was added counts for both
        return [Named(tasks[n % len(tasks)], queues[n % len(queues)]) for n in longest]


class _Schedules:
    def __init__(self, schedules: Schedules) -> None:
        self._schedules = schedules

    def read(self) -> Sequence[Named]:
        """Returns all schedules, by name."""
        return [Named(name=one.name) for one in self._schedules.list()]


_EVER = 3650 * 86_400.0


def _dict(body: Any) -> dict[str, Any]:
    """Returns the data of an answer."""
    return body


def _has_ended(body: Any) -> bool:
    """Whether an answer is the result of a job, and not the job."""
    return "result" in body
