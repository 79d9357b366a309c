"""`client.queues` and `client.workers`: what waits, who works, and how many are wanted."""

from pydantic import BaseModel

from rotulus import JobCount
from rotulus.client.calls import Call, get, path_of, query_of, reader
from rotulus.client.values import Demand, Page, Queue, Worker, page_reader
from rotulus.client.wire import Wire
from rotulus.errors import OptionError


class _Fleet(BaseModel):
    """The answer about workers, and whether all jobs that run were counted."""

    items: tuple[Worker, ...]
    exact: bool

    def running(self) -> dict[str, JobCount]:
        """Returns how many jobs each worker runs that runs any."""
        return {
            one.name: JobCount(one.running, exact=self.exact) for one in self.items if one.running
        }


_queue, _queues = reader(Queue), page_reader(Queue)
_demand, _workers = reader(Demand), page_reader(Worker)
_fleet = reader(_Fleet)

Drained = list[Worker]
"""The result of `drain`: in a class with a method `list` the type needs another name."""


class Queues:
    """The queues of a service, with the verbs of `app.queues`, each also with an `a` in front.

    Args:
        wire: sends requests.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def list(self) -> Page[Queue]:
        """Returns the queues in which jobs wait or run, or that are paused, by name."""
        return self._wire.send(get("/queues", _queues))

    def get(self, name: str) -> Queue:
        """Returns a queue as it stands."""
        return self._wire.send(get(path_of("queues", name), _queue))

    def demand(self, *names: str, slots: int | None = None) -> Demand:
        """Returns how much work queues have, and how many workers that work asks for.

        Args:
            names: the queues; all but the private ones unless given.
            slots: the slots of one worker; as many as the live ones have unless given.
        """
        return self._wire.send(_demand_of(names, slots))

    def pause(self, *names: str) -> None:
        """Let no worker take jobs of queues until they are resumed. Those that run go on."""
        for call in _verb(names, "$pause"):
            self._wire.send(call)

    def resume(self, *names: str) -> None:
        """Let workers take jobs of queues again."""
        for call in _verb(names, "$resume"):
            self._wire.send(call)

    async def alist(self) -> Page[Queue]:
        """`list`, for coroutines."""
        return await self._wire.asend(get("/queues", _queues))

    async def aget(self, name: str) -> Queue:
        """`get`, for coroutines."""
        return await self._wire.asend(get(path_of("queues", name), _queue))

    async def ademand(self, *names: str, slots: int | None = None) -> Demand:
        """`demand`, for coroutines."""
        return await self._wire.asend(_demand_of(names, slots))

    async def apause(self, *names: str) -> None:
        """`pause`, for coroutines."""
        for call in _verb(names, "$pause"):
            await self._wire.asend(call)

    async def aresume(self, *names: str) -> None:
        """`resume`, for coroutines."""
        for call in _verb(names, "$resume"):
            await self._wire.asend(call)


class Workers:
    """The workers that are alive.

    Args:
        wire: sends requests.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def list(self) -> Page[Worker]:
        """Returns the workers that are alive, the oldest first."""
        return self._wire.send(get("/workers", _workers))

    def running(self) -> dict[str, JobCount]:
        """Returns how many jobs each worker runs, by its name; those that run none are left out."""
        return self._wire.send(get("/workers", _fleet)).running()

    def drain(self, *names: str) -> Drained:
        """Let workers take no more jobs, finish those they have, and end; returns them.

        Args:
            names: workers; or supervisors, for all of their processes.
        """
        return [worker for call in _drains(names) for worker in self._wire.send(call)]

    async def arunning(self) -> dict[str, JobCount]:
        """`running`, for coroutines."""
        return (await self._wire.asend(get("/workers", _fleet))).running()

    async def adrain(self, *names: str) -> Drained:
        """`drain`, for coroutines."""
        return [worker for call in _drains(names) for worker in await self._wire.asend(call)]

    async def alist(self) -> Page[Worker]:
        """`list`, for coroutines."""
        return await self._wire.asend(get("/workers", _workers))


def _demand_of(names: tuple[str, ...], slots: int | None) -> Call[Demand]:
    return get("/demand", _demand, query_of(queue=names, slots=slots))


def _drains(names: tuple[str, ...]) -> list[Call[Page[Worker]]]:
    if not names:
        raise OptionError("no worker is given: name one")
    return [Call("POST", path_of("workers", name, "$drain"), _workers) for name in names]


def _verb(names: tuple[str, ...], verb: str) -> list[Call[Queue]]:
    if not names:
        raise OptionError("no queue is given: name one")
    return [Call("POST", path_of("queues", name, verb), _queue, repeatable=True) for name in names]
