"""The context that a step begins with: the changes of the steps it needs, merged."""

import threading
from collections.abc import Callable, Iterable, Sequence

from rotulus._engine.steps.needs import Needs, named, stored_of
from rotulus._jobs.record import JobRecord
from rotulus._jobs.states import State
from rotulus._tasks.plan import Plans
from rotulus._tasks.registry import TaskRegistry
from rotulus._workflows.context import Context
from rotulus._workflows.handed import HandedOn
from rotulus._workflows.merging import combine
from rotulus._workflows.order import topological
from rotulus._workflows.paths import is_branch, split_path
from rotulus._workflows.stored import ITEM
from rotulus._workflows.tasks import WorkflowTask
from rotulus._workflows.workflow import Step
from rotulus.errors import StepNotFoundError, TaskNotFoundError
from rotulus.store import Store

_REMEMBERED = 64


class StepInputs:
    """Reads the contexts that the steps of runs begin with.

    Args:
        store: where the runs are.
        registry: the workflows.
        plans: how the arguments of a workflow are read.
    """

    def __init__(self, store: Callable[[], Store], registry: TaskRegistry, plans: Plans) -> None:
        self._registry = registry
        self._plans = plans
        self._needs = Needs(store)
        self._recent: dict[tuple[str | None, str, int], HandedOn] = {}
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
        """Read at once what some jobs will ask for; see `Needs.fetch`."""
        self._needs.fetch(records, ended)

    def waited_for(self, record: JobRecord) -> list[JobRecord]:
        """Returns the jobs that a job waited for, and perhaps others; the last added first."""
        if record.opened:
            return self._needs.of(record)
        waits = bool(record.step) and not is_branch(record.step) and stored_of(record).needs != ()
        return self._needs.of(record) if waits else []

    def needs(self, record: JobRecord, among: Iterable[JobRecord]) -> list[JobRecord]:
        """Returns those of some jobs that a step needs, in the order in which they are merged."""
        return named(record, among, self._declared(record))

    def of(self, record: JobRecord, needs: Sequence[JobRecord] | None = None) -> HandedOn:
        """Returns the context that a job begins with.

        Args:
            record: the job.
            needs: what it needs, if that has been read.
        """
        if not record.step:
            task = self._registry.get(record.task)
            return HandedOn(self._plans.of(task).binder.load(record.arguments).kwargs)
        if needs is None:
            needs = self.needs(record, self._needs.beside(record))
        return self._made_of(record, self._handed_on_by(needs))

    def merged(self, jobs: Sequence[JobRecord]) -> HandedOn:
        """Returns what jobs hand on, merged."""
        return combine(self._handed_on_by(jobs))

    def _handed_on_by(self, jobs: Sequence[JobRecord]) -> list[HandedOn]:
        """Returns what each of some jobs hands on.

        A job that did not succeed hands on the context that it began with, which is made of what
        others hand on, and so on; each of them is read once, however many ways lead to it.
        """
        known, behind = self._look_behind(jobs)
        for job_id in topological({job_id: list(needs) for job_id, (_, needs) in behind.items()}):
            if job_id not in known:
                job, needs = behind[job_id]
                known[job_id] = self._handed_on(job, [known[need] for need in needs])
        return [known[job.id] for job in jobs]

    def _look_behind(
        self, jobs: Iterable[JobRecord]
    ) -> tuple[dict[str, HandedOn], dict[str, tuple[JobRecord, Sequence[str]]]]:
        """Returns the values that results of jobs contain, by id; and the sources of the others.

        The second is each job that was looked at, with the ids of what it needs, if that matters.
        """
        known: dict[str, HandedOn] = {}
        behind: dict[str, tuple[JobRecord, Sequence[str]]] = {}
        level = {job.id: job for job in jobs}
        while level:
            asking: list[JobRecord] = []
            for job in level.values():
                behind[job.id] = (job, ())
                own = _stored_result(job)
                if own is None:
                    asking.append(job)
                else:
                    known[job.id] = own
            level = dict[str, JobRecord]()
            for job, needed in self._needs_of(asking):
                behind[job.id] = (job, [need.id for need in needed])
                level |= {need.id: need for need in needed if need.id not in behind}
        return known, behind

    def _needs_of(
        self, records: Sequence[JobRecord]
    ) -> Iterable[tuple[JobRecord, list[JobRecord]]]:
        """Each of some jobs, with what it needs."""
        declaring = [job for job in records if stored_of(job).needs is not None]
        among = self._needs.of_all(declaring) if declaring else []
        for job in records:
            own = among if stored_of(job).needs is not None else self._needs.of_all([job])
            yield job, self.needs(job, own)

    def _handed_on(self, record: JobRecord, handed_on: Sequence[HandedOn]) -> HandedOn:
        """Returns the value that a part hands on, made with the values of its needs.

        A step that has completed itself may say anything. What is a context counts as it is; else,
        as for one that did not succeed, the context that the step began with.
        """
        step_input = self._made_of(record, handed_on)
        own = record.result if record.state == State.SUCCEEDED else None
        result = HandedOn.from_text(own) if own is not None else None
        return (
            step_input if result is None else step_input.changed_to(result, stored_of(record).place)
        )

    def _made_of(self, record: JobRecord, handed_on: Sequence[HandedOn]) -> HandedOn:
        """Returns the context that a part begins with: made of what its needs hand on."""
        stored = stored_of(record)
        if stored.is_branch:
            own = Context(self._of_whole(record))
            own.set(ITEM, stored.item)
            return HandedOn(own)
        if stored.context is not None and not stored.edited:
            return HandedOn(stored.context)
        found = combine(handed_on) if handed_on else HandedOn(self._of_whole(record))
        # What was changed for a replay is the step's own change, for the steps after it.
        return (
            found
            if stored.context is None
            else found.changed_to(Context(stored.context), stored.place)
        )

    def _of_whole(self, part: JobRecord) -> HandedOn:
        """Returns the context of the job that this one is a part of. Mostly, it has many parts."""
        within, _ = split_path(part.step)
        key = (part.run, within, part.created_at)
        step_input = self._recent.get(key)
        if step_input is None:
            with self._lock:  # a thousand branches ask at once, and one of them reads
                step_input = self._recent.get(key)
                step_input = self._remember(key) if step_input is None else step_input
        return step_input

    def _remember(self, key: tuple[str | None, str, int]) -> HandedOn:
        run, within, _ = key
        whole = self._needs.whole(run, within)
        while len(self._recent) >= _REMEMBERED:
            del self._recent[next(iter(self._recent))]
        step_input = self._recent[key] = self.of(whole)
        return step_input

    def _declared(self, record: JobRecord) -> Sequence[str]:
        """The needs of a step as the workflow declares them now; none if it has no such step."""
        try:
            definition = self.definition(record)
        except (TaskNotFoundError, StepNotFoundError):
            return ()
        return () if definition is None else definition.needs


def _stored_result(record: JobRecord) -> HandedOn | None:
    """Returns the value that a job hands on; None if its result does not contain all of it."""
    if record.state != State.SUCCEEDED or record.result is None:
        return None
    if stored_of(record).place is None or HandedOn.is_marked(record.result):
        return HandedOn.from_text(record.result)
    return None
