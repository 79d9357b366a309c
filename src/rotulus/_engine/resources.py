"""Makes the injected values of tasks, and tears them down: per job, or once per worker."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import (
    AsyncExitStack,
    ExitStack,
    asynccontextmanager,
    contextmanager,
)
from typing import Any

from rotulus._jobs.job import Job
from rotulus._tasks.injection import FactoryCall, InjectionPlan, Making, Provision


class Resources:
    """The injected values of one event loop.

    Values of scope `app` are made when they are first needed and torn down by `close`, the last
    one first; those of scope `job` live for one attempt.
    """

    def __init__(self) -> None:
        self._shared: dict[Any, Any] = {}
        self._stack = AsyncExitStack()
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def filled(
        self, plan: InjectionPlan, job: Job[Any]
    ) -> AsyncGenerator[dict[str, Any], None]:
        """The values of a plan's parameters, for the length of a block."""
        async with AsyncExitStack() as stack:
            made: list[Any] = [job]
            for call in plan.calls:
                made.append(await self._make(call, made, stack))
            yield {name: made[place] for name, place in plan.parameters.items()}

    async def close(self) -> None:
        """Tear down the shared values."""
        await self._stack.aclose()
        self._shared.clear()

    async def _make(self, call: FactoryCall, made: list[Any], stack: AsyncExitStack) -> Any:
        provision = call.provision
        if provision.scope == "job":
            return await _enter(provision, _arguments(call.dependencies, made), stack)
        async with self._lock:
            if provision.kind not in self._shared:
                value = await _enter(provision, _arguments(call.dependencies, made), self._stack)
                self._shared[provision.kind] = value
        return self._shared[provision.kind]


@contextmanager
def filled_here(plan: InjectionPlan, job: Job[Any]) -> Generator[dict[str, Any], None, None]:
    """The values of a plan that needs no event loop, made and torn down in this very thread.

    A connection that may only be used by the thread that opened it is made where it is used.
    """
    with ExitStack() as stack:
        made: list[Any] = [job]
        for call in plan.calls:
            arguments = _arguments(call.dependencies, made)
            if call.provision.making is Making.YIELDING:
                block = contextmanager(call.provision.factory)(**arguments)
                made.append(stack.enter_context(block))
            else:
                made.append(call.provision.factory(**arguments))
        yield {name: made[place] for name, place in plan.parameters.items()}


def _arguments(dependencies: Mapping[str, int], made: list[Any]) -> dict[str, Any]:
    return {name: made[place] for name, place in dependencies.items()}


async def _enter(provision: Provision, arguments: dict[str, Any], stack: AsyncExitStack) -> Any:
    factory: Callable[..., Any] = provision.factory
    match provision.making:
        case Making.PLAIN:
            return factory(**arguments)
        case Making.ASYNC:
            return await factory(**arguments)
        case Making.YIELDING:
            return stack.enter_context(contextmanager(factory)(**arguments))
        case Making.ASYNC_YIELDING:
            return await stack.enter_async_context(asynccontextmanager(factory)(**arguments))
