"""What steps are given: read from the store, and merged from what others hand on."""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, cast

from rotulus._jobs.record import JobRecord
from rotulus._jobs.states import State
from rotulus._tasks.plan import Plans
from rotulus._tasks.registry import TaskRegistry
from rotulus._text import jsontext
from rotulus._workflows.context import Context
from rotulus._workflows.merging import merge
from rotulus._workflows.order import topological
from rotulus._workflows.paths import EDITED, ITEM, is_branch, join_path, split_path
from rotulus._workflows.tasks import WorkflowTask
from rotulus._workflows.workflow import Step
from rotulus.errors import StepNotFoundError, TaskNotFoundError
from rotulus.store import Filter, Store

_MOST_NEEDS = 1_000_000
_REMEMBERED = 64

_MOST_FETCHED = 5000
"""More is left over from jobs that were given back before they were begun."""

_SEVERAL = 2
"""One that asks alone reads by itself."""


class Contexts:
    """Reads the contexts of runs.

    Args:
        store: where the runs are.
        registry: the workflows.
        plans: how the arguments of a workflow are read.
    """

    def __init__(self, store: Callable[[], Store], registry: TaskRegistry, plans: Plans) -> None:
        self._store = store
        self._registry = registry
        self._plans = plans
        self._recent: dict[tuple[str | None, str, int], Context] = {}
        self._fetched: dict[tuple[str, int], list[JobRecord]] = {}
        self._lock = threading.RLock()

    def definition(self, record: JobRecord) -> Step | None:
        """The step that a job is, or is a branch of; None for the job that a run is made of.

        Raises:
            TaskNotFoundError: the workflow is not registered here.
            StepNotFoundError: it has no such step any more.
        """
        if not record.step or record.workflow is None:
            return None
        within, name = split_path(record.step)
        task = self._registry.get(record.workflow)
        if not isinstance(task, WorkflowTask):
            raise TaskNotFoundError(f"{task.name!r} is no workflow any more", task.name)
        return task.workflow.step(split_path(within)[1] if is_branch(record.step) else name)

    def fetch(self, records: Iterable[JobRecord], ended: Iterable[JobRecord] = ()) -> None:
        """Read at once what some jobs will ask for, so that not each of them reads by itself.

        Args:
            records: the jobs.
            ended: jobs as they ended in the transaction that claimed these: they need no reading.
        """
        wanted = {job.id: job for job in records if not is_branch(job.step)}
        if len(self._fetched) > _MOST_FETCHED:
            self._fetched.clear()
        known: dict[str | None, dict[str | None, JobRecord]] = {}
        for job in ended:
            known.setdefault(job.run, {})[job.step] = job
        for job in list(wanted.values()) if known else ():
            needs = self._all_among(job, known.get(job.run, {}))
            if needs:
                self._fetched[job.id, job.attempt] = needs
                del wanted[job.id]
        if len(wanted) < _SEVERAL:
            return
        found: dict[tuple[str | None, str], list[JobRecord]] = {}
        for need in self._store().find(Filter(needed_by=list(wanted)), _MOST_NEEDS):
            found.setdefault((need.run, split_path(need.step)[0]), []).append(need)
        for job in wanted.values():
            beside = found.get((job.run, split_path(job.step)[0]), [])
            self._fetched[job.id, job.attempt] = beside + found.get((job.run, job.step or ""), [])

    def needed_by(self, record: JobRecord) -> list[JobRecord]:
        """The jobs that a job waited for, and perhaps others beside them; the last added first."""
        fetched = self._fetched.pop((record.id, record.attempt), None)
        return self._read([record]) if fetched is None else fetched

    def _all_among(self, job: JobRecord, known: Mapping[str | None, JobRecord]) -> list[JobRecord]:
        """What a step needs, if all of it is known; else nothing."""
        with suppress(TaskNotFoundError, StepNotFoundError):  # it will be told when the step runs
            definition = None if job.opened else self.definition(job)
            needs = self._named(job, known)
            if definition is not None and len(needs) == len(definition.needs):
                return needs
        return []

    def needs(self, record: JobRecord, among: Iterable[JobRecord]) -> list[JobRecord]:
        """Those of some jobs that a step needs, in the order in which its workflow names them."""
        return self._named(record, {job.step: job for job in among})

    def given(self, record: JobRecord, needs: list[JobRecord] | None = None) -> Context:
        """The context that a job is given.

        Args:
            record: the job.
            needs: what it needs, if that has been read.
        """
        own = self._own(record)
        if own is not None:
            return own
        if needs is None:
            needs = self.needs(record, self._read([record]))
        return self.merged(needs) if needs else Context(self._of_whole(record))

    def merged(self, jobs: list[JobRecord]) -> Context:
        """What jobs hand on, merged.

        What a job that did not succeed hands on is made of what others do, and so on; each of them
        is read once, however many ways lead to it.
        """
        known, needs = self._look_behind(jobs)
        for job_id in topological({job_id: list(needed) for job_id, (_, needed) in needs.items()}):
            if job_id not in known:
                job, needed = needs[job_id]
                known[job_id] = (
                    _merged([known[need] for need in needed])
                    if needed
                    else Context(self._of_whole(job))
                )
        return _merged([known[job.id] for job in jobs])

    def _look_behind(
        self, jobs: Iterable[JobRecord]
    ) -> tuple[dict[str, Context], dict[str, tuple[JobRecord, Sequence[str]]]]:
        """What jobs hand on, by id, as far as they know it; and all that the rest is made of.

        The second is each job that was looked at, with the ids of what it needs, if that matters.
        """
        known: dict[str, Context] = {}
        needs: dict[str, tuple[JobRecord, Sequence[str]]] = {}
        level = {job.id: job for job in jobs}
        while level:
            asking: list[JobRecord] = []
            for job in level.values():
                needs[job.id] = (job, ())
                own = self._handed_on(job)
                if own is None:
                    asking.append(job)
                else:
                    known[job.id] = own
            among = {job.step: job for job in self._read(asking)} if asking else {}
            level = dict[str, JobRecord]()
            for job in asking:
                needed = self._named(job, among)
                needs[job.id] = (job, [need.id for need in needed])
                level |= {need.id: need for need in needed if need.id not in needs}
        return known, needs

    def _handed_on(self, record: JobRecord) -> Context | None:
        """What a job hands on; None when that is made of what others do."""
        if record.state == State.SUCCEEDED and record.result is not None:
            result = jsontext.decode(record.result)
            if isinstance(result, dict):  # a step that has completed itself may say anything
                return Context(cast("dict[str, Any]", result))
        return self._own(record)

    def _own(self, record: JobRecord) -> Context | None:
        """What a job is given; None when that is what others hand on."""
        if not record.step:
            task = self._registry.get(record.task)
            return Context(self._plans.of(task).binder.load(record.arguments).kwargs)
        own = jsontext.decode(record.arguments)
        if EDITED in own:
            return Context(own[EDITED])
        if is_branch(record.step):
            return _with_item(self._of_whole(record), own[ITEM])
        return None

    def _named(self, record: JobRecord, among: Mapping[str | None, JobRecord]) -> list[JobRecord]:
        """What a step needs, of some jobs by their paths."""
        definition = self.definition(record)
        if definition is None or is_branch(record.step):
            return []
        within = split_path(record.step)[0]
        names = (join_path(within, need) for need in definition.needs)
        return [among[name] for name in names if name in among]

    def _of_whole(self, part: JobRecord) -> Context:
        """What the job was given that this one is a part of. It has many parts, mostly."""
        within, _ = split_path(part.step)
        key = (part.run, within, part.created_at)
        given = self._recent.get(key)
        if given is None:
            with self._lock:  # a thousand branches ask at once, and one of them reads
                given = self._recent.get(key)
                given = self._remember(key) if given is None else given
        return given

    def _remember(self, key: tuple[str | None, str, int]) -> Context:
        run, within, _ = key
        [whole] = self._store().find(Filter(run=run, step=within), 1)
        while len(self._recent) >= _REMEMBERED:
            del self._recent[next(iter(self._recent))]
        given = self._recent[key] = self.given(whole)
        return given

    def _read(self, records: Iterable[JobRecord]) -> list[JobRecord]:
        """What these wait for."""
        return self._store().find(Filter(needed_by=[job.id for job in records]), _MOST_NEEDS)


def _merged(contexts: list[Context]) -> Context:
    return contexts[0] if len(contexts) == 1 else Context(merge(*contexts))


def _with_item(context: Context, item: Any) -> Context:
    own = Context(context)
    own.set(ITEM, item)
    return own
