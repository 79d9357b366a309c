"""The lifespan of a web application that serves an app, and the worker that may run beside it."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import AbstractContextManager, asynccontextmanager
from typing import Any

from rotulus._concurrency.pool import off_loop
from rotulus.errors import RotulusError

logger = logging.getLogger("rotulus")

Work = Callable[[], Coroutine[Any, Any, None]]


class Lifespan:
    """The `lifespan=` of an ASGI application; it may begin more than once.

    Args:
        held: has the app booted for the length of a block; blocks.
        work: runs a worker until it is cancelled; None: no worker runs here.
    """

    def __init__(self, held: Callable[[], AbstractContextManager[None]], work: Work | None) -> None:
        self._held = held
        self._work = work
        self._problem: str | None = None

    @property
    def has_worker(self) -> bool:
        """Whether a worker is to run in this process."""
        return self._work is not None

    @property
    def problem(self) -> str | None:
        """Returns the problem of the worker of this process, if there is one."""
        return self._problem

    @asynccontextmanager
    async def __call__(self, _application: object) -> AsyncGenerator[None, None]:
        """Boot the app and run the worker; at the end the worker drains."""
        held = self._held()
        await off_loop(held.__enter__)
        self._problem = None
        working = None if self._work is None else asyncio.create_task(self._watched(self._work))
        try:
            yield
        finally:
            if working is not None:
                working.cancel()
                await asyncio.wait({working})
            await off_loop(held.__exit__, None, None, None)

    async def _watched(self, work: Work) -> None:
        try:
            await work()
        except asyncio.CancelledError:
            raise
        except Exception as error:
            self._problem = f"{type(error).__name__}: {error}"
            logger.exception("The worker of this process has ended, and this process is not ready")
        else:
            self._problem = "it has stopped"
            logger.error("The worker of this process has stopped, and this process is not ready")


def trouble(use: Callable[[], object]) -> str | None:
    """Returns the problem of a resource; None when there is none."""
    try:
        use()
    except RotulusError as error:
        return str(error)
    return None
