"""The parts of a job: the steps of a workflow, or a branch for each item of an array."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any, cast

from rotulus._engine.terms import limit_key_of, terms_of
from rotulus._jobs.record import JobRecord
from rotulus._tasks.plan import Plans
from rotulus._tasks.task import Task
from rotulus._tasks.template import KeyTemplate
from rotulus._text import jsontext
from rotulus._text.ids import Ids
from rotulus._workflows.paths import join_path
from rotulus._workflows.stored import ITEM, written
from rotulus._workflows.workflow import Step, Workflow
from rotulus.errors import ArgumentsError
from rotulus.store import NewJob, Terms

AnyTask = Task[..., Any, Any]

_SMALL = 2048
"""A context of so many characters is given to the first steps as it is, and need not be read."""


class Parts:
    """Makes the parts of jobs.

    Args:
        ids: makes their ids.
        plans: how each task is called.
        max_bytes: the largest arguments, in bytes.
    """

    def __init__(self, ids: Ids, plans: Plans, max_bytes: int) -> None:
        self._ids = ids
        self._plans = plans
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
                _terms_of_step(step, queue, priority),
                limit_key=self._limit_key_of_step(step, given),
                step=join_path(within, step.id),
                workflow=workflow.name,
                needs=[ids[need] for need in step.needs],
            )
            for step in map(workflow.step, order)
        ]

    def of_items(
        self, step: Step, job: JobRecord, given: Mapping[str, Any], items: Sequence[Any]
    ) -> list[NewJob]:
        """A job for each item of a job's step.

        Args:
            step: the step.
            job: its job.
            given: the context that it is given.
            items: the items.

        Raises:
            NotJSONError: one is too large.
            OptionError: the key that a branch is limited by cannot be made of its arguments.
        """
        terms = _terms(step.task, job.queue, job.priority)
        within = job.step or ""
        return [
            NewJob(
                id_,
                jsontext.encode({ITEM: item}, max_bytes=self._max_bytes),
                terms,
                limit_key=self._limit_key(step.task, given, [item]),
                step=join_path(within, str(number)),
                workflow=job.workflow,
            )
            for number, (id_, item) in enumerate(
                zip(self._ids.many(len(items)), items, strict=True)
            )
        ]

    def _limit_key_of_step(self, step: Step, given: str) -> str | None:
        if step.for_each is not None:
            return None  # its branches are limited, and it only makes them
        key = limit_key_of(step.task)
        if not isinstance(key, KeyTemplate):
            return key
        return self._limit_key(step.task, cast("dict[str, Any]", jsontext.decode(given)))

    def _limit_key(
        self, task: AnyTask, given: Mapping[str, Any], item: Sequence[Any] = ()
    ) -> str | None:
        """What a job is limited by; a template is filled from the arguments that it will take."""
        key = limit_key_of(task)
        if not isinstance(key, KeyTemplate):
            return key
        plan = self._plans.of(task)
        values = arguments_by_name(plan.binder.names, given, item)
        return key.fill(self._validated(task, values), plan.defaults)

    def _validated(self, task: AnyTask, values: dict[str, Any]) -> dict[str, Any]:
        """Values as the task is given them, which is how they look in the key of a plain job."""
        binder = self._plans.of(task).binder
        try:
            call = binder.load(jsontext.encode(values, max_bytes=sys.maxsize))
        except ArgumentsError:  # the job will say so, when it is run
            return values
        return {**dict(zip(binder.names, call.args, strict=False)), **call.kwargs}


def arguments_by_name(
    names: Sequence[str], given: Mapping[str, Any], item: Sequence[Any] = ()
) -> dict[str, Any]:
    """The arguments of an ordinary task that is a step: from its context, by their names.

    Args:
        names: the parameters.
        given: the context.
        item: the item of a branch, which is its first argument, if it is one.
    """
    values = {name: given[name] for name in names if name in given}
    return {**values, **dict(zip(names[:1], item, strict=False))}


def _terms_of_step(step: Step, queue: str, priority: int) -> Terms:
    terms = _terms(step.task, queue, priority)
    if step.for_each is None:
        return terms
    return terms._replace(limit_to=None, rate_to=None, rate_per=None)


def _terms(task: AnyTask, queue: str, priority: int) -> Terms:
    own = terms_of(task)
    return own._replace(
        queue=queue if own.queue == _PLAIN.queue else own.queue, priority=own.priority or priority
    )


_PLAIN = Terms("")
