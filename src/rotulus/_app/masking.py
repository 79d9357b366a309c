"""Secret values of jobs are hidden from whoever may not see them: `app.masking`."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, NamedTuple

from rotulus._tasks.masking import MaskedNames
from rotulus._tasks.plan import Plans, TaskPlan
from rotulus._tasks.registry import TaskRegistry
from rotulus._tasks.secret_schema import NOWHERE, Secrets, secrets_of
from rotulus._tasks.task import Task
from rotulus.errors import RotulusError

_SEPARATOR = "."


class TaskSecrets(NamedTuple):
    """Where secrets are in the arguments and in the result of a task, by their types."""

    arguments: Secrets
    result: Secrets


_UNKNOWN = TaskSecrets(NOWHERE, NOWHERE)


class Masking:
    """Hides secret values of jobs, which are `***` then.

    Secret are the values of parameters whose type is a secret, such as pydantic's `SecretStr`, or
    whose schema says `writeOnly`; and at any depth the values of keys that have certain words in
    them, such as `password` or `api_key`. See `App(mask=...)`.

    Args:
        names: the words.
        registry: the tasks.
        plans: gives how they are called.
    """

    def __init__(
        self, names: Collection[str], registry: TaskRegistry, plans: Callable[[], Plans]
    ) -> None:
        self._names = MaskedNames(names)
        self._registry = registry
        self._plans = plans
        self._known: dict[str, tuple[TaskPlan, TaskSecrets]] = {}

    def arguments(self, task: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the arguments of a job of a task, masked."""
        return self._names.masked(dict(arguments), self._of(task).arguments)

    def result(self, task: str, result: Any) -> Any:
        """Returns the result of a task, as JSON data, masked."""
        return self._names.masked(result, self._of(task).result)

    def data(self, value: Any) -> Any:
        """Returns any JSON data, such as labels, headers or a context, masked by names only."""
        return self._names.masked(value)

    def restored(
        self, task: str, arguments: Mapping[str, Any], stored: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Returns arguments with the stored secrets in place of each `***` that stands for one.

        Args:
            task: the task.
            arguments: what somebody sends back who has seen it masked.
            stored: the arguments of the job as they are.
        """
        return self._names.restored(dict(arguments), dict(stored), self._of(task).arguments)

    def hides(self, path: str, task: str | None = None) -> bool:
        """Returns whether a value in arguments is secret, or stands in one.

        Args:
            path: its path, such as `order.card.token`.
            task: the name of the task, or a beginning and a `*`; any unless given.
        """
        names = path.split(_SEPARATOR)
        if self._names.leads_to_secret(names):
            return True
        return any(
            self._names.leads_to_secret(names, self._of(one).arguments) for one in self._among(task)
        )

    def hides_name(self, name: str) -> bool:
        """Returns whether the value of a label or a header is secret."""
        return self._names.hide(name)

    def _among(self, task: str | None) -> Iterable[str]:
        if task is None:
            return self._registry.list_all()
        if not task.endswith("*"):
            return [task]
        return [name for name in self._registry.list_all() if name.startswith(task[:-1])]

    def _of(self, name: str) -> TaskSecrets:
        if not self._registry.has(name):
            return _UNKNOWN
        task: Task[..., Any, Any] = self._registry.get(name)
        try:
            plan = self._plans().of(task)
            known = self._known.get(name)
            if known is not None and known[0] is plan:
                return known[1]
            arguments, result = plan.binder.json_schema(), plan.result.json_schema()
        except RotulusError:  # a parameter of it cannot be filled here
            return _UNKNOWN
        found = TaskSecrets(secrets_of(arguments), secrets_of(result))
        self._known[name] = plan, found
        return found
