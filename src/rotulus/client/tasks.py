"""`client.tasks` and `client.enqueue`: the tasks of a service, executed there and enqueued."""

from datetime import datetime
from typing import Any, TypedDict

from rotulus import TaskInfo
from rotulus.client.calls import Call, arguments_of, data_of, get, path_of, query_of, reader
from rotulus.client.values import Job
from rotulus.client.wire import Wire
from rotulus.errors import OptionError, RotulusError

_job, _task, _tasks = reader(Job), reader(TaskInfo), reader(tuple[TaskInfo, ...])


class TaskFailedError(RotulusError):
    """A task that a service executed has raised an error.

    Attributes:
        type: the name of the exception's class.
        traceback: where it was raised, if the service tells it; "" otherwise.
    """

    def __init__(self, message: str, kind: str, traceback: str) -> None:
        super().__init__(message)
        self.type = kind
        self.traceback = traceback


class EnqueueOptions(TypedDict, total=False):
    """The options of `client.using`, as those of `app.using`.

    Attributes:
        queue: the queue to wait in.
        priority: higher is sooner.
        delay: seconds until the job is due.
        at: the moment at which it is due, with its zone.
        expires: seconds after which a job that is due is no longer started.
        key: at most one live job has this key.
        labels: words by which people find the job, by name.
    """

    queue: str
    priority: int
    delay: float
    at: datetime
    expires: float
    key: str
    labels: dict[str, str]


class Tasks:
    """The tasks of a service.

    Args:
        wire: sends requests.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def list(self, *tags: str) -> tuple[TaskInfo, ...]:
        """Returns the tasks with all of these tags, in the order in which they are registered."""
        return self._wire.send(_list(tags))

    def get(self, name: str) -> TaskInfo:
        """Returns a task. Raises `TaskNotFoundError`."""
        return self._wire.send(_get(name))

    def execute(self, name: str, /, **params: Any) -> Any:
        """Returns what a task returns, which the service executes at once, without a job.

        Raises:
            TaskFailedError: the task has raised an error, or was not called because the arguments
                do not fit: its `type` is `ArgumentsError` then.
            TaskNotFoundError: there is no such task.
        """
        return self._wire.send(_execute(name, params))

    async def alist(self, *tags: str) -> tuple[TaskInfo, ...]:
        """`list`, for coroutines."""
        return await self._wire.asend(_list(tags))

    async def aget(self, name: str) -> TaskInfo:
        """`get`, for coroutines."""
        return await self._wire.asend(_get(name))

    async def aexecute(self, name: str, /, **params: Any) -> Any:
        """`execute`, for coroutines."""
        return await self._wire.asend(_execute(name, params))


class Sender:
    """Enqueues by name, with options: what `client.using` returns.

    Args:
        wire: sends requests.
        options: the options.
        idempotency_key: the key of each request, which is sent again then; None: it has none.
    """

    def __init__(self, wire: Wire, options: EnqueueOptions, idempotency_key: str | None) -> None:
        self._wire = wire
        self._options = options
        self._key = idempotency_key

    def enqueue(self, name: str, /, **params: Any) -> Job:
        """Store a job of the task of that name.

        Args:
            name: the task.
            params: its arguments, as JSON data.

        Raises:
            ArgumentsError: the arguments do not fit.
            TaskNotFoundError: there is no such task.
            ServiceError: the service refuses, or does not answer.
        """
        return self._wire.send(self._call(name, params))

    async def aenqueue(self, name: str, /, **params: Any) -> Job:
        """`enqueue`, for coroutines."""
        return await self._wire.asend(self._call(name, params))

    def _call(self, name: str, params: dict[str, Any]) -> Call[Job]:
        options = data_of(**self._options)
        body = {"params": arguments_of(params)} | ({"options": options} if options else {})
        headers = {} if self._key is None else {"Idempotency-Key": _quoted(self._key)}
        path = path_of("tasks", name, "$enqueue")
        return Call("POST", path, _job, body=body, headers=headers, repeatable=bool(headers))


def _quoted(key: str) -> str:
    if not key.isascii() or not key.isprintable() or '"' in key or "\\" in key:
        raise OptionError(f"{key!r} is no key: use ASCII without quotes and backslashes")
    return f'"{key}"'


def _list(tags: tuple[str, ...]) -> Call[tuple[TaskInfo, ...]]:
    return get("/tasks", _tasks, query_of(tag=tags))


def _get(name: str) -> Call[TaskInfo]:
    return get(path_of("tasks", name), _task)


def _execute(name: str, params: dict[str, Any]) -> Call[Any]:
    path = path_of("tasks", name, "$execute")
    return Call("POST", path, _read_result, body={"params": arguments_of(params)})


def _read_result(body: Any) -> Any:
    error = body["error"]
    if error is None:
        return body["result"]
    told = f"{error['type']}: {error['message']}"
    raise TaskFailedError(told, str(error["type"]), str(error["traceback"] or ""))
