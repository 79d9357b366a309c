"""`client.groups`: jobs with one callback for all of them: opened, added to, and closed."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, Unpack

from rotulus.client.calls import Call, arguments_of, data_of, get, path_of, reader
from rotulus.client.run_values import Group
from rotulus.client.values import Job, read_list
from rotulus.client.wire import Wire

_group = reader(Group)


class AddOptions(TypedDict, total=False):
    """The options of jobs that are added to a group.

    Attributes:
        queue: the queue to wait in.
        priority: higher is sooner.
        delay: seconds until they are due.
        labels: words by which people find them, by name.
    """

    queue: str
    priority: int
    delay: float
    labels: Mapping[str, str]


class Groups:
    """The groups of a service, each verb also with an `a` in front. A group is a run, as well.

    Args:
        wire: sends requests.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def open(self, name: str, then: str) -> Group:
        """Begin a group, or go on with the one of that name that is open.

        Args:
            name: by which it is found.
            then: the task that is run once the group is closed and all of its jobs have ended.

        Raises:
            TaskNotFoundError: there is no such task.
            GroupError: a group of that name is open, and is to run another task.
        """
        return self._wire.send(_open(name, then))

    def get(self, name: str) -> Group:
        """Returns the last group of a name. Raises `GroupNotFoundError`."""
        return self._wire.send(get(path_of("groups", name), _group))

    def add(
        self,
        name: str,
        task: str,
        params: Sequence[Mapping[str, Any]],
        **options: Unpack[AddOptions],
    ) -> list[Job]:
        """Store jobs of a task in an open group: all of them, or none.

        Args:
            name: the name of the group.
            task: the name of the task.
            params: the arguments of each job, by name, as JSON data: 500 jobs at most.
            options: the options of the jobs.

        Raises:
            GroupNotFoundError: there is no such group.
            GroupError: it is closed.
            ArgumentsError: arguments do not fit.
        """
        return self._wire.send(_add(name, task, params, options))

    def close(self, name: str) -> Group:
        """Let nobody add jobs any more: the callback runs once all of them have ended."""
        return self._wire.send(_close(name))

    async def aopen(self, name: str, then: str) -> Group:
        """`open`, for coroutines."""
        return await self._wire.asend(_open(name, then))

    async def aget(self, name: str) -> Group:
        """`get`, for coroutines."""
        return await self._wire.asend(get(path_of("groups", name), _group))

    async def aadd(
        self,
        name: str,
        task: str,
        params: Sequence[Mapping[str, Any]],
        **options: Unpack[AddOptions],
    ) -> list[Job]:
        """`add`, for coroutines."""
        return await self._wire.asend(_add(name, task, params, options))

    async def aclose(self, name: str) -> Group:
        """`close`, for coroutines."""
        return await self._wire.asend(_close(name))


def _open(name: str, then: str) -> Call[Group]:
    return Call("POST", "/groups", _group, body={"name": name, "then": then}, repeatable=True)


def _close(name: str) -> Call[Group]:
    return Call("POST", path_of("groups", name, "$close"), _group, repeatable=True)


def _add(
    name: str, task: str, params: Sequence[Mapping[str, Any]], options: AddOptions
) -> Call[list[Job]]:
    body: dict[str, Any] = {"task": task, "params": arguments_of(list(params))}
    body |= {"options": data_of(**options)} if options else {}
    return Call("POST", path_of("groups", name, "$add"), read_list, body=body)
