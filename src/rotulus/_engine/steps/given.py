"""What steps are given: read from the store, and merged from what others hand on."""

import threading
from collections.abc import Callable
from typing import Any, cast

from rotulus._engine.parts import EDITED, ITEM, is_branch, place
from rotulus._jobs.record import JobRecord
from rotulus._jobs.states import State
from rotulus._tasks.plan import Plans
from rotulus._tasks.registry import TaskRegistry
from rotulus._text import jsontext
from rotulus._workflows.merging import merge
from rotulus._workflows.tasks import WorkflowTask
from rotulus._workflows.workflow import Step
from rotulus.store import Filter, Store

_MOST_NEEDS = 1_000_000
_REMEMBERED = 64

Data = dict[str, Any]


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
        self._recent: dict[tuple[str | None, str, int], Data] = {}
        self._lock = threading.Lock()

    def definition(self, record: JobRecord) -> Step | None:
        """The step that a job is, or is a branch of; None for the job that a run is made of.

        Raises:
            TaskNotFoundError: the workflow is not registered here.
            WorkflowError: it has no such step any more.
        """
        if not record.step or record.workflow is None:
            return None
        within, name = place(record.step)
        task = cast("WorkflowTask", self._registry.get(record.workflow))
        return task.workflow.step(place(within)[1] if is_branch(record.step) else name)

    def needs(self, record: JobRecord) -> list[JobRecord]:
        """The jobs that a step waited for, in the order in which its workflow names them."""
        found = {need.step: need for need in self._needed_by(record) if not _is_part(need, record)}
        if len(found) < 2:
            return list(found.values())
        definition = self.definition(record)
        within = place(record.step or "")[0]
        order = definition.needs if definition else ()
        ordered = [found.pop(name, None) for name in (_in(within, need) for need in order)]
        return [need for need in ordered if need is not None] + list(found.values())

    def parts(self, record: JobRecord) -> list[JobRecord]:
        """The parts that a job waited for, in the order they were added."""
        return [part for part in reversed(self._needed_by(record)) if _is_part(part, record)]

    def given(self, record: JobRecord) -> Data:
        """The context that a job is given."""
        if not record.step:
            return (
                self._plans.of(self._registry.get(record.task)).binder.load(record.arguments).kwargs
            )
        own = jsontext.decode(record.arguments)
        if EDITED in own:
            return own[EDITED]
        if is_branch(record.step):
            return {**self._of_whole(record), ITEM: own[ITEM]}
        needs = self.needs(record)
        return self.merged(needs) if needs else self._of_whole(record)

    def merged(self, jobs: list[JobRecord]) -> Data:
        """What jobs hand on, merged."""
        return merge(*map(self._handed_on, jobs))

    def _handed_on(self, record: JobRecord) -> Data:
        if record.state == State.SUCCEEDED and record.result is not None:
            result = jsontext.decode(record.result)
            if isinstance(result, dict):  # a step that has completed itself may say anything
                return cast("Data", result)
        return self.given(record)

    def _of_whole(self, part: JobRecord) -> Data:
        """What the job was given that this one is a part of. It has many parts, mostly."""
        within, _ = place(part.step or "")
        key = (part.run, within, part.created_at)
        given = self._recent.get(key)
        if given is None:
            [whole] = self._store().find(Filter(run=part.run, step=within), 1)
            given = self.given(whole)
            with self._lock:
                while len(self._recent) >= _REMEMBERED:
                    del self._recent[next(iter(self._recent))]
                self._recent[key] = given
        return given

    def _needed_by(self, record: JobRecord) -> list[JobRecord]:
        return self._store().find(Filter(needed_by=record.id), _MOST_NEEDS)


def _in(within: str, name: str) -> str:
    return f"{within}/{name}" if within else name


def _is_part(other: JobRecord, record: JobRecord) -> bool:
    """Whether a job that another one waited for is a part of it."""
    return place(other.step or "")[0] == record.step
