"""Makes new jobs, as a store takes them: of calls, instants of schedules, steps and items."""

import sys
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, cast

from rotulus._engine.outbox_relay import OutboxRelay
from rotulus._jobs.encrypted import check_readable
from rotulus._jobs.grouped import KEY, head_arguments
from rotulus._jobs.labels import NOTHING_ATTACHED, Attached, inherited
from rotulus._jobs.record import JobRecord
from rotulus._tasks.arguments import Bound, Call
from rotulus._tasks.options import JobOptions
from rotulus._tasks.plan import Plans
from rotulus._tasks.task import Task
from rotulus._tasks.template import KeyTemplate
from rotulus._text import jsontext
from rotulus._text.ids import Ids
from rotulus._time.schedule import CATCH_UP, stamp
from rotulus._workflows.context import Context
from rotulus._workflows.paths import join_path
from rotulus._workflows.stored import ITEM, written
from rotulus._workflows.tasks import WorkflowTask
from rotulus._workflows.workflow import Step, Workflow
from rotulus.errors import ArgumentsError, OptionError
from rotulus.store import NewJob, Terms

_HOLD = (CATCH_UP + timedelta(days=1)).total_seconds()
"""Seconds for which an instant's key is held: longer than any process looks back for it."""

_SMALL = 2048
"""A context of so many characters is stored with the first steps, which need not read it."""

_DEFAULT_QUEUE = Terms("").queue

AnyTask = Task[..., Any, Any]


class Keys(NamedTuple):
    """The keys of a job: the unique one, and the one by which it is limited."""

    key: str | None
    limit_key: str | None


class Due(NamedTuple):
    """When a job of a schedule is due.

    Attributes:
        instant: the instant that it is fired for; None: it is fired by hand.
        delay: how long after the instant it is due.
    """

    instant: datetime | None = None
    delay: timedelta = timedelta(0)


