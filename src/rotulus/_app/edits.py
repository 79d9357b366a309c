"""The arguments that somebody gives a job that waits: checked by its task, and not yet stored."""

from collections.abc import Mapping
from typing import Any

from rotulus._engine.job_factory import JobFactory, Keys
from rotulus._jobs.encrypted import check_readable
from rotulus._jobs.record import JobRecord
from rotulus._tasks.arguments import Call, unchecked_payload
from rotulus._tasks.plan import Plans
from rotulus._tasks.registry import TaskRegistry
from rotulus._tasks.task import Task
from rotulus._text import jsontext
from rotulus._text.names import did_you_mean
from rotulus.errors import ArgumentsError, OptionError, TaskNotFoundError


class Edits:
    """Checks the arguments of jobs that are edited.

    Args:
        registry: the tasks.
        plans: how each is called.
        job_factory: makes the keys of jobs.
    """

    def __init__(self, registry: TaskRegistry, plans: Plans, job_factory: JobFactory) -> None:
        self._registry = registry
        self._plans = plans
        self._job_factory = job_factory

    def payload(self, record: JobRecord, given: Mapping[str, Any], *, unchecked: bool) -> str:
        """Returns the payload of a job with these arguments.

        Args:
            record: the job.
            given: all arguments by name: JSON data, as a job shows them, or values as its function
                takes them.
            unchecked: also for a task that is not registered here.

        Raises:
            ArgumentsError: they do not fit the task, or are not JSON.
            TaskNotFoundError: the task is not registered here; unless `unchecked`.
            OptionError: the job would have another key.
            CipherError: those that it has are encrypted, and cannot be decrypted here: new ones
                would not be encrypted, or with another key.
        """
        check_readable(record.arguments, f"The arguments of job {record.id} of {record.task!r}")
        most = self._job_factory.max_bytes
        if not self._registry.has(record.task):
            if not unchecked:
                hint = did_you_mean(record.task, self._registry.list_all())
                raise TaskNotFoundError(
                    f"Task {record.task!r} not found in registry{hint or ';'} for a task that only "
                    f"workers have give unchecked=True (--unchecked)",
                    record.task,
                )
            return unchecked_payload((), given, most)
        task = self._registry.get(record.task)
        call = self._call(task, given)
        payload = self._plans.of(task).binder.bind(call.args, call.kwargs, most).payload
        self._check_keys(task, record, call)
        return payload

    def _call(self, task: Task[..., Any, Any], given: Mapping[str, Any]) -> Call:
        """Returns the call of arguments. Where all are JSON data, they are read as such."""
        try:
            text = jsontext.encode(given, max_bytes=self._job_factory.max_bytes)
        except jsontext.NotJSONError:
            return Call((), dict(given))
        return self._plans.of(task).binder.load(text)

    def _check_keys(self, task: Task[..., Any, Any], record: JobRecord, call: Call) -> None:
        """Raise `OptionError` if a key of a job was made of arguments, and would be another one.

        The jobs that are held back by a key, or limited by it, know the one that it has.
        """
        has = Keys(record.key, record.limit_key)
        new = self._job_factory.keys(task, call)
        for name, own, was, becomes in zip(
            has._fields, has, self._made(task, record), new, strict=True
        ):
            if own is not None and own == was and own != becomes:
                raise OptionError(
                    f"Job {record.id} of {record.task!r} has {name}={own!r}, made of its "
                    f"arguments, which would become {becomes!r}: cancel it, and enqueue another one"
                )

    def _made(self, task: Task[..., Any, Any], record: JobRecord) -> Keys:
        """Returns the keys that its arguments make; those that it has, if they make none."""
        try:
            call = self._plans.of(task).binder.load(record.arguments)
            return self._job_factory.keys(task, call)
        except (ArgumentsError, OptionError, jsontext.NotJSONError):
            return Keys(record.key, record.limit_key)
