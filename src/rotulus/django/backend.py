"""The backends of Django's tasks: the base of all of them, and the one with workers."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from django.apps import apps
from django.core import checks
from django.db import DEFAULT_DB_ALIAS, router
from django.utils import timezone

from rotulus import App, Job, Task
from rotulus._text.names import check_queue_name, did_you_mean
from rotulus.django.app import app_of
from rotulus.django.compat import (
    AnyResult,
    BaseTaskBackend,
    InvalidTask,
    InvalidTaskBackend,
    TaskResultDoesNotExist,
    task_enqueued,
)
from rotulus.django.declaring import declared
from rotulus.django.results import arguments_of, result_of
from rotulus.django.tasks import RotulusTask, places_of, plain, register
from rotulus.errors import OptionError, RotulusError


class RotulusBackend(BaseTaskBackend):
    """A backend of Django's tasks that keeps them in the tables of Rotulus.

    Args:
        alias: its key in `settings.TASKS`.
        params: its value there. In `OPTIONS`, `database` is the alias in `settings.DATABASES` of
            the database with the jobs. Unless it is given, the routers choose by the model
            `rotulus.TaskExecution`; else it is `default`.

    An unknown option is reported by `manage.py check`, and refused when the backend is used.
    """

    task_class = RotulusTask
    supports_get_result = True
    is_carried = False
    """Whether its jobs are carried to an endpoint outside."""
    known_options = frozenset({"database", "cipher"})
    """The allowed names in `OPTIONS`."""

    def __init__(self, alias: str, params: dict[str, Any]) -> None:
        super().__init__(alias, params)
        self._on_commit: bool | None = params.get("ENQUEUE_ON_COMMIT")
        self._usual: dict[tuple[Any, str, int], Task[..., Any, Any]] = {}

    @property
    def database(self) -> str:
        """The alias of the database of its jobs."""
        chosen = self.options.get("database")
        return chosen or router.db_for_write(apps.get_model("rotulus", "TaskExecution"))

    @property
    def app(self) -> App:
        """The app of that database. Raises `InvalidTaskBackend` for an unknown option."""
        for problem in self._unknown_options():
            raise InvalidTaskBackend(f"{problem.msg} {problem.hint}")
        return app_of(self.database, carried=self.is_carried)

    def validate_task(self, task: Any) -> None:
        """Raise `InvalidTask` for a task that this backend cannot run."""
        super().validate_task(task)
        try:
            check_queue_name(task.queue_name)
        except OptionError as error:
            raise InvalidTask(str(error)) from None

    def enqueue(self, task: Any, args: Any, kwargs: Any) -> AnyResult:
        """Store a job of a task.

        In an `atomic` block of its database the job belongs to the block: it exists once the block
        is committed. Otherwise it exists when this call returns.

        Raises:
            InvalidTask: the task is not one for this backend.
            ArgumentsError: the arguments do not fit the task, or have no JSON form.
            StoreError: the job could not be stored.
        """
        self.validate_task(task)
        positional, named = plain(task, args, kwargs)
        job = self.delivered(task).enqueue(*positional, **named)
        arguments = None if job.existed else _arguments(job, task, len(positional))
        result = result_of(job, task, arguments)
        task_enqueued.send(type(self), task_result=result)
        return result

    def get_result(self, result_id: str) -> AnyResult:
        """Returns the current result of a job.

        Raises:
            TaskResultDoesNotExist: there is no such job, or this process has not imported its task.
            StoreError: the store cannot be used.
        """
        record = self.app.store.get(str(result_id))
        if record is None:
            raise TaskResultDoesNotExist(result_id)
        job = self.app.get(record.id)
        known = declared(job.task)
        if known is None:
            raise TaskResultDoesNotExist(
                f"{result_id} is a job of {job.task!r}, which is no task of Django that this "
                f"process has imported; rotulus.django.app_of({self.database!r}).get(id) shows it"
            )
        return result_of(job, self._as_enqueued(known.task, job))

    def check(self, **_given: Any) -> Iterable[checks.CheckMessage]:
        """Returns the problems of the settings of this backend, for `manage.py check`."""
        if not apps.is_installed("rotulus.django"):
            yield checks.Error(
                f"TASKS[{self.alias!r}] is a backend of Rotulus, and its tables are not installed.",
                hint="Add 'rotulus.django' to INSTALLED_APPS, and run manage.py migrate.",
                id="rotulus.E010",
            )
            return
        yield from self._enqueue_on_commit()
        unknown = list(self._unknown_options())
        yield from unknown
        try:
            if not unknown:
                _ = self.app.store
        except RotulusError as error:
            yield checks.Error(str(error), hint=f"See TASKS[{self.alias!r}].", id="rotulus.E011")

    def _enqueue_on_commit(self) -> Iterator[checks.Warning]:
        """Yields a warning if a setting of `django-tasks` has no effect here."""
        if self._on_commit is None or self._on_commit is (self.database == DEFAULT_DB_ALIAS):
            return
        yield checks.Warning(
            f"TASKS[{self.alias!r}]['ENQUEUE_ON_COMMIT'] is {self._on_commit!r}, and has "
            f"no effect: a job belongs to the atomic block of its own database, {self.database!r}.",
            hint="Enqueue by transaction.on_commit(..., using=alias) to wait for the commit of "
            "another database. To enqueue even if the block is rolled back, have the jobs in "
            "another database (OPTIONS['database']).",
            id="rotulus.W013",
        )

    def _unknown_options(self) -> Iterator[checks.Error]:
        for name in self.options:
            if name not in self.known_options:
                near = did_you_mean(name, self.known_options)
                yield checks.Error(
                    f"TASKS[{self.alias!r}]['OPTIONS'] has no {name!r}{near or '.'}",
                    hint=f"There are: {', '.join(sorted(self.known_options))}.",
                    id="rotulus.E012",
                )

    def delivered(self, task: Any) -> Task[..., Any, Any]:
        """Returns our task for one of Django's, with its options of delivery."""
        ours, once = self._ours(task), _once(task)
        if once:
            return ours.using(**_delivery(task), **once)
        how = (ours, task.queue_name, task.priority)
        if how not in self._usual:  # most are enqueued again and again
            self._usual[how] = ours.using(**_delivery(task))
        return self._usual[how]

    def _ours(self, task: Any) -> Task[..., Any, Any]:
        registry = self.app.registry
        if not registry.has(task.module_path):
            register(task)  # a task of another backend, by `using(backend=...)`
        return registry.get(task.module_path)

    def _as_enqueued(self, task: Any, job: Job[Any]) -> Any:
        """Returns the task as it was when the job was enqueued, as far as that is known."""
        waits = job.attempt == 0 and job.run_at > job.created_at
        was: dict[str, Any] = {
            "priority": job.priority,
            "queue_name": job.queue,
            "backend": self.alias,
        }
        if waits:
            was["run_after"] = job.run_at
        if all(getattr(task, name) == value for name, value in was.items()):
            return task
        try:
            return task.using(**was)
        except InvalidTask:  # enqueued by other programs, or under other settings
            return task


def _delivery(task: Any) -> Mapping[str, Any]:
    return {"queue": task.queue_name, "priority": task.priority}


def _once(task: Any) -> dict[str, Any]:
    """Returns the options that are different for each enqueue."""
    group, moment = getattr(task, "group", None), task.run_after
    given = {"at": moment and _aware(moment), "group": group}
    return {name: value for name, value in given.items() if value is not None}


def _aware(moment: datetime) -> datetime:
    """Returns a moment with its zone: without `USE_TZ` the zone of the settings."""
    return moment if timezone.is_aware(moment) else timezone.make_aware(moment)


def _arguments(job: Job[Any], task: Any, count: int) -> tuple[list[Any], dict[str, Any]]:
    return arguments_of(job.arguments, places_of(task)[:count])


class DatabaseBackend(RotulusBackend):
    """Keeps Django's tasks in the tables of Rotulus, for `manage.py rotulus_worker`.

    `TASKS = {"default": {"BACKEND": "rotulus.django.DatabaseBackend"}}`. An enqueue in an `atomic`
    block belongs to the block.
    """

    supports_defer = True
    supports_async_task = True
    supports_priority = True