class JobFactory:
    """Makes new jobs.

    Args:
        plans: how each task is called.
        ids: makes the ids.
        parts: makes the parts of workflows.
        outbox_relay: which jobs are carried to an endpoint outside.
        max_bytes: the largest arguments, in bytes.
    """

    def __init__(
        self, plans: Plans, ids: Ids, parts: "Parts", outbox_relay: OutboxRelay, max_bytes: int
    ) -> None:
        self._plans = plans
        self._ids = ids
        self._parts = parts
        self._outbox_relay = outbox_relay
        self.max_bytes = max_bytes

    def calls(self, task: AnyTask, calls: Sequence[Call]) -> list[NewJob]:
        """Returns a job for each call. Raises `ArgumentsError` when one does not fit."""
        plan = self._plans.of(task)
        bind, most = plan.binder.bind, self.max_bytes
        bound: list[Bound] = []
        try:
            bound.extend(bind(call.args, call.kwargs, most) for call in calls)
        except ArgumentsError as error:
            if len(calls) == 1:
                raise
            raise _numbered(error, len(bound) + 1, len(calls)) from None
        ids = self._ids.many(len(bound))
        shared = self._terms(task)
        key, limit_key = task.options.key, task.options.limited_by(task.name)
        attached = task.attached
        if key is None and limit_key is None and attached == NOTHING_ATTACHED:
            jobs = [NewJob(i, b.payload, shared) for i, b in zip(ids, bound, strict=True)]
        else:
            jobs = [
                NewJob(
                    i,
                    b.payload,
                    shared,
                    _filled(key, b.values, plan.defaults),
                    _filled(limit_key, b.values, plan.defaults),
                    None,
                    *attached,
                )
                for i, b in zip(ids, bound, strict=True)
            ]
        return [self._with_parts(task, job) for job in jobs] if _begins(task) else jobs

    def keys(self, task: AnyTask, call: Call) -> Keys:
        """Returns the keys of a job of this call. Raises `ArgumentsError` for one that has none."""
        plan = self._plans.of(task)
        values = plan.binder.bind(call.args, call.kwargs, sys.maxsize).values
        key, limit_key = task.options.key, task.options.limited_by(task.name)
        return Keys(*(_filled(one, values, plan.defaults) for one in (key, limit_key)))

    def new_id(self) -> str:
        """Returns an id that no job has."""
        return self._ids()

    def unchecked(self, name: str, payload: str, options: JobOptions) -> NewJob:
        """Returns a job of a task that is not known here."""
        shared = self._outbox_relay.terms(options.terms(name))
        key, limit_key = (_filled(k, {}, {}) for k in (options.key, options.limited_by(name)))
        return NewJob(self._ids(), payload, shared, key, limit_key, None, *options.attached)

    def firing(self, task: AnyTask, schedule: str, arguments: str, due: Due) -> NewJob:
        """Returns a job that a schedule fires; that of an instant has the same key everywhere.

        Args:
            task: the task.
            schedule: the name of the schedule.
            arguments: what the task is called with, as a JSON object.
            due: when.

        Raises:
            ArgumentsError: the arguments do not fit the task.
            CipherError: they are encrypted, and cannot be decrypted here.
        """
        plan = self._plans.of(task)
        bound = Bound("{}", {})
        check_readable(arguments, f"The arguments of schedule {schedule!r}")
        if arguments != "{}":
            bound = plan.binder.bind((), jsontext.decode(arguments), self.max_bytes)
        limit_key = _filled(task.options.limited_by(task.name), bound.values, plan.defaults)
        shared = self._terms(task)._replace(schedule=schedule, window=None, debounce=None)
        key = None
        if due.instant is not None:
            key, at = f"{schedule}@{stamp(due.instant)}", due.instant + due.delay
            shared = shared._replace(window=_HOLD, at=at if due.delay else None)
        job = NewJob(
            self._ids(), bound.payload, shared, key, limit_key, due.instant, *task.attached
        )
        return self._with_parts(task, job) if _begins(task) and not due.delay else job

    def group_head(self, task: AnyTask, name: str) -> NewJob:
        """Returns the job of the callback of a group. Raises `OptionError` for a carried one."""
        shared = self._terms(task)._replace(window=None, debounce=None)
        if shared.carried:
            raise OptionError(
                f"{task.name!r} is carried to an endpoint, and groups are not: leave it out of "
                f"what the carrier carries, and run a worker for it"
            )
        limit_key = task.options.limited_by(task.name)
        if isinstance(limit_key, KeyTemplate):
            raise OptionError(
                f"{task.name!r} is limited by a key made of its arguments, which the callback of a "
                f"group does not have yet: choose one, then={task.name}.using(limit_key=...)"
            )
        of_head = shared, f"{KEY}{name}", limit_key, None
        return NewJob(self._ids(), head_arguments(name), *of_head, *task.attached)

    def _terms(self, task: AnyTask) -> Terms:
        """Returns the terms of jobs of a task. Raises `OptionError` for a carried workflow."""
        shared = self._outbox_relay.terms(task.terms)
        if shared.carried and isinstance(task, WorkflowTask):
            raise OptionError(not_carried(task.name))
        return shared

    def _with_parts(self, task: AnyTask, job: NewJob) -> NewJob:
        """Returns the job of a workflow with those of its steps: its worker need not add them."""
        workflow = cast("WorkflowTask", task).workflow
        context = Context(self._plans.of(task).binder.load(job.arguments).kwargs).to_json()
        parts = self._parts.of_workflow(workflow, context, job.terms.queue, job.terms.priority)
        return job._replace(parts=inherit(parts, job))


def with_attached(job: NewJob, attached: Attached) -> NewJob:
    """Returns a job with these labels and headers, and its parts with them beside their own."""
    labels, headers = attached
    job = job._replace(labels=labels, headers=headers)
    return job._replace(parts=inherit(job.parts, job)) if job.parts else job


def inherit(parts: Sequence[NewJob], job: NewJob | JobRecord) -> Sequence[NewJob]:
    """Returns the parts of a job with its labels and headers beside their own."""
    whole = Attached(job.labels, job.headers)
    if whole == NOTHING_ATTACHED:
        return parts
    return [
        part._replace(**inherited(Attached(part.labels, part.headers), whole)._asdict())
        for part in parts
    ]


def not_carried(name: str) -> str:
    """Returns why jobs of a workflow are not carried, and what to do."""
    return (
        f"{name!r} is a workflow, and workflows are not carried to an endpoint: workers run its "
        f"steps. Leave it out of what the carrier carries, and run a worker for it"
    )


def _numbered(error: ArgumentsError, number: int, total: int) -> ArgumentsError:
    """Returns an error that says which of several calls it is about."""
    return ArgumentsError(
        f"Call {number:,} of {total:,} does not fit, so none was stored: {error}", error.problems
    )


