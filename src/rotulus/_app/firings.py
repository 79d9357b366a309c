"""Makes the jobs that schedules fire on demand, and checks that a schedule can fire its task."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rotulus._engine.job_factory import Due, JobFactory
from rotulus._tasks.arguments import unchecked_payload
from rotulus._tasks.plan import Plans
from rotulus._tasks.registry import TaskRegistry
from rotulus._text.names import did_you_mean
from rotulus.errors import TaskNotFoundError
from rotulus.store import NewJob


class Firings:
    """The jobs of schedules.

    Args:
        registry: the tasks.
        plans: how each is called.
        job_factory: makes the jobs.
    """

    def __init__(self, registry: TaskRegistry, plans: Plans, job_factory: JobFactory) -> None:
        self._registry = registry
        self._plans = plans
        self._job_factory = job_factory

    def check(self, task: str, arguments: Mapping[str, Any], *, unchecked: bool) -> None:
        """Check that a schedule can fire a task with these arguments.

        Raises:
            ArgumentsError: they do not fit it, or are not JSON.
            TaskNotFoundError: it is not registered here, though others are; unless `unchecked`.
        """
        registry, most = self._registry, self._job_factory.max_bytes
        if registry.has(task):
            self._plans.of(registry.get(task)).binder.bind((), arguments, most)
        elif len(registry) and not unchecked:
            hint = did_you_mean(task, registry.list_all())
            raise TaskNotFoundError(
                f"Task {task!r} not found in registry{hint or ';'} for a task that only workers "
                f"have give unchecked=True (--unchecked)",
                task,
            )
        else:
            unchecked_payload((), arguments, most)

    def jobs(
        self, task: str, schedule: str, arguments: str, instants: Sequence[datetime | None]
    ) -> list[NewJob]:
        """Returns the jobs of a schedule for some instants; None: one that is fired by hand.

        Raises:
            TaskNotFoundError: the task is not registered here.
            ArgumentsError: the arguments do not fit it.
        """
        known, make = self._registry.get(task), self._job_factory.firing
        return [make(known, schedule, arguments, Due(instant)) for instant in instants]
