"""The groups of an app: opens them, finds them by name, adds jobs to them, closes them."""

from collections.abc import Callable, Sequence
from typing import Any, cast

from rotulus._engine.job_factory import JobFactory
from rotulus._engine.steps.group import check_callback
from rotulus._jobs.group import Group
from rotulus._jobs.grouped import KEY, group_name, is_group
from rotulus._jobs.port import JobPort
from rotulus._jobs.record import JobRecord
from rotulus._jobs.states import State
from rotulus._tasks.plan import Plans
from rotulus._tasks.registry import TaskRegistry
from rotulus._tasks.task import Task
from rotulus._text.names import check_key
from rotulus._workflows.tasks import StepTask, WorkflowTask
from rotulus.errors import GroupClosedError, GroupError, GroupNotFoundError, OptionError
from rotulus.store import Filter, NewJob, Store

AnyTask = Task[..., Any, Any]

_OF_WORKFLOWS = (WorkflowTask, StepTask)


class Groups:
    """Opens groups, finds them by name, adds jobs to them, and closes them.

    Args:
        store: opens the store when it is first needed.
        registry: the tasks that callbacks are.
        plans: how each task is called.
        job_factory: makes the jobs of callbacks.
        jobs: where jobs ask how they stand.
        add_head: stores the head of a group, unless one is open, and returns the record of that.
    """

    def __init__(
        self,
        store: Callable[[], Store],
        registry: TaskRegistry,
        plans: Plans,
        job_factory: JobFactory,
        jobs: JobPort,
        add_head: Callable[[NewJob], JobRecord],
    ) -> None:
        self._store = store
        self._registry = registry
        self._plans = plans
        self._job_factory = job_factory
        self.jobs = jobs
        self._add_head = add_head

    @property
    def place(self) -> object:
        """The store that they are in."""
        return self._store()

    def open(self, name: str, then: Any) -> JobRecord:
        """Returns the head of an open group. See `Group.open`."""
        if then is None:
            record = self.find(name)
        else:
            task = self._checked(then)
            record = self._add_head(self._job_factory.group_head(task, name))
            _refuse_other(record, name, task)
        if not self._store().groups.is_open(record.id):
            raise _closed(record)
        return record

    def find(self, name: str) -> JobRecord:
        """Returns the head of the last group of that name. Raises `GroupNotFoundError`."""
        found = self._store().find(Filter(key=f"{KEY}{name}"), 1)
        if not found or not is_group(found[0]):
            raise GroupNotFoundError(
                f"There is no group {name!r} in {self._store().url}: it was never opened here, or "
                f"has been pruned. A new one needs its callback: app.group({name!r}, then=...)"
            )
        return found[0]

    def close(self, head_id: str) -> None:
        """Let nobody add jobs any more."""
        self._store().groups.close(head_id)

    def add(self, group: Group, jobs: Sequence[NewJob]) -> list[JobRecord]:
        """Add jobs to a group; returns the record of each.

        Raises:
            GroupError: the group was not opened, or is one of another app.
            GroupClosedError: it takes no more jobs.
            OptionError: one of the jobs cannot be in a group.
        """
        if not group.is_in(self.place):
            raise GroupError(
                f"Group {group.name!r} is one of another app, and the jobs of "
                f"{jobs[0].terms.task if jobs else 'this task'!r} belong to {self._store().url}: "
                f"open a group with the app that serves their task"
            )
        for name in dict.fromkeys(job.terms.task for job in jobs):
            self._refuse_workflow(name, group)
        if any(job.terms.carried for job in jobs):
            raise OptionError(
                f"Jobs in group {group.name!r} are run by workers, and not carried to an endpoint: "
                f"leave their task out of what the carrier carries"
            )
        records = self._store().groups.add(group.id, jobs)
        if records is None:
            raise _closed(self.jobs.look(group.id))
        return records

    def _refuse_workflow(self, name: str, group: Group) -> None:
        if self._registry.has(name) and isinstance(self._registry.get(name), _OF_WORKFLOWS):
            raise OptionError(
                f"{name!r} is a workflow or a step of one, which group={group.name!r} does not "
                f"take: a group is made of jobs of ordinary tasks"
            )

    def _checked(self, then: object) -> AnyTask:
        """Returns a callback. Raises `OptionError` and `ArgumentsError`."""
        if not isinstance(then, Task):
            raise OptionError(f"then={then!r} is not allowed: give a task, made with @task")
        task = cast("AnyTask", then)
        if isinstance(task, _OF_WORKFLOWS):
            raise OptionError(
                f"then={task.name} is a workflow or a step of one: give an ordinary task, which "
                f"may enqueue a workflow"
            )
        if not self._registry.has(task.name):
            raise OptionError(f"then={task.name} is a task of another registry than this app's")
        o = task.options
        if o.key is not None or o.group is not None or o.connection is not None:
            raise OptionError(
                f"then={task.name} has key=, group= or connection=, which is not allowed: the "
                f"callback of a group is held by the name of the group"
            )
        check_callback(task.name, self._plans.of(task))
        return task


def check_group_name(name: object) -> str:
    """Returns the name of a group. Raises `OptionError` for one that is not allowed."""
    check_key(name, "group name")
    return check_key(f"{KEY}{name}", "group name").removeprefix(KEY)


def _refuse_other(record: JobRecord, name: str, task: AnyTask) -> None:
    """Raise `GroupError` when the name is held by something else than a group of this callback."""
    if not is_group(record):
        raise GroupError(
            f"Job {record.id} of {record.task!r} holds the key {record.key!r}, which a group "
            f"{name!r} would hold: give one of the two another name"
        )
    if record.task != task.name:
        raise GroupError(
            f"Group {name!r} is there already, with then={record.task}: give the same callback, or "
            f"another name"
        )


def _closed(head: JobRecord) -> GroupClosedError:
    name, state = group_name(head), State(head.state)
    if state.ended:
        how = f"has ended ({state})"
    else:
        how = f"is closed, and its jobs have not ended (app.get({head.id!r}).why() says more)"
    return GroupClosedError(
        f"Group {name!r} {how}: it takes no more jobs. Add them before app.group(...) is left or "
        f"closed, or to a group of another name"
    )