def _begins(task: AnyTask) -> bool:
    """Returns whether a job of a task is a workflow that begins at once.

    One that begins later, or when a limit lets it, is a job that opens when it is due.
    """
    if not isinstance(task, WorkflowTask):
        return False
    o = task.options
    later = o.delay or o.at is not None or o.debounce is not None
    return not (later or o.is_limited or o.expires is not None)


def _filled(
    key: str | KeyTemplate | None, values: dict[str, object], defaults: dict[str, object]
) -> str | None:
    return key.fill(values, defaults) if isinstance(key, KeyTemplate) else key


class Parts:
    """Makes the parts of jobs: the steps of a workflow, or a branch for each item of an array.

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
        self, workflow: Workflow, context: str, queue: str, priority: int, within: str = ""
    ) -> list[NewJob]:
        """Returns a job for each step, in an order in which each comes after the steps it needs.

        Args:
            workflow: the workflow.
            context: the context that it begins with, as JSON text.
            queue: the queue of the job that they are parts of: theirs, too, unless the task of a
                step has one of its own.
            priority: its priority, likewise.
            within: its path; "" begins a run.
        """
        order = workflow.topological_sort()
        ids = dict(zip(order, self._ids.many(len(order)), strict=True))
        small, places = context if len(context) <= _SMALL else None, workflow.places
        return [
            NewJob(
                ids[step.id],
                written(step.needs, places.get(step.id), small),
                _terms_of_step(step, queue, priority),
                limit_key=self._limit_key_of_step(step, context),
                labels=step.task.attached.labels,
                headers=step.task.attached.headers,
                step=join_path(within, step.id),
                workflow=workflow.name,
                needs=[ids[need] for need in step.needs],
            )
            for step in map(workflow.step, order)
        ]

    def of_items(
        self, step: Step, job: JobRecord, context: Mapping[str, Any], items: Sequence[Any]
    ) -> list[NewJob]:
        """Returns a job for each item of the step of a job.

        Args:
            step: the step.
            job: its job.
            context: the context that it begins with.
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
                limit_key=self._limit_key(step.task, context, [item]),
                step=join_path(within, str(number)),
                workflow=job.workflow,
            )
            for number, (id_, item) in enumerate(
                zip(self._ids.many(len(items)), items, strict=True)
            )
        ]

    def _limit_key_of_step(self, step: Step, context: str) -> str | None:
        if step.for_each is not None:
            return None  # its branches are limited, and it only makes them
        key = step.task.options.limited_by(step.task.name)
        if not isinstance(key, KeyTemplate):
            return key
        return self._limit_key(step.task, cast("dict[str, Any]", jsontext.decode(context)))

    def _limit_key(
        self, task: AnyTask, context: Mapping[str, Any], item: Sequence[Any] = ()
    ) -> str | None:
        """Returns the key that limits a job; a template is filled from its arguments."""
        key = task.options.limited_by(task.name)
        if not isinstance(key, KeyTemplate):
            return key
        plan = self._plans.of(task)
        values = arguments_by_name(plan.binder.names, context, item)
        return key.fill(self._validated(task, values), plan.defaults)

    def _validated(self, task: AnyTask, values: dict[str, Any]) -> dict[str, Any]:
        """Returns values as the task gets them, for the key of the job."""
        binder = self._plans.of(task).binder
        try:
            call = binder.load(jsontext.encode(values, max_bytes=sys.maxsize))
        except ArgumentsError:  # the job will say so, when it is run
            return values
        return {**dict(zip(binder.names, call.args, strict=False)), **call.kwargs}


def arguments_by_name(
    names: Sequence[str], context: Mapping[str, Any], item: Sequence[Any] = ()
) -> dict[str, Any]:
    """Returns the arguments of an ordinary task that is a step: from its context, by their names.

    Args:
        names: the parameters.
        context: the context.
        item: the item of a branch, which is its first argument, if it is one.
    """
    values = {name: context[name] for name in names if name in context}
    return {**values, **dict(zip(names[:1], item, strict=False))}


def _terms_of_step(step: Step, queue: str, priority: int) -> Terms:
    terms = _terms(step.task, queue, priority)
    if step.for_each is None:
        return terms
    return terms._replace(limit_to=None, rate_to=None, rate_per=None)


def _terms(task: AnyTask, queue: str, priority: int) -> Terms:
    own = task.terms
    return own._replace(
        queue=queue if own.queue == _DEFAULT_QUEUE else own.queue, priority=own.priority or priority
    )
