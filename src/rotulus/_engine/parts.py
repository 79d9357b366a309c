"""The parts of a job: the steps of a workflow, or a branch for each item of an array."""

from collections.abc import Sequence
from typing import Any

from rotulus._engine.terms import limit_key_of, terms_of
from rotulus._jobs.record import JobRecord
from rotulus._tasks.task import Task
from rotulus._tasks.template import KeyTemplate
from rotulus._text import jsontext
from rotulus._text.ids import Ids
from rotulus._workflows.paths import join_path
from rotulus._workflows.stored import ITEM, written
from rotulus._workflows.workflow import Step, Workflow
from rotulus.store import NewJob, Terms

_SMALL = 2048
"""A context of so many characters is given to the first steps as it is, and need not be read."""


class Parts:
    """Makes the parts of jobs.

    Args:
        ids: makes their ids.
        max_bytes: the largest arguments, in bytes.
    """

    def __init__(self, ids: Ids, max_bytes: int) -> None:
        self._ids = ids
        self._max_bytes = max_bytes

    def of_workflow(
        self, workflow: Workflow, given: str, queue: str, priority: int, within: str = ""
    ) -> list[NewJob]:
        """A job for each step, in an order in which each comes after what it needs.

        Args:
            workflow: the workflow.
            given: the context it begins with, as JSON text.
            queue: the queue of the job that they are parts of: theirs, too, unless the task of a
                step has one of its own.
            priority: its priority, likewise.
            within: its path; "" begins a run.
        """
        order = workflow.topological_sort()
        ids = dict(zip(order, self._ids.many(len(order)), strict=True))
        small, stands = given if len(given) <= _SMALL else None, workflow.places
        return [
            NewJob(
                ids[step.id],
                written(step.needs, stands.get(step.id), small),
                _terms(step.task, queue, priority),
                limit_key=_limit_key(step.task),
                step=join_path(within, step.id),
                workflow=workflow.name,
                needs=[ids[need] for need in step.needs],
            )
            for step in map(workflow.step, order)
        ]

    def of_items(self, step: Step, job: JobRecord, items: Sequence[Any]) -> list[NewJob]:
        """A job for each item of a job's step. Raises `NotJSONError` when one is too large."""
        terms, limit_key = _terms(step.task, job.queue, job.priority), _limit_key(step.task)
        within = job.step or ""
        return [
            NewJob(
                id_,
                jsontext.encode({ITEM: item}, max_bytes=self._max_bytes),
                terms,
                limit_key=limit_key,
                step=join_path(within, str(number)),
                workflow=job.workflow,
            )
            for number, (id_, item) in enumerate(
                zip(self._ids.many(len(items)), items, strict=True)
            )
        ]


def _terms(task: Task[..., Any, Any], queue: str, priority: int) -> Terms:
    own = terms_of(task)
    return own._replace(
        queue=queue if own.queue == _PLAIN.queue else own.queue, priority=own.priority or priority
    )


_PLAIN = Terms("")


def _limit_key(task: Task[..., Any, Any]) -> str | None:
    """What a step is limited by. Its call is not known yet, so it has no key of its own."""
    key = limit_key_of(task)
    return task.name if isinstance(key, KeyTemplate) else key
